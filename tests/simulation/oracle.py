"""Whether anything was lost, doubled or hidden, after the world has settled.

Invariant: nothing that the code under test reports about itself is trusted. What was saved is the
world's own list; what counts in a record is derived anew from the log (records.py); what a phone shows is
compared with both.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict

from sync.pull import Window
from tests.simulation.company import CAST
from tests.simulation.phones import Device, PhoneContent
from tests.simulation.promises import check_phone
from tests.simulation.records import check_records, entries
from tests.simulation.world import World

LISTED = ("notes", "consents", "attempts", "follow_ups", "photos")
LOCAL = 2**52  # the sequence of what a phone made itself and has no snapshot of


def check(world: World) -> None:
    """After `settle`: everything shown as saved is stored, once, and is shown to somebody."""
    _everything_arrived(world)
    check_records(world)
    _tallies(world)
    numbers = _numbers(world)
    held = {row.id for row in [*world.company.held(), *world.company.filed()]}
    for device in world.devices.values():
        content = world.look(device)
        check_phone(world, device, content)
        _shows_every_visit(world, device, content)
        _shows_the_same(world, device, content)
        _needs(world, device, content, held)
        # A phone restored to an older copy of its storage cannot know which numbers it had used.
        if content["enrolled"] and device.name not in world.restored_phones:
            for number, ids in numbers[content["device"]].items():
                if len(ids) > 1:
                    world.wrong.append(("doubled", f"{device.name} used its number {number} twice"))
    for name in sorted(world.unreported_losses):
        world.wrong.append(("hidden", f"{name} lost its storage and did not report it"))


def _everything_arrived(world: World) -> None:
    known = world.company.known(set(world.saved))
    # A blob whose operation its author retracts is deleted on the phone at once, and on the server
    # with the retraction.
    struck = {one.target for one in world.saved.values()}
    for id, one in world.saved.items():
        if id in world.excused:
            continue
        if id not in known:
            world.wrong.append(("lost", f"{one.kind} {id}, saved on {one.device}, never arrived"))
        for sha in one.blobs:
            if not _is_stored(world, sha) and sha not in world.unsent_blobs and id not in struck:
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


def _is_stored(world: World, sha: str) -> bool:
    """Whether the blob uploaded as `sha` is complete: to the byte, or re-encoded, under both hashes."""
    for (octets,) in world.company.query("SELECT bytes FROM signatures WHERE sha256 = ?", sha):
        return hashlib.sha256(octets).hexdigest() == sha
    folder = world.company.data / "blobs" / sha[:2]
    for path in [folder / sha, *folder.glob(f"{sha}.*")]:
        if path.exists():
            return hashlib.sha256(path.read_bytes()).hexdigest() == path.name.rpartition(".")[2]
    return False


def _numbers(world: World) -> dict[str, dict[int, set[str]]]:
    """Device → number → the operations sent under it (I2)."""
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


def _shows_every_visit(world: World, device: Device, content: PhoneContent) -> None:
    """Every visit that the person signed in may see is on the phone: one that is missing is not made."""
    if not content["enrolled"]:
        return
    services = world.company.services
    window = Window(
        services.today(), services.settings.window_back_days, services.settings.window_ahead_days
    )
    with services.storage.transaction():
        changes = services.storage.changes(content["person"], 0)
    theirs = {one.visit for one in changes if one.record is not None and window.holds(one.record)}
    for visit in sorted(theirs - {one["id"] for one in content["visits"]}):
        world.wrong.append(("hidden", f"{device.name} lacks the visit {visit}"))


def _shows_the_same(world: World, device: Device, content: PhoneContent) -> None:
    """A phone with nothing pending shows what the server stores, value by value (I4)."""
    for shown in content["visits"]:
        mine, theirs = shown["record"], world.company.record(shown["id"])
        pending = [
            row for row in content["outbox"]
            if row["visit"] == shown["id"] and row["where"] not in ("sent", "filed")
        ]  # fmt: skip
        if theirs is None or pending:
            continue
        where = f"{device.name} shows {shown['id']}"
        for name in LISTED:
            ids = [one["id"] for one in entries(mine, name)]
            if len(set(ids)) != len(ids):
                world.wrong.append(("doubled", f"{where} with {name} twice"))
            if set(ids) - {one["id"] for one in entries(theirs, name)}:
                world.wrong.append(
                    ("doubled", f"{where} with {name} that the server does not have")
                )
        if mine["seq"] >= LOCAL:
            continue
        if mine["seq"] < theirs["seq"]:
            world.wrong.append(
                ("hidden", f"{where} as of {mine['seq']}, and it is {theirs['seq']}")
            )
        elif mine["cells"] != theirs["cells"]:
            world.wrong.append(("hidden", f"{where} with other values than the server"))
        # An ambassador receives less of what others wrote; somebody who was one for a while keeps that
        # version of a visit until it changes again.
        elif (
            CAST[device.person]["role"] == "visitor" and device.person not in world.role_changed
        ) and any(entries(mine, name) != entries(theirs, name) for name in LISTED):
            world.wrong.append(("hidden", f"{where} with other notes or consents than the server"))


def _needs(world: World, device: Device, content: PhoneContent, held: set[str]) -> None:
    """What is held is listed where somebody can act: at the desk, or on the phone (I6)."""
    if not content["enrolled"]:
        return
    needs = {one["id"] for one in content["unsent"] if one["state"] == "needs"}
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
    for row in content["outbox"]:
        if row["where"] in ("phone", "waits"):
            world.wrong.append(("hidden", f"{device.name} still has {row['id']} {row['where']}"))
