"""A receiver of webhooks that needs nothing but Python: verifies each message and notes what has changed.

    WEBHOOK_SECRET=whsec_…  python3 receiver.py 8090

While a secret is changed over, WEBHOOK_SECRET holds both, separated by a blank.
"""

import base64
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Older or newer messages are refused, so that nobody can send a recorded one again later.
TOLERANCE = 5 * 60


def verify(secrets: str, headers: Mapping[str, str], body: bytes) -> dict:
    """What a genuine message says; anything else is a ValueError."""
    message, sent = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(sent)) > TOLERANCE:
        raise ValueError("too old or too new")
    signed = f"{message}.{sent}.".encode() + body
    given = [value for version, _, value in (s.partition(",") for s in headers["webhook-signature"].split()) if version == "v1"]
    for secret in secrets.split():
        key = base64.b64decode(secret.removeprefix("whsec_"))
        own = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        if any(hmac.compare_digest(own, value) for value in given):
            return json.loads(body)
    raise ValueError("not signed by the service")


class Receiver(BaseHTTPRequestHandler):
    #: A real one keeps these where it keeps what they tell.
    known: set[str] = set()

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("content-length", 0)), 1 << 20))
        try:
            message = verify(os.environ["WEBHOOK_SECRET"], self.headers, body)
        except (KeyError, TypeError, ValueError):
            return self.answer(401)
        if self.headers["webhook-id"] not in self.known:
            print(json.dumps(message), flush=True)
            self.known.add(self.headers["webhook-id"])
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
