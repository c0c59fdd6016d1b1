#!/usr/bin/env python3
"""A nightly run against Tsunagi with nothing but Python: pull what has changed into SQLite, push a CSV as a batch.

    export TSUNAGI_URL=https://tsunagi.example.lg.jp CLIENT_ID=… CLIENT_SECRET=…
    nightly.py pull copy.sqlite              first load, or what has changed since; run it as often as you like
    nightly.py check copy.sqlite             compare the copy with the service: counts and checksums
    nightly.py push organizations rows.csv   the first column is your own id; run again after any failure

Exit status: 0 done, 1 something is left for a person (it says what).
"""

import base64
import csv
import hashlib
import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

URL = os.environ["TSUNAGI_URL"].rstrip("/")
#: How your system calls itself; its ids are unique under this name.
SOURCE = os.environ.get("TSUNAGI_SOURCE", "nightly")


class Tsunagi:
    """The API with a token that is renewed in time, and with patience."""

    def __init__(self, client: str | None = None, secret: str | None = None) -> None:
        self.credentials = f"{client or os.environ['CLIENT_ID']}:{secret or os.environ['CLIENT_SECRET']}"
        self.token, self.until = "", 0.0

    def authorization(self) -> str:
        if time.monotonic() > self.until:
            basic = base64.b64encode(self.credentials.encode()).decode()
            body = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
            headers = {"Authorization": f"Basic {basic}"}
            request = urllib.request.Request(f"{URL}/api/v1/oauth/token", body, headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                grant = json.load(answer)
            self.token, self.until = grant["access_token"], time.monotonic() + grant["expires_in"] - 60
        return f"Bearer {self.token}"

    def ask(self, path: str, body: dict | None = None, key: str | None = None) -> tuple[int, dict]:
        """One request, repeated until it is answered: a write is safe to repeat because of its key."""
        for attempt in range(8):
            pause = min(2**attempt, 60)
            try:
                headers = {"Authorization": self.authorization(), "Content-Type": "application/json"}
                if key:
                    headers["Idempotency-Key"] = key
                data = None if body is None else json.dumps(body).encode()
                request = urllib.request.Request(f"{URL}/api/v1{path}", data, headers)
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code == 401:
                    self.until = 0.0
                elif error.code in (429, 503):
                    pause = int(error.headers.get("Retry-After", pause))
                else:
                    return error.code, json.load(error)
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(pause)
        sys.exit(f"{path}: no answer")


def open_copy(path: str) -> sqlite3.Connection:
    copy = sqlite3.connect(path)
    copy.executescript(
        """
        create table if not exists records (entity text, id text, owner text, version integer, record text,
                                            primary key (entity, id));
        create table if not exists position (one integer primary key check (one = 1), cursor text);
        create table if not exists read (organization text primary key, seq integer);
        """
    )
    return copy


def pull(api: Tsunagi, copy: sqlite3.Connection, wait: int = 0) -> int:
    """Reads on from where the copy stands. What is read and where it stands are committed together."""
    changes = 0
    while True:
        row = copy.execute("select cursor from position").fetchone()
        query = {"limit": 2000, "wait": wait} | ({"after": row[0]} if row else {})
        status, answer = api.ask(f"/changes?{urllib.parse.urlencode(query)}")
        with copy:
            if status == 410:
                # Other rights, a restored database, too long away: these come anew.
                for organization in answer["organizations"]:
                    copy.execute("delete from records where owner = ?", [organization])
                    copy.execute("delete from read where organization = ?", [organization])
                keep(copy, answer["after"])
                continue
            if status != 200:
                sys.exit(f"changes: {status} {answer.get('title')}")
            for span in answer["ranges"]:
                contiguous(copy, span, [i["seq"] for i in answer["items"] if i["organization_id"] == span["organization_id"]])
            for item in answer["items"]:
                apply(copy, item)
            changes += len(answer["items"])
            keep(copy, answer["next"])
        if not answer["more"]:
            return changes


def contiguous(copy: sqlite3.Connection, span: dict, told: list[int]) -> None:
    """Every number is told once, as a change or as skipped: then nothing is missing."""
    row = copy.execute("select seq from read where organization = ?", [span["organization_id"]]).fetchone()
    numbers = told + [n for first, last in span["skipped"] for n in range(first, last + 1)]
    expected = list(range((row[0] if row else 0) + 1, span["last"] + 1))
    if span["first"] != expected[0] or sorted(numbers) != expected or told != sorted(told):
        sys.exit(f"the feed is not whole: {span}")
    copy.execute("insert or replace into read values (?, ?)", [span["organization_id"], span["last"]])


def apply(copy: sqlite3.Connection, item: dict) -> None:
    if item["operation"] == "gone":
        copy.execute("delete from records where entity = ? and id = ?", [item["entity"], item["id"]])
    else:
        record = json.dumps(item["record"], ensure_ascii=False, sort_keys=True)
        copy.execute(
            "insert into records values (?, ?, ?, ?, ?) on conflict do update set owner = excluded.owner,"
            " version = excluded.version, record = excluded.record where excluded.version > version",
            [item["entity"], item["id"], item["record"]["owner_org_id"], item["version"], record],
        )


def keep(copy: sqlite3.Connection, cursor: str) -> None:
    copy.execute("insert or replace into position values (1, ?)", [cursor])


def check(api: Tsunagi, copy: sqlite3.Connection) -> list[str]:
    """What differs between the copy and the service; read on first."""
    status, answer = api.ask("/changes/counts")
    if status != 200:
        sys.exit(f"counts: {status} {answer.get('title')}")
    theirs = {(c["organization_id"], c["entity"]): (c["count"], c["checksum"]) for c in answer["items"]}
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for owner, entity, identity, version in copy.execute("select owner, entity, id, version from records"):
        count, checksum = sums.get((owner, entity), (0, 0))
        digest = hashlib.sha256(f"{identity}:{version}".encode()).digest()
        sums[owner, entity] = count + 1, checksum ^ int.from_bytes(digest[:8], "big")
    ours = {key: (count, f"{checksum:016x}") for key, (count, checksum) in sums.items()}
    return [f"{key}: copy {ours.get(key)}, service {theirs.get(key)}" for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]


def push(api: Tsunagi, entity: str, path: str) -> list[dict]:
    """Sends the rows of a CSV file by your own ids; what has not changed makes no version. Returns what was not written.

    Columns are named like the fields; what is no text (numbers, lists, references) stands as JSON under `name:json`:
    `{"source": "kintone", "external_id": "P-1"}` in `platform_id:json` names the platform by your own id.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = [dict(value_of(*cell) for cell in row.items() if cell[1] != "") for row in csv.DictReader(file)]
    left = []
    for begin in range(0, len(rows), 1000):
        items = []
        for row in rows[begin : begin + 1000]:
            identity, *_ = row
            fields = {name: value for name, value in row.items() if name != identity}
            items.append({"entity": entity, "source": SOURCE, "external_id": row[identity], "record": fields})
        body = {"mode": "per_row", "items": items}
        # Without an answer the same is asked again, under the same key. Another run has another key: it wants to know anew.
        status, answer = api.ask("/batch", body, str(uuid.uuid4()))
        if status != 200:
            sys.exit(f"batch: {status} {answer.get('title')} {answer.get('errors', '')}")
        print(", ".join(f"{name} {count}" for name, count in answer["counts"].items() if count))
        for result in answer["items"]:
            if result["outcome"] in ("conflict", "error"):
                left.append({"line": begin + result["index"] + 2} | result)
    return left


def value_of(column: str, text: str) -> tuple[str, object]:
    name, _, kind = column.partition(":")
    return name, json.loads(text) if kind == "json" else text


def main() -> int:
    api = Tsunagi()
    match sys.argv[1:]:
        case ["pull", path]:
            print(f"{pull(api, open_copy(path))} changes")
            return 0
        case ["check", path]:
            differences = check(api, open_copy(path))
            print("\n".join(differences) or "the copy is what the service has")
            return 1 if differences else 0
        case ["push", entity, path]:
            left = push(api, entity, path)
            for row in left:
                problem = row["problem"]
                fields = "; ".join(f"{e['path']} {e['message']}" for e in problem.get("errors", []))
                print(f"line {row['line']}: {row['outcome']} {problem['code']}: {problem['title']} {fields}")
            return 1 if left else 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
