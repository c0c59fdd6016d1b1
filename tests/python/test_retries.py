"""Answers that get lost, and many who write at once: nothing is doubled and nothing overwritten.

The short form runs with the other tests; TSUNAGI_CREATES=100000 TSUNAGI_EDITORS=200 is the long one.
"""

import collections
import os
import random
import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import service

CREATES = int(os.environ.get("TSUNAGI_CREATES", "1500"))
EDITORS = int(os.environ.get("TSUNAGI_EDITORS", "24"))
#: One answer in five never arrives.
CUT = 0.2


class CuttingProxy(threading.Thread):
    """Passes each connection on, and closes some after the service has answered and before the caller knows."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        target = httpx.URL(service.URL)
        self.target, self.cut, self.chance = (target.host, target.port), 0, random.Random(7)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=[caller, self.chance.random() < CUT], daemon=True).start()

    def pass_on(self, caller: socket.socket, cut: bool) -> None:
        with caller, socket.create_connection(self.target, timeout=30) as there:
            request = b""
            while b"\r\n\r\n" not in request:
                request += caller.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            while len(body) < length:
                body += caller.recv(65536)
            there.sendall(head.replace(b"keep-alive", b"close") + b"\r\n\r\n" + body)
            answer = b""
            while chunk := there.recv(65536):
                answer += chunk
            if cut:
                self.cut += 1
            else:
                caller.sendall(answer)


@pytest.fixture
def proxy():
    proxy = CuttingProxy()
    proxy.start()
    yield proxy
    proxy.listener.close()


def test_creations_that_are_repeated_until_acknowledged_are_made_once(town, proxy):
    mark = uuid.uuid4().hex
    token = [town.editor.token()]
    # A connection for each request, so that one in five is cut.
    caller = httpx.Client(base_url=proxy.url, timeout=30, limits=httpx.Limits(max_keepalive_connections=0))

    def create(number: int) -> tuple[int, str]:
        body = {"kind": "other", "name": f"{mark} {number}"}
        for attempt in range(60):
            headers = {"Authorization": f"Bearer {token[0]}", "Idempotency-Key": f"{mark}-{number}"}
            try:
                answer = caller.post("/api/v1/platforms", json=body, headers=headers)
            except httpx.TransportError:
                continue
            if answer.status_code == 201:
                return attempt, answer.json()["id"]
            assert answer.status_code in (401, 409, 429, 503), answer.text
            if answer.status_code == 401:
                # It lives ten minutes, and the long form takes longer.
                token[0] = town.editor.token()
        raise AssertionError(f"{number} was never acknowledged")

    with ThreadPoolExecutor(16) as many:
        made = list(many.map(create, range(CREATES)))
    assert proxy.cut > CREATES * CUT / 2
    assert sum(attempt > 0 for attempt, _ in made) > CREATES * CUT / 2
    assert len({identity for _, identity in made}) == CREATES
    # Those that were acknowledged are all there are.
    with town.editor.client() as api:
        there, after = [], {}
        while True:
            page = api.get("/api/v1/platforms", params={"search": mark, "limit": 200} | after).raise_for_status().json()
            there += [row["id"] for row in page["items"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
    assert sorted(there) == sorted(identity for _, identity in made)


def test_of_many_who_change_the_same_records_each_builds_on_what_he_has_read(town):
    with town.editor.client() as api:
        body = {"kind": "other", "name": "皆の場", "summary": "0"}
        # Four of them for each record.
        made = (api.post("/api/v1/platforms", json=body) for _ in range(max(EDITORS // 4, 1)))
        addresses = [answer.raise_for_status().headers["location"] for answer in made]
    token = town.editor.token()
    versions: list[tuple[str, str]] = []
    refused = collections.Counter()

    def edit(number: int) -> None:
        chance = random.Random(number)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=service.URL, headers=headers, timeout=60) as api:
            done = 0
            while done < 10:
                address = chance.choice(addresses)
                try:
                    read = api.get(address)
                except httpx.TransportError:
                    # On a busy machine a connection may have been idle for longer than the service keeps it.
                    continue
                if read.status_code == 503:
                    continue
                change = {"summary": str(int(read.raise_for_status().json()["summary"]) + 1)}
                headers = {"If-Match": read.headers["etag"], "Idempotency-Key": uuid.uuid4().hex}
                answer = None
                while answer is None or answer.status_code == 409:
                    try:
                        answer = api.patch(address, json=change, headers=headers)
                    except httpx.TransportError:
                        # Done, not done or still at it: the key tells them apart.
                        pass
                if answer.status_code == 200:
                    versions.append((address, answer.headers["etag"]))
                    done += 1
                else:
                    assert answer.status_code in (412, 503), answer.text
                    refused[answer.status_code] += 1

    with ThreadPoolExecutor(EDITORS) as many:
        list(many.map(edit, range(EDITORS)))
    assert len(set(versions)) == len(versions) == EDITORS * 10, "no version was given twice"
    assert refused[412] > 0, "they met"
    with town.editor.client() as api:
        counts = collections.Counter(address for address, _ in versions)
        for address in addresses:
            record = api.get(address).raise_for_status().json()
            # As many changes as successes: none was lost.
            assert int(record["summary"]) == counts[address] == record["version"] - 1
