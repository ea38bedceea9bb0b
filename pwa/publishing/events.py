"""What people did to texts at the desk, one row for each act, in the order of the acts.

Invariant: rows are added and never changed or removed, so for each text it can be shown who changed
it, when, and from what to what. Whether an act is allowed is decided in acts.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, cast

from sqlite_utils import Database

from pwa.guide.format import State
from pwa.publishing import tables
from pwa.publishing.overlay import Entry

Action = Literal["approve", "correct", "comment", "undo", "import"]
ALL: Final = 2**62


@dataclass(frozen=True, slots=True)
class Event:
    """One act. `text` and `state` are those after it, `old_…` those before it ("" = no text).

    `by` is the user id of who did it ("" = the command line), `reviewer` the name of who answers for
    the words. `of` and `base` are those of `Entry`. A comment leaves text and state as they are.
    """

    language: str
    key: str
    at: str
    by: str
    reviewer: str
    action: Action
    text: str
    state: str
    of: str
    base: str
    comment: str
    old_text: str
    old_state: str
    id: int = 0


def keep_original(db: Database, sha256: str, text: str) -> None:
    """Keep the Swedish `text` of fingerprint `sha256`."""
    tables.add_original(db, sha256, text)


def originals(db: Database) -> dict[str, str]:
    """fingerprint → Swedish text, of every text that something was ever compared with."""
    return tables.list_originals(db)


def add(db: Database, event: Event) -> None:
    """Add one act; its id is given here."""
    row = asdict(event)
    del row["id"]
    tables.add_event(db, row)


def last_id(db: Database) -> int:
    """The id of the newest act, 0 before the first."""
    return tables.last_event_id(db)


def entries(db: Database, until: int = ALL) -> dict[tuple[str, str], Entry]:
    """The newest entry of each text among the acts up to `until`."""
    found = {}
    for row in tables.list_changing_events(db, until):
        found[str(row["language"]), str(row["key"])] = Entry(
            text=str(row["text"]),
            state=cast(State, row["state"]),
            reviewer=str(row["reviewer"]),
            at=str(row["at"]),
            of=str(row["of"]),
            base=str(row["base"]),
        )
    return found


def history(db: Database, language: str) -> dict[str, list[Event]]:
    """key → its acts in `language`, the newest first."""
    found: dict[str, list[Event]] = {}
    for row in tables.list_events(db, language):
        event = Event(**row)
        found.setdefault(event.key, []).append(event)
    return found
