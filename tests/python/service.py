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


def operator() -> httpx.Client:
    """Signed in as the operator, who founds organisations."""
    return Account(OPERATOR, PASSWORD).client()


def create(api: httpx.Client, path: str, **fields: object) -> str:
    """Creates a record; answers its id."""
    answer = api.post(f"/api/v1/{path}", json=fields)
    assert answer.status_code == 201, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()["id"]


def found(api: httpx.Client, kind: str, name: str, *roles: str, **fields: object) -> tuple[str, list[Account], list[str]]:
    """Founds an organisation in the way the operator does, with an account for each role; answers what is vital, too."""
    mark = uuid.uuid4().hex[:8]
    organization = create(api, "organizations", kind=kind, name=f"{name} {mark}", **fields)
    accounts, vital = [], [organization]
    for role in roles:
        account = Account(f"{role.replace('_', '-')}-{mark}@test.example.jp", secrets.token_urlsafe(24))
        user = create(api, f"organizations/{organization}/users", email=account.email, name=role)
        assigned = {"user_id": user, "role": role, "valid_from": "2024-04-01"}
        vital += [user, create(api, f"organizations/{organization}/user-roles", **assigned)]
        api.post(f"/api/v1/users/{user}/password", json={"password": account.password}).raise_for_status()
        accounts.append(account)
    return organization, accounts, vital


def make_town() -> Town:
    """Founds a town with an administrator and an editor."""
    with operator() as api:
        roles = ("municipality_admin", "municipality_editor")
        town, accounts, vital = found(api, "municipality", "試験町", *roles, municipality_code="313891")
        return Town(town, *accounts, vital=tuple(vital))


def credentials(api: httpx.Client) -> tuple[str, str]:
    """A system of the organisation of who is signed in: its client id and secret."""
    client = create(api, "clients", name="夜間連携")
    secret = api.post(f"/api/v1/clients/{client}/secrets", json={}).raise_for_status().json()
    return client, secret["client_secret"]


def furnish(town: Town, copies: int = 3) -> dict[str, list[str]]:
    """Some records of every kind: property tests draw their ids, which chance alone would never guess."""
    records: dict[str, list[str]] = {}
    with town.editor.client() as editor, town.admin.client() as admin:

        def make(path: str, api: httpx.Client = editor, **fields: object) -> str:
            records.setdefault(path, []).append(create(api, path, **fields))
            return records[path][-1]

        period = {"period_kind": "fiscal_year", "period_start": "2024-04-01", "period_end": "2025-03-31"}
        for number in range(copies):
            mark = uuid.uuid4().hex[:8]
            organization = make("organizations", kind="npo", name=f"団体 {mark}")
            platform = make("platforms", kind="partnership_platform", name=f"場 {mark}")
            make("platform-years", platform_id=platform, fiscal_year=2024)
            make("members", platform_id=platform, kind="organization", organization_id=organization, label=f"団体 {mark}")
            project = make("projects", platform_id=platform, name="交流会", fiscal_year=2024)
            make("project-costs", project_id=project, amount_yen=500_000)
            years = {"first_fiscal_year": 2021, "last_fiscal_year": 2030}
            plan = make("plans", kind="community_welfare_plan", title=f"計画 {mark}", **years)
            make("evaluation-levels", plan_id=plan, code="A", label="達成", rank=1)
            goal = make("goals", plan_id=plan, kind="measure", title="相談機能の強化")
            actor = make("plan-actors", plan_id=plan, kind="government", label="行政")
            make("goal-roles", goal_id=goal, actor_id=actor)
            cell = {"goal_id": goal, "actor_id": actor, "fiscal_year": 2024}
            make("roadmap-cells", **cell, kind="actual", state="none")
            make("roadmap-items", **cell, kind="planned", text="研修")
            make("evaluations", goal_id=goal, fiscal_year=2024, stage="self")
            kpi = make("kpis", platform_id=platform, name="相談件数", value_type="number", unit="件")
            make("kpi-placements", kpi_id=kpi, goal_id=goal)
            series = make("kpi-series", kpi_id=kpi, district="東地区")
            make("kpi-targets", kpi_id=kpi, fiscal_year=2025, value="40")
            make("kpi-observations", series_id=series, **period, number="17.7")
            make(
                "municipality-facts",
                municipality_code="313891",
                kind="population",
                value=str(10_000 + number),
                unit="人",
                source="国勢調査",
                as_of={"precision": "day", "start": f"20{10 + 5 * number}-10-01"},
            )
            note = {"rule": "wrong_weekday", "printed": "12月10日（月）", "explanation": "原文のまま"}
            make("finding-notes", entity="platforms", record_id=platform, **note)
            make("external-ids", entity="platforms", record_id=platform, source="other", external_id=mark)
            user = make("users", admin, email=f"{mark}@test.example.jp", name="職員")
            make("user-roles", admin, user_id=user, role="municipality_viewer", valid_from="2024-04-01")
            make("grants", admin, organization_id=organization, scope_id=platform, valid_from="2024-04-01")
            client = make("clients", admin, name="記録システム")
            make("webhooks", admin, client_id=client, url="http://127.0.0.1:9/")
    return records
