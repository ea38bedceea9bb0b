"""Whether records are what the log gives, worked out here in a few plain lines beside sync.apply.

Invariant: nothing of sync.apply is used to derive what a record should be; only its reading of the
stored record (`consents_of`) is compared with it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, TypeAlias

from sync.apply import consents_of
from sync.shapes import VisitRecord
from tests.simulation.shown import DECISIONS
from tests.simulation.world import World

Log: TypeAlias = list[tuple[int, dict[str, Any]]]
"""(number in the log, operation; empty where it was blanked)"""
Decision: TypeAlias = tuple[int, dict[str, Any], str]
"""(number in the log, operation, yes, no or withdrawn)"""
LISTS = {
    "visit.note": "notes", "visit.follow_up": "follow_ups", "visit.attempt": "attempts", "visit.consent": "consents",
    "visit.withdraw": "consents", "visit.approve": "reviews", "visit.return": "reviews", "visit.photo": "photos",
}  # fmt: skip


def entries(record: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The list `name` of a record; empty where the record has none."""
    found: list[dict[str, Any]] = record.get(name, [])
    return found


def check_records(world: World) -> None:
    """Every visit's record is what its log gives."""
    by_visit: dict[str, Log] = defaultdict(list)
    for seq, octets, sha, subject in world.company.query(
        "SELECT seq, bytes, sha256, subject FROM log WHERE type = 'visit' ORDER BY seq"
    ):
        if octets is None:  # blanked: its id stays, its content does not
            by_visit[subject].append((seq, {}))
            continue
        if hashlib.sha256(octets).hexdigest() != sha:
            world.wrong.append(("lost", f"log {seq} has not its bytes"))
        by_visit[subject].append((seq, json.loads(octets)))
    for visit, log in by_visit.items():
        record = world.company.record(visit)
        if record is None:
            world.wrong.append(("lost", f"no record of {visit}"))
            continue
        _lists(world, visit, record, log)
        _cells(world, visit, record, log)
        _consents(world, visit, record, log)


def _lists(world: World, visit: str, record: VisitRecord, log: Log) -> None:
    if any(not operation for _, operation in log):
        return
    want: dict[str, Counter[str]] = defaultdict(Counter)
    for _, operation in log:
        if operation["kind"] in LISTS:
            want[LISTS[operation["kind"]]][operation["id"]] += 1
    for name in set(LISTS.values()):
        have = Counter(one["id"] for one in entries(record, name))
        for id in have - want[name]:
            world.wrong.append(("doubled", f"{name} of {visit} has {id} too often"))
        for id in want[name] - have:
            world.wrong.append(("lost", f"{name} of {visit} lacks {id}"))


def _consents(world: World, visit: str, record: VisitRecord, log: Log) -> None:
    """I5, twice: by the protocol's numbers, the most restrictive of those decisions counts that no
    other had seen; by what people were shown, none counts over a more restrictive one that its
    author had not been shown."""
    decisions: dict[str, list[Decision]] = defaultdict(list)
    for seq, operation in log:
        if not operation:
            return
        if operation["kind"] in DECISIONS:
            decision = operation["data"].get("decision", "withdrawn")
            decisions[operation["data"]["purpose"]].append((seq, operation, decision))
    found = consents_of(record)
    rank = ("yes", "no", "withdrawn").index
    alone = {one["id"] for one in record["consents"] if one.get("alone")}
    for purpose, made in decisions.items():
        heads = [
            one
            for one in made
            if not any(_had_seen(other, one, alone) for other in made if other != one)
        ]
        counts = found[purpose]["decision"]
        if counts != max((one[2] for one in heads), key=rank):
            world.wrong.append(("lost", f"{purpose} of {visit} counts {counts}"))
        superseded = world.shown.superseded(one[1]["id"] for one in made)
        left = [rank(one[2]) for one in made if one[1]["id"] not in superseded]
        if rank(counts) < max(left, default=0):
            world.wrong.append(("lost", f"{purpose} of {visit} counts {counts}, unseen"))


def _had_seen(
    later: Decision,
    earlier: Decision,
    alone: set[str],
) -> bool:
    if later[1]["by"] == earlier[1]["by"] and later[1]["device"] == earlier[1]["device"]:
        return bool(later[1]["device_seq"] > earlier[1]["device_seq"])
    if later[1]["id"] in alone and later[1]["by"] != earlier[1]["by"]:
        return False
    return bool(later[1]["base"] >= earlier[0])


def _cells(world: World, visit: str, record: VisitRecord, log: Log) -> None:
    """I5: of one author (a person on a device) the write with the highest number counts, between
    authors the last in the server's order."""
    writes: dict[str, dict[tuple[str, str], tuple[int, int, Any]]] = defaultdict(dict)
    for seq, operation in log:
        if not operation:
            return
        for name, value in _written(operation):
            author, number = (operation["device"], operation["by"]), operation["device_seq"]
            if author not in writes[name] or number > writes[name][author][0]:
                writes[name][author] = (number, seq, value)
    for name, per_author in writes.items():
        top = max(per_author.values(), key=lambda one: one[1])
        cell = record["cells"].get(name, [])
        have = {(one["device"], one["by"]): one["value"] for one in cell}
        if have != {author: one[2] for author, one in per_author.items()}:
            world.wrong.append(("lost", f"{name} of {visit} has not the last value of each author"))
        elif max(cell, key=lambda one: one["seq"])["value"] != top[2]:
            world.wrong.append(("lost", f"{name} of {visit} shows another value than the last"))


def _written(operation: dict[str, Any]) -> list[tuple[str, Any]]:
    data = operation["data"]
    match operation["kind"]:
        case "visit.answer":
            return [(f"answer.{data['item']}", data["answer"])]
        case "visit.tick":
            return [(f"answer.{item}", answer) for item, answer in data["answers"].items()]
        case "visit.language":
            return [("language", data["language"])]
        case "visit.attempt":
            return [("attempt", data["outcome"])]
        case "visit.open":
            return [("language", data["language"])] if data["language"] else []
        case "visit.assign":
            return [(name, data[name]) for name in ("date", "time") if name in data]
        case "visit.choose":
            return [(data["field"], data["value"])] if data["field"] != "visitors" else []
        case "visit.close":
            return [("closed", "yes")]
        case "visit.reopen":
            return [("closed", "no")]
    return []
