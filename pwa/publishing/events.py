"""What people did to texts at the desk, one row for each act, in the order of the acts.

Invariant: rows are added and never changed or removed: who, when, from what to what can always
be told. It refuses to judge: what an act may be is acts.py's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, cast

from sqlite_utils import Database

from pwa.guide.format import State
from pwa.publishing.overlay import Entry

Action = Literal["approve", "correct", "comment", "undo", "import"]
TABLE: Final = "guide_events"
ALL: Final = 2**62


@dataclass(frozen=True, slots=True)
class Event:
    """One act. `text` and `state` are as it left them, `old_…` as it found them ("" = no text).

    `by` is the id of who was signed in ("" = the command line), `reviewer` the name of who
    answers for the words. `of` and `base` are those of `Entry`. A comment leaves the text alone.
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
    """Remember the Swedish `text` of fingerprint `sha256`."""
    db.table("guide_originals").insert({"sha256": sha256, "text": text}, pk="sha256", ignore=True)


def originals(db: Database) -> dict[str, str]:
    """fingerprint → Swedish text, of every text that something was ever compared with."""
    return {str(row["sha256"]): str(row["text"]) for row in db.table("guide_originals").rows}


def add(db: Database, event: Event) -> None:
    """Write one act; its id is given here."""
    row = asdict(event)
    del row["id"]
    db.table(TABLE).insert(row)


def last_id(db: Database) -> int:
    """The id of the newest act, 0 before the first."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM guide_events").fetchone()[0])


def entries(db: Database, until: int = ALL) -> dict[tuple[str, str], Entry]:
    """The newest entry of each text among the acts up to `until`."""
    found = {}
    for row in db.table(TABLE).rows_where(
        "action != 'comment' AND id <= ?", [until], order_by="id"
    ):
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
    for row in db.table(TABLE).rows_where("language = ?", [language], order_by="id desc"):
        event = _event(row)
        found.setdefault(event.key, []).append(event)
    return found


def _event(row: Mapping[str, Any]) -> Event:
    return Event(**row)
