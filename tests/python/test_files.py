"""Files by other hands: what the service exports, Python's own codec and csv module and LibreOffice write anew, and it is
unchanged. And what becomes of an import whose service is killed."""

import csv
import io
import itertools
import shutil
import subprocess
import time
import uuid
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from services import Services


SOFFICE = shutil.which("soffice")
SHEET = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def run(api: httpx.Client, entity: str, content: bytes, kind: str = "csv") -> dict:
    """The end of an import of this file, sent in two parts."""
    body = {"file_name": f"一覧.{kind}", "format": kind, "entity": entity, "source": "python"}
    made = api.post("/api/v1/imports", json=body).raise_for_status().json()
    half = len(content) // 2
    for offset, part in ((0, content[:half]), (half, content[half:])):
        headers = {"Content-Type": "application/octet-stream"}
        api.put(f"/api/v1/imports/{made['id']}/content", params={"offset": offset}, content=part, headers=headers).raise_for_status()
    started = api.post(f"/api/v1/imports/{made['id']}/run", json={}).raise_for_status().json()
    for _ in range(300):
        done = api.get(f"/api/v1/sync-runs/{started['id']}").raise_for_status().json()
        if done["ended_at"]:
            return done
        time.sleep(0.1)
    raise AssertionError(f"{started} does not end")


def counts(done: dict) -> dict[str, int]:
    return {outcome: count for outcome, count in done["counts"].items() if count}


def test_a_cp932_file_made_by_python_is_read_and_what_is_exported_is_unchanged(editor: httpx.Client) -> None:
    rows = [["外部ID", "種類", "名称", "市区町村", "別名"]]
    rows += [[f"P-{n}", "npo", f"髙橋①の会～{n}", "012025", "ソース表示\n能登"] for n in range(40)]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    first = run(editor, "organizations", text.getvalue().encode("cp932"))
    assert counts(first) == {"created": 40}, first
    for charset, codec in (("utf-8", "utf-8-sig"), ("cp932", "cp932")):
        file = editor.get("/api/v1/exports/organizations", params={"charset": charset, "source": "python"}).raise_for_status()
        table = list(csv.reader(io.StringIO(file.content.decode(codec), newline="")))
        assert "012025" in table[-1]
        again = io.StringIO()
        csv.writer(again, delimiter="\t", quoting=csv.QUOTE_ALL).writerows(table)
        done = run(editor, "organizations", again.getvalue().encode("cp932"))
        assert set(counts(done)) == {"unchanged"} and counts(done)["unchanged"] >= 40, done


def converted(file: Path, target: str, *options: str) -> bytes:
    """What LibreOffice makes of a file."""
    made = file.parent / "made"
    profile = f"-env:UserInstallation={(file.parent / 'profile').as_uri()}"
    command = [SOFFICE, profile, "--headless", *options, "--convert-to", target, "--outdir", str(made), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return (made / file.with_suffix(f".{target.partition(':')[0]}").name).read_bytes()


def table(workbook: bytes) -> list[list[str]]:
    """The cells of the first sheet, all of which are texts."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as parts:
        shared = ElementTree.fromstring(parts.read("xl/sharedStrings.xml"))
        texts = ["".join(t.text or "" for t in item.iterfind(".//s:t", SHEET)) for item in shared.iterfind("s:si", SHEET)]
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in sheet.iterfind(".//s:row", SHEET):
        cells: dict[str, str] = {}
        for cell in row.iterfind("s:c", SHEET):
            if (value := cell.find("s:v", SHEET)) is not None:
                assert cell.get("t") == "s", f"{cell.get('r')} is no text"
                cells[cell.get("r").rstrip("0123456789")] = texts[int(value.text)]
        rows.append(cells)
    columns = list(rows[0])
    return [[cells.get(column, "") for column in columns] for cells in rows]


@pytest.mark.skipif(SOFFICE is None, reason="NOT RUN: needs LibreOffice Calc (the program soffice)")
def test_files_that_libreoffice_reads_and_writes_are_unchanged(editor: httpx.Client, tmp_path: Path) -> None:
    rows = [["外部ID", "種類", "名称", "市区町村", "別名"]]
    rows += [[f"L-{n}", "npo", f"髙橋①の会～Ⅲ {n}", "012025", "ソース表示\n能登"] for n in range(20)]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    assert set(counts(run(editor, "organizations", text.getvalue().encode()))) <= {"created", "unchanged"}

    def exported(**how: str) -> bytes:
        return editor.get("/api/v1/exports/organizations", params=how).raise_for_status().content

    # Our workbook, saved by LibreOffice as CSV in CP932 (Windows-932 and Shift-JIS, as its dialogue calls them) and UTF-8.
    book = tmp_path / "organizations.xlsx"
    book.write_bytes(exported(format="xlsx"))
    for number, codec in ((60, "cp932"), (64, "cp932"), (76, "utf-8")):
        content = converted(book, f"csv:Text - txt - csv (StarCalc):44,34,{number},1")
        assert "髙橋①の会～Ⅲ" in content.decode(codec) and '"012025"' in content.decode(codec)
        done = run(editor, "organizations", content)
        assert set(counts(done)) == {"unchanged"} and counts(done)["unchanged"] >= 20, (number, done)
    # Our CSV, opened in LibreOffice with its columns as texts: cell by cell what we have written.
    for charset, number, codec in (("cp932", 60, "cp932"), ("utf-8", 76, "utf-8-sig")):
        file = tmp_path / f"{charset}.csv"
        file.write_bytes(exported(charset=charset))
        ours = list(csv.reader(io.StringIO(file.read_bytes().decode(codec), newline="")))
        texts = "/".join(f"{column + 1}/2" for column in range(len(ours[0])))
        opened = converted(file, "xlsx", f"--infilter=Text - txt - csv (StarCalc):44,34,{number},1,{texts}")
        theirs = table(opened)
        assert theirs == ours and any("012025" in row for row in theirs)
        assert set(counts(run(editor, "organizations", opened, "xlsx"))) == {"unchanged"}
        # With its columns as LibreOffice guesses them, codes are numbers without their zeros; they get them back.
        guessed = converted(file, "xlsx", f"--infilter=Text - txt - csv (StarCalc):44,34,{number},1")
        with pytest.raises(AssertionError, match="is no text"):
            table(guessed)
        assert set(counts(run(editor, "organizations", guessed, "xlsx"))) == {"unchanged"}


def test_an_import_goes_on_behind_what_was_committed_when_its_service_is_killed() -> None:
    with Services() as services:
        _, editor = services.found_a_town()
        mark, count = uuid.uuid4().hex[:8], 20_000
        lines = itertools.chain(["外部ID,種類,名称"], (f"O-{n},npo,団体 {mark} {n}" for n in range(count)))
        content = "\r\n".join(lines).encode("cp932")
        body = {"file_name": "団体.csv", "format": "csv", "entity": "organizations", "source": mark}
        made = editor.send("POST", "imports", json=body).json()["id"]
        headers = {"Content-Type": "application/octet-stream"}
        editor.send("PUT", f"imports/{made}/content", params={"offset": 0}, content=content, headers=headers)
        started = editor.send("POST", f"imports/{made}/run", json={}).json()["id"]

        def now() -> dict:
            return editor.send("GET", f"sync-runs/{started}").json()

        begun = time.monotonic()
        while (before := now())["counts"]["created"] < 3000:
            assert time.monotonic() < begun + 60, before
        assert before["state"] == "running", before
        services.kill()
        # Its worker is not waited for longer than half a minute.
        stood = now()
        assert before["counts"]["created"] <= stood["counts"]["created"] < count and stood["state"] == "running"
        while (done := now())["ended_at"] is None:
            assert time.monotonic() < begun + 240, done
            time.sleep(0.2)
        assert (done["state"], counts(done)) == ("done", {"created": count}), done
        # Each row is there, and none twice.
        names: list[str] = []
        after: dict[str, str] | None = {}
        while after is not None:
            page = editor.send("GET", "organizations", params={"search": mark, "limit": 200} | after).json()
            names += [row["name"] for row in page["items"]]
            after = {"after": page["next"]} if page["next"] else None
        assert sorted(names) == sorted(f"団体 {mark} {n}" for n in range(count))
        again = editor.send("POST", f"imports/{made}/run", json={}).json()["id"]
        while (done := editor.send("GET", f"sync-runs/{again}").json())["ended_at"] is None:
            time.sleep(0.2)
        assert counts(done) == {"unchanged": count}, done
        print(f"killed after {stood['counts']['created']:,} of {count:,} rows; each is there once")
