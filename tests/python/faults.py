"""Systems that write and read while the service and its database are killed: the load of `cargo xtask faults`.

    faults.py feed --writers 64 --streams 35      changes of every kind; a reader for each stream and one for all
    faults.py batches --writers 4                 atomic batches of 1,000 rows
    faults.py failover --streams 3                does what standard input tells: write, read, check
    faults.py lag --seconds 60                    the same: peak, lag (and how many seconds it may be)

Works until standard input ends, lets everybody finish what he began, and compares what was acknowledged with what there
is. One line for each finding; exit status 1 if there is any. The readers are docs/sync/nightly.py, as councils get it.
"""

import argparse
import collections
import json
import math
import os
import random
import sqlite3
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx

import service

os.environ.setdefault("TSUNAGI_URL", service.URL)
sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "sync"))
import nightly  # noqa: E402

#: Everything that is acknowledged, by stream: id of the record and its version, or none when it was deleted.
Expected = dict[str, int | None]
#: Goes on until the event.
Work = Callable[[threading.Event], None]


class System(nightly.Tsunagi):
    """A system of one organisation, with credentials of its own."""

    def __init__(self, organization: str, client: str, secret: str) -> None:
        super().__init__(client, secret)
        self.organization = organization
        self.lock = threading.Lock()
        self.told_to_begin_anew = 0
        #: Seconds from the commit of each change to its arrival.
        self.lags: list[float] = []

    def ask(self, path: str, body: dict | None = None, key: str | None = None) -> tuple[int, dict]:
        status, answer = super().ask(path, body, key)
        self.told_to_begin_anew += status == 410
        if path.startswith("/changes?") and status == 200:
            # `at` is taken in the commit, before it is on disk.
            now = datetime.now(UTC)
            self.lags += [(now - datetime.fromisoformat(item["at"])).total_seconds() for item in answer["items"]]
        return status, answer

    def authorization(self) -> str:
        """One of many who write at once gets the token, however long that takes."""
        with self.lock:
            while True:
                try:
                    return super().authorization()
                except OSError:
                    time.sleep(0.2)


class Findings:
    """What went wrong, and how much went right."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.counts: collections.Counter[str] = collections.Counter()
        self.lock = threading.Lock()

    def count(self, what: str, number: int = 1) -> None:
        with self.lock:
            self.counts[what] += number

    def find(self, what: str) -> None:
        with self.lock:
            self.wrong.append(what)
        print(f"WRONG: {what}", flush=True)


def found(streams: int) -> tuple[list[System], System]:
    """A town with a system for each stream, and a prefecture that sees what they submit."""
    with service.operator() as operator:

        def system(kind: str, name: str, **fields: object) -> System:
            role = "prefecture_admin" if kind == "prefecture" else "municipality_admin"
            organization, [account], _ = service.found(operator, kind, name, role, prefecture_code="310000", **fields)
            with account.client() as admin:
                return System(organization, *service.credentials(admin))

        towns = [system("municipality", f"町 {number}", municipality_code="313891") for number in range(streams)]
        return towns, system("prefecture", "県")


class Writer:
    """One who writes, and knows of each write what was acknowledged."""

    def __init__(self, system: System, number: int, findings: Findings) -> None:
        self.system, self.findings, self.chance = system, findings, random.Random(number)
        self.api = httpx.Client(base_url=service.URL, timeout=60)
        self.expected: Expected = {}
        #: Own platforms with the year below each.
        self.platforms: list[tuple[str, str]] = []
        #: Requests that were answered; seconds from one to the next, and when that is.
        self.answered, self.pace, self.due = 0, 0.0, 0.0

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Repeats the request with its key until there is an answer that is one."""
        key = str(uuid.uuid4())
        time.sleep(max(0.0, self.due - time.monotonic()))
        self.due = max(self.due + self.pace, time.monotonic() - 1)
        while True:
            headers |= {"Authorization": self.system.authorization(), "Idempotency-Key": key}
            try:
                answer = self.api.request(method, f"/api/v1{path}", json=body, headers=headers)
            except httpx.TransportError:
                self.findings.count("answers lost")
                time.sleep(0.1)
                continue
            if answer.status_code in (429, 503):
                self.findings.count("asked to wait")
                time.sleep(0.2)
            elif answer.status_code == 401:
                self.system.until = 0.0
            elif answer.status_code >= 500:
                self.findings.find(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
                time.sleep(0.5)
            else:
                self.answered += 1
                return answer

    def must(self, status: int, answer: httpx.Response) -> httpx.Response:
        if answer.status_code != status:
            raise AssertionError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
        self.findings.count("writes acknowledged")
        return answer

    def work(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                self.step()
        except Exception:
            self.findings.find(f"a writer stopped: {traceback.format_exc()}")

    def step(self) -> None:
        act = self.chance.random()
        if act < 0.3 or not self.platforms:
            record = {"kind": "other", "name": f"場 {uuid.uuid4().hex}"}
            platform = self.must(201, self.ask("POST", "/platforms", record)).json()["id"]
            year = {"platform_id": platform, "fiscal_year": 2024}
            below = self.must(201, self.ask("POST", "/platform-years", year)).json()["id"]
            self.platforms.append((platform, below))
            self.expected |= {platform: 1, below: 1}
            return
        place = self.chance.randrange(len(self.platforms))
        platform, below = self.platforms[place]
        if act < 0.5:
            etag = f'"v{self.expected[platform]}"'
            change = {"summary": uuid.uuid4().hex}
            answer = self.ask("PATCH", f"/platforms/{platform}", change, **{"If-Match": etag})
            self.expected[platform] = self.must(200, answer).json()["version"]
        elif act < 0.6:
            move = {"status": self.chance.choice(["submitted", "draft"])}
            answer = self.ask("POST", f"/platforms/{platform}/transition", move, **{"If-Match": "*"})
            if answer.status_code == 200:
                self.expected[platform] = self.must(200, answer).json()["version"]
        elif act < 0.75:
            # Refused and rolled back first: there is still a year below it.
            refused = self.ask("DELETE", f"/platforms/{platform}", **{"If-Match": "*"})
            if refused.status_code != 409:
                raise AssertionError(f"deleted above a year: {refused.status_code}")
            for path, record in (("platform-years", below), ("platforms", platform)):
                self.must(204, self.ask("DELETE", f"/{path}/{record}", **{"If-Match": "*"}))
                self.expected[record] = None
            del self.platforms[place]
        else:
            # Some rows fail; of an atomic batch none stays, of the other one those before and after.
            atomic = act > 0.9
            names = [f"団体 {uuid.uuid4().hex}" for _ in range(self.chance.randrange(5, 60))]
            items = [{"entity": "organizations", "record": {"kind": "npo", "name": name}} for name in names]
            items.insert(len(items) // 2, {"entity": "organizations", "record": {"kind": "npo", "name": ""}})
            mode = "atomic" if atomic else "per_row"
            result = self.must(200, self.ask("POST", "/batch", {"mode": mode, "items": items})).json()
            if result["committed"] == atomic:
                raise AssertionError(f"committed: {result['committed']} of a batch that is {mode}")
            if not atomic:
                self.expected |= {item["id"]: 1 for item in result["items"] if item["outcome"] == "created"}


class Reader:
    """One who reads the feed into a copy, from where he stands."""

    def __init__(self, system: System, findings: Findings, wait: int = 0, pause: float = 0.5) -> None:
        self.system, self.findings, self.wait, self.pause = system, findings, wait, pause
        self.copy = sqlite3.connect(":memory:", check_same_thread=False)
        self.copy.executescript(SCHEMA)

    def read(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.pull(self.wait)
            time.sleep(self.pause)

    def pull(self, wait: int = 0) -> None:
        try:
            self.findings.count("changes read", nightly.pull(self.system, self.copy, wait))
        except SystemExit as error:
            if "no answer" not in str(error):
                self.findings.find(f"a reader was told: {error}")
        except Exception:
            self.findings.find(f"a reader stopped: {traceback.format_exc()}")

    def versions(self) -> dict[str, int]:
        return dict(self.copy.execute("select id, version from records where owner = ?", [self.system.organization]))

    def settle(self) -> None:
        """Reads to the end, and compares with counts, checksums and a copy that is read anew."""
        self.pull()
        for difference in nightly.check(self.system, self.copy):
            self.findings.find(difference)
        anew = Reader(self.system, self.findings)
        anew.pull()
        rows = "select entity, id, version, record from records order by 1, 2"
        old, new = (reader.copy.execute(rows).fetchall() for reader in (self, anew))
        if old != new:
            self.findings.find(f"the copy differs from one read anew in {len(set(old) ^ set(new))} rows")
        self.findings.count("records compared byte for byte", len(new))


SCHEMA = """
create table records (entity text, id text, owner text, version integer, record text, primary key (entity, id));
create table position (one integer primary key check (one = 1), cursor text);
create table read (organization text primary key, seq integer);
"""


def at_work(*works: Work, findings: Findings, until: Callable[[], object]) -> None:
    """Everybody works until this returns."""
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=[stop], daemon=True) for work in works]
    for thread in threads:
        thread.start()
    until()
    stop.set()
    for thread in threads:
        thread.join(timeout=300)
        if thread.is_alive():
            findings.find("somebody did not come to an end")


def told() -> None:
    """Standard input has ended."""
    print("ready", flush=True)
    while sys.stdin.readline():
        pass


def feed(options: argparse.Namespace, findings: Findings) -> None:
    systems, prefecture = found(options.streams)
    readers = [Reader(system, findings) for system in systems] + [Reader(prefecture, findings, wait=5)]
    writers = [Writer(systems[n % len(systems)], n, findings) for n in range(options.writers)]
    at_work(*(writer.work for writer in writers), *(reader.read for reader in readers), findings=findings, until=told)
    with ThreadPoolExecutor(4) as some:
        list(some.map(Reader.settle, readers))
    for reader in readers[:-1]:
        expected: Expected = {}
        for writer in writers:
            if writer.system is reader.system:
                expected |= writer.expected
        alive = {record: version for record, version in expected.items() if version is not None}
        there = {record: version for record, version in reader.versions().items() if record in expected or version}
        # The organisation and its account, roles and system are there from the beginning.
        strange = [record for record in there.keys() - expected.keys() if record not in known(reader)]
        lost = [record for record, version in alive.items() if there.get(record, 0) != version]
        undead = [record for record, version in expected.items() if version is None and record in there]
        for what, records in (("lost", lost), ("not acknowledged", strange), ("not deleted", undead)):
            if records:
                findings.find(f"{len(records)} records are {what}, for example {records[0]}")
        findings.count("acknowledged records found again", len(alive))
        findings.count("acknowledged deletions found again", len(expected) - len(alive))


def known(reader: Reader) -> set[str]:
    """What was there before the writers came: everything but what they make."""
    made = ("platforms", "platform_years")
    rows = reader.copy.execute("select id, entity, record from records")
    return {row[0] for row in rows if row[1] not in made and json.loads(row[2]).get("kind") != "npo"}


def batches(options: argparse.Namespace, findings: Findings) -> None:
    systems, _ = found(options.writers)
    writers = [Writer(system, n, findings) for n, system in enumerate(systems)]

    def work(writer: Writer):
        def push(stop: threading.Event) -> None:
            try:
                while not stop.is_set():
                    mark = uuid.uuid4().hex
                    items = [
                        {
                            "entity": "organizations",
                            "source": "faults",
                            "external_id": f"{mark} {row}",
                            "record": {"kind": "npo", "name": f"{mark} {row}"},
                        }
                        for row in range(options.rows)
                    ]
                    result = writer.must(200, writer.ask("POST", "/batch", {"items": items})).json()
                    if not result["committed"] or result["counts"]["created"] != options.rows:
                        raise AssertionError(f"{result['counts']}")
                    writer.expected |= {item["id"]: 1 for item in result["items"]}
                    findings.count("batches acknowledged")
            except Exception:
                findings.find(f"a writer stopped: {traceback.format_exc()}")

        return push

    at_work(*(work(writer) for writer in writers), findings=findings, until=told)
    for writer in writers:
        reader = Reader(writer.system, findings)
        reader.settle()
        there = {
            row[0]
            for row in reader.copy.execute("select id, record from records where entity = 'organizations' and owner = ?", [writer.system.organization])
            if json.loads(row[1])["kind"] == "npo"
        }
        lost, strange = writer.expected.keys() - there, there - writer.expected.keys()
        if lost or strange:
            findings.find(f"{len(lost)} acknowledged rows are lost, {len(strange)} are there that were not acknowledged")
        findings.count("acknowledged rows found again", len(there & writer.expected.keys()))


def failover(options: argparse.Namespace, findings: Findings) -> None:
    """What the lost primary has acknowledged may be gone; nobody may be left with it, or without what is there now."""
    systems, prefecture = found(options.streams)
    chance = random.Random(1)
    # Of each two readers one is far behind now and then.
    readers = [Reader(system, findings) for system in [*systems, prefecture] * 2]
    print("ready", flush=True)
    for number, line in enumerate(sys.stdin):
        match line.strip():
            case "write":
                for place, system in enumerate(systems):
                    writer = Writer(system, 100 * number + place, findings)
                    for _ in range(chance.randrange(1, 12)):
                        writer.step()
            case "read":
                for reader in readers:
                    if chance.random() < 0.6:
                        reader.pull()
            case "check":
                for reader in readers:
                    reader.settle()
                findings.count("readers compared after a failover", len(readers))
        print("done", flush=True)
    findings.count("told 410 resync_required", sum(system.told_to_begin_anew for system in [*systems, prefecture]))


def lag(options: argparse.Namespace, findings: Findings) -> None:
    """How long after its commit a change arrives at a reader who waits, while half of what can be written is written."""
    systems, _ = found(options.streams)
    writers = [Writer(systems[n % len(systems)], n, findings) for n in range(options.writers)]
    readers = [Reader(system, findings, wait=5, pause=0) for system in systems]
    peak = 0.0

    def measure() -> float:
        """Requests of writers that are answered in a second, while everybody reads."""
        before, begun = sum(writer.answered for writer in writers), time.monotonic()
        until = lambda: time.sleep(options.seconds)  # noqa: E731
        at_work(*(writer.work for writer in writers), *(reader.read for reader in readers), findings=findings, until=until)
        return (sum(writer.answered for writer in writers) - before) / (time.monotonic() - begun)

    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["peak"]:
                peak = measure()
                print(f"peak: {peak:,.0f} writes a second by {len(writers)} writers, each of {len(systems)} streams with a reader", flush=True)
            case ["lag", most]:
                for reader in readers:
                    reader.pull()
                    reader.system.lags.clear()
                for writer in writers:
                    writer.pace, writer.due = 2 * len(writers) / peak, time.monotonic() + random.random()
                rate = measure()
                lags = sorted(lag for system in systems for lag in system.lags)
                part = {"p50": 0.5, "p99": 0.99, "max": 1}
                told = {name: lags[math.ceil(share * len(lags)) - 1] for name, share in part.items()}
                print(
                    f"{rate:,.0f} writes a second, {len(lags):,} changes arrived after",
                    ", ".join(f"{name} {1000 * seconds:,.0f} ms" for name, seconds in told.items()),
                    flush=True,
                )
                if told["p99"] > float(most):
                    findings.find(f"one change in a hundred came later than {most} s after its commit")
        print("done", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trial", choices=["feed", "batches", "failover", "lag"])
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--streams", type=int, default=35)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    findings = Findings()
    {"feed": feed, "batches": batches, "failover": failover, "lag": lag}[options.trial](options, findings)
    for what, number in sorted(findings.counts.items()):
        print(f"{number:>9,} {what}")
    print(f"{len(findings.wrong)} wrong")
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
