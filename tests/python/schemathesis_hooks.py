"""What schemathesis cannot know from the document: check digits, who signs in, and values that only the service gives."""

import itertools
import json
import os
import random
import re
import uuid
from urllib.parse import quote

import requests
import schemathesis
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from schemathesis.core.parameters import ParameterLocation as Place
from schemathesis.generation.meta import TestPhase

from service import URL, Account, loopback_is_a_network

# The document's formats. Each generator makes what the service accepts; everything else is a mistake of ours.


def _municipality_code(digits: str) -> str:
    rest = 11 - sum(int(d) * w for d, w in zip(digits, (6, 5, 4, 3, 2))) % 11
    return f"{digits}{rest % 10}"


def _corporate_number(digits: str) -> str:
    return f"{9 - sum(int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))) % 9}{digits}"


def _digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


schemathesis.openapi.format(
    "local-government-code",
    # Codes that exist, too: otherwise no reference to one would ever be good.
    st.sampled_from(["313891", "312011", "310000", "281000"]) | _digits(5).map(_municipality_code),
)
schemathesis.openapi.format("corporate-number", _digits(12).map(_corporate_number))
schemathesis.openapi.format("network", st.ip_addresses().map(str) | st.sampled_from(["203.0.113.0/24", "2001:db8::/32"]))
schemathesis.openapi.format(
    "percent-encoded",
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40).map(lambda text: quote(text, safe="")),
)

# Messages that are sent to try go nowhere: nobody listens there.
schemathesis.openapi.format("webhook-url", st.sampled_from(["http://127.0.0.1:9/", "https://127.0.0.1:9/hook?key=1"]))

# Who signs in: an editor, the administrator for what only he may do, and the operator for accounts of other
# organisations. Editor and administrator belong to a town made for this run.

_ACCOUNTS = json.loads(os.environ.get("TSUNAGI_TEST_ACCOUNTS", "{}"))
_VITAL = frozenset(_ACCOUNTS.get("vital", ()))
_OPERATION = re.compile(r"/api/v1/organizations/[^/]+/user")
_ADMINISTRATION = re.compile(r"/api/v1/(users|user-roles|grants|clients|client-secrets|webhooks|webhook-deliveries)|/transition$")


def _role(_case: object, context: schemathesis.AuthContext) -> str:
    if _OPERATION.match(context.operation.path):
        return "operator"
    return "admin" if _ADMINISTRATION.search(context.operation.path) else "editor"


if _ACCOUNTS:

    @schemathesis.auth(cache_by_key=_role)
    class SignedIn:
        """A bearer token of the fitting account, from a fresh sign-in every five minutes."""

        def get(self, case: schemathesis.Case, context: schemathesis.AuthContext) -> str:
            return Account(*_ACCOUNTS[_role(case, context)]).token()

        def set(self, case: schemathesis.Case, data: str, _context: schemathesis.AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {data}"


# What only the service can give.

_records: dict[str, list[str]] = {kind: list(ids) for kind, ids in _ACCOUNTS.get("records", {}).items()}
_cursors: dict[str, str] = {}
_etags: dict[str, str] = {}
#: Apart from the random numbers of the properties, so that drawing them again draws the same.
_chance = random.Random(2024)


_WAITS = frozenset(str(seconds) for seconds in range(26))


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case, _kwargs: dict) -> None:
    # Chains of requests bring their own ids; to others they are given more often than not.
    if case.meta is not None and case.meta.phase.name is not TestPhase.STATEFUL and _chance.random() < 0.6:
        _use_what_is_there(case)
    # Nothing may lock the run out: what would change its own accounts is aimed at a record that does not exist.
    if case.method.upper() not in ("GET", "HEAD", "OPTIONS"):
        for name, value in case.path_parameters.items():
            if value in _VITAL:
                case.path_parameters[name] = str(uuid.uuid4())
    for name in {"after", "before"} & case.query.keys() if _is_valid(case, Place.QUERY) else ():
        # A cursor is opaque: only one that a list gave is good.
        known = _cursors.get(case.path)
        if known is None:
            del case.query[name]
        else:
            case.query[name] = known
    if re.fullmatch("[!-~]{1,255}", str(case.headers.get("Idempotency-Key", ""))):
        # A key is for one request; that another body is refused with it is tested in test_http.py.
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if case.path.endswith("/changes") and str(case.query.get("wait", "")) in _WAITS:
        # Waiting for a change is what is asked for here, and more than the run has time for.
        case.query["wait"] = 0
    if case.method.upper() == "PUT" and "/external/" in case.path and not {"If-Match", "If-None-Match"} & case.headers.keys():
        # Either will do, so the document can require none; neither is tested in Rust.
        case.headers["If-None-Match"] = "*"
    if "If-Match" in case.headers:
        current = _etags.get(_address(case.formatted_path))
        if _is_valid(case, Place.HEADER):
            if current is not None and _chance.random() < 0.8:
                case.headers["If-Match"] = current
        elif not _is_valid(case, Place.BODY):
            # A wrong body comes with a wrong version, which would be refused before anybody looks at the body.
            case.headers["If-Match"] = current or "*"


@schemathesis.hook
def after_call(_context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    kind = case.path.split("/")[3]
    if response.status_code == 201 and "location" in response.headers:
        # By its address: an action on one kind can make a record of another.
        *_, made, number = response.headers["location"][0].split("/")
        _records.setdefault(made, []).append(number)
    elif response.status_code == 204 and case.method.upper() == "DELETE":
        for known in _records.get(kind, [])[:]:
            if known in case.path_parameters.values():
                _records[kind].remove(known)
    etag = response.headers.get("etag")
    if etag and response.status_code in (200, 412):
        _etags[_address(case.formatted_path)] = etag[0]
    if response.status_code == 200 and case.method.upper() == "GET":
        try:
            body = response.json()
        except ValueError:
            return
        if isinstance(body, dict) and isinstance(body.get("next"), str):
            _cursors[case.path] = body["next"]


def _use_what_is_there(case: schemathesis.Case) -> None:
    """Names existing records where a valid request names records."""
    kind = case.path.split("/")[3]
    for name in case.path_parameters if _is_valid(case, Place.PATH) else ():
        known = _records.get(kind, ())
        # A few are there to stay, so that something is there for the others, too.
        if len(known) > 2 or (known and case.method.upper() != "DELETE"):
            case.path_parameters[name] = known[-1] if case.method.upper() == "DELETE" else _chance.choice(known)
    if isinstance(case.body, dict) and _is_valid(case, Place.BODY):
        # What replaces nothing, and one of what excludes each other.
        case.body.pop("supersedes_id", None)
        for name in [name for name in _ONE_OF.get(kind, ()) if name in case.body][1:]:
            del case.body[name]
        for name, value in case.body.items():
            known = _records.get(_kind(name, case.body))
            if name.endswith("_id") and isinstance(value, str) and known:
                case.body[name] = _chance.choice(known)


#: Where the name of a reference is not the kind of record.
_KINDS = {
    "actor_id": "plan-actors",
    "series_id": "kpi-series",
    "level_id": "evaluation-levels",
    "scope_id": "platforms",
}
_ONE_OF = {
    "kpi-observations": ("number", "missing_reason", "state", "low", "high", "numerator", "denominator"),
    "kpi-placements": ("goal_id", "project_id", "platform_id"),
    "kpi-targets": ("value", "text", "high"),
    "grants": ("user_id", "organization_id"),
    "webhooks": ("after", "since"),
}


def _kind(name: str, body: dict) -> str:
    if name == "record_id":
        return str(body.get("entity", "")).replace("_", "-")
    return _KINDS.get(name, f"{name.removesuffix('_id').replace('_', '-')}s")


def _is_valid(case: schemathesis.Case, place: Place) -> bool:
    if case.meta is None:
        return True
    component = case.meta.components.get(place)
    return (component or case.meta.generation).mode.is_positive


def _address(path: str) -> str:
    return path.removesuffix("/transition")


# Wrong passwords are throttled by address, too. Each few attempts come from another one of the loopback network, so that
# they lock out nobody else on this machine.


class _FromManyAddresses(HTTPAdapter):
    def __init__(self) -> None:
        self._turn = itertools.count()
        self._adapters: dict[int, HTTPAdapter] = {}
        super().__init__()

    def send(self, *args, **kwargs):
        number = next(self._turn) // 15 % 250
        if number not in self._adapters:
            self._adapters[number] = _FromAddress(f"127.7.{os.getpid() % 250}.{number + 1}")
        return self._adapters[number].send(*args, **kwargs)


class _FromAddress(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


if loopback_is_a_network():
    # Hooks are not given the session; every one looks for its adapters here.
    _MANY_ADDRESSES = _FromManyAddresses()
    _get_adapter = requests.Session.get_adapter
    requests.Session.get_adapter = lambda session, url: (
        _MANY_ADDRESSES if url.startswith((f"{URL}/api/v1/auth/", f"{URL}/api/v1/oauth/")) else _get_adapter(session, url)
    )
