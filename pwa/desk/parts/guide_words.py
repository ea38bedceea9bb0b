"""The guide's labels and the queues' names in the reader's language, and people's names: what pages
and events (pwa/desk/parts/events.py) are worded with.

Invariant: a label that the reader's language lacks is Swedish, and a key that the guide lacks is
shown as it is, never hidden.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext
from sqlite_utils import Database

from pwa.guide import Guide
from pwa.guide.check import doubts
from pwa.publishing.versions import pack_bytes
from pwa.web.i18n import interface_language

ORIGINAL = "sv"


def _(msgid: str, **params: object) -> str:
    """Flask-Babel's gettext, which has no types."""
    return str(gettext(msgid, **params))


def packs_of(guide: Guide) -> dict[str, Mapping[str, Any]]:
    """The guide in the reader's language and in Swedish, which has every text."""
    tags = {ORIGINAL, interface_language()} & set(guide.languages)
    return {tag: guide.pack(tag) for tag in tags}


def reading_language(guide: Guide) -> str:
    """The guide's language for the reader of a desk page."""
    language = interface_language()
    return language if language in guide.languages else ORIGINAL


def queue_name(code: str) -> str:
    """A queue's name in the reader's language, as the shared templates have it for phones too."""
    labels: Any = current_app.jinja_env.get_template("shared/labels.html").module
    return str(labels.queue_label(code)).strip()


def doubts_about(guide: Guide, language: str, key: str, text: str) -> list[str]:
    """The warnings of the guide's check about a text, in the reader's language."""
    return [_(one.words, **one.values) for one in doubts(guide, language, key, text)]


@dataclass(frozen=True, slots=True)
class Words:
    """The guide's labels in the reader's language, and people's names."""

    packs: Mapping[str, Mapping[str, Any]]
    language: str
    people: Mapping[str, str]

    def text(self, key: str) -> str:
        """The guide's text under `key`, or "" where there is none."""
        for tag in (self.language, ORIGINAL):
            texts = self.packs.get(tag, {}).get("texts", {})
            if key in texts:
                return str(texts[key])
        return ""

    def item(self, key: str) -> str:
        """What an item of the guide is called; "" is the visit as a whole."""
        return (self.text(f"{key}.label") or key) if key else _("The visit as a whole")

    def answer(self, item: str, code: str) -> str:
        return self.text(f"{item}.answer.{code}") or self.text(f"answer.{code}") or code

    def consent(self, purpose: str) -> str:
        """The title of a consent."""
        return self.text(f"{purpose}.title") or purpose

    def person(self, id: str) -> str:
        return self.people.get(id, id)


def words_for(guide: Guide, people: Mapping[str, str]) -> Words:
    """The words for the reader of this page, from the guide in force."""
    return Words(packs_of(guide), reading_language(guide), people)


def words_of(db: Database, guide: Guide, version: str, people: Mapping[str, str]) -> Words | None:
    """The words of the guide's version that a visit was made with, "" for the one in force; None
    where this server does not have it."""
    if version in ("", guide.version):
        return words_for(guide, people)
    kept = {tag: pack_bytes(db, version, tag) for tag in (ORIGINAL, interface_language())}
    packs = {tag: json.loads(octets) for tag, octets in kept.items() if octets}
    if ORIGINAL not in packs:
        return None
    return Words(packs, interface_language() if interface_language() in packs else ORIGINAL, people)
