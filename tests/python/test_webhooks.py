"""Webhooks, as their receivers see them: the reference library of the specification, the example of the documentation, and
services that are killed while they tell.

The short form runs with the other tests; TSUNAGI_KILLS=100 is the long one.
"""

import collections
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

import service

KILLS = int(os.environ.get("TSUNAGI_KILLS", "4"))
RECEIVER = Path(__file__).parents[2] / "docs" / "sync" / "receiver.py"


class Receiver(ThreadingHTTPServer):
    """Writes down what it is told, in the order in which it arrives; `broken` while it answers 503."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.journal: list[tuple[dict[str, str], bytes]] = []
        self.refused, self.broken, self.slowness = 0, False, 0.0
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def until_open(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on {port}")


class Services:
    """Services of our own on a database of our own, two at a time, which can be killed."""

    #: Delays between attempts; a receiver has a second, and a dead service's work is taken over after two.
    SETTINGS = {
        "TSUNAGI_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "TSUNAGI_WEBHOOK_SCHEDULE": "1,1,1",
        "TSUNAGI_WEBHOOK_TIMEOUT": "1",
        "TSUNAGI_ALLOW_FAST_DATABASE": "1",
        "TSUNAGI_PUBLIC_URL": "http://127.0.0.1:1",
        "RUST_LOG": "error",
    }

    def __init__(self) -> None:
        folder = service.SCRATCH / "killed"
        folder.mkdir(parents=True, exist_ok=True)
        self.log = (folder / "log.txt").open("wb")
        self.clients: list[httpx.Client] = []
        self.environment = os.environ | self.SETTINGS | {
            "DATABASE_URL": os.environ["TSUNAGI_SPARE_DATABASE_URL"],
            "MIGRATION_DATABASE_URL": os.environ["TSUNAGI_SPARE_MIGRATION_URL"],
            "TSUNAGI_KEY_FILE": str(folder / "server.key"),
        }
        self.run("migrate")
        self.ports = [free_port(), free_port()]
        self.running = [self.start(port) for port in self.ports]

    def run(self, *command: str, text: str = "") -> None:
        program = os.environ["TSUNAGI_SERVER"]
        subprocess.run([program, *command], env=self.environment, input=text.encode(), check=True, timeout=120)

    def start(self, port: int) -> subprocess.Popen:
        environment = self.environment | {"TSUNAGI_LISTEN": f"127.0.0.1:{port}"}
        started = subprocess.Popen([os.environ["TSUNAGI_SERVER"], "serve"], env=environment, stderr=self.log)
        until_open(port)
        return started

    def kill(self, number: int) -> None:
        self.running[number].send_signal(signal.SIGKILL)
        self.running[number].wait()
        self.running[number] = self.start(self.ports[number])

    def client(self, token: str) -> "Persistent":
        made = Persistent(self.ports, token)
        self.clients += made.clients
        return made

    def end(self) -> None:
        for client in self.clients:
            client.close()
        for process in self.running:
            process.kill()
            process.wait()
        self.log.close()


class Persistent:
    """Repeats each request, with its key, at one service or the other until it is answered."""

    def __init__(self, ports: list[int], token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.clients = [httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) for port in ports]

    def send(self, method: str, path: str, **arguments: object) -> httpx.Response:
        headers = {"Idempotency-Key": str(uuid.uuid4())} | arguments.pop("headers", {})
        for _ in range(400):
            try:
                answer = random.choice(self.clients).request(method, f"/api/v1/{path}", headers=headers, **arguments)
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            if answer.status_code < 400:
                return answer
            assert answer.status_code in (409, 429, 503), answer.text
            time.sleep(0.05)
        raise AssertionError(f"{method} {path} was never acknowledged")


@pytest.fixture
def services():
    if "TSUNAGI_SPARE_DATABASE_URL" not in os.environ:
        pytest.skip("NOT RUN: needs an empty database in TSUNAGI_SPARE_DATABASE_URL; cargo xtask test makes one")
    services = Services()
    yield services
    services.end()


def test_of_what_is_committed_nothing_is_lost_while_services_are_killed_and_the_receiver_fails(services, receiver):
    admin, editor = found_a_town(services)
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


def found_a_town(services: Services) -> tuple[Persistent, Persistent]:
    """A town with an administrator and an editor on the services that are killed."""
    operator = service.Account("operator@killed.example.jp", "these services are killed often")
    subprocess.run(
        [os.environ["TSUNAGI_SERVER"], "create-admin", "--email", operator.email],
        env=services.environment,
        input=f"{operator.password}\n".encode(),
        stderr=subprocess.DEVNULL,  # There is one already when the test is run again.
        check=False,
        timeout=60,
    )

    def sign_in(account: service.Account) -> Persistent:
        body = {"email": account.email, "password": account.password}
        answer = httpx.post(f"http://127.0.0.1:{services.ports[0]}/api/v1/auth/sign-in", json=body, timeout=30)
        return services.client(answer.raise_for_status().json()["access_token"])

    api, mark, accounts = sign_in(operator), uuid.uuid4().hex[:8], []
    town = api.send("POST", "organizations", json={"kind": "municipality", "name": f"試験町 {mark}"}).json()["id"]
    for role in ("municipality_admin", "municipality_editor"):
        account = service.Account(f"{role.replace('_', '-')}-{mark}@killed.example.jp", f"{uuid.uuid4()}")
        user = api.send("POST", f"organizations/{town}/users", json={"email": account.email, "name": role}).json()["id"]
        role = {"user_id": user, "role": role, "valid_from": "2024-04-01"}
        api.send("POST", f"organizations/{town}/user-roles", json=role)
        api.send("POST", f"users/{user}/password", json={"password": account.password})
        accounts.append(sign_in(account))
    return accounts[0], accounts[1]


def admin_hook(admin: Persistent, url: str) -> dict[str, str]:
    client = admin.send("POST", "clients", json={"name": "通知を受けるシステム"}).json()["id"]
    webhook = admin.send("POST", "webhooks", json={"client_id": client, "url": url, "entities": ["platforms"]}).json()["id"]
    return {"id": webhook, "secret": admin.send("POST", f"webhooks/{webhook}/secrets").json()["secret"]}
