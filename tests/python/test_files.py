"""Files by other hands: what the service exports, Python's own codec and csv module write anew, and it is unchanged."""

import csv
import io
import time

import httpx


def run(api: httpx.Client, entity: str, content: bytes) -> dict:
    """The end of an import of this file, sent in two parts."""
    body = {"file_name": "一覧.csv", "format": "csv", "entity": entity, "source": "python"}
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
