"""A roadmap sheet kept by three parties through their own systems: the town, its social welfare council and the
community councils, each with a client and a column of its own, all at the same time and with the town's staff between.

The sheet is that of Nanbu: the printed one where the seed documents are (../shared, or TSUNAGI_SEEDS), else the project's
demo data of the same sheet, in short texts of its own.
"""

import importlib.util
import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

import service

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "backend" / "xtask" / "demo" / "nanbu.json"
SEED = Path(os.environ.get("TSUNAGI_SEEDS") or ROOT.parent / "shared") / "seed-data" / "seed-002-nanbu.json"
DRAFT, DOUBLED = "（案）", "（重複）"
#: Where an entry or a cell stands.
PLACE = ("goal_id", "fiscal_year", "actor_id", "kind")
#: What a system can write of an entry.
WRITABLE = (
    "goal_id",
    "fiscal_year",
    "actor_id",
    "kind",
    "text",
    "marker",
    "progress",
    "responsible",
    "due_on",
    "continues",
    "position",
)


def example():
    """docs/sync/nightly.py, as a council's programmer would take it."""
    os.environ.setdefault("TSUNAGI_URL", service.URL)
    spec = importlib.util.spec_from_file_location("nightly", ROOT / "docs" / "sync" / "nightly.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


nightly = example()


# The document: what the sheet shall be in the end.

#: Year, column (none for what belongs to the plan), kind.
Place = tuple[int, str | None, str]


@dataclass
class Document:
    columns: dict[str, dict] = field(default_factory=dict)
    entries: dict[Place, list[str]] = field(default_factory=dict)
    #: State of a cell without entries, and whether its heading is printed.
    cells: dict[Place, tuple[str, bool]] = field(default_factory=dict)


def printed() -> Document:
    """The seed document."""
    seed, sheet = json.loads(SEED.read_text()), Document()
    kinds = ("community_promotion_council", "social_welfare_council", "government")
    for number, kind in enumerate(kinds):
        label = seed["roadmap"]["column_labels"][number + 2]
        sheet.columns[kind] = {"kind": kind, "label": label, "position": 10 * number}
    for number, council in enumerate(seed["community_councils"]):
        below = {"kind": kinds[0], "parent": kinds[0], "position": number}
        sheet.columns[council["name"]] = below | {"label": council["name"]}

    def put(place: Place, lines: list[str], heading: bool = True) -> None:
        if lines == ["未実施"]:
            sheet.cells[place] = ("not_carried_out", True)
        elif lines:
            sheet.entries[place] = lines
        else:
            sheet.cells[place] = ("not_entered", heading)

    for year in seed["roadmap"]["years"]:
        number = year["fiscal_year_fy"]
        put((number, None, "milestone"), year["milestones"])
        for council in year["community_councils"]:
            put((number, council["council"], "actual"), council["entries"])
        for column in kinds[1:]:
            for kind in ("planned", "actual"):
                put((number, column, kind), year[column][kind], year[column][f"{kind}_label"] is not None)
        assert year["remarks"] is None
    return sheet


def demonstrated() -> Document:
    """The same sheet in the demo data."""
    sheet = Document()
    for entry in json.loads(DEMO.read_text()):
        fields = entry["fields"]
        if entry["resource"] == "plan-actors" and fields["plan_id"] == "@plan":
            column = {name: fields[name] for name in ("kind", "label", "position")}
            if "parent_id" in fields:
                column["parent"] = fields["parent_id"]
            sheet.columns[f"@{entry['key']}"] = column
        elif fields.get("goal_id") == "@priority-3" and entry["resource"] in ("roadmap-items", "roadmap-cells"):
            place = (fields["fiscal_year"], fields.get("actor_id"), fields["kind"])
            if entry["resource"] == "roadmap-items":
                sheet.entries.setdefault(place, []).append(fields["text"])
            else:
                sheet.cells[place] = (fields.get("state", "not_entered"), fields.get("heading_shown", True))
    return sheet


# Who keeps it.


class Patient(httpx.HTTPTransport):
    """Ten systems at once may be more than a small machine serves: what is told to wait, waits."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        until = time.monotonic() + 60
        while (answer := super().handle_request(request)).status_code == 503 and time.monotonic() < until:
            answer.close()
            time.sleep(int(answer.headers["retry-after"]))
        return answer


def patient(**headers: str) -> httpx.Client:
    return httpx.Client(base_url=f"{service.URL}/api/v1/", headers=headers, timeout=60, transport=Patient())


def signed_in(account: service.Account) -> httpx.Client:
    return patient(Authorization=f"Bearer {account.token()}")


class System(nightly.Tsunagi):
    """A party's system: the example client with its own credentials, copy and rows, under its own ids."""

    def __init__(self, name: str, organization: str, credentials: tuple[str, str], folder: Path) -> None:
        super().__init__(*credentials)
        self.name, self.organization = name, organization
        self.source = f"{name}の業務システム {uuid.uuid4().hex[:8]}"
        self.path = folder / f"{organization}.sqlite"
        self.rows: dict[str, dict] = {}
        self.settled: list[dict] = []

    def read(self, copy: sqlite3.Connection, entity: str) -> list[dict]:
        rows = copy.execute("select record from records where entity = ?", [entity])
        return [json.loads(record) for (record,) in rows]

    def batch(self, items: list[dict], **how: object) -> dict:
        body, key = {"mode": "per_row", "items": items} | how, str(uuid.uuid4())
        status, answer = self.ask("/batch", body, key)
        assert status == 200, answer
        # The answer was lost, for all the service knows: asked again, it says the same.
        assert self.ask("/batch", body, key) == (status, answer)
        return answer

    def item(self, identity: str, entity: str = "roadmap_items", **what: object) -> dict:
        return {"entity": entity, "source": self.source, "external_id": identity} | what

    def push(self, deletions: Sequence[str] = ()) -> dict[str, int]:
        """The run of a night: deletions, then every row there is. Conflicts are settled and sent again."""
        items = [self.item(identity, operation="delete") for identity in deletions]
        items += [self.item(identity, **row) for identity, row in self.rows.items()]
        answer = self.batch(items)
        counts = {outcome: count for outcome, count in answer["counts"].items() if count}
        for _ in range(20):
            left = [result for result in answer["items"] if result["outcome"] in ("conflict", "error")]
            if not left:
                return counts
            items = [self.settle(items[result["index"]], result) for result in left]
            answer = self.batch(items)
        raise AssertionError(f"never settled: {answer}")

    def settle(self, item: dict, conflict: dict) -> dict:
        """As a person would, with three versions at hand: of what both have changed ours stands, the rest is kept."""
        assert conflict["outcome"] == "conflict" and conflict["problem"]["code"] == "changed_by_others", conflict
        base, theirs = conflict["base"], conflict["problem"]["current"]
        assert theirs["version"] == conflict["version"]
        self.settled.append({"item": item, "base": base, "theirs": theirs})
        again = {name: item[name] for name in ("entity", "source", "external_id")} | {"if_version": conflict["version"]}
        if item.get("operation") == "delete":
            return again | {"operation": "delete"}
        ours = item["record"]
        mine = {name for name in WRITABLE if not name.endswith("_id") and name in ours and ours[name] != base[name]}
        self.rows[item["external_id"]]["record"] = {
            name: ours[name] if name in mine else theirs[name] for name in WRITABLE
        }
        return again | {"record": self.rows[item["external_id"]]["record"]}


@dataclass
class Party:
    """Whose column it is, and what stands in it."""

    system: System
    columns: list[str | None]
    #: The goal and the columns, as its rows refer to them.
    goal: object = None
    actors: dict[str | None, object] = field(default_factory=dict)


class House:
    """The town, the councils, their systems and the sheet."""

    def __init__(self, document: Document, folder: Path) -> None:
        self.document, self.folder = document, folder
        self.town = service.make_town()
        self.staff_did: dict[str, dict] = {}
        self.overruled: list[tuple[str, str]] = []
        self.operator = service.operator()
        with self.town.admin.client() as admin:
            town = System("役場", self.town.id, service.credentials(admin), folder)
        self.parties = [Party(town, [None, self.column("government")])]
        self.parties.append(self.council("社協", "social_welfare_council", self.column("social_welfare_council")))
        below = [column for column, fields in document.columns.items() if "parent" in fields]
        for number, column in enumerate(below):
            self.parties.append(self.council(f"地区{number + 1}", "community_promotion_council", column))
        # The town may enter for this one too (代理入力).
        self.agreed = self.parties[2]
        self.operator.close()

    def column(self, kind: str) -> str:
        return next(c for c, fields in self.document.columns.items() if fields["kind"] == kind)

    def council(self, name: str, kind: str, column: str) -> Party:
        """Founds a council with a system of its own."""
        role = "council_editor" if kind == "social_welfare_council" else "partner"
        made, [account], _ = service.found(self.operator, kind, f"試験{name}", role, municipality_code="313891")
        with account.client() as keeper:
            system = System(name, made, service.credentials(keeper), self.folder)
        return Party(system, [column])

    # What happens.

    def live(self) -> None:
        """Everybody at once; each waits for the others only where a new part begins."""
        self.together = threading.Barrier(len(self.parties) + 1, timeout=60)
        with ThreadPoolExecutor(len(self.parties) + 1) as many:
            running = [many.submit(self.guarded, self.nights, party) for party in self.parties]
            running.append(many.submit(self.guarded, self.staff))
            wait(running, return_when=FIRST_EXCEPTION)
        for failed in sorted(running, key=lambda run: isinstance(run.exception(), threading.BrokenBarrierError)):
            failed.result()

    def guarded(self, work, *arguments: object) -> None:
        try:
            work(*arguments)
        except BaseException:
            self.together.abort()
            raise

    def nights(self, party: Party) -> None:
        system = party.system
        copy = nightly.open_copy(str(system.path))
        nightly.pull(system, copy)
        self.together.wait()
        if system is self.parties[0].system:
            self.lay_out(party)
        self.find(party, copy)
        # First load, in parts: some of it is a draft, some comes late, some stands there twice.
        deletions = self.first_rows(party)
        for dry_run in (True, False):
            rows = [system.item(identity, **row) for identity, row in system.rows.items()]
            answer = system.batch(rows, mode="atomic", dry_run=dry_run)
            assert answer["counts"] == dict.fromkeys(answer["counts"], 0) | {"created": len(rows)}, answer
            assert answer["committed"] is not dry_run
        nightly.pull(system, copy)
        for _ in range(2):
            assert system.push() == {"unchanged": len(system.rows)}
        self.together.wait()
        # The staff is at work.
        self.together.wait()
        # The night after: corrections, late entries, deletions; the staff goes on.
        for identity in deletions:
            del system.rows[identity]
        self.last_rows(party)
        system.push(deletions)
        nightly.pull(system, copy)
        self.together.wait()
        # Nobody has anything new any more: what the staff did meanwhile is settled, and then all is quiet.
        system.push(deletions)
        assert system.push(deletions) == {"unchanged": len(system.rows) + len(deletions)}
        self.together.wait()
        nightly.pull(system, copy)
        copy.close()

    def lay_out(self, party: Party) -> None:
        """The town's system makes the plan with its columns, all by its own ids."""
        system, document = party.system, self.document
        owners = {column: p.system.organization for p in self.parties for column in p.columns if column}
        plan = {
            "kind": "community_welfare_plan",
            "title": "地域福祉推進計画",
            "first_fiscal_year": 2021,
            "last_fiscal_year": 2025,
        }
        items = [
            system.item("計画", "plans", record=plan | {"visibility": "partners"}),
            system.item(
                "重点取組",
                "goals",
                record={"plan_id": self.ref("計画"), "kind": "priority_initiative", "title": "相談体制"},
            ),
        ]
        for column, fields in document.columns.items():
            record = {"plan_id": self.ref("計画"), "organization_id": owners.get(column)} | fields
            if parent := record.pop("parent", None):
                record["parent_id"] = self.ref(parent)
            record["entered_by_owner"] = column in self.agreed.columns
            items.append(system.item(column, "plan_actors", record=record))
        answer = system.batch(items, mode="atomic")
        assert answer["counts"]["created"] == len(items), answer
        self.plan = answer["items"][0]["id"]

    def ref(self, identity: str) -> dict:
        return {"source": self.parties[0].system.source, "external_id": identity}

    def find(self, party: Party, copy: sqlite3.Connection) -> None:
        """The town names its records by its own ids; the others find theirs in their copies."""
        if party.columns[0] is None:
            party.goal = self.ref("重点取組")
            party.actors = {column: column and self.ref(column) for column in party.columns}
            return
        system, until = party.system, time.monotonic() + 30
        while not (
            mine := [a for a in system.read(copy, "plan_actors") if a["organization_id"] == system.organization]
        ):
            assert time.monotonic() < until, "the plan was never shared"
            nightly.pull(system, copy, wait=1)
        [goal] = system.read(copy, "goals")
        [actor] = mine
        party.goal, party.actors = goal["id"], {party.columns[0]: actor["id"]}

    def first_rows(self, party: Party) -> list[str]:
        """Rows that are not yet as in the document; answers what is to be deleted later."""
        deletions, number = [], 0
        for place, texts in self.places(party, self.document.entries):
            rows: list[str] = []
            for index, text in enumerate(texts):
                number += 1
                if number % 4 == 2 and index > 0:
                    continue
                rows.append(f"{self.name(place)}-{index}")
                self.row(party, place, rows[-1], DRAFT + text if number % 3 == 1 else text, len(rows) - 1)
            deletions.append(f"{self.name(place)}-二重")
            self.row(party, place, deletions[-1], DOUBLED + texts[0], len(rows))
        for place, (state, heading) in self.places(party, self.document.cells):
            if state != "not_entered":
                # Typed like an entry: the cell itself says it from tomorrow on.
                deletions.append(f"{self.name(place)}-0")
                self.row(party, place, deletions[-1], "未実施", 0)
            else:
                self.cell(party, place, state, heading)
        return deletions

    def last_rows(self, party: Party) -> None:
        """Rows as in the document. What the staff added is in them already where it was settled."""
        for place, texts in self.places(party, self.document.entries):
            for index, text in enumerate(texts):
                self.row(party, place, f"{self.name(place)}-{index}", text, index)
        for place, (state, heading) in self.places(party, self.document.cells):
            self.cell(party, place, state, heading)

    def places(self, party: Party, of: dict) -> list:
        return [(place, what) for place, what in of.items() if place[1] in party.columns]

    def name(self, place: Place) -> str:
        return f"{place[0]}-{place[2]}"

    def row(self, party: Party, place: Place, identity: str, text: str, position: int) -> None:
        known = party.system.rows.get(identity, {"record": {}})["record"]
        record = self.where(party, place) | {"text": text, "marker": "◎", "position": position}
        party.system.rows[identity] = {"entity": "roadmap_items", "record": known | record}

    def cell(self, party: Party, place: Place, state: str, heading: bool) -> None:
        record = self.where(party, place) | {"state": state, "heading_shown": heading}
        party.system.rows[f"{self.name(place)}-欄"] = {"entity": "roadmap_cells", "record": record}

    def where(self, party: Party, place: Place) -> dict:
        return {"goal_id": party.goal, "fiscal_year": place[0], "actor_id": party.actors[place[1]], "kind": place[2]}

    def staff(self) -> None:
        """The town's staff: while the systems load, while they correct, and after."""
        self.together.wait()
        self.together.wait()
        with signed_in(self.town.editor) as api:
            items = self.items(api)
            ours = [i for i in items if i["actor_id"] is None or self.actor_of(api, i) == self.town.id]
            agreed = [i for i in items if self.actor_of(api, i) == self.agreed.system.organization]
            drafts = [i for i in ours if i["text"].startswith(DRAFT)]
            # What the systems will change tonight, and what one of them will delete.
            self.edit(api, drafts[0], progress="ongoing", responsible="健康福祉課")
            self.edit(api, drafts[1], text=f"{drafts[1]['text']}（担当が追記）", progress="done")
            self.overruled.append((drafts[1]["id"], f"{drafts[1]['text']}（担当が追記）"))
            doubled = next(i for i in ours if i["text"].startswith(DOUBLED))
            self.edit(api, doubled, progress="dropped")
            self.edit(api, next(i for i in agreed if i["text"].startswith(DRAFT)), progress="done")
            self.together.wait()
            # And at the same time as they do.
            for item in [i for i in ours if not i["text"].startswith(DOUBLED) and i not in drafts[:2]]:
                self.edit(api, item, progress="ongoing")
            self.together.wait()
        self.together.wait()

    def items(self, api: httpx.Client) -> list[dict]:
        page = api.get("roadmap-items", params={"plan_id": self.plan, "limit": 200})
        page = page.raise_for_status().json()
        assert page["next"] is None
        return page["items"]

    def actor_of(self, api: httpx.Client, item: dict) -> str | None:
        if not hasattr(self, "actors"):
            self.actors = {a["id"]: a["organization_id"] for a in self.sheet(api)["actors"]}
        return item["actor_id"] and self.actors[item["actor_id"]]

    def edit(self, api: httpx.Client, item: dict, **change: str) -> None:
        """As on the screen: what was read is changed; if somebody was faster, it is read again."""
        address = f"roadmap-items/{item['id']}"
        while True:
            etag = api.get(address).raise_for_status().headers["etag"]
            answer = api.patch(address, json=change, headers={"If-Match": etag})
            if answer.status_code != 412:
                answer.raise_for_status()
                self.staff_did[item["id"]] = change
                return

    def sheet(self, api: httpx.Client) -> dict:
        return api.get(f"plans/{self.plan}/sheet").raise_for_status().json()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    document = printed() if SEED.exists() else demonstrated()
    house = House(document, tmp_path_factory.mktemp("copies"))
    house.live()
    return house


def as_document(sheet: dict, labels: dict[str, str]) -> Document:
    """The sheet that the service tells, in the terms of the document."""
    there = {actor["id"]: labels[actor["label"]] for actor in sheet["actors"]}
    told = Document()
    for item in sheet["items"]:
        place = (item["fiscal_year"], item["actor_id"] and there[item["actor_id"]], item["kind"])
        told.entries.setdefault(place, []).append(item["text"])
    for cell in sheet["cells"]:
        place = (cell["fiscal_year"], cell["actor_id"] and there[cell["actor_id"]], cell["kind"])
        told.cells[place] = (cell["state"], cell["heading_shown"])
    return told


def test_the_sheet_is_the_document_for_everybody_who_reads_it(house: House) -> None:
    labels = {fields["label"]: column for column, fields in house.document.columns.items()}
    assert sum(map(len, house.document.entries.values())) > 60
    for party in house.parties:
        status, sheet = party.system.ask(f"/plans/{house.plan}/sheet")
        assert status == 200, sheet
        told = as_document(sheet, labels)
        assert told.entries == house.document.entries
        assert told.cells == house.document.cells
        assert sheet["fiscal_years"] == [2021, 2022, 2023, 2024, 2025]
        assert {item["marker"] for item in sheet["items"]} == {"◎"}
        # Each column was entered by its own organisation.
        owner = {actor["id"]: actor["organization_id"] for actor in sheet["actors"]} | {None: house.town.id}
        agreed = house.agreed.system.organization
        for row in sheet["items"] + sheet["cells"]:
            assert row["entered_by_org_id"] == owner[row["actor_id"]] or owner[row["actor_id"]] == agreed
        below = [actor for actor in sheet["actors"] if actor["parent_id"]]
        assert [actor["label"] for actor in below] == [
            f["label"] for f in house.document.columns.values() if "parent" in f
        ]


def test_what_staff_and_systems_changed_at_once_was_settled_and_nothing_was_lost(house: House) -> None:
    town, council, *_ = [party.system for party in house.parties]
    assert len(town.settled) >= 3 and len(house.agreed.system.settled) >= 1
    assert not council.settled, "nobody else may write there"
    assert any(settled["item"].get("operation") == "delete" for settled in town.settled)
    for settled in town.settled + house.agreed.system.settled:
        # Who settles has all three: what the system wrote last, what the staff made of it, what the system wants now.
        did = house.staff_did[settled["theirs"]["id"]]
        assert {name: settled["theirs"][name] for name in changed_by_staff(settled)} == did
    for system in (town, house.agreed.system):
        assert any("progress" in changed_by_staff(settled) for settled in system.settled)
    with signed_in(house.town.editor) as api:
        there = {item["id"]: item for item in house.items(api)}
        overruled = dict(house.overruled)
        gone = set(house.staff_did) - set(there)
        assert len(gone) == 1, "only what was deleted knowingly"
        for identity in house.staff_did.keys() - gone:
            kept = {
                name: value
                for name, value in house.staff_did[identity].items()
                if identity not in overruled or name != "text"
            }
            assert {name: there[identity][name] for name in kept} == kept
        for identity, text in overruled.items():
            query = {"entity": "roadmap_items", "record_id": identity, "limit": 200}
            versions = api.get("history", params=query).raise_for_status().json()["items"]
            assert text in json.dumps(versions, ensure_ascii=False), "what was overruled stays in the history"


def changed_by_staff(settled: dict) -> set[str]:
    return {name for name in WRITABLE if settled["base"][name] != settled["theirs"][name]}


def test_every_copy_is_what_the_service_has(house: House, tmp_path: Path) -> None:
    dump = "select * from records order by entity, id"
    rows = sum(map(len, house.document.entries.values())) + len(house.document.cells)
    for party in house.parties:
        copy = nightly.open_copy(str(party.system.path))
        assert nightly.pull(party.system, copy) == 0
        assert nightly.check(party.system, copy) == []
        anew = nightly.open_copy(str(tmp_path / f"{party.system.organization}.sqlite"))
        nightly.pull(party.system, anew)
        kept = copy.execute(dump).fetchall()
        assert kept == anew.execute(dump).fetchall()
        assert sum(entity in ("roadmap_items", "roadmap_cells") for entity, *_ in kept) == rows
        copy.close()
        anew.close()


def test_nobody_writes_into_anothers_column(house: House) -> None:
    with signed_in(house.town.editor) as api:
        before = house.sheet(api)
        owner = {actor["id"]: actor["organization_id"] for actor in before["actors"]}
        for party in house.parties:
            system = party.system
            own = {column for column, organization in owner.items() if organization == system.organization}
            if system.organization == house.town.id:
                # What belongs to the plan or to nobody is the town's too, and what was agreed.
                own |= {None} | {a["id"] for a in before["actors"] if a["entered_by_owner"] or not a["organization_id"]}
            foreign = [column for column in [None, *owner] if column not in own]
            entries = [item for item in before["items"] if item["actor_id"] in foreign]
            assert len(foreign) >= 7 and len(entries) > 20
            for attempt in attempts(before, own, foreign, entries, system):
                answer = system.batch(attempt)
                told = {(r["outcome"], r["problem"]["status"], r["problem"]["code"]) for r in answer["items"]}
                assert told == {("error", 403, "forbidden")}, (system.name, attempt, answer)
            # One by one it is the same.
            with patient(Authorization=system.authorization()) as client:
                theirs = entries[0]
                place = {name: theirs[name] for name in PLACE}
                refused = [
                    client.post("roadmap-items", json=place | {"text": "よその欄へ"}, headers=write()),
                    client.patch(f"roadmap-items/{theirs['id']}", json={"text": "書き替え"}, headers=write()),
                    client.delete(f"roadmap-items/{theirs['id']}", headers=write()),
                ]
                assert [answer.status_code for answer in refused] == [403] * 3, [answer.text for answer in refused]
        # The town's people are refused like its system.
        council = house.parties[1].system
        theirs = next(item for item in before["items"] if owner.get(item["actor_id"]) == council.organization)
        address = f"roadmap-items/{theirs['id']}"
        with signed_in(house.town.admin) as admin:
            for person in (api, admin):
                assert person.patch(address, json={"text": "書き替え"}, headers=write()).status_code == 403
                assert person.delete(address, headers=write()).status_code == 403
        # Another's ids are no way in: they are unknown, so nothing is there to be deleted.
        town = house.parties[0].system
        rows = [town.item(identity, row["entity"], operation="delete") for identity, row in town.rows.items()]
        assert council.batch(rows)["counts"]["unchanged"] == len(rows)
        assert house.sheet(api) == before


def attempts(sheet: dict, own: set, foreign: list, entries: list[dict], system: System) -> Iterator[list[dict]]:
    """Batches of which nothing may be written."""
    goal, year = entries[0]["goal_id"], entries[0]["fiscal_year"]
    places = [dict(zip(PLACE, (goal, year, c, "actual" if c else "milestone"), strict=True)) for c in foreign]
    yield [{"entity": "roadmap_items", "record": place | {"text": "よその欄へ"}} for place in places]
    # By an own id it is no different.
    yield [system.item(f"よそ-{n}", record=place | {"text": "よその欄へ"}) for n, place in enumerate(places)]
    yield [{"entity": "roadmap_cells", "record": place | {"kind": "note", "state": "none"}} for place in places]
    yield [known(item) | {"record": {n: item[n] for n in WRITABLE} | {"text": "書き替え"}} for item in entries]
    yield [known(item) | {"operation": "delete"} for item in entries]
    # Own entries do not move there either.
    mine = [item for item in sheet["items"] if item["actor_id"] and item["actor_id"] in own]
    if mine:
        yield [
            known(item) | {"record": {n: item[n] for n in WRITABLE} | {"actor_id": foreign[-1], "kind": "actual"}}
            for item in mine
        ]
    if None in foreign:
        # Nor does a column become that of an organisation that wants it.
        columns = [actor for actor in sheet["actors"] if actor["id"] in foreign]
        what = ("plan_id", "parent_id", "kind", "label", "position")
        taken = {"organization_id": system.organization}
        yield [known(c, "plan_actors") | {"record": {n: c[n] for n in what} | taken} for c in columns]


def known(record: dict, entity: str = "roadmap_items") -> dict:
    return {"entity": entity, "id": record["id"], "if_version": record["version"]}


def write() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex, "If-Match": "*"}
