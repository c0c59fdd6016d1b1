"""What HTTP promises, looked at raw."""

import base64
import json
import random
import re
import uuid

import httpx
import jwt
import pytest

import service

#: On every answer of the service, whatever it is.
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}
#: Words that only the inside knows.
INSIDE = re.compile(r"postgres|diesel|sqlstate|select |insert |panicked|\.rs:|/src/|relation \"|constraint \"", re.IGNORECASE)


def problem(answer: httpx.Response, status: int, code: str | None = None) -> dict:
    """Checks that an answer is a problem (RFC 9457) without internals."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"], "a Japanese sentence"
    if code is not None:
        assert body["code"] == code, body
    assert not INSIDE.search(answer.text), answer.text
    return body


@pytest.fixture
def platform(editor: httpx.Client):
    """A platform of the town, gone after the test."""
    answer = editor.post("/api/v1/platforms", json={"kind": "partnership_platform", "name": "試験の場"})
    assert answer.status_code == 201, answer.text
    address = answer.headers["location"]
    yield answer.json() | {"address": address, "etag": answer.headers["etag"]}
    editor.delete(address, headers={"If-Match": "*"})


def test_every_kind_of_error_is_a_problem(anonymous: httpx.Client, editor: httpx.Client, platform: dict) -> None:
    unknown = f"/api/v1/platforms/{uuid.uuid4()}"
    problem(anonymous.get("/api/v1/nothing"), 404, "not_found")
    problem(anonymous.get("/api/v1/me"), 401, "unauthenticated")
    problem(anonymous.get("/api/v1/me", headers={"Authorization": "Bearer no.such.token"}), 401, "unauthenticated")
    problem(anonymous.get(unknown), 404, "not_found")
    problem(anonymous.delete(unknown, headers={"If-Match": "*"}), 401, "unauthenticated")
    problem(anonymous.get(platform["address"]), 404, "not_found")
    problem(anonymous.put(unknown), 405, "method_not_allowed")
    problem(editor.get("/api/v1/platforms", params={"limit": "0"}), 422, "invalid")
    problem(editor.get("/api/v1/platforms", params={"nonsense": "1"}), 400, "bad_query")
    problem(editor.get("/api/v1/platforms", params={"after": "?"}), 400, "bad_cursor")
    problem(editor.get("/api/v1/platforms", params={"as_of": "2025-02-30"}), 400, "bad_as_of")
    problem(editor.post("/api/v1/platforms", content=b"{"), 415, "unsupported_media_type")
    problem(editor.patch(platform["address"], json={}), 428, "precondition_required")
    problem(editor.patch(platform["address"], json={}, headers={"If-Match": "v1"}), 400, "bad_if_match")
    problem(
        editor.patch(platform["address"], json={"parent_id": platform["id"]}, headers={"If-Match": platform["etag"]}),
        409,
    )


def test_a_wrong_field_is_named_in_japanese_without_its_value(editor: httpx.Client) -> None:
    body = problem(
        editor.post("/api/v1/platforms", json={"kind": "other", "name": "秘密\u0000", "municipality_codes": ["312012"]}),
        422,
        "invalid",
    )
    assert {error["path"] for error in body["errors"]} == {"/name", "/municipality_codes/0"}
    assert "秘密" not in json.dumps(body, ensure_ascii=False)
    assert "312012" not in json.dumps(body)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ('{"kind":"other","name":"あ","nonsense":1}', "/nonsense"),
        ('{"kind":"other"}', "/name"),
        ('{"kind":"other","name":["あ"]}', "/name"),
        ('{"kind":"other","name":"あ","selection_notes":["entered"]}', "/selection_notes"),
        ('{"kind":"other","name":"あ","position":1.5}', "/position"),
        ('{"kind":"other","name":"　"}', "/name"),
        ('{"kind":"other","name":"あ","municipality_codes":["３１３８９１"]}', "/municipality_codes/0"),
        ('["other","あ"]', ""),
    ],
)
def test_bodies_that_are_not_as_the_schema_says(editor: httpx.Client, body: str, path: str) -> None:
    answer = editor.post("/api/v1/platforms", content=body.encode(), headers={"Content-Type": "application/json"})
    assert [error["path"] for error in problem(answer, 422, "invalid")["errors"]] == [path]


def test_a_whole_number_is_an_integer_however_it_is_written(editor: httpx.Client, platform: dict) -> None:
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": platform["etag"]}
    answer = editor.patch(platform["address"], content=b'{"position": 3.0}', headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] == 3


def test_large_and_deep_bodies_are_refused(editor: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    for size in (1 << 20) + 1, 10 << 20:
        try:
            answer = editor.post("/api/v1/platforms", content=b" " * size, headers=headers)
        except httpx.WriteError:
            continue  # It hung up before all was sent, which is as good.
        problem(answer, 413, "too_large")
    for deep in (b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"name":' * 100_000):
        problem(editor.post("/api/v1/platforms", content=deep, headers=headers), 400, "malformed_json")
    for broken in (b"", b"{", b"\xff\xfe", b"nul", b'{"name": "\xe3\x81"}', b"{}{}"):
        problem(editor.post("/api/v1/platforms", content=broken, headers=headers), 400, "malformed_json")
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        answer = editor.post("/api/v1/platforms", content=b"{}", headers={"Content-Type": media_type})
        problem(answer, 415, "unsupported_media_type")


def test_reads_are_conditional(editor: httpx.Client, platform: dict) -> None:
    first = editor.get(platform["address"])
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    etag = first.headers["etag"]
    assert etag == platform["etag"]
    for known in (etag, f'"other", {etag}'):
        again = editor.get(platform["address"], headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    assert editor.get(platform["address"], headers={"If-None-Match": '"v999"'}).status_code == 200


def test_changes_are_conditional(editor: httpx.Client, platform: dict) -> None:
    changed = editor.patch(platform["address"], json={"name": "一度目"}, headers={"If-Match": platform["etag"]})
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] != platform["etag"]
    stale = editor.patch(platform["address"], json={"name": "二度目"}, headers={"If-Match": platform["etag"]})
    body = problem(stale, 412, "stale")
    assert body["current"]["name"] == "一度目"
    assert body["changed_by"]
    assert body["changed_at"]
    assert stale.headers["etag"] == changed.headers["etag"]
    assert editor.get(platform["address"]).json()["name"] == "一度目"


def test_a_repeated_request_has_one_effect(editor: httpx.Client) -> None:
    name = f"繰り返し {uuid.uuid4().hex}"
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"kind": "other", "name": name}
    first, second = (editor.post("/api/v1/platforms", json=body, headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    found = editor.get("/api/v1/platforms", params={"search": name}).json()["items"]
    assert [item["id"] for item in found] == [first.json()["id"]]
    other = editor.post("/api/v1/platforms", json=body | {"name": "別"}, headers=headers)
    problem(other, 422, "idempotency_key_reused")
    for bad in ("", "x" * 256, "two words"):
        problem(editor.post("/api/v1/platforms", json=body, headers={"Idempotency-Key": bad}), 400, "bad_header")


def test_reasons_are_percent_encoded(editor: httpx.Client, platform: dict) -> None:
    for bad in ("%", "%zz", "%ff", "%00", "a b", "a" * 1001):
        headers = {"If-Match": "*", "Change-Reason": bad}
        problem(editor.patch(platform["address"], json={}, headers=headers), 400, "bad_header")
    headers = {"If-Match": "*", "Change-Reason": "%E8%A8%82%E6%AD%A3"}
    assert editor.patch(platform["address"], json={"summary": "訂正"}, headers=headers).status_code == 200


def test_wrong_passwords_are_throttled() -> None:
    # An account that nobody has: it is throttled like any other, and nobody is locked out.
    attempt = {"email": f"{uuid.uuid4().hex}@test.example.jp", "password": "wrong"}
    # From an address of its own, since addresses are throttled, too.
    address = f"127.7.{random.randint(1, 250)}.{random.randint(1, 250)}" if service.loopback_is_a_network() else None
    with httpx.Client(base_url=service.URL, transport=httpx.HTTPTransport(local_address=address)) as guesser:
        for _ in range(20):
            answer = guesser.post("/api/v1/auth/sign-in", json=attempt)
            if answer.status_code == 429:
                break
            problem(answer, 401, "wrong_credentials")
    problem(answer, 429, "too_many_attempts")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_options_and_other_methods_say_what_is_allowed(anonymous: httpx.Client) -> None:
    paths = json.loads(service.DOCUMENT.read_text())["paths"]
    for path, item in paths.items():
        concrete = re.sub(r"\{[^}]*\}", str(uuid.uuid4()), path)
        documented = {method.upper() for method in item if method in ("get", "post", "put", "patch", "delete")}
        answer = anonymous.options(concrete)
        assert answer.status_code == 204, path
        allowed = set(answer.headers["allow"].split(", "))
        assert documented | {"OPTIONS"} <= allowed, path
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - documented:
            refused = anonymous.request(method, concrete)
            problem(refused, 405, "method_not_allowed")
            assert refused.headers["allow"] == answer.headers["allow"], path


def test_head_is_get_without_a_body(editor: httpx.Client, platform: dict) -> None:
    for path in ("/api/v1/platforms", platform["address"], "/api/v1/openapi.json", "/healthz"):
        get, head = editor.get(path), editor.head(path)
        assert head.status_code == get.status_code == 200, path
        assert head.content == b""
        for name in ("content-type", "etag"):
            assert head.headers.get(name) == get.headers.get(name), path


def test_answers_are_compressed(editor: httpx.Client) -> None:
    answer = editor.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in answer.headers["vary"].lower()
    plain = editor.get("/api/v1/openapi.json", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == answer.json()


def test_every_answer_carries_the_security_headers(anonymous: httpx.Client, editor: httpx.Client) -> None:
    for answer in (
        anonymous.get("/"),
        anonymous.get("/some/screen"),
        anonymous.get("/healthz"),
        anonymous.get("/readyz"),
        anonymous.get("/api/docs/"),
        anonymous.get("/api/v1/openapi.json"),
        anonymous.get("/api/v1/nothing"),
        anonymous.get("/api/v1/me"),
        anonymous.post("/api/v1/platforms", content=b"{"),
        anonymous.delete("/api/v1/platforms"),
        anonymous.options("/api/v1/platforms"),
        editor.get("/api/v1/platforms"),
    ):
        for name, value in SECURITY.items():
            assert answer.headers.get(name) == value, f"{answer.url}: {name}"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers
    assert editor.get("/api/v1/me").headers["cache-control"] == "no-store"


def test_the_served_document_is_the_one_in_the_repository(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/api/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(service.DOCUMENT.read_text())


def test_the_documentation_page_needs_nothing_from_elsewhere(anonymous: httpx.Client) -> None:
    page = anonymous.get("/api/docs/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert references
    for reference in references:
        assert not re.match(r"(?:https?:)?//", reference), reference
        part = anonymous.get(page.url.join(reference))
        assert part.status_code == 200, reference
        # What a script or style would load by itself; links in texts and licences are no loads.
        assert not re.search(r"""(?:@import|url\()\s*["']?(?:https?:)?//""", part.text), reference
        assert not re.search(r"""(?:importScripts|\.src\s*=|fetch\()\s*\(?["'](?:https?:)?//""", part.text), reference
    start = anonymous.get("/api/docs/swagger-initializer.js").text
    assert "/api/v1/openapi.json" in start
    assert "http://" not in start
    assert "https://" not in start
    assert "'unsafe-inline'" not in page.headers["content-security-policy"].split("style-src")[0]
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", page.text), "an inline script would not run"
    assert anonymous.get("/api/docs", follow_redirects=True).headers["content-type"].startswith("text/html")


def test_the_published_keys_verify_a_token(anonymous: httpx.Client, town: service.Town) -> None:
    token = town.editor.token()
    answer = anonymous.get("/api/v1/auth/jwks")
    keys = jwt.PyJWKSet.from_dict(answer.json())
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "EdDSA"
    claims = jwt.decode(
        token,
        keys[header["kid"]].key,
        algorithms=["EdDSA"],
        audience="tsunagi-api",
        options={"require": ["exp", "iat", "nbf", "iss", "sub", "aud"]},
    )
    assert claims["org"] == town.id
    assert claims["exp"] - claims["iat"] == 600
    assert all(set(key) <= {"kty", "crv", "x", "kid", "use", "alg"} for key in answer.json()["keys"]), "no private part"


def test_a_changed_token_is_refused(anonymous: httpx.Client, town: service.Town) -> None:
    token = town.editor.token()
    header, claims, signature = token.split(".")

    def encoded(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    def decoded(part: str) -> dict:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    forged = decoded(claims) | {"sub": str(uuid.uuid4())}
    public = anonymous.get("/api/v1/auth/jwks").json()["keys"][0]["x"]
    for wrong in (
        f"{header}.{encoded(forged)}.{signature}",
        f"{encoded(decoded(header) | {'alg': 'none'})}.{claims}.",
        f"{encoded({'alg': 'none', 'typ': 'at+jwt'})}.{encoded(forged)}.",
        jwt.encode(forged, base64.urlsafe_b64decode(public + "=="), algorithm="HS256", headers={"kid": decoded(header)["kid"]}),
        f"{header}.{claims}.",
        f"{header}.{claims}.{signature[:-8]}",
        token + "x" * 5000,
    ):
        problem(anonymous.get("/api/v1/me", headers={"Authorization": f"Bearer {wrong}"}), 401, "unauthenticated")
    assert anonymous.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_another_town_neither_sees_nor_changes(editor: httpx.Client, platform: dict) -> None:
    with service.make_town().admin.client() as stranger:
        problem(stranger.get(platform["address"]), 404, "not_found")
        problem(stranger.patch(platform["address"], json={"name": "x"}, headers={"If-Match": "*"}), 404, "not_found")
        problem(stranger.delete(platform["address"], headers={"If-Match": "*"}), 404, "not_found")
        # Not even whether the body would have been valid, or the version right.
        problem(stranger.patch(platform["address"], json={"nonsense": 1}, headers={"If-Match": '"v1"'}), 404, "not_found")
        found = stranger.get("/api/v1/platforms", params={"search": platform["name"]}).json()["items"]
        assert platform["id"] not in [item["id"] for item in found]
    assert editor.get(platform["address"]).json()["name"] == platform["name"]


def test_values_come_as_csv(editor: httpx.Client, platform: dict) -> None:
    kpi = editor.post(
        "/api/v1/kpis",
        json={"platform_id": platform["id"], "name": "=相談件数", "value_type": "number", "unit": "件"},
    )
    assert kpi.status_code == 201, kpi.text
    address = kpi.headers["location"]
    empty = editor.get(f"{address}/observations", params={"format": "csv"})
    assert empty.headers["content-type"] == "text/csv; charset=utf-8"
    assert empty.text.startswith("kpi_id,kpi_name,unit,")
    value = {
        "series_id": kpi.json()["id"],
        "period_kind": "fiscal_year",
        "period_start": "2024-04-01",
        "period_end": "2025-03-31",
        "number": "17.70",
        "quality": "final",
    }
    recorded = editor.post("/api/v1/kpi-observations", json=value)
    assert recorded.status_code == 201, recorded.text
    rows = editor.get(f"{address}/observations", headers={"Accept": "text/csv"}).text.splitlines()
    assert rows[0] == empty.text.strip()
    # What a spreadsheet would take for a formula is marked as text; digits stay as written.
    assert ",'=相談件数,件," in rows[1]
    assert ",17.70," in rows[1]
