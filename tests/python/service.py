"""The service under test: where it is, who signs in, and a town of our own in it."""

import os
import secrets
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx

URL = os.environ.get("TSUNAGI_URL", "http://127.0.0.1:8080").rstrip("/")
PASSWORD = os.environ.get("TSUNAGI_DEMO_PASSWORD", "")
#: Makes the town that the tests write in; needs the role system_admin.
OPERATOR = os.environ.get("TSUNAGI_TEST_OPERATOR", "system-admin@demo.example.jp")
#: The document that is tested and generated from.
DOCUMENT = Path(os.environ.get("TSUNAGI_OPENAPI", Path(__file__).parents[2] / "openapi" / "openapi.json")).resolve()
#: Everything that is made here goes there; apart for each service, so that two can be tested at once.
SCRATCH = Path(__file__).parents[2] / "target" / "python-tests" / str(httpx.URL(URL).port)


def loopback_is_a_network() -> bool:
    """Can this machine call itself from other addresses than 127.0.0.1? (Linux can, macOS not without set-up.)"""
    with socket.socket() as probe:
        try:
            probe.bind(("127.7.0.1", 0))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in."""

    email: str
    password: str

    def token(self) -> str:
        """A fresh access token, from a sign-in of its own."""
        answer = httpx.post(
            f"{URL}/api/v1/auth/sign-in",
            json={"email": self.email, "password": self.password},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()["access_token"]

    def client(self) -> httpx.Client:
        """A client that is signed in."""
        return httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {self.token()}"}, timeout=30)


@dataclass(frozen=True)
class Town:
    """An organisation with accounts that no other test or person uses: whatever is done to it harms nobody."""

    id: str
    admin: Account
    editor: Account
    #: Ids of the organisation, the accounts and their roles: without them nobody could sign in any more.
    vital: tuple[str, ...]


def make_town() -> Town:
    """Founds a town with an administrator and an editor, in the way the operator does."""
    with Account(OPERATOR, PASSWORD).client() as api:

        def create(path: str, **fields: object) -> str:
            answer = api.post(f"/api/v1/{path}", json=fields)
            assert answer.status_code == 201, f"{path}: {answer.status_code} {answer.text}"
            return answer.json()["id"]

        mark = uuid.uuid4().hex[:8]
        town = create("organizations", kind="municipality", name=f"試験町 {mark}", municipality_code="313891")
        vital = [town]
        accounts = []
        for role in ("municipality_admin", "municipality_editor"):
            account = Account(f"{role.replace('_', '-')}-{mark}@test.example.jp", secrets.token_urlsafe(24))
            user = create(f"organizations/{town}/users", email=account.email, name=role)
            role_id = create(f"organizations/{town}/user-roles", user_id=user, role=role, valid_from="2024-04-01")
            vital += [user, role_id]
            answer = api.post(f"/api/v1/users/{user}/password", json={"password": account.password})
            assert answer.status_code == 204, f"password: {answer.status_code} {answer.text}"
            accounts.append(account)
        return Town(town, *accounts, vital=tuple(vital))
