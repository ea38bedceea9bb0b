"""What happens at the company: the desk decides, accounts change, the server restarts or is restored.

Each function is a step of that name (`STEPS`); its numbers are those of tests/simulation/schedule.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sync.apply import conflicts_of
from sync.shapes import VisitRecord
from tests.simulation.company import DESKS, FIELD_STAFF, VISITS, visit_id
from tests.simulation.forms import PURPOSES
from tests.simulation.shown import ids_of

if TYPE_CHECKING:
    from tests.simulation.world import World


def desk(world: World, who: int, what: str, seed: int) -> None:
    """A supervisor does `what`, to a visit or a held operation that the seed chooses."""
    chance, company = random.Random(seed), world.company
    visit = visit_id(chance.randrange(VISITS))
    record = company.record(visit)
    if record is None:
        return
    # One page in five was rendered some operations ago.
    base = record["seq"] if chance.random() < 0.8 else max(0, record["seq"] - chance.randrange(9))
    staff = [company.users[one].id for one in FIELD_STAFF]
    if what in ("resolve", "refile"):
        _resolve(world, what, chance)
        return
    if what == "protect":
        data: dict[str, Any] = {"reason": "staff"}
        company.desk(DESKS[who], "tenancy.protect", record["tenancy"], data, base, "tenancy")
        return
    if what == "choose":
        _choose(world, DESKS[who], record, base, chance)
        return
    if what in ("assign", "reassign"):
        world.faults["F11"] += 1
    kind, data = _changes(record, staff, chance)[what]
    company.desk(DESKS[who], kind, visit, data, base)
    after = company.record(visit)
    if what == "withdraw" and after:
        world.shown.decided_at_the_desk(after, ids_of(record), base)


def _resolve(world: World, what: str, chance: random.Random) -> None:
    company = world.company
    rows = company.held() if what == "resolve" else company.filed()
    if not rows:
        return
    row = rows[chance.randrange(len(rows))]
    if what == "resolve":
        company.resolve("alva", row.id, row.sha256, chance.choice(row.actions))
    else:
        company.resolve("alva", row.id, row.sha256, "reopen")
        world.reopened.add(row.id)


def _choose(world: World, name: str, record: VisitRecord, base: int, chance: random.Random) -> None:
    """Settle one of the visit's conflicts, if it has any."""
    found = conflicts_of(record)
    if found:
        cell = sorted(found)[chance.randrange(len(found))]
        value = found[cell][chance.randrange(len(found[cell]))]["value"]
        data = {"field": cell, "value": value}
        world.company.desk(name, "visit.choose", record["id"], data, base)


def _changes(
    record: VisitRecord, staff: list[str], chance: random.Random
) -> dict[str, tuple[str, dict[str, Any]]]:
    """What a desk can do to any visit. Every entry takes its chances, in this order, whichever is
    used: a seed must mean the same when an entry is added at the end."""
    return {
        "assign": ("visit.assign", {"visitors": chance.sample(staff, chance.randrange(1, 3))}),
        "reassign": ("visit.assign", {"visitors": chance.sample(staff, chance.randrange(0, 2))}),
        "date": ("visit.assign", {"date": f"2026-11-{chance.randrange(20, 30)}", "time": "10:00"}),
        "approve": ("visit.approve", {"comment": ""}),
        "return": ("visit.return", {"points": [{"item": "", "text": "En sak till."}]}),
        "cancel": ("visit.cancel", {"reason": "other"}),
        "language": ("visit.language", {"language": chance.choice(("ar", "so"))}),
        "withdraw": ("visit.withdraw", {"purpose": chance.choice(PURPOSES), "channel": "desk"}),
        "follow_up": (
            "visit.follow_up",
            {"item": "", "queue": "KT", "urgency": "now", "text": "Ring."},
        ),
        "plan": ("visit.plan", {"tenancy": record["tenancy"], "kind": "welcome"}),
        "reopen": ("visit.reopen", {}),
        "register": ("visit.assign", {"time": "11:00"}),
    }


def account(world: World, what: str, number: int) -> None:
    """Somebody's account changes: sessions ended, deactivated, another role."""
    world.faults["F11"] += 1
    if what in ("officer", "ambassador", "visitor"):
        world.role_changed.add(FIELD_STAFF[number])
    world.company.change_account(what, FIELD_STAFF[number])


def server_clock(world: World, skew: int) -> None:
    """The server's clock is wrong from now on."""
    world.faults["F9"] += 1
    world.company.clock.skew = timedelta(milliseconds=skew)


def backup(world: World, number: int) -> None:
    """The company is backed up."""
    world.company.backup()


def restore(world: World, number: int) -> None:
    """The company is restored from its last backup."""
    if not world.company.backups:
        return
    world.faults["F8"] += 1
    # The one thing a phone deletes before a backup has passed it: what is protected must not stay on
    # phones a moment longer than it takes to arrive (PROTOCOL.md 4).
    protected = world.company.protected({one.visit for one in world.saved.values()})
    gone = {id for id, one in world.saved.items() if one.visit in protected}
    world.excused |= set(world.company.known(gone))
    world.company.restore(len(world.company.backups) - 1)
    # The browser deleted the phone's copy and the backup is older than the server's: no machine has
    # it any more. The phone reports the loss of its storage (`unreported_losses`).
    world.excused |= world.wiped - set(world.company.known(world.wiped))


def restart(world: World, number: int) -> None:
    """The server starts anew."""
    world.company.reopen()


STEPS: dict[str, Callable[..., None]] = {
    "desk": desk, "account": account, "server_clock": server_clock, "backup": backup,
    "restore": restore, "restart": restart,
}  # fmt: skip
