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


def furnish(town: Town, copies: int = 3) -> dict[str, list[str]]:
    """Some records of every kind: property tests draw their ids, which chance alone would never guess."""
    records: dict[str, list[str]] = {}
    with town.editor.client() as editor, town.admin.client() as admin:

        def create(path: str, api: httpx.Client = editor, **fields: object) -> str:
            answer = api.post(f"/api/v1/{path}", json=fields)
            assert answer.status_code == 201, f"{path}: {answer.status_code} {answer.text}"
            records.setdefault(path, []).append(answer.json()["id"])
            return answer.json()["id"]

        period = {"period_kind": "fiscal_year", "period_start": "2024-04-01", "period_end": "2025-03-31"}
        for number in range(copies):
            mark = uuid.uuid4().hex[:8]
            organization = create("organizations", kind="npo", name=f"団体 {mark}")
            platform = create("platforms", kind="partnership_platform", name=f"場 {mark}")
            create("platform-years", platform_id=platform, fiscal_year=2024)
            create("members", platform_id=platform, kind="organization", organization_id=organization, label=f"団体 {mark}")
            project = create("projects", platform_id=platform, name="交流会", fiscal_year=2024)
            create("project-costs", project_id=project, amount_yen=500_000)
            years = {"first_fiscal_year": 2021, "last_fiscal_year": 2030}
            plan = create("plans", kind="community_welfare_plan", title=f"計画 {mark}", **years)
            create("evaluation-levels", plan_id=plan, code="A", label="達成", rank=1)
            goal = create("goals", plan_id=plan, kind="measure", title="相談機能の強化")
            actor = create("plan-actors", plan_id=plan, kind="government", label="行政")
            create("goal-roles", goal_id=goal, actor_id=actor)
            cell = {"goal_id": goal, "actor_id": actor, "fiscal_year": 2024}
            create("roadmap-cells", **cell, kind="actual", state="none")
            create("roadmap-items", **cell, kind="planned", text="研修")
            create("evaluations", goal_id=goal, fiscal_year=2024, stage="self")
            kpi = create("kpis", platform_id=platform, name="相談件数", value_type="number", unit="件")
            create("kpi-placements", kpi_id=kpi, goal_id=goal)
            series = create("kpi-series", kpi_id=kpi, district="東地区")
            create("kpi-targets", kpi_id=kpi, fiscal_year=2025, value="40")
            create("kpi-observations", series_id=series, **period, number="17.7")
            create(
                "municipality-facts",
                municipality_code="313891",
                kind="population",
                value=str(10_000 + number),
                unit="人",
                source="国勢調査",
                as_of={"precision": "day", "start": f"20{10 + 5 * number}-10-01"},
            )
            note = {"rule": "wrong_weekday", "printed": "12月10日（月）", "explanation": "原文のまま"}
            create("finding-notes", entity="platforms", record_id=platform, **note)
            create("external-ids", entity="platforms", record_id=platform, source="other", external_id=mark)
            user = create("users", admin, email=f"{mark}@test.example.jp", name="職員")
            create("user-roles", admin, user_id=user, role="municipality_viewer", valid_from="2024-04-01")
            create("grants", admin, organization_id=organization, scope_id=platform, valid_from="2024-04-01")
            client = create("clients", admin, name="記録システム")
            create("webhooks", admin, client_id=client, url="http://127.0.0.1:9/")
    return records
