"""Whether a phone shows the truth, at any moment of a run: "Saved", "Sent", and its counter.

Invariant: compared with the world's own list of what was saved and with the server's log, never
with what the phone's code reports elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.phones import Device, PhoneContent
    from tests.simulation.world import World

_LISTS = {
    "visit.note": "notes", "visit.follow_up": "follow_ups", "visit.attempt": "attempts",
    "visit.consent": "consents", "visit.withdraw": "consents", "visit.photo": "photos",
}  # fmt: skip


def check_phone(world: World, device: Device, content: PhoneContent) -> None:
    """What this phone showed as saved is somewhere, and its counter is true (I1, I8)."""
    if not content["enrolled"]:
        return
    here = {row["id"] for row in content["outbox"]}
    saved = {
        id
        for id, one in world.saved.items()
        if one.device == device.name and id not in world.excused
    }
    missing = saved - here
    known = world.company.known(missing)
    for id in sorted(missing - set(known)):
        world.wrong.append(
            ("lost", f"{world.saved[id].kind} {id} is neither on {device.name} nor at the server")
        )
    open_here = [row for row in content["outbox"] if row["where"] not in ("sent", "filed")]
    counts = content["counts"]
    if counts["unsent"] + counts["needs"] != len(open_here):
        world.wrong.append(
            ("hidden", f"{device.name} counts {counts}, and {len(open_here)} are not sent")
        )
    if {row["id"] for row in open_here} != {one["id"] for one in content["unsent"]}:
        world.wrong.append(("hidden", f"{device.name} does not list what is not sent"))
    _shows_pending(world, device, content)
    if not world.company.restores:
        # "Sent" is true (I3); after a restore it becomes true again at the next contact.
        done = {row["id"]: row for row in content["outbox"] if row["where"] in ("sent", "filed")}
        there = world.company.known(set(done))
        for id, row in sorted(done.items()):
            sha, _, problem = there.get(id, ("", 0, ""))
            # What the desk reopened counts as filed here until the next pull.
            is_filed = problem == "filed" or id in world.reopened
            if sha != row["sha256"] or (row["where"] == "filed") > is_filed:
                world.wrong.append(
                    ("hidden", f"{device.name} calls {id} {row['where']}, and it is not")
                )


def _shows_pending(world: World, device: Device, content: PhoneContent) -> None:
    """What is on this phone only is shown in its visit, and nothing is shown twice (I1, I2)."""
    shown = {one["id"]: one["record"] for one in content["visits"]}
    for visit, shown_record in shown.items():
        for name in set(_LISTS.values()):
            ids = [one["id"] for one in shown_record.get(name, [])]
            if len(ids) != len(set(ids)):
                world.wrong.append(("doubled", f"{device.name} shows {name} of {visit} twice"))
    for row in content["outbox"]:
        one = world.saved.get(row["id"])
        if one is None or row["where"] != "phone" or one.kind not in _LISTS:
            continue
        # Work handed over is sent in another session; its content is not shown here.
        if row["by"] != content["person"]:
            continue
        record = shown.get(one.visit)
        if record and row["id"] not in {entry["id"] for entry in record.get(_LISTS[one.kind], [])}:
            world.wrong.append(
                ("hidden", f"{device.name} does not show {one.kind} {row['id']} that it stores")
            )
