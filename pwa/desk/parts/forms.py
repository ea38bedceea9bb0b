"""From a form of the desk to operations, and from their results to a message.

Invariant: a form is checked against the protocol's own table of kinds before it is submitted, so a
mistyped field is reported to the person instead of being held. The operation's id was made when
the form was rendered: sent twice, it is one operation. Ids and bases that no form of ours can
contain are rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import flash, request
from flask_babel import gettext

from pwa.ids import operation_id
from pwa.problems import Problem
from pwa.services import get_services
from pwa.visits.submitting import Draft, submit
from pwa.web.access import get_current_user
from sync.kinds import KINDS, is_uuid
from sync.limits import TEXT_CHARACTERS_MAX
from sync.push import Result

# By which a tenant can withdraw a consent at the desk (`visit.withdraw`, PROTOCOL.md 1).
CHANNELS = ("desk", "phone", "letter", "visit")


def new_operation() -> str:
    """An id for the hidden field `operation` of a form that is being rendered."""
    return operation_id(get_services().now())


def draft(
    fields: Mapping[str, str],
    kind: str,
    visit: str,
    data: Mapping[str, Any],
    *,
    operation: str = "operation",
    base: str = "base",
) -> Draft:
    """The operation on `visit` that a form asks for.

    `operation` and `base` name its hidden fields. Raises Problem: `malformed` when those are not
    ours, `invalid_form` when `data` does not fit the kind.
    """
    id = fields.get(operation, "")
    seen = fields.get(base, "")
    if not is_uuid(id) or not (seen.isascii() and seen.isdigit() and len(seen) < 16):
        raise Problem("malformed")
    known = KINDS[kind]
    for name, check in known.fields.items():
        if name not in data and name in known.optional:
            continue
        if name not in data or not check(data[name]):
            raise Problem("invalid_form")
    return Draft(id, kind, visit, data, int(seen))


def perform(drafts: Sequence[Draft]) -> list[Result]:
    """Submit them as the current user; a message on the next page says if any had to be held.

    Returns the results that were applied (now, or by the same form before).
    """
    results = submit(get_services(), get_current_user(), drafts)
    held = [one for one in results if one.result == "held"]
    if held:
        flash(gettext("It could not be done and is kept under Held."), "problem")
    return [one for one in results if one.result != "held"]


def text_of(fields: Mapping[str, str], name: str, most: int = TEXT_CHARACTERS_MAX) -> str:
    """A line of text without outer spaces; Problem("invalid_form") when it is too long."""
    text = " ".join(fields.get(name, "").split())
    if len(text) > most:
        raise Problem("invalid_form")
    return text


def back_to(otherwise: str) -> str:
    """Where the form wants to go back to: its hidden `back`, if that is a page of the desk."""
    path = request.form.get("back", "")
    parts = urlsplit(path)
    ours = path.startswith("/desk/") and not parts.netloc and "\\" not in path
    return path if ours else otherwise


def follow_up_answer(form: Mapping[str, str]) -> dict[str, Any]:
    """The data of `follow_up.answer`. Words are needed, unless the follow-up is closed with it."""
    text, done = text_of(form, "text"), form.get("done") == "1"
    if not text and not done:
        raise Problem("invalid_form")
    return {"follow_up": form.get("follow_up", ""), "text": text, "done": done}
