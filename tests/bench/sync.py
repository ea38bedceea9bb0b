"""Sync over real HTTP against the real server process: time, bytes, requests, CPU, bytes stored.

The work is the one the peers were measured with (docs/design.md 8): a visit of 60 answers one by one,
3 notes of 200 characters, 2 follow-ups and 3 consents with a 6 kB signature each. Bodies are what
a phone sends, gzip included, and are made before the clock starts; bytes are whole HTTP messages,
heads included. Every run ends by counting the log: nothing lost, nothing doubled, or no figure.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import json
import os
import random
import sqlite3
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pwa.ids import uuid4, uuid7
from pwa.visits.submitting import Draft, submit
from sync.operations import MEDIA_TYPE, encode
from tests.bench.setting import folder, make, say, services_of
from tests.browser.conftest import Server
from tests.cast.people import add_user
from tests.conftest import PASSWORD

RUNS = 7
BATCH = 500  # operations in a push (PROTOCOL.md 8)
PHONES = 20
VISITS = 20
FIRST_SYNC = 200
# Slow 4G as DevTools has it: milliseconds of round trip, bits a second.
ROUND_TRIP_MS, UP_BITS, DOWN_BITS = 150, 750_000, 1_600_000
HEADERS = {"Content-Type": MEDIA_TYPE, "X-Troskel-Protocol": "1", "Accept": MEDIA_TYPE,
           "Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}  # fmt: skip
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Wire:
    """One signed-in client on one kept connection; counts what goes over it."""

    server: Server
    name: str
    sent: int = 0
    received: int = 0
    requests: int = 0
    cookie: str = ""
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        form = urlencode({"name": self.name, "password": PASSWORD})
        head = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Sec-Fetch-Site": "same-origin",
        }
        self._connection.request("POST", "/sign-in", form, head)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 303, answer.status
        self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
        head = HEADERS | {"Cookie": self.cookie} | headers
        self._connection.request(method, path, body or None, head)
        answer = self._connection.getresponse()
        raw = answer.read()
        assert answer.status == 200, (answer.status, raw[:200])
        self.requests += 1
        self.sent += len(body) + len(f"{method} {path} HTTP/1.1\r\n") + _length(head.items())
        self.received += len(raw) + _length(answer.getheaders())
        if answer.getheader("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        found: dict[str, Any] = json.loads(raw)
        return found

    def push(self, packed: bytes) -> None:
        answer = self.ask("POST", "/sync/push", packed, **{"Content-Encoding": "gzip"})
        assert not answer["results"], answer["results"][0]
        assert not answer["missing_blobs"]

    def pull(self, query: str) -> int:
        """Ask until there is no more; how many visits came."""
        cursor, visits = "", 0
        while True:
            answer = self.ask("GET", f"/sync/pull?{query}cursor={cursor}")
            cursor, visits = answer["cursor"], visits + len(answer["snapshots"])
            if not answer["more"]:
                return visits

    @property
    def bytes(self) -> int:
        return self.sent + self.received

    def forget(self) -> None:
        self.sent = self.received = self.requests = 0


def _length(headers: Any) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)


class Visitor:
    """A phone's side of the work: makes the pushes of whole visits."""

    def __init__(self, user: str, seed: int) -> None:
        self.user = user
        self.device = uuid4()
        self.count = 0
        self.chance = random.Random(seed)

    def operation(self, kind: str, visit: str, data: dict[str, Any]) -> str:
        self.count += 1
        return encode({
            "id": uuid7(1_790_000_000_000 + self.count), "v": 1, "kind": kind,
            "subject": {"type": "visit", "id": visit}, "by": self.user, "device": self.device,
            "device_seq": self.count, "at": "2026-11-22T14:05:11+01:00", "base": 1, "data": data,
        })  # fmt: skip

    def visit(self, id: str) -> tuple[list[str], list[dict[str, str]]]:
        """The 68 operations of one visit, and its three signatures."""
        texts = []
        for item in range(1, 61):
            data = {"item": f"i{item:02}", "answer": "ok", "guide": "0" * 64, "language": "ar"}
            texts.append(self.operation("visit.answer", id, data))
        for n in range(3):
            words = [f"{self.chance.randrange(16**6):06x}" for _ in range(40)]
            texts.append(
                self.operation(
                    "visit.note", id, {"item": f"i{n + 30}", "text": " ".join(words)[:200]}
                )
            )
        for queue in ("FV", "KT"):
            data = {
                "item": "i16",
                "queue": queue,
                "urgency": "three_days",
                "text": "Kranen droppar.",
            }
            texts.append(self.operation("visit.follow_up", id, data))
        blobs = []
        for purpose in ("K1", "K8", "K9"):
            svg = self.signature()
            sha = hashlib.sha256(svg.encode()).hexdigest()
            blobs.append({"sha256": sha, "type": "image/svg+xml", "text": svg})
            texts.append(self.operation("visit.consent", id, {
                "purpose": purpose, "decision": "yes", "text_key": f"{purpose}.text", "text_version": "1",
                "text_sha256": "0" * 64, "text_state": "machine", "language": "ar", "recipient": "",
                "given_by": "tenant", "method": "signature", "attested": True, "signature": sha,
                "interpreter": "ambassador", "expires": "2027-11-22",
            }))  # fmt: skip
        return texts, blobs

    def signature(self) -> str:
        """6 kB of pen strokes in the form the phone's pad writes (static/field/views/signature.js)."""
        x, y, path = 20, 60, "M20 60"
        while len(path) < 5800:
            to_x, to_y = x + self.chance.randint(-3, 5), y + self.chance.randint(-5, 5)
            path += f"Q{x} {y} {(x + to_x + 1) // 2} {(y + to_y + 1) // 2}"
            x, y = to_x, to_y
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 120">'
            f'<path d="{path}L{x} {y}" fill="none" stroke="#000" stroke-width="2.5" '
            'stroke-linecap="round" stroke-linejoin="round"/></svg>'
        )

    def pushes(self, visits: list[str]) -> list[bytes]:
        """The packed bodies that send these visits."""
        made = [self.visit(id) for id in visits]
        texts = [text for some, _ in made for text in some]
        signed = {blob["sha256"]: blob for _, blobs in made for blob in blobs}
        bodies = []
        for at in range(0, len(texts), BATCH):
            part = texts[at : at + BATCH]
            named = {json.loads(text)["data"].get("signature", "") for text in part}
            body = {"protocol": 1, "device": self.device, "short": True, "operations": part,
                    "blobs": [signed[sha] for sha in sorted(named) if sha], "health": {}}  # fmt: skip
            bodies.append(gzip.compress(json.dumps(body, ensure_ascii=False).encode(), 6))
        return bodies


@dataclass
class World:
    """A running server with visitors who each have visits planned."""

    server: Server
    data: Path
    users: dict[str, str]
    visits: dict[str, list[str]]

    def wire(self, name: str) -> Wire:
        return Wire(self.server, name)

    def cpu(self) -> float:
        """Seconds of processor that the server and its worker have used."""
        return sum(_cpu_of(pid) for pid in _group(self.server.process_group))

    def stored(self) -> int:
        """Bytes of the database (with its log) and of the blobs."""
        names = ("troskel.db", "troskel.db-wal")
        files = [self.data / name for name in names] + list((self.data / "blobs").rglob("*"))
        return sum(path.stat().st_size for path in files if path.is_file())

    def logged(self) -> int:
        """Numbers in the log; raises if one id stands there twice."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.data / 'troskel.db'}?mode=ro", uri=True)
        ) as db:
            total, distinct = db.execute("SELECT count(*), count(DISTINCT id) FROM log").fetchone()
        assert total == distinct, "doubled"
        return int(total)


def _group(group: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                found.append(int(path.parent.name))
    return found


def _cpu_of(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


@contextlib.contextmanager
def world(visitors: int, each: int) -> Iterator[World]:
    with folder() as path:
        app = make(path)
        services = services_of(app)
        users, visits = {}, {}
        with app.app_context():
            alice = add_user(services, "alice", "supervisor", PASSWORD)
            drafts = []
            for n in range(visitors):
                name = f"visitor{n}"
                users[name] = add_user(
                    services, name, "visitor", PASSWORD, languages=["sv", "ar"]
                ).id
                visits[name] = [uuid4() for _ in range(each)]
                for id in visits[name]:
                    drafts += _planned(id, users[name])
            submit(services, alice, drafts)
        services.close()
        server = Server(path / "data", path / "releases")
        server.start()
        try:
            yield World(server, path / "data", users, visits)
        finally:
            server.stop()


def _planned(visit: str, visitor: str) -> list[Draft]:
    tenancy, now = uuid4(), int(time.time() * 1000)
    names = ("object", "property", "building", "lease_end", "email", "customer")
    register = dict.fromkeys(names, "") | {
        "ref": tenancy, "apartment": "1102", "street": "Gatvägen 12 A", "postcode": "72187",
        "city": "Västerås", "area": "Norr", "move_in": "2026-11-10", "tenants": ["Testsson Test"],
        "phones": [], "language": "ar",
    }  # fmt: skip
    return [
        Draft(uuid7(now), "tenancy.register", tenancy, register, type="tenancy"),
        Draft(uuid7(now), "visit.plan", visit, {"tenancy": tenancy, "kind": "welcome"}),
        Draft(uuid7(now), "visit.assign", visit, {"visitors": [visitor]}),
    ]


def measure() -> None:
    print("sync, real HTTP, one server process, bytes both ways with heads:")
    with world(2, 2 * RUNS + VISITS * RUNS) as services:
        _one_phone(services)
    with world(PHONES, VISITS) as services:
        _many_phones(services)
    with world(1, FIRST_SYNC) as services:
        _first_sync(services)


def _one_phone(here: World) -> None:
    wire, visitor = here.wire("visitor0"), Visitor(here.users["visitor0"], 1)
    ids = iter(here.visits["visitor0"])
    one = [visitor.pushes([next(ids)]) for _ in range(2 * RUNS)]
    twenty = [visitor.pushes([next(ids) for _ in range(VISITS)]) for _ in range(RUNS)]
    before = here.logged()
    for bodies in one[:RUNS]:  # warm
        wire.push(bodies[0])
    wire.forget()
    stored, cpu = here.stored(), here.cpu()
    times = [_timed(wire, bodies) for bodies in one[RUNS:]]
    cpu = (here.cpu() - cpu) / RUNS
    size = wire.bytes / RUNS / 1000
    grown = (here.stored() - stored) / RUNS / 1000
    took = statistics.median(times)
    say("push 1 visit (68 operations, 3 signatures)", took, "ms", "<= 25 ms", _spread(times))
    say("  bytes both ways", size, "kB", "<= 11 kB")
    say("  requests", wire.requests / RUNS, "", "1")
    say("  server CPU", cpu * 1000, "ms")
    say("  stored, log file included", grown, "kB")
    line = (
        2 * ROUND_TRIP_MS
        + wire.sent / RUNS * 8000 / UP_BITS
        + wire.received / RUNS * 8000 / DOWN_BITS
    )
    say("  on Slow 4G, by arithmetic (connect, ask, bytes, server)", line + took, "ms", "<= 500 ms")
    wire.forget()
    times = [_timed(wire, bodies) for bodies in twenty]
    say(f"push {VISITS} visits", statistics.median(times), "ms", "<= 120 ms", _spread(times))
    say("  bytes both ways", wire.bytes / RUNS / 1000, "kB", "<= 200 kB")
    say("  requests", wire.requests / RUNS, "")
    assert here.logged() - before == 68 * (2 * RUNS + VISITS * RUNS), "lost"
    _changed_answer(here, wire, visitor)
    _against_sqlite(here, cpu)


def _changed_answer(here: World, wire: Wire, visitor: Visitor) -> None:
    id, bodies = here.visits["visitor0"][0], []
    for n in range(RUNS):
        data = {
            "item": "i35",
            "answer": "ok" if n % 2 else "fault",
            "guide": "0" * 64,
            "language": "ar",
        }
        texts = [visitor.operation("visit.answer", id, data)]
        body = {
            "protocol": 1,
            "device": visitor.device,
            "short": True,
            "operations": texts,
            "blobs": [],
            "health": {},
        }
        bodies.append([gzip.compress(json.dumps(body).encode(), 6)])
    wire.forget()
    times = [_timed(wire, one) for one in bodies]
    say("one changed answer", statistics.median(times), "ms", "<= 8 ms", _spread(times))
    say("  bytes both ways", wire.bytes / RUNS / 1000, "kB", "<= 0.6 kB",
        f"bodies alone {len(bodies[0][0]) / 1000:.2f} kB up")  # fmt: skip


def _against_sqlite(here: World, cpu: float) -> None:
    """The rows that one visit leaves, written again by nothing but SQLite, durably."""
    visit = here.visits["visitor0"][RUNS]
    times = []
    with contextlib.closing(sqlite3.connect(here.data / "troskel.db")) as source:
        tables = {
            "log": source.execute("SELECT * FROM log WHERE subject = ?", [visit]).fetchall(),
            "records": source.execute("SELECT * FROM records WHERE id = ?", [visit]).fetchall(),
            "visit_index": source.execute(
                "SELECT * FROM visit_index WHERE id = ?", [visit]
            ).fetchall(),
        }
        for name in ("follow_up_index", "consent_index"):
            tables[name] = source.execute(
                f"SELECT * FROM {name} WHERE visit = ?", [visit]
            ).fetchall()
        schema = source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    for _ in range(RUNS):
        with (
            folder() as path,
            contextlib.closing(sqlite3.connect(path / "bare.db", isolation_level=None)) as bare,
        ):
            bare.execute("PRAGMA journal_mode=WAL")
            bare.execute("PRAGMA synchronous=FULL")
            for (sql,) in schema:
                with contextlib.suppress(sqlite3.OperationalError):  # sqlite's own tables
                    bare.execute(sql)
            began = time.process_time()
            bare.execute("BEGIN IMMEDIATE")
            for name, rows in tables.items():
                marks = ", ".join("?" * len(rows[0])) if rows else ""
                if rows:
                    bare.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
            bare.execute("COMMIT")
            times.append(time.process_time() - began)
    bare_ms = statistics.median(times) * 1000
    say(
        "baseline: bare SQLite transaction with the same rows, CPU",
        bare_ms,
        "ms",
        "",
        _spread([t * 1000 for t in times]),
    )
    say("  server CPU of a push against it", cpu * 1000 / bare_ms, "×", "<= 8 ×")
    say("  full visits a second on two cores, by CPU", 2 / cpu, "/s", ">= 100 /s",
        "one core does not do it alone: one process")  # fmt: skip


def _many_phones(here: World) -> None:
    phones = []
    for n, (name, user) in enumerate(here.users.items()):
        phones.append((here.wire(name), Visitor(user, n).pushes(here.visits[name])))
    for wire, _ in phones:
        wire.forget()
    before, cpu = here.logged(), here.cpu()
    with ThreadPoolExecutor(PHONES) as pool:
        began = time.perf_counter()
        list(pool.map(lambda phone: [phone[0].push(body) for body in phone[1]], phones))
        took = time.perf_counter() - began
    cpu = here.cpu() - cpu
    assert here.logged() - before == 68 * PHONES * VISITS, "lost"
    say(f"{PHONES} phones × {VISITS} visits at once", took, "s", "<= 1.7 s", "0 lost, 0 doubled")
    say("  bytes both ways", sum(wire.bytes for wire, _ in phones) / 1e6, "MB", "<= 4 MB")
    say("  server CPU", cpu, "s")
    say("  full visits a second", PHONES * VISITS / took, "/s", ">= 100 /s")
    desk = here.wire("alice")
    times = []
    for _ in range(3):
        desk.forget()
        began = time.perf_counter()
        assert desk.pull("scope=all&") == PHONES * VISITS
        times.append(time.perf_counter() - began)
    say(
        f"the desk pulls those {PHONES * VISITS} visits",
        statistics.median(times),
        "s",
        "<= 1.5 s",
        _spread(times, "s"),
    )
    say("  bytes both ways", desk.bytes / 1e6, "MB", "", f"{desk.requests} requests")


def _first_sync(here: World) -> None:
    wire = here.wire("visitor0")
    times = []
    for _ in range(RUNS):
        wire.forget()
        began = time.perf_counter()
        assert wire.pull("") == FIRST_SYNC
        times.append((time.perf_counter() - began) * 1000)
    say(f"first sync of {FIRST_SYNC} visits", statistics.median(times), "ms", "", _spread(times))
    say("  bytes both ways", wire.bytes / 1000, "kB", "", f"{wire.requests} requests")


def _timed(wire: Wire, bodies: list[bytes]) -> float:
    began = time.perf_counter()
    for body in bodies:
        wire.push(body)
    return (time.perf_counter() - began) * 1000


def _spread(times: list[float], unit: str = "ms") -> str:
    return f"{min(times):.1f}–{max(times):.1f} {unit} in {len(times)} runs"
