"""What happens to the phones of a run: taps, timers, kills, other people, other storage.

Each function is a step of that name (`STEPS`); its numbers are those of tests/simulation/schedule.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.company import FIELD_STAFF
from tests.simulation.phones import Device, Saved
from tests.simulation.promises import check_phone
from tests.simulation.shown import DECISIONS

if TYPE_CHECKING:
    from tests.simulation.world import World


def start(world: World, number: int, person: int, seed: int) -> None:
    """A new phone; somebody signs in on it."""
    device = Device(f"phone{number}", FIELD_STAFF[person])
    world.devices[device.name] = device
    world.phones.do({"do": "phone", "phone": device.name, "seed": seed})
    world.boot(device)
    world.sign_in(device, device.person)


def tap(
    world: World, number: int, seed: int, double: bool, crash: int, fault: str, at: int
) -> None:
    """Somebody fills in a form and taps Save; `double`: twice, or in two tabs at once."""
    device = world.device(number)
    world.boot(device)
    if not device.enrolled:
        world.sign_in(device, device.person)
        return
    chance = random.Random(seed)
    taps = [world.forms.fill(device, seed, chance, tab) for tab in range(device.tabs)]
    taps = taps if double else taps[chance.randrange(len(taps)) :][:1]
    if double and device.tabs == 1:
        taps.append({**taps[0]})  # a double tap on Save: the same form twice
        world.faults["F12"] += 1
    elif device.tabs > 1:
        world.faults["F12"] += 1
    world.arm(device.name, crash, fault, at)
    result = world.do({"do": "tap", "phone": device.name, "taps": taps})
    _record_saved(world, device, taps, result["saved"])


def _record_saved(
    world: World, device: Device, taps: list[dict[str, Any]], saved: list[str]
) -> None:
    drafts = {one["id"]: (one, tap["blobs"]) for tap in taps for one in tap["drafts"]}
    # Whether or not "Saved" was shown: a phone that dies may have saved.
    decided = [id for id, (draft, _) in drafts.items() if draft["kind"] in DECISIONS]
    world.shown.decided(device.name, device.person, decided)
    for id in saved:
        if id not in drafts:
            world.wrong.append(("doubled", "a form sent twice is saved under two ids"))
            continue
        draft, blobs = drafts[id]
        world.saved[id] = Saved(
            device.name, device.person, draft["kind"], draft["subject"]["id"],
            tuple(blob["sha256"] for blob in blobs), draft["data"].get("operation", ""),
        )  # fmt: skip


def hand(world: World, number: int) -> None:
    """The person signed in hands over what waits for the others on this phone."""
    device = world.device(number)
    world.boot(device)
    if not device.enrolled:
        return
    authors = {row["by"] for row in world.look(device)["outbox"] if row["where"] == "waits"}
    for by in sorted(authors):
        if device.on:
            world.faults["F12"] += 1
            world.do({"do": "hand_over", "phone": device.name, "by": by})


def timer(world: World, number: int, crash: int, fault: str, at: int) -> None:
    """The phone's next timer fires."""
    device = world.device(number)
    if device.on:
        world.arm(device.name, crash, fault, at)
        world.do({"do": "timer", "phone": device.name})


def wake(world: World, number: int) -> None:
    """Somebody taps Send."""
    device = world.device(number)
    world.boot(device)
    world.do({"do": "wake", "phone": device.name, "tab": 0})


def cut(world: World, number: int) -> None:
    """The battery is empty."""
    world.switch_off(world.device(number))


def tab(world: World, number: int) -> None:
    """A second tab is opened."""
    device = world.device(number)
    world.boot(device)
    if device.enrolled and device.tabs == 1:
        device.tabs = 2
        world.faults["F12"] += 1
        world.do({"do": "boot", "phone": device.name, "tab": 1})


def person(world: World, number: int, who: int) -> None:
    """Somebody signs in, perhaps in a colleague's place."""
    device = world.device(number)
    if FIELD_STAFF[who] != device.person:
        world.faults["F12"] += 1
    world.sign_in(device, FIELD_STAFF[who])


def out(world: World, number: int) -> None:
    """The person signs out."""
    device = world.device(number)
    if device.on and device.enrolled:
        world.do({"do": "sign_out", "phone": device.name, "tab": 0})


def clock(world: World, number: int, skew: int, zone: int) -> None:
    """The phone's clock and time zone are wrong from now on."""
    world.faults["F9"] += 1
    name = world.device(number).name
    world.phones.do({"do": "clock", "phone": name, "skew": skew, "zone": zone})


def storage(world: World, number: int, what: str) -> None:
    """The phone's storage is copied (keep), emptied (empty), or restored to the copy (older)."""
    device = world.device(number)
    if not device.enrolled:
        return
    world.boot(device)
    ids = {one["id"] for one in world.look(device)["outbox"]}
    world.switch_off(device)
    if what == "keep":
        device.copy_of = ids
    else:
        if what == "older" and device.copy_of is None:
            return
        _lose_storage(world, device, ids, what)
    world.phones.do({"do": "storage", "phone": device.name, "what": what})
    world.boot(device)
    if what == "empty" and device.enrolled:
        world.wrong.append(("hidden", "an emptied phone continued as if nothing had happened"))


def _lose_storage(world: World, device: Device, ids: set[str], what: str) -> None:
    """Of what was on the phone (`ids`), whatever had not arrived need not arrive any more."""
    world.faults["F4"] += 1
    kept = device.copy_of or set() if what == "older" else set()
    gone = ids - kept
    known = world.company.known(gone)
    world.excused |= {id for id in gone if id not in known}
    world.wiped |= set(known)
    world.unsent_blobs |= {sha for id in gone & set(world.saved) for sha in world.saved[id].blobs}
    if gone:
        world.unreported_losses.add(device.name)
    if what == "older":
        world.restored_phones.add(device.name)


def look(world: World, number: int) -> None:
    """Somebody reads what the phone shows: it must be true at any moment."""
    device = world.device(number)
    if device.on and device.enrolled:
        check_phone(world, device, world.look(device))


STEPS: dict[str, Callable[..., None]] = {
    "start": start, "tap": tap, "hand": hand, "timer": timer, "wake": wake, "cut": cut, "tab": tab,
    "person": person, "out": out, "clock": clock, "storage": storage, "look": look,
}  # fmt: skip
