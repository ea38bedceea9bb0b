"""Sync over real HTTP against the real server process: time, bytes, requests, CPU, bytes stored.

The work is the one the peers were measured with (docs/design.md 8): a visit of 60 answers one by one,
3 notes of 200 characters, 2 follow-ups and 3 consents with a 6 kB signature each. Every run ends by
counting the log: a lost or doubled operation gives no figure.
"""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from tests.bench.client import Visitor, Wire
from tests.bench.company import Company, serve_company
from tests.bench.setting import folder, say

RUNS = 7
PHONES = 20
VISITS = 20
FIRST_SYNC = 200
# Slow 4G as DevTools has it: milliseconds of round trip, bits a second.
ROUND_TRIP_MS, UP_BITS, DOWN_BITS = 150, 750_000, 1_600_000


def measure() -> None:
    print("sync, real HTTP, one server process, bytes both ways with heads:")
    with serve_company(2, 2 * RUNS + VISITS * RUNS) as made:
        _one_phone(made)
    with serve_company(PHONES, VISITS) as made:
        _many_phones(made)
    with serve_company(1, FIRST_SYNC) as made:
        _first_sync(made)


def _one_phone(company: Company) -> None:
    wire, visitor = company.wire("visitor0"), Visitor(company.users["visitor0"], 1)
    ids = iter(company.visits["visitor0"])
    one = [visitor.pushes([next(ids)]) for _ in range(2 * RUNS)]
    twenty = [visitor.pushes([next(ids) for _ in range(VISITS)]) for _ in range(RUNS)]
    before = company.logged()
    for bodies in one[:RUNS]:  # warm
        wire.push(bodies[0])
    wire.reset()
    stored, cpu = company.stored(), company.cpu()
    times = [_timed(wire, bodies) for bodies in one[RUNS:]]
    cpu = (company.cpu() - cpu) / RUNS
    size = wire.bytes / RUNS / 1000
    grown = (company.stored() - stored) / RUNS / 1000
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
    wire.reset()
    times = [_timed(wire, bodies) for bodies in twenty]
    say(f"push {VISITS} visits", statistics.median(times), "ms", "<= 120 ms", _spread(times))
    say("  bytes both ways", wire.bytes / RUNS / 1000, "kB", "<= 200 kB")
    say("  requests", wire.requests / RUNS, "")
    assert company.logged() - before == 68 * (2 * RUNS + VISITS * RUNS), "lost"
    _changed_answer(company, wire, visitor)
    _against_sqlite(company, cpu)


def _changed_answer(company: Company, wire: Wire, visitor: Visitor) -> None:
    id = company.visits["visitor0"][0]
    values = ["ok" if n % 2 else "fault" for n in range(RUNS)]
    bodies = [[visitor.body([visitor.answer(id, "i35", value)])] for value in values]
    wire.reset()
    times = [_timed(wire, one) for one in bodies]
    say("one changed answer", statistics.median(times), "ms", "<= 8 ms", _spread(times))
    say("  bytes both ways", wire.bytes / RUNS / 1000, "kB", "<= 0.6 kB",
        f"bodies alone {len(bodies[0][0]) / 1000:.2f} kB up")  # fmt: skip


def _against_sqlite(company: Company, cpu: float) -> None:
    """The rows that one visit leaves, written again by SQLite alone, durably."""
    visit = company.visits["visitor0"][RUNS]
    times = []
    with contextlib.closing(sqlite3.connect(company.data / "troskel.db")) as source:
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


def _many_phones(company: Company) -> None:
    phones = []
    for n, (name, user) in enumerate(company.users.items()):
        phones.append((company.wire(name), Visitor(user, n).pushes(company.visits[name])))
    for wire, _ in phones:
        wire.reset()
    before, cpu = company.logged(), company.cpu()
    with ThreadPoolExecutor(PHONES) as pool:
        began = time.perf_counter()
        list(pool.map(lambda phone: [phone[0].push(body) for body in phone[1]], phones))
        took = time.perf_counter() - began
    cpu = company.cpu() - cpu
    assert company.logged() - before == 68 * PHONES * VISITS, "lost"
    say(f"{PHONES} phones × {VISITS} visits at once", took, "s", "<= 1.7 s", "0 lost, 0 doubled")
    say("  bytes both ways", sum(wire.bytes for wire, _ in phones) / 1e6, "MB", "<= 4 MB")
    say("  server CPU", cpu, "s")
    say("  full visits a second", PHONES * VISITS / took, "/s", ">= 100 /s")
    desk = company.wire("alice")
    times = []
    for _ in range(3):
        desk.reset()
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


def _first_sync(company: Company) -> None:
    wire = company.wire("visitor0")
    times = []
    for _ in range(RUNS):
        wire.reset()
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
