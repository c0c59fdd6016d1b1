"""Clients that nobody wrote for us: authlib gets and revokes tokens, PyJWT verifies them."""

import time
import uuid

import httpx
import jwt
import pytest
from authlib.integrations.httpx_client import OAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.jwk import import_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

import service

METADATA = httpx.get(f"{service.URL}/.well-known/oauth-authorization-server").raise_for_status().json()
TOKEN = METADATA["token_endpoint"]
#: Private keys, with the algorithm by which each signs and what writes its public half as a JWK.
KEYS = {
    "EdDSA": (ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm),
    "ES256": (ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
    "RS256": (rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "PS256": (rsa.generate_private_key(65537, 2048), RSAAlgorithm),
}


def pem(key) -> str:
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*pkcs8).decode()


def public_key(algorithm: str) -> dict:
    key, writer = KEYS[algorithm]
    jwk = writer.to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return jwk | {"kid": algorithm, "alg": algorithm}


@pytest.fixture
def system(admin: httpx.Client) -> dict:
    """A system of the town with every kind of key."""
    fields = {"name": "連携の試験", "public_keys": [public_key(algorithm) for algorithm in KEYS]}
    client = admin.post("/api/v1/clients", json=fields)
    assert client.status_code == 201, client.text
    secret = admin.post(f"/api/v1/clients/{client.json()['id']}/secrets", json={}).raise_for_status().json()
    return {"client_id": client.json()["id"], "client_secret": secret["client_secret"], "secret_id": secret["id"]}


def by_secret(system: dict, method: str = "client_secret_basic", **more) -> OAuth2Client:
    return OAuth2Client(
        system["client_id"],
        system["client_secret"],
        token_endpoint=TOKEN,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        **more,
    )


def by_key(system: dict, algorithm: str) -> OAuth2Client:
    kind = {"EdDSA": "OKP", "ES256": "EC"}.get(algorithm, "RSA")
    client = OAuth2Client(system["client_id"], import_key(pem(KEYS[algorithm][0]), kind), token_endpoint=TOKEN)
    method = PrivateKeyJWT(TOKEN, headers={"kid": algorithm}, alg=algorithm)
    client.register_client_auth_method(method)
    client.token_endpoint_auth_method = method.name
    return client


def get(client: OAuth2Client, path: str) -> httpx.Response:
    return client.get(f"{service.URL}/api/v1{path}")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_secret_gets_a_token(system: dict, method: str) -> None:
    with by_secret(system, method) as client:
        token = client.fetch_token(TOKEN, grant_type="client_credentials")
        assert token["expires_in"] == 600 and token["token_type"] == "Bearer"
        assert get(client, "/me").raise_for_status().json()["id"] == system["client_id"]


# authlib prefers the newer name of the same algorithm (RFC 9864), which few servers know yet.
@pytest.mark.filterwarnings("ignore:.*EdDSA")
@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signature_gets_a_token(system: dict, algorithm: str) -> None:
    with by_key(system, algorithm) as client:
        client.fetch_token(TOKEN, grant_type="client_credentials")
        assert get(client, "/me").raise_for_status().json()["id"] == system["client_id"]


def test_a_token_is_verified_with_the_public_keys(system: dict, town: service.Town) -> None:
    with by_secret(system, scope="kpis:read") as client:
        token = client.fetch_token(TOKEN, grant_type="client_credentials")["access_token"]
    key = jwt.PyJWKClient(METADATA["jwks_uri"]).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="tsunagi-api", issuer=METADATA["issuer"])
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert (claims["sub"], claims["org"], claims["scope"]) == (system["client_id"], town.id, "kpis:read")
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=["EdDSA"], audience="another", issuer=METADATA["issuer"])


def test_a_scope_bounds_the_token(system: dict) -> None:
    with by_secret(system, scope="kpis:read") as client:
        assert client.fetch_token(TOKEN, grant_type="client_credentials")["scope"] == "kpis:read"
        get(client, "/kpis").raise_for_status()
        assert get(client, "/plans").status_code == 403
    with by_secret(system, scope="everything") as client, pytest.raises(OAuthError) as refused:
        client.fetch_token(TOKEN, grant_type="client_credentials")
    assert refused.value.error == "invalid_scope"


def test_a_revoked_token_ends_at_once(system: dict) -> None:
    with by_secret(system) as client:
        token = client.fetch_token(TOKEN, grant_type="client_credentials")
        get(client, "/me").raise_for_status()
        answer = client.revoke_token(METADATA["revocation_endpoint"], token["access_token"])
        assert answer.status_code == 200, answer.text
        assert get(client, "/me").status_code == 401


def test_an_ended_secret_is_refused_in_words_of_the_standard(system: dict, admin: httpx.Client) -> None:
    ended = admin.delete(f"/api/v1/client-secrets/{system['secret_id']}", headers={"If-Match": "*"})
    assert ended.status_code == 204, ended.text
    with by_secret(system) as client, pytest.raises(OAuthError) as refused:
        client.fetch_token(TOKEN, grant_type="client_credentials")
    assert refused.value.error == "invalid_client"


def test_a_clock_ten_minutes_off_is_told_so(system: dict) -> None:
    now = int(time.time()) - 600
    claims = {"iss": system["client_id"], "sub": system["client_id"], "aud": TOKEN, "jti": uuid.uuid4().hex}
    assertion = jwt.encode(claims | {"iat": now, "exp": now + 60}, KEYS["ES256"][0], "ES256", headers={"kid": "ES256"})
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    answer = httpx.post(TOKEN, data=form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "set the clock" in answer.json()["error_description"]
