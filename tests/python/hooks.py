import os, itertools, requests, schemathesis
from requests.adapters import HTTPAdapter
BASE = os.environ["TSUNAGI_URL"]

class FromManyAddresses(HTTPAdapter):
    def __init__(self):
        self.n = itertools.count()
        self.others = {}
        super().__init__()
    def send(self, request, **kw):
        n = (next(self.n) // 20) % 200
        a = self.others.get(n)
        if a is None:
            a = self.others[n] = Bound(f"127.7.{n}.1")
        return a.send(request, **kw)

class Bound(HTTPAdapter):
    def __init__(self, address):
        self.address = address
        super().__init__()
    def init_poolmanager(self, *a, **kw):
        super().init_poolmanager(*a, source_address=(self.address, 0), **kw)

ADAPTER = FromManyAddresses()

@schemathesis.hook
def before_call(context, case, kwargs):
    session = kwargs.get("session")
    if session is not None and not getattr(session, "_spread", False):
        session._spread = True
        for part in ("auth", "oauth"):
            session.mount(f"{BASE}/api/v1/{part}/", ADAPTER)

@schemathesis.auth()
class Bearer:
    def get(self, case, context):
        r = requests.post(BASE + "/api/v1/auth/sign-in", json={"email": os.environ.get("TSUNAGI_EDITOR", "municipality-editor@demo.example.jp"), "password": os.environ["TSUNAGI_DEMO_PASSWORD"]})
        r.raise_for_status()
        return r.json()["access_token"]
    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"
