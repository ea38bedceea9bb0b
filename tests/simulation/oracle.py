"""Whether anything was lost, doubled or hidden: judged from what was promised and what there is.

Invariant: it believes no word of the code under test about itself. What was saved is the world's
own list; what counts in a record is worked out anew here from the log, in a few plain lines
beside sync.apply; what a phone shows is compared with both.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from typing import Any

from pwa.people.throttle import Throttle
from sync.apply import consents_of
from sync.pull import Window
from tests.simulation.company import CAST, FIELD
from tests.simulation.promises import check_phone
from tests.simulation.sight import DECISIONS
from tests.simulation.world import Device, World

ROUNDS = 60
LISTS = {
    "visit.note": "notes", "visit.follow_up": "follow_ups", "visit.attempt": "attempts", "visit.consent": "consents",
    "visit.withdraw": "consents", "visit.approve": "reviews", "visit.return": "reviews", "visit.photo": "photos",
}  # fmt: skip

LISTED = ("notes", "consents", "attempts", "follow_ups", "photos")
LOCAL = 2**52  # the sequence of what a phone made itself and has no snapshot of


def settle(world: World) -> None:
    """The faults stop: everybody signs in, the network works. Then everything must arrive (I8)."""
    company = world.company
    company.clock.skew *= 0
    company.heal()
    world.reopened.clear()
    company.services.throttle = Throttle()  # long enough ago: nobody is kept out for trying
    for device in world.devices.values():
        world.phones.do({"do": "clock", "phone": device.name, "skew": 0, "zone": 0})
        world.off(device)
        world.boot(device)
    # A restore that a second person's cursor finds makes the phone offer the first one's again.
    for _ in range(2 if company.restores else 1):
        for device in world.devices.values():
            for person in FIELD:
                if _owns(world, device, person):
                    _drain(world, device, person)
    # News of what the others sent, and what the desk did meanwhile.
    for device in world.devices.values():
        _drain(world, device, device.person)


def _owns(world: World, device: Device, person: str) -> bool:
    if not device.enrolled:
        return person == device.person
    id = world.company.users[person].id
    return person == device.person or any(row["by"] == id for row in world.look(device)["outbox"])


def _drain(world: World, device: Device, person: str) -> None:
    if not world.sign_in(device, person):
        world.wrong.append(("hidden", f"{person} cannot sign in on {device.name}"))
        return
    for _ in range(ROUNDS):
        world.step(["wake", list(world.devices).index(device.name)])
        for _ in range(200):
            if not world.pending:
                break
            request = world.pending.pop(0)
            world.deliver(request, world._weather(request, "ok")[1])
        seen = world.look(device)
        mine = world.company.users[person].id
        waiting = [row for row in seen["outbox"] if row["by"] == mine and row["where"] == "phone"]
        if not waiting:
            return
    world.wrong.append(("hidden", f"the outbox of {device.name} does not drain"))


def judge(world: World) -> None:
    """After `settle`: everything that was promised is there, once, and is seen."""
    _everything_arrived(world)
    _records(world)
    _tallies(world)
    numbers = _numbers(world)
    held = {row.id for row in [*world.company.held(), *world.company.filed()]}
    for device in world.devices.values():
        seen = world.look(device)
        check_phone(world, device, seen)
        _shows_every_visit(world, device, seen)
        _shows_the_same(world, device, seen)
        _needs(world, device, seen, held)
        # A phone whose storage was put back to an older copy cannot know what it had given.
        if seen["enrolled"] and device.name not in world.put_back:
            for number, ids in numbers[seen["device"]].items():
                if len(ids) > 1:
                    world.wrong.append(("doubled", f"{device.name} gave its number {number} twice"))
    for name in sorted(world.untold):
        world.wrong.append(("hidden", f"{name} lost its storage and nobody was told"))


def _everything_arrived(world: World) -> None:
    known = world.company.known(set(world.saved))
    # What its author strikes out leaves the phone at once, and the server with the striking.
    struck = {one.target for one in world.saved.values()}
    for id, one in world.saved.items():
        if id in world.excused:
            continue
        if id not in known:
            world.wrong.append(("lost", f"{one.kind} {id}, saved on {one.device}, never arrived"))
        for sha in one.blobs:
            if not _is_kept(world, sha) and sha not in world.unsent_blobs and id not in struck:
                world.wrong.append(("lost", f"the picture of {id}, saved on {one.device}"))
    rows = world.company.query("SELECT id, count(*) FROM log GROUP BY id HAVING count(*) > 1")
    for id, times in rows:
        world.wrong.append(("doubled", f"{id} stands {times} times in the log"))
    listed = {row.id for row in world.company.held()}
    for (id,) in world.company.query("SELECT id FROM held WHERE state = 'open'"):
        if id not in listed:
            world.wrong.append(("hidden", f"{id} is held, and the desk does not list it"))
    for id, sha, octets in world.company.query(
        "SELECT id, sha256, bytes FROM held WHERE state = 'open' OR resolved_how = 'file'"
    ):
        if octets is None or hashlib.sha256(octets).hexdigest() != sha:
            world.wrong.append(("lost", f"held {id} has not its bytes"))


def _is_kept(world: World, sha: str) -> bool:
    """Whether the blob that came as `sha` is whole: to the byte, or drawn anew under both hashes."""
    for (octets,) in world.company.query("SELECT bytes FROM signatures WHERE sha256 = ?", sha):
        return hashlib.sha256(octets).hexdigest() == sha
    folder = world.company.data / "blobs" / sha[:2]
    for path in [folder / sha, *folder.glob(f"{sha}.*")]:
        if path.exists():
            return hashlib.sha256(path.read_bytes()).hexdigest() == path.name.rpartition(".")[2]
    return False


def _records(world: World) -> None:
    by_visit: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for seq, octets, sha, subject in world.company.query(
        "SELECT seq, bytes, sha256, subject FROM log WHERE type = 'visit' ORDER BY seq"
    ):
        if octets is None:  # blanked: its id stays, its words do not
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


def _lists(
    world: World, visit: str, record: dict[str, Any], log: list[tuple[int, dict[str, Any]]]
) -> None:
    if any(not operation for _, operation in log):
        return
    want: dict[str, Counter[str]] = defaultdict(Counter)
    for _, operation in log:
        if operation["kind"] in LISTS:
            want[LISTS[operation["kind"]]][operation["id"]] += 1
    for name in set(LISTS.values()):
        have = Counter(one["id"] for one in record.get(name, []))
        for id in have - want[name]:
            world.wrong.append(("doubled", f"{name} of {visit} has {id} too often"))
        for id in want[name] - have:
            world.wrong.append(("lost", f"{name} of {visit} lacks {id}"))


def _consents(
    world: World, visit: str, record: dict[str, Any], log: list[tuple[int, dict[str, Any]]]
) -> None:
    """I5, twice: by the protocol's numbers, among decisions that had not seen each other the
    restrictive one counts; by what people were shown, none counts over a more restrictive one that
    its author had not been shown."""
    decisions: dict[str, list[tuple[int, dict[str, Any], str]]] = defaultdict(list)
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
        over = world.sight.over(one[1]["id"] for one in made)
        left = [rank(one[2]) for one in made if one[1]["id"] not in over]
        if rank(counts) < max(left, default=0):
            world.wrong.append(("lost", f"{purpose} of {visit} counts {counts}, unseen"))


def _had_seen(
    later: tuple[int, dict[str, Any], str],
    earlier: tuple[int, dict[str, Any], str],
    alone: set[str],
) -> bool:
    if later[1]["by"] == earlier[1]["by"] and later[1]["device"] == earlier[1]["device"]:
        return bool(later[1]["device_seq"] > earlier[1]["device_seq"])
    if later[1]["id"] in alone and later[1]["by"] != earlier[1]["by"]:
        return False
    return bool(later[1]["base"] >= earlier[0])


def _cells(
    world: World, visit: str, record: dict[str, Any], log: list[tuple[int, dict[str, Any]]]
) -> None:
    """I5: of one author (a person on a device) the higher number counts, across authors the
    server's order."""
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


def _numbers(world: World) -> dict[str, dict[int, set[str]]]:
    """Of each device: its numbers, and the operations that came with them (I2)."""
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for (octets,) in world.company.query(
        "SELECT bytes FROM log WHERE bytes IS NOT NULL UNION SELECT bytes FROM held WHERE bytes <> x''"
    ):
        operation = json.loads(octets)
        found[operation["device"]][operation["device_seq"]].add(operation["id"])
    return found


def _tallies(world: World) -> None:
    counted = sum(n for (n,) in world.company.query("SELECT count FROM tallies"))
    (logged,) = world.company.query("SELECT count(*) FROM log WHERE type = 'tally'")[0]
    if counted > logged:
        world.wrong.append(("doubled", f"{counted} counted, {logged} sent"))
    elif counted < logged:
        world.wrong.append(("lost", f"{counted} counted, {logged} sent"))


def _shows_every_visit(world: World, device: Device, seen: dict[str, Any]) -> None:
    """Each visit that whoever is signed in has is on the phone: one that is missing is not made."""
    if not seen["enrolled"]:
        return
    services = world.company.services
    window = Window(
        services.today(), services.settings.window_back_days, services.settings.window_ahead_days
    )
    with services.storage.transaction():
        changes = services.storage.changes(seen["person"], 0)
    theirs = {one.visit for one in changes if one.record is not None and window.holds(one.record)}
    for visit in sorted(theirs - {one["id"] for one in seen["visits"]}):
        world.wrong.append(("hidden", f"{device.name} lacks the visit {visit}"))


def _shows_the_same(world: World, device: Device, seen: dict[str, Any]) -> None:
    """A phone with nothing pending shows what the server has, value by value (I4)."""
    for shown in seen["visits"]:
        mine, theirs = shown["record"], world.company.record(shown["id"])
        pending = [
            row for row in seen["outbox"]
            if row["visit"] == shown["id"] and row["where"] not in ("sent", "filed")
        ]  # fmt: skip
        if theirs is None or pending:
            continue
        where = f"{device.name} shows {shown['id']}"
        for name in LISTED:
            ids = [one["id"] for one in mine.get(name, [])]
            if len(set(ids)) != len(ids):
                world.wrong.append(("doubled", f"{where} with {name} twice"))
            if set(ids) - {one["id"] for one in theirs.get(name, [])}:
                world.wrong.append(("doubled", f"{where} with {name} that the server has not"))
        if mine["seq"] >= LOCAL:
            continue
        if mine["seq"] < theirs["seq"]:
            world.wrong.append(
                ("hidden", f"{where} as of {mine['seq']}, and it is {theirs['seq']}")
            )
        elif mine["cells"] != theirs["cells"]:
            world.wrong.append(("hidden", f"{where} with other values than the server"))
        # An ambassador is told less of what others wrote; who was one for a while keeps that view
        # of a visit until it changes again.
        elif (
            CAST[device.person]["role"] == "visitor" and device.person not in world.moved
        ) and any(mine.get(name, []) != theirs.get(name, []) for name in LISTED):
            world.wrong.append(("hidden", f"{where} with other notes or consents than the server"))


def _needs(world: World, device: Device, seen: dict[str, Any], held: set[str]) -> None:
    """What is held is listed where somebody can act: at the desk, or on the phone (I6)."""
    if not seen["enrolled"]:
        return
    needs = {one["id"] for one in seen["unsent"] if one["state"] == "needs"}
    ours = {
        id
        for id, one in world.saved.items()
        if one.device == device.name and id not in world.excused
    }
    for id, (_, _, problem) in world.company.known(ours).items():
        if problem and id not in held and id not in needs:
            world.wrong.append(
                ("hidden", f"{id} is held as {problem}, and neither desk nor phone shows it")
            )
    for row in seen["outbox"]:
        if row["where"] in ("phone", "waits"):
            world.wrong.append(("hidden", f"{device.name} still has {row['id']} {row['where']}"))
