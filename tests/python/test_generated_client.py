"""A client that a public generator makes of the document, used for real."""

import importlib
import json
import shutil
import subprocess
import sys
from types import ModuleType

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
