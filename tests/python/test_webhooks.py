"""Webhooks, as their receivers see them: the reference library of the specification, the example of the documentation, and
services that are killed while they tell.

The short form runs with the other tests; TSUNAGI_KILLS=100 is the long one.
"""

import collections
import importlib.util
import json
import os
import random
import shutil
import ssl
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

import service
from services import Persistent, Services, free_port, until_open

KILLS = int(os.environ.get("TSUNAGI_KILLS", "4"))
RECEIVER = Path(__file__).parents[2] / "docs" / "sync" / "receiver.py"


class Receiver(ThreadingHTTPServer):
    """Writes down what it is told, in the order in which it arrives; `broken` while it answers 503."""

    daemon_threads = True

    def __init__(self, over_tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        if over_tls:
            self.socket = over_tls.wrap_socket(self.socket, server_side=True)
        self.journal: list[tuple[dict[str, str], bytes]] = []
        self.refused, self.broken, self.slowness = 0, False, 0.0
        self.url = f"{'https' if over_tls else 'http'}://127.0.0.1:{self.server_port}/hook"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def until(self, enough) -> list[tuple[dict[str, str], bytes]]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if enough(self.journal):
                return self.journal
            time.sleep(0.05)
        raise AssertionError(f"not told: {self.journal}")


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.server.broken:
            self.server.refused += 1
        else:
            self.server.journal.append((headers, body))
        time.sleep(random.uniform(0, self.server.slowness))
        self.send_response(503 if self.server.broken else 204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.shutdown()
    receiver.server_close()


def make(api: httpx.Client, path: str, **fields: object) -> dict:
    answer = api.post(f"/api/v1/{path}", json=fields)
    assert answer.status_code in (200, 201, 204), f"{path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else {}


def hook(admin: httpx.Client, url: str) -> tuple[str, str]:
    client = make(admin, "clients", name="通知を受けるシステム")["id"]
    webhook = make(admin, "webhooks", client_id=client, url=url, entities=["platforms"])["id"]
    return webhook, make(admin, f"webhooks/{webhook}/secrets")["secret"]


def test_the_reference_library_takes_what_is_sent_and_nothing_else(admin, editor, receiver):
    webhook, first = hook(admin, receiver.url)
    made = make(editor, "platforms", kind="other", name="通知される場")["id"]
    headers, body = receiver.until(lambda journal: any(made.encode() in body for _, body in journal))[-1]
    message = Webhook(first).verify(body, headers)
    assert message["type"] == "records.changed"
    assert [(item["entity"], item["id"], item["version"]) for item in message["data"]["items"]] == [("platforms", made, 1)]
    for wrong in (body[:-1] + b" ", body.replace(b"upsert", b"gone  ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(first).verify(wrong, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(body, headers | {"webhook-id": "msg_other"})
    # While it changes over, either secret is good.
    second = make(admin, f"webhooks/{webhook}/secrets")["secret"]
    assert make(admin, f"webhooks/{webhook}/test") == {"delivered": True, "answer_status": 204, "failure": None}
    headers, body = receiver.journal[-1]
    assert Webhook(first).verify(body, headers) == Webhook(second).verify(body, headers)
    make(admin, f"webhooks/{webhook}/secrets")
    make(admin, f"webhooks/{webhook}/test")
    headers, body = receiver.journal[-1]
    Webhook(second).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(body, headers)


@pytest.mark.parametrize("off", [-600, 600])
def test_a_receiver_whose_clock_is_ten_minutes_off_takes_nothing(admin, receiver, monkeypatch, off):
    webhook, secret = hook(admin, receiver.url)
    assert make(admin, f"webhooks/{webhook}/test")["delivered"]
    headers, body = receiver.journal[-1]
    spec = importlib.util.spec_from_file_location("receiver", RECEIVER)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    assert example.verify(secret, headers, body) == Webhook(secret).verify(body, headers)

    class Off(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=off)

    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Off)
    with pytest.raises(WebhookVerificationError, match="too old" if off > 0 else "too new"):
        Webhook(secret).verify(body, headers)
    monkeypatch.setattr(example, "time", SimpleNamespace(time=lambda: time.time() + off))
    with pytest.raises(ValueError, match="too old or too new"):
        example.verify(secret, headers, body)


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


PAIR = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


def authority(folder: Path, name: str) -> Path:
    """A certificate authority of our own: its certificate, with the key beside it."""
    made = folder / f"{name}.pem"
    openssl(*PAIR, "-x509", "-keyout", f"{made}.key", "-out", made, "-subj", f"/CN={name}", "-days", "2")
    return made


def certificate(issuer: Path, address: str) -> Path:
    """What it gives to a receiver at this address, with its key."""
    made = issuer.with_name(f"{issuer.stem}-{address}.pem")
    key, request, names = (made.with_suffix(suffix) for suffix in (".key", ".csr", ".ext"))
    names.write_text(f"subjectAltName=IP:{address}\n")
    openssl(*PAIR, "-keyout", key, "-out", request, "-subj", f"/CN={address}")
    signer = ("-CA", issuer, "-CAkey", f"{issuer}.key", "-CAcreateserial")
    openssl("x509", "-req", "-in", request, *signer, "-extfile", names, "-out", made)
    made.write_text(made.read_text() + key.read_text())
    return made


@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT RUN: needs the program openssl")
def test_messages_go_to_receivers_with_certificates_of_the_authorities_that_the_operator_names(tmp_path):
    known, strange = authority(tmp_path, "known"), authority(tmp_path, "strange")
    with Services(SSL_CERT_FILE=str(known)) as services:
        admin, _ = services.found_a_town()
        for issuer, address, failure in ((known, "127.0.0.1", None), (strange, "127.0.0.1", "tls"), (known, "127.0.0.9", "tls")):
            over_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            over_tls.load_cert_chain(certificate(issuer, address))
            with Receiver(over_tls) as receiver:
                webhook = admin_hook(admin, receiver.url)
                told = admin.send("POST", f"webhooks/{webhook['id']}/test").json()
                assert told == {"delivered": not failure, "answer_status": None if failure else 204, "failure": failure}
                types = [Webhook(webhook["secret"]).verify(body, headers)["type"] for headers, body in receiver.journal]
                assert types == ([] if failure else ["ping"])
                receiver.shutdown()


def test_the_receiver_of_the_documentation_takes_each_message_once(admin, editor):
    port = free_port()
    webhook, secret = hook(admin, f"http://127.0.0.1:{port}/hook")
    command = [sys.executable, str(RECEIVER), str(port)]
    environment = os.environ | {"WEBHOOK_SECRET": f"whsec_AAAA {secret}"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as example:
        try:
            until_open(port)
            assert make(admin, f"webhooks/{webhook}/test")["delivered"]
            assert json.loads(example.stdout.readline())["type"] == "ping"
            made = make(editor, "platforms", kind="other", name="例の場")["id"]
            message = json.loads(example.stdout.readline())
            assert message["data"]["items"][0]["id"] == made
            forged = httpx.post(f"http://127.0.0.1:{port}/hook", json=message, headers={"webhook-id": "x", "webhook-timestamp": "1"})
            assert forged.status_code == 401
        finally:
            example.kill()


@pytest.fixture
def services():
    with Services(2) as services:
        yield services


def test_of_what_is_committed_nothing_is_lost_while_services_are_killed_and_the_receiver_fails(services, receiver):
    admin, editor = services.found_a_town()
    webhook = admin_hook(admin, receiver.url)
    # Long enough for a service to be killed between the receiver's note and the service's own.
    receiver.slowness = 0.3
    writing, acknowledged, lock = True, [], threading.Lock()

    def write(number: int) -> None:
        count = 0
        while writing:
            body = {"kind": "other", "name": f"{number} {count}"}
            made = editor.send("POST", "platforms", json=body).json()["id"]
            editor.send("PATCH", f"platforms/{made}", json={"position": 1}, headers={"If-Match": "*"})
            with lock:
                acknowledged.append(made)
            count += 1
            time.sleep(0.02)

    with ThreadPoolExecutor(4) as writers:
        jobs = [writers.submit(write, number) for number in range(4)]
        try:
            for number in range(KILLS):
                time.sleep(random.uniform(0.1, 0.9))
                services.kill(random.randrange(2))
                if number == KILLS // 2:
                    # Down for longer than the whole schedule, as for three hours and 75 of the real one: some are given up.
                    receiver.broken = True
                    time.sleep(8)
                    receiver.broken = False
        finally:
            writing = False
        for job in jobs:
            job.result()

    def told() -> set[str]:
        return {item["id"] for _, body in receiver.journal for item in json.loads(body)["data"]["items"]}

    dead = set()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        page = admin.send("GET", "webhook-deliveries", params={"webhook_id": webhook["id"], "status": "dead", "limit": 200}).json()
        assert page["next"] is None
        dead = {item["id"] for row in page["items"] for item in json.loads(row["message"])["data"]["items"]}
        if set(acknowledged) <= told() | dead:
            break
        time.sleep(0.5)
    assert set(acknowledged) <= told() | dead, "committed, and neither delivered nor given up with notice"

    # The same id is the same message; a change stands in one message only.
    bodies: dict[str, bytes] = {}
    arrived = collections.Counter()
    messages: dict[tuple[str, int], set[str]] = collections.defaultdict(set)
    verifier = Webhook(webhook["secret"])
    order: dict[str, list[int]] = collections.defaultdict(list)
    for headers, body in receiver.journal:
        identity = headers["webhook-id"]
        verifier.verify(body, headers)
        arrived[identity] += 1
        assert bodies.setdefault(identity, body) == body
        for item in json.loads(body)["data"]["items"]:
            messages[item["organization_id"], item["seq"]].add(identity)
            if arrived[identity] == 1:
                order[item["id"]].append(item["version"])
    assert all(len(identities) == 1 for identities in messages.values())
    assert all(versions == sorted(versions) for versions in order.values())
    assert receiver.refused > 0 and dead, "the outage was long enough to be noticed"
    # Sent again, what was given up arrives, too.
    for row in page["items"]:
        admin.send("POST", f"webhook-deliveries/{row['id']}/retry")
    receiver.until(lambda _: set(acknowledged) <= told())
    twice = sum(count - 1 for count in arrived.values())
    print(
        f"{KILLS} kills, {len(acknowledged)} records created and changed, {len(arrived)} messages delivered, {twice} of them again under"
        f" the same id, {len(page['items'])} given up and delivered on request, 0 changes lost"
    )


def admin_hook(admin: Persistent, url: str) -> dict[str, str]:
    client = admin.send("POST", "clients", json={"name": "通知を受けるシステム"}).json()["id"]
    webhook = admin.send("POST", "webhooks", json={"client_id": client, "url": url, "entities": ["platforms"]}).json()["id"]
    return {"id": webhook, "secret": admin.send("POST", f"webhooks/{webhook}/secrets").json()["secret"]}
