"""The end of a run: the faults stop, everybody signs in, and everything must arrive (I8)."""

from __future__ import annotations

from pwa.people.throttle import Throttle
from tests.simulation.company import FIELD_STAFF
from tests.simulation.network import deliver, transmit
from tests.simulation.phones import Device
from tests.simulation.world import World

ROUNDS = 60
REQUESTS_MAX = 200  # in one round


def settle(world: World) -> None:
    """Bring the world to rest; an outbox that does not drain is noted in `world.wrong`."""
    company = world.company
    company.clock.skew *= 0
    company.reset_accounts()
    world.reopened.clear()
    company.services.throttle = Throttle()  # so much later, no failed sign-in counts any more
    for device in world.devices.values():
        world.phones.do({"do": "clock", "phone": device.name, "skew": 0, "zone": 0})
        world.switch_off(device)
        world.boot(device)
    # A restore that a second person's cursor finds makes the phone send the first one's work again.
    for _ in range(2 if company.restores else 1):
        for device in world.devices.values():
            for person in FIELD_STAFF:
                if _has_work(world, device, person):
                    _drain(world, device, person)
    # Everybody pulls what the others sent and the desk did meanwhile.
    for device in world.devices.values():
        _drain(world, device, device.person)


def _has_work(world: World, device: Device, person: str) -> bool:
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
        for _ in range(REQUESTS_MAX):
            if not world.pending:
                break
            request = world.pending.pop(0)
            deliver(world, request, transmit(world, request, "ok")[1])
        outbox = world.look(device)["outbox"]
        mine = world.company.users[person].id
        if not any(row["by"] == mine and row["where"] == "phone" for row in outbox):
            return
    world.wrong.append(("hidden", f"the outbox of {device.name} does not drain"))
