"""A client that a public generator makes of the document, used for real."""

import hashlib
import importlib
import itertools
import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest

import service

PACKAGE = "tsunagi_client"


@pytest.fixture(scope="module")
def generated():
    """Generates the client and imports it."""
    folder = service.SCRATCH / "client"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    configuration = folder / "configuration.json"
    configuration.write_text(json.dumps({"package_name_override": PACKAGE, "project_name_override": "tsunagi-client"}))
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"),
            *("--path", str(service.DOCUMENT), "--config", str(configuration)),
            *("--output-path", str(folder / PACKAGE)),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module(PACKAGE), ended.stdout + ended.stderr
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def client(generated, town: service.Town):
    """Signed in through the client itself."""
    package, _ = generated
    with package.Client(base_url=service.URL) as guest:
        signed_in = api("auth", "sign_in").sync(
            client=guest,
            body=model("SignIn")(email=town.editor.email, password=town.editor.password),
        )
    assert isinstance(signed_in, model("AccessToken"))
    with package.AuthenticatedClient(base_url=service.URL, token=signed_in.access_token) as client:
        yield client


def api(tag: str, operation: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.api.{tag}.{operation}")


def model(name: str) -> type:
    return getattr(importlib.import_module(f"{PACKAGE}.models"), name)


def test_all_operations_are_generated_without_a_warning(generated) -> None:
    package, output = generated
    assert "warning" not in output.lower(), output
    assert "unsupported" not in output.lower(), output
    paths = json.loads(service.DOCUMENT.read_text())["paths"]
    for item in paths.values():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                tag = operation["tags"][0].replace("-", "_")
                module = importlib.import_module(f"{package.__name__}.api.{tag}.{operation['operationId']}")
                assert callable(module.sync_detailed)


def test_a_platform_lives_through_the_client(client, town: service.Town) -> None:
    create = api("platforms", "create_platform")
    fields = model("PlatformFields")(kind=model("PlatformKind").PARTNERSHIP_PLATFORM, name="生成クライアントの場")
    made = create.sync_detailed(client=client, body=fields)
    assert made.status_code == 201
    platform = made.parsed
    assert isinstance(platform, model("Platform"))
    assert (platform.name, str(platform.owner_org_id)) == ("生成クライアントの場", town.id)
    others = [
        create.sync(client=client, body=model("PlatformFields")(kind=model("PlatformKind").OTHER, name=f"場{i}"))
        for i in range(4)
    ]

    # Pages: every one once, in order.
    listed, after, pages = [], None, 0
    while True:
        arguments = {} if after is None else {"after": after}
        page = api("platforms", "list_platforms").sync(client=client, owner_org_id=town.id, limit=2, **arguments)
        assert isinstance(page, model("PlatformPage"))
        listed += [item.id for item in page.items]
        pages += 1
        if page.next_ is None:
            break
        after = page.next_
    assert pages > 2
    assert len(listed) == len(set(listed))
    assert {platform.id, *(other.id for other in others)} <= set(listed)

    # A change with the version that was read; the same version again is stale.
    read = api("platforms", "read_platform").sync_detailed(platform.id, client=client)
    etag = read.headers["etag"]
    update = api("platforms", "update_platform")
    patch = model("PlatformPatch")(summary="一行目\n二行目")
    changed = update.sync_detailed(platform.id, client=client, if_match=etag, body=patch)
    assert changed.status_code == 200
    assert (changed.parsed.summary, changed.parsed.name) == ("一行目\n二行目", platform.name)
    stale = update.sync_detailed(platform.id, client=client, if_match=etag, body=patch)
    assert stale.status_code == 412
    assert isinstance(stale.parsed, model("Problem"))
    assert stale.parsed.code == "stale"

    # A KPI with a value, read back as it was written.
    kpi = api("kpis", "create_kpi").sync(
        client=client,
        body=model("KpiFields")(
            platform_id=platform.id, name="相談件数", value_type=model("ValueType").NUMBER, unit="件"
        ),
    )
    assert isinstance(kpi, model("Kpi")), kpi
    value = api("kpi_observations", "create_kpi_observation").sync(
        client=client,
        body=model("KpiObservationFields").from_dict(
            {
                "series_id": str(kpi.id),
                "period_kind": "fiscal_year",
                "period_start": "2024-04-01",
                "period_end": "2025-03-31",
                "number": "188465.50",
                "quality": "final",
            }
        ),
    )
    assert isinstance(value, model("KpiObservation")), value
    detail = api("kpis", "read_kpi").sync(kpi.id, client=client)
    assert detail.current.value == "188465.50"
    assert [observation.number for observation in detail.observations] == ["188465.50"]
    values = api("kpis", "list_observations_of_kpi").sync(kpi.id, client=client)
    assert [observation.id for observation in values.items] == [value.id]

    # Gone at the end, except what has values.
    delete = api("platforms", "delete_platform")
    refused = delete.sync_detailed(platform.id, client=client, if_match="*")
    assert refused.status_code == 409
    for other in others:
        assert delete.sync_detailed(other.id, client=client, if_match='"v1"').status_code == 204
        gone = api("platforms", "read_platform").sync_detailed(other.id, client=client)
        assert gone.status_code == 404
        assert gone.parsed.code == "not_found"


@pytest.fixture(scope="module")
def system(generated):
    """A town's system, and its editor: credentials issued and exchanged through the client."""
    package, _ = generated
    town = service.make_town()
    people = [package.AuthenticatedClient(base_url=service.URL, token=who.token()) for who in (town.admin, town.editor)]
    made = api("clients", "create_client").sync(client=people[0], body=model("ClientFields")(name="業務システム"))
    secret = api("clients", "issue_client_secret").sync(made.id, client=people[0], body=model("NewClientSecret")())
    with package.Client(base_url=service.URL) as guest:
        grant = api("oauth", "issue_client_token").sync(
            client=guest,
            body=model("ClientCredentials")(
                grant_type=model("GrantType").CLIENT_CREDENTIALS,
                client_id=secret.client_id,
                client_secret=secret.client_secret,
            ),
        )
    with package.AuthenticatedClient(base_url=service.URL, token=grant.access_token) as client:
        yield town, client, people[1]
    for person in people:
        person.get_httpx_client().close()


def demo_of_nanbu(town: service.Town) -> dict[str, tuple[str, dict]]:
    """What the demo has of Nanbu, as a system would send it: by its own ids, in the order of dependence."""
    folder = Path(__file__).parents[2] / "backend" / "xtask" / "demo"
    rows: dict[str, tuple[str, dict]] = {}
    files = [json.loads((folder / name).read_text()) for name in ("organizations.json", "nanbu.json")]
    for entry in itertools.chain(*files):
        entity, fields = entry["resource"].replace("-", "_"), entry["fields"]
        # Steps on records are people's; so is the final evaluation.
        if "/" in entity or entity == "grants" or fields.get("stage") in ("committee", "final"):
            continue
        _, column = rows.get(fields.get("actor_id", "")[1:], ("", {}))
        if column.get("entered_by_owner") is False:
            # Its organisation alone writes there.
            continue
        if entity == "organizations" and not entry["key"].startswith(("nanbu-", "regional-")):
            continue

        def refer(name: str, value: object) -> object:
            key = value[1:] if isinstance(value, str) and name.endswith("_id") else None
            if key == "nanbu":
                return town.id
            return {"entity": rows[key][0], "source": "demo", "external_id": key} if key else value

        rows[entry["key"]] = (entity, {name: refer(name, value) for name, value in fields.items()})
    return rows


def test_the_demo_of_nanbu_is_loaded_and_kept_in_step_through_the_client(system) -> None:
    town, client, editor = system
    rows = demo_of_nanbu(town)
    copy: dict[tuple[str, UUID], object] = {}
    cursor: list[str] = []

    def pull() -> int:
        changes = 0
        while True:
            after = {"after": cursor[-1]} if cursor else {}
            page = api("changes", "list_changes").sync(client=client, limit=100, **after)
            if isinstance(page, model("Problem")):
                # The town has become a member of its platform: what it may see is another, and it is told the way back.
                assert page.code == "resync_required", page
                for known, record in list(copy.items()):
                    if UUID(record["owner_org_id"]) in page.organizations:
                        del copy[known]
                cursor.append(page.after)
                continue
            assert isinstance(page, model("Changes")), page
            for item in page.items:
                if item.operation == model("ChangeOperation").GONE:
                    copy.pop((item.entity.value, item.id), None)
                else:
                    copy[item.entity.value, item.id] = item.record
            changes += len(page.items)
            cursor.append(page.next_)
            if not page.more:
                return changes

    def push(**more: object) -> dict[str, int]:
        items = [
            model("BatchItem")(
                entity=model("Entity")(entity),
                source="demo",
                external_id=key,
                record=model("BatchItemRecordType0").from_dict(record),
            )
            for key, (entity, record) in rows.items()
        ]
        items += [
            model("BatchItem")(
                entity=model("Entity")(entity), source="demo", external_id=key, operation=model("BatchOperation").DELETE
            )
            for key, entity in more.items()
        ]
        body = model("Batch")(items=items, mode=model("SyncMode").PER_ROW)
        result = api("batch", "write_batch").sync(client=client, body=body, idempotency_key=uuid.uuid4().hex)
        assert isinstance(result, model("BatchResult")), result
        problems = [item.to_dict() for item in result.items if item.outcome.value == "error"]
        assert not problems, problems
        return {outcome: count for outcome, count in result.counts.to_dict().items() if count}

    # First load, both ways.
    pull()
    assert push() == {"created": len(rows)}
    pull()
    names = [record for (entity, _), record in copy.items() if entity == "external_ids"]
    assert {name["external_id"]: name["entity"] for name in names} == {key: entity for key, (entity, _) in rows.items()}
    assert all((name["entity"], UUID(name["record_id"])) in copy for name in names)
    assert push() == {"unchanged": len(rows)}
    assert pull() == 0

    # A night later: a person has changed something there, the system has a correction and a deletion.
    plan = next(UUID(name["record_id"]) for name in names if name["external_id"] == "plan")
    changed = api("plans", "update_plan").sync(
        plan, client=editor, if_match="*", body=model("PlanPatch")(edition="改訂版")
    )
    assert isinstance(changed, model("Plan")), changed
    assert pull() == 1
    assert copy["plans", plan]["edition"] == "改訂版"
    rows["plan"][1]["edition"] = "改訂版"
    item = next(key for key, (entity, _) in rows.items() if entity == "roadmap_items")
    rows[item][1]["text"] += "（訂正）"
    gone = next(key for key, (entity, _) in rows.items() if entity == "roadmap_cells")
    entity, _ = rows.pop(gone)
    assert push(**{gone: entity}) == {"updated": 1, "unchanged": len(rows) - 1, "deleted": 1}
    assert push(**{gone: entity}) == {"unchanged": len(rows) + 1}
    assert pull() == 3

    # The copy is what the service has, by its own counts and checksums.
    ours: dict[str, tuple[int, int]] = {}
    for (entity, identity), record in copy.items():
        count, checksum = ours.get(entity, (0, 0))
        digest = hashlib.sha256(f"{identity}:{record['version']}".encode()).digest()
        ours[entity] = (count + 1, checksum ^ int.from_bytes(digest[:8], "big"))
    counts = api("changes", "list_change_counts").sync(client=client)
    assert {item.entity.value: (item.count, int(item.checksum, 16)) for item in counts.items} == ours
