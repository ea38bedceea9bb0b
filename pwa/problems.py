"""Every refusal there is: one catalogue from code to status, words and remedy.

Invariant: a code never changes its meaning (scripts and phones compare them), and every refusal
says what to do next. The texts of exceptions are never shown: a crash is `internal`, and logged.
The answers themselves are made in pwa/web/errors.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from pwa.messages import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """HTTP status; English msgids of title and remedy; whether the same request may work later."""

    status: int
    title: str
    remedy: str
    retryable: bool = False


CATALOGUE: dict[str, Entry] = {
    "reauth": Entry(401, N_("Sign in"), N_("You are not signed in, or your sign-in has ended. Nothing is lost."), True),
    "bad_credentials": Entry(401, N_("Wrong name or password"), N_("Try again, or ask an administrator for a new password."), True),
    "wait": Entry(429, N_("Too many wrong passwords"), N_("Wait %(seconds)s seconds, then try again."), True),
    "origin": Entry(403, N_("This came from another page"), N_("Open Tröskel itself and do it there.")),
    "no_right": Entry(403, N_("You do not have access to this"), N_("Ask an administrator if you need it for your work.")),
    "not_found": Entry(404, N_("Page not found"), N_("It may have been moved, or it is not yours to see.")),
    "method": Entry(405, N_("This cannot be done here"), N_("Go back and use the buttons on the page.")),
    "invalid_form": Entry(400, N_("Something in the form is not right"), N_("Check what you filled in, then send again.")),
    "malformed": Entry(400, N_("This could not be read"), N_("Load the page again and try once more. Nothing is lost.")),
    "too_large": Entry(413, N_("This is too large"), N_("Send less at a time.")),
    "unsupported": Entry(415, N_("This kind of file is not accepted here"), N_("Use the form on the page.")),
    "blob_type": Entry(415, N_("This kind of file is not accepted"), N_("Send a picture or a drawn signature.")),
    "picture_broken": Entry(415, N_("This picture cannot be read"), N_("Strike it out and take a new one.")),
    "picture_too_large": Entry(415, N_("This picture has too many pixels"), N_("Strike it out and take a new one.")),
    "blob_mismatch": Entry(422, N_("The file arrived damaged"), N_("It is sent again by itself."), True),
    "too_many": Entry(429, N_("Too much at once"), N_("Wait a moment, then try again."), True),
    "internal": Entry(500, N_("Something went wrong on our side"), N_("Nothing was saved by this. Try again; if it stays, tell the administrator."), True),
    "busy": Entry(503, N_("The server is busy"), N_("Wait a moment, then try again."), True),
    "name_invalid": Entry(400, N_("This name cannot be used"), N_("Use 1 to 32 of a to z, 0 to 9, dot, dash and underscore.")),
    "name_taken": Entry(409, N_("There is already somebody called %(name)s"), N_("Choose another name.")),
    "role_unknown": Entry(400, N_("There is no role %(role)s"), N_("Choose one of: %(roles)s.")),
    "queue_unknown": Entry(400, N_("An officer needs a queue"), N_("Choose one of: %(queues)s.")),
    "language_unknown": Entry(400, N_("There is no language %(language)s here"), N_("Choose among: %(languages)s.")),
    "password_short": Entry(400, N_("This password cannot be used"), N_("Use at least %(count)s characters and at most %(most)s; 15 or more are better.")),
    "guide_text": Entry(400, N_("This text cannot be used"), N_("%(reason)s Nothing was changed.")),
    "guide_changed": Entry(409, N_("Somebody else has changed this text"), N_("Look at it as it is now, then decide again.")),
    "guide_speaker": Entry(403, N_("Only somebody who speaks the language can approve"), N_("Your languages do not include it. Ask somebody who speaks it, or import a PO file and name who reviewed it.")),
    "guide_moved": Entry(409, N_("Somebody else has changed a text"), N_("Look at the list once more, then publish.")),
    "guide_same": Entry(409, N_("There is nothing to publish"), N_("The phones have these texts already.")),
    "po_unreadable": Entry(400, N_("This file cannot be read as PO"), N_("Export the language again and send back that file.")),
    "po_language": Entry(400, N_("This file is for another language"), N_("It says %(found)s; choose the file for %(expected)s.")),
    "audio_none": Entry(400, N_("There is no recording in this"), N_("Choose a file first, then send it.")),
    "audio_type": Entry(415, N_("This is no Opus recording"), N_("Save it as Opus (.opus, .ogg or .webm) and choose that file. The recording before it is still in use.")),
    "audio_large": Entry(413, N_("This recording is too large"), N_("At most %(most)s MB: record it shorter, or with less quality (24 kbit/s is enough for speech).")),
    "last_administrator": Entry(409, N_("This is the last administrator"), N_("Make somebody else an administrator first.")),
}  # fmt: skip


class Problem(Exception):
    """A refusal. `params` fill the places in title and remedy."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
        self.entry = CATALOGUE[code]

    @property
    def title(self) -> str:
        """What is wrong, in the reader's language."""
        return str(gettext(self.entry.title, **self.params))

    @property
    def remedy(self) -> str:
        """What to do, in the reader's language."""
        return str(gettext(self.entry.remedy, **self.params))

    def as_json(self) -> dict[str, Any]:
        """The JSON answer; `problem` is the code."""
        return {
            "problem": self.code,
            "title": self.title,
            "remedy": self.remedy,
            "retryable": self.entry.retryable,
        }
