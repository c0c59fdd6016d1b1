"""What is far too large: refused early, each with its own answer, and the service does not grow by it."""

import io
import select
import socket
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from services import Persistent, Services

MIB = 1 << 20
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


class Watched:
    """One service, and how much memory it takes."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.process = Path(f"/proc/{services.running[0].pid}")
        self.admin, self.editor = services.found_a_town()

    def peak(self) -> int:
        [line] = [line for line in (self.process / "status").read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) << 10

    @contextmanager
    def growth(self) -> Iterator[list[int]]:
        """By how many bytes it grows at most, the last number when it is over."""
        (self.process / "clear_refs").write_text("5")
        before, most = self.peak(), []
        yield most
        most.append(self.peak() - before)


@pytest.fixture(scope="module")
def watched():
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("NOT RUN: needs Linux, to see how much memory the service takes")
    with Services() as services:
        yield Watched(services)


def workbook(shared: Iterator[bytes], sheet: Iterator[bytes]) -> bytes:
    """As a program of a malicious sender would write it: small when packed."""
    file = io.BytesIO()
    book = f"<workbook xmlns='{MAIN}' xmlns:r='{RELATIONS}'><sheets><sheet name='一' sheetId='1' r:id='r'/></sheets></workbook>"

    def relation(kind: str, target: str) -> Iterator[bytes]:
        yield f"<Relationships><Relationship Id='r' Type='{RELATIONS}/{kind}' Target='{target}'/></Relationships>".encode()

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, part in (
            ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
            ("xl/workbook.xml", iter([book.encode()])),
            ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml")),
            ("xl/sharedStrings.xml", shared),
            ("xl/worksheets/sheet1.xml", sheet),
        ):
            with parts.open(name, "w", force_zip64=True) as entry:
                for piece in part:
                    entry.write(piece)
    return file.getvalue()


def rows(piece: bytes, times: int = 1) -> Iterator[bytes]:
    yield f"<worksheet xmlns='{MAIN}'><sheetData>".encode()
    yield from (piece for _ in range(times))
    yield b"</sheetData></worksheet>"


def texts(count: int, piece: bytes, times: int = 1) -> Iterator[bytes]:
    yield f"<sst xmlns='{MAIN}' uniqueCount='{count}'>".encode()
    yield from (piece for _ in range(times))
    yield b"</sst>"


ROW = b"<row><c t='s'><v>0</v></c><c t='s'><v>0</v></c></row>"
BOMBS = {
    "a sheet of two gigabytes": (lambda: texts(1, b"<si><t>x</t></si>"), lambda: rows(ROW * 20_000, 2000), "imports_xlsx_size"),
    "shared texts of 200 megabytes": (lambda: texts(1, b"<si><t>x</t></si>" * 60_000, 200), lambda: rows(ROW), "imports_xlsx_size"),
    "very many shared texts": (lambda: texts(1, b"<si/>" * 13_000, 1000), lambda: rows(ROW), "imports_header"),
    "one long text in very many cells": (lambda: texts(1, b"<si><t>" + b"x" * MIB + b"</t></si>"), lambda: rows(ROW * 20_000), "imports_columns"),
    "rows of which only the last cell is filled": (
        lambda: texts(1, b"<si><t>x</t></si>"),
        lambda: rows(b"<row><c r='GR1'><v>1</v></c></row><row><c r='GR2'><v>1</v></c></row>" * 1000, 1000),
        "imports_columns",
    ),
    "room for more texts than there are": (lambda: texts(10**12, b"<si><t>x</t></si>"), lambda: rows(ROW), "imports_xlsx"),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_workbook_that_would_unpack_to_anything_is_told_so(watched: Watched, what: str) -> None:
    shared, sheet, code = BOMBS[what]
    content = workbook(shared(), sheet())
    assert len(content) < 8 * MIB
    with watched.growth() as growth:
        done = imported(watched.editor, content, format="xlsx", entity="organizations", source="x")
    assert (done["state"], done["problem"]["code"]) == ("failed", code), done
    assert growth[-1] < 600 * MIB, f"{growth[-1] / MIB:,.0f} MiB"
    print(f"{what}: {len(content) / 1024:,.0f} KiB, {code}, the service grew by {growth[-1] / MIB:,.0f} MiB")


def imported(api: Persistent, content: bytes, **fields: str) -> dict:
    made = api.send("POST", "imports", json={"file_name": "一覧"} | fields).json()["id"]
    for offset in range(0, len(content), 4 * MIB):
        headers = {"Content-Type": "application/octet-stream"}
        part = content[offset : offset + 4 * MIB]
        api.send("PUT", f"imports/{made}/content", params={"offset": offset}, content=part, headers=headers)
    run = api.send("POST", f"imports/{made}/run", json={}).json()["id"]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        done = api.send("GET", f"sync-runs/{run}").json()
        if done["ended_at"]:
            return done
        time.sleep(0.1)
    raise AssertionError(f"{run} does not end")


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("path", ["batch", "imports/content", "platforms", "oauth/token", "auth/sign-in"])
def test_a_stream_of_a_gigabyte_is_refused_before_it_has_been_sent(watched: Watched, path: str, chunked: bool) -> None:
    media = "application/json"
    if path == "imports/content":
        made = watched.editor.send("POST", "imports", json={"file_name": "x", "format": "ndjson"}).json()["id"]
        path, media = f"imports/{made}/content?offset=0", "application/octet-stream"
    elif path == "oauth/token":
        media = "application/x-www-form-urlencoded"
    token = watched.editor.clients[0].headers["authorization"]
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {1 << 30}"
    method = "PUT" if "content" in path else "POST"
    head = (
        f"{method} /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\nContent-Type: {media}\r\n"
        f"Idempotency-Key: {uuid.uuid4()}\r\n{length}\r\n\r\n"
    )
    piece = b" " * 65536
    if chunked:
        piece = b"%x\r\n%s\r\n" % (len(piece), piece)
    with watched.growth() as growth, socket.create_connection(("127.0.0.1", watched.services.ports[0]), timeout=30) as wire:
        wire.sendall(head.encode())
        sent, answer = 0, b""
        while not answer and sent < 1 << 30:
            readable, writable, _ = select.select([wire], [wire], [], 30)
            if readable:
                answer = wire.recv(65536)
            elif writable:
                wire.sendall(piece)
                sent += len(piece)
        # Of a sender who does not listen nothing is kept.
        with suppress(OSError):
            for _ in range(1024):
                wire.sendall(piece)
    # The token endpoint has the errors of RFC 6749.
    status, code = (b"400", b'"error":"invalid_request"') if path == "oauth/token" else (b"413", b'"code":"too_large"')
    assert answer.startswith(b"HTTP/1.1 %s " % status) and code in answer, answer
    # Half of it is in the buffers of the connection.
    assert sent < 32 * MIB, f"{sent:,} bytes"
    assert growth[-1] < 64 * MIB, f"{growth[-1] / MIB:,.0f} MiB"
    print(f"{path}: refused after {sent / MIB:.1f} MiB, the service grew by {growth[-1] / MIB:,.0f} MiB")
