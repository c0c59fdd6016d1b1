"""Services of our own on a database of our own, which can be killed and watched."""

import os
import random
import signal
import socket
import subprocess
import time
import uuid

import httpx
import pytest

import service


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
    """As many as asked for, with these settings besides."""

    #: Delays between attempts; a receiver has a second, and a dead service's work is taken over after two.
    SETTINGS = {
        "TSUNAGI_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "TSUNAGI_WEBHOOK_SCHEDULE": "1,1,1",
        "TSUNAGI_WEBHOOK_TIMEOUT": "1",
        "TSUNAGI_ALLOW_FAST_DATABASE": "1",
        "TSUNAGI_PUBLIC_URL": "http://127.0.0.1:1",
        "RUST_LOG": "error",
    }

    def __init__(self, number: int = 1, **settings: str) -> None:
        if "TSUNAGI_SPARE_DATABASE_URL" not in os.environ:
            pytest.skip("NOT RUN: needs an empty database in TSUNAGI_SPARE_DATABASE_URL; cargo xtask test makes one")
        folder = service.SCRATCH / "killed"
        folder.mkdir(parents=True, exist_ok=True)
        self.log = (folder / "log.txt").open("wb")
        self.clients: list[httpx.Client] = []
        self.running: list[subprocess.Popen] = []
        self.environment = os.environ | self.SETTINGS | settings | {
            "DATABASE_URL": os.environ["TSUNAGI_SPARE_DATABASE_URL"],
            "MIGRATION_DATABASE_URL": os.environ["TSUNAGI_SPARE_MIGRATION_URL"],
            "TSUNAGI_KEY_FILE": str(folder / "server.key"),
        }
        self.run("migrate", check=True)
        self.ports = [free_port() for _ in range(number)]
        self.running = [self.start(port) for port in self.ports]

    def run(self, *command: str, text: str = "", check: bool) -> None:
        program = os.environ["TSUNAGI_SERVER"]
        subprocess.run([program, *command], env=self.environment, input=text.encode(), stderr=self.log, check=check, timeout=120)

    def start(self, port: int) -> subprocess.Popen:
        environment = self.environment | {"TSUNAGI_LISTEN": f"127.0.0.1:{port}"}
        started = subprocess.Popen([os.environ["TSUNAGI_SERVER"], "serve"], env=environment, stderr=self.log)
        until_open(port)
        return started

    def kill(self, number: int = 0) -> None:
        self.running[number].send_signal(signal.SIGKILL)
        self.running[number].wait()
        self.running[number] = self.start(self.ports[number])

    def client(self, token: str) -> "Persistent":
        made = Persistent(self.ports, token)
        self.clients += made.clients
        return made

    def found_a_town(self) -> tuple["Persistent", "Persistent"]:
        """A town's administrator and editor."""
        operator = service.Account("operator@killed.example.jp", "these services are killed often")
        # There is one already when the tests are run again.
        self.run("create-admin", "--email", operator.email, text=f"{operator.password}\n", check=False)

        def sign_in(account: service.Account) -> Persistent:
            body = {"email": account.email, "password": account.password}
            answer = httpx.post(f"http://127.0.0.1:{self.ports[0]}/api/v1/auth/sign-in", json=body, timeout=30)
            return self.client(answer.raise_for_status().json()["access_token"])

        roles = ("municipality_admin", "municipality_editor")
        _, accounts, _ = service.found(sign_in(operator), "municipality", "試験町", *roles)
        admin, editor = (sign_in(account) for account in accounts)
        return admin, editor

    def __enter__(self) -> "Services":
        return self

    def __exit__(self, *_raised: object) -> None:
        for client in self.clients:
            client.close()
        for process in self.running:
            process.kill()
            process.wait()
        self.log.close()


class Persistent:
    """Repeats each request, with its key, at one service or another until it is answered."""

    def __init__(self, ports: list[int], token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.clients = [httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) for port in ports]

    def post(self, path: str, **arguments: object) -> httpx.Response:
        return self.send("POST", path.removeprefix("/api/v1/"), **arguments)

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
