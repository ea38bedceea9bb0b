"""What somebody may do to a text: approve, correct, comment, undo.

Invariant: an act applies only to the text that the person looked at (`Place.seen`); only somebody
whose languages include it can mark a text as reviewed; only those who may publish change the
Swedish original. All acts make drafts: phones see them when they are published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from pwa.guide.format import Guide, State
from pwa.guide.languages import ORIGINAL
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.publishing import events
from pwa.publishing.events import Action, Event
from pwa.publishing.faults import faults
from pwa.publishing.overlay import fingerprint
from pwa.publishing.versions import draft_guide
from pwa.web import access

COMMENT_CHARACTERS_MAX = 1000
CHANGING: tuple[Action, ...] = ("approve", "correct", "undo")


@dataclass(frozen=True, slots=True)
class Place:
    """One text of one language in the draft: `text` and `state` are "" where it is missing."""

    language: str
    key: str
    original: str
    text: str
    state: State | str

    @property
    def seen(self) -> str:
        """What a form carries, so that an act applies only to the text that was shown in it."""
        return fingerprint("\0".join((self.original, self.text, self.state)))[:16]


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts: the user id ("" = the command line), and the name of who answers for the words."""

    id: str
    reviewer: str


def may_change(user: User, language: str) -> bool:
    """Whether `user` may change or comment texts of `language`."""
    if access.may(user, "guide.publish"):
        return True
    return language != ORIGINAL and access.may(user, "guide.review") and language in user.languages


def may_approve(user: User, language: str) -> bool:
    """Whether `user` may mark a text of `language` as reviewed."""
    return language != ORIGINAL and may_change(user, language) and language in user.languages


def place(guide: Guide, language: str, key: str) -> Place:
    """The text under `key`; Problem("not_found") for a language or key that is not there."""
    if language not in guide.languages or key not in guide.languages[ORIGINAL].texts:
        raise Problem("not_found")
    original = guide.languages[ORIGINAL].texts[key]
    if key not in guide.languages[language].texts:
        return Place(language, key, original, "", "")
    text = guide.languages[language].texts[key]
    return Place(language, key, original, text, guide.state_of(language, key))


def act(
    db: Database,
    baseline: Guide,
    current: Guide,
    user: User,
    spot: tuple[str, str],
    fields: Mapping[str, str],
    now: datetime,
) -> None:
    """Apply a form to the text at `spot` (language, key); call it inside `writing()`.

    `fields`: action, seen, text (of a correction), comment. Raises Problem: `no_right`,
    `guide_speaker`, `guide_changed`, `guide_text`, `invalid_form`, `not_found`.
    """
    language, key = spot
    action = fields.get("action", "")
    before = place(draft_guide(db, baseline), language, key)
    if not may_change(user, language):
        raise Problem("no_right")
    who = Who(user.id, user.display_name)
    comment = " ".join(fields.get("comment", "").split())[:COMMENT_CHARACTERS_MAX]
    if action == "comment":
        if not comment:
            raise Problem("invalid_form")
        note(db, before, who, comment, now)
        return
    if action not in CHANGING:
        raise Problem("invalid_form")
    if action == "approve" and not may_approve(user, language):
        raise Problem("guide_speaker")
    text, state = _wanted(action, before, current, fields, may_approve(user, language))
    if (text, state) == (before.text, before.state):
        if comment:
            note(db, before, who, comment, now)
        return  # nothing changes, or the same form was sent twice
    if fields.get("seen", "") != before.seen:
        raise Problem("guide_changed")
    of = fingerprint(before.original)
    if action == "undo":
        review = current.languages[language].reviews.get(key)
        # Undo restores the published review: its reviewer and the original it was checked against;
        # without one, the release's.
        who = Who(user.id, review.by) if review else who
        of = review.of if review else baseline.original_hash(key)
    record(db, baseline, before, action, (text, state), who, now, comment, of)


def record(
    db: Database,
    baseline: Guide,
    before: Place,
    action: Action,
    after: tuple[str, State | str],
    who: Who,
    now: datetime,
    comment: str = "",
    of: str = "",
) -> None:
    """Add the act by which the text at `before` became `after` (text, state).

    `of`: the fingerprint of the Swedish text it was compared with; "" for today's. Raises
    Problem("guide_text") for a text that could not be shown.
    """
    text, state = after
    found = faults(before.key, before.original, text)
    if found:
        raise Problem("guide_text", reason=" ".join(str(one) for one in found))
    if before.language != ORIGINAL:
        events.keep_original(db, fingerprint(before.original), before.original)
    own = baseline.languages[before.language].texts.get(before.key, "")
    _add(
        db, before, action, who, now, comment,
        text=text, state=state, of=of or fingerprint(before.original), base=fingerprint(own),
    )  # fmt: skip


def _wanted(
    action: str, before: Place, current: Guide, fields: Mapping[str, str], speaks: bool
) -> tuple[str, State | str]:
    if action == "undo":
        published = place(current, before.language, before.key)
        if not published.text:
            raise Problem("invalid_form")
        return published.text, published.state
    if action == "approve":
        return before.text, "reviewed"
    text = fields.get("text", "").replace("\r\n", "\n")
    if not before.original[-1:].isspace():
        text = text.strip(" \n")  # blanks at the ends are a textarea's, not the person's
    if before.language == ORIGINAL:
        return text, "original"
    return text, "reviewed" if speaks else "translated"


def note(db: Database, before: Place, who: Who, comment: str, now: datetime) -> None:
    """Add a comment on the text at `before`; the same one twice in a row is added once."""
    acts = events.history(db, before.language).get(before.key, [])
    if acts and (acts[0].by, acts[0].comment) == (who.id, comment):
        return  # the same form sent twice
    _add(db, before, "comment", who, now, comment, text=before.text, state=before.state)


def _add(
    db: Database,
    before: Place,
    action: Action,
    who: Who,
    now: datetime,
    comment: str,
    **more: Any,
) -> None:
    event = Event(
        language=before.language,
        key=before.key,
        at=now.isoformat(timespec="seconds"),
        by=who.id,
        reviewer=who.reviewer,
        action=action,
        comment=comment,
        old_text=before.text,
        old_state=before.state,
        **({"of": "", "base": ""} | more),
    )
    events.add(db, event)
