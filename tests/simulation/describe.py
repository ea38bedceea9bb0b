"""The steps of a run as sentences, for somebody who has to find out what went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from tests.simulation.company import FIELD_STAFF
from tests.simulation.schedule import Step

HOW = {
    "ok": "is answered", "drop_request": "never arrives", "drop_answer": "arrives, its response is lost",
    "timeout": "arrives, and the phone gives up waiting", "twice": "arrives twice",
    "html_200": "is answered by a hotel's page (200)", "html_200_after": "arrives, and a hotel's page (200) comes back",
    "cut_off": "arrives, and half of the response comes back", "late": "arrives, and its response comes late",
}  # fmt: skip


def describe(steps: Iterable[Step]) -> list[str]:
    """One line for each step."""
    return [f"{number:>3}. {_line(step)}" for number, step in enumerate(steps, 1)]


def _line(step: Step) -> str:
    kind, *rest = step
    match kind:
        case "start":
            return f"Phone {rest[0]}: {FIELD_STAFF[rest[1]]} signs in."
        case "tap":
            double = ", twice at once" if rest[2] else ""
            return f"Phone {rest[0]}: a tap (number {rest[1]}){double}{_faults(rest[3:])}."
        case "net":
            how = HOW.get(rest[1], f"is answered {rest[1]} by something in between")
            return f"Request {rest[0]} of those that wait {how}{_faults(rest[2:])}."
        case "timer":
            return f"Phone {rest[0]}: the next timer{_faults(rest[1:])}."
        case "storage":
            what = {
                "keep": "is copied",
                "empty": "is emptied by the browser",
                "older": "is restored to the copy",
            }
            return f"Phone {rest[0]}: its storage {what[rest[1]]}."
        case "person":
            return f"Phone {rest[0]}: {FIELD_STAFF[rest[1]]} signs in."
        case "account":
            return f"{FIELD_STAFF[rest[1]]}'s account: {rest[0]}."
        case "desk":
            return f"Desk {rest[0]}: {rest[1]} (number {rest[2]})."
    words = {
        "wake": "Phone {}: somebody taps Send.", "cut": "Phone {}: the battery is empty.", "out": "Phone {}: signs out.",
        "tab": "Phone {}: a second tab.", "hand": "Phone {}: work that waits for the others is handed over.", "late": "A late response arrives (number {}).", "look": "Phone {}: somebody looks.",
        "backup": "The company is backed up.", "restore": "The company is restored from its last backup.",
        "restart": "The server restarts.", "clock": "Phone {}: its clock is {} ms off, its zone {} minutes.",
        "server_clock": "The server's clock is {} ms off.",
    }  # fmt: skip
    return words.get(kind, f"{step}").format(*rest)


def _faults(rest: Step) -> str:
    crash, idb, at = [*rest, 0, "", 0][:3]
    text = f"; killed at point {crash}" if crash else ""
    return text + (f"; its storage fails with {idb} at transaction {at}" if idb else "")
