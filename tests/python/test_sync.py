"""docs/sync/nightly.py, the example for councils' systems, against the running service while others write."""

import os
import random
import sqlite3
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import httpx
import pytest

import service

SCRIPT = Path(__file__).parents[2] / "docs" / "sync" / "nightly.py"


@pytest.fixture
def system(admin: httpx.Client) -> dict[str, str]:
    """The environment of a system of the town."""
    client, secret = service.credentials(admin)
    return {"TSUNAGI_URL": service.URL, "CLIENT_ID": client, "CLIENT_SECRET": secret, "TSUNAGI_SOURCE": uuid.uuid4().hex}


def run(system: dict[str, str], *arguments: str, status: int = 0) -> str:
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], env=os.environ | system, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == status, f"{arguments}: {ended.stdout}{ended.stderr}"
    return ended.stdout


class Writer(threading.Thread):
    """Somebody who creates, changes, publishes and deletes until told to stop."""

    def __init__(self, town: service.Town, number: int) -> None:
        super().__init__(daemon=True)
        self.town, self.chance = town, random.Random(number)
        self.stop, self.done, self.failed = threading.Event(), 0, None

    def run(self) -> None:
        try:
            with self.town.editor.client() as api:
                while not self.stop.is_set():
                    self.step(api)
        except Exception as error:  # told by the test
            self.failed = error

    def step(self, api: httpx.Client) -> None:
        platform = api.post("/api/v1/platforms", json={"kind": "other", "name": f"場 {uuid.uuid4().hex}"})
        address = platform.raise_for_status().headers["location"]
        year = api.post("/api/v1/platform-years", json={"platform_id": platform.json()["id"], "fiscal_year": 2024})
        self.done += 2
        if self.chance.random() < 0.5:
            changed = api.patch(address, json={"summary": "変更"}, headers={"If-Match": "*"})
            self.done += changed.raise_for_status().status_code == 200
        if self.chance.random() < 0.3:
            moved = api.post(f"{address}/transition", json={"status": "submitted"}, headers={"If-Match": "*"})
            self.done += moved.raise_for_status().status_code == 200
        # Refused and rolled back: it still has a year.
        assert api.delete(address, headers={"If-Match": "*"}).status_code == 409
        if self.chance.random() < 0.4:
            for gone in (year.headers["location"], address):
                deleted = api.delete(gone, headers={"If-Match": "*"})
                self.done += deleted.raise_for_status().status_code == 204


def test_a_copy_that_is_read_while_others_write_is_what_the_service_has(town, system, tmp_path):
    copy = str(tmp_path / "copy.sqlite")
    writers = [Writer(town, number) for number in range(4)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(15):
            run(system, "pull", copy)
    finally:
        for writer in writers:
            writer.stop.set()
    for writer in writers:
        writer.join(timeout=60)
        assert writer.failed is None, writer.failed
        assert writer.done > 10
    run(system, "pull", copy)
    assert "the copy is what the service has" in run(system, "check", copy)
    assert run(system, "pull", copy) == "0 changes\n"
    # Read anew, it is the same.
    run(system, "pull", str(tmp_path / "anew.sqlite"))
    dump = "select * from records order by entity, id"
    rows = [sqlite3.connect(path).execute(dump).fetchall() for path in (copy, tmp_path / "anew.sqlite")]
    assert rows[0] == rows[1] and len(rows[0]) > 40


def test_a_file_is_pushed_again_and_again_and_conflicts_are_left_to_people(editor, system, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("\ufeff番号,kind,name,position:json\n0017,npo,見守りの会,1\n0018,npo,ふれあい食堂,2\n", encoding="utf-8")
    assert run(system, "push", "organizations", str(rows)) == "created 2\n"
    assert run(system, "push", "organizations", str(rows)) == "unchanged 2\n"
    rows.write_text(rows.read_text().replace("ふれあい食堂", "ふれあい食堂（移転）"))
    assert run(system, "push", "organizations", str(rows)) == "updated 1, unchanged 1\n"
    query = {"source": system["TSUNAGI_SOURCE"], "external_id": "0018"}
    known = editor.get("/api/v1/external-ids", params=query).raise_for_status().json()["items"]
    address = f"/api/v1/organizations/{known[0]['record_id']}"
    editor.patch(address, json={"phone": "0859-00-0000"}, headers={"If-Match": "*"}).raise_for_status()
    rows.write_text(rows.read_text().replace("（移転）", "（再移転）").replace("npo,見守り", "club,見守り"))
    told = run(system, "push", "organizations", str(rows), status=1)
    assert "line 2: error invalid" in told and "/kind" in told
    assert "line 3: conflict changed_by_others" in told
    assert editor.get(address).json()["name"] == "ふれあい食堂（移転）"
