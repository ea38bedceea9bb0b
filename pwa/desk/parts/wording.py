"""Operations in plain words: what somebody did, for the log of a visit and the held list.

Invariant: a sentence says no more than the operation's own data, and an operation that cannot be
read is shown as it stands. It refuses to interpret: whether it was applied is the caller's to say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext, ngettext
from sqlite_utils import Database

from pwa.desk.parts.languages import language_name
from pwa.guide import Guide
from pwa.guide.check import doubts
from pwa.publishing.versions import pack_bytes
from pwa.web.i18n import interface_language

Data = Mapping[str, Any]
RAW_CHARACTERS_MAX = 400
ORIGINAL = "sv"


def _(msgid: str, **params: object) -> str:
    """Flask-Babel's gettext, which has no types."""
    return str(gettext(msgid, **params))


def packs_of(guide: Guide) -> dict[str, Mapping[str, Any]]:
    """The guide in the reader's language and in Swedish, which has every text."""
    tags = {ORIGINAL, interface_language()} & set(guide.languages)
    return {tag: guide.pack(tag) for tag in tags}


def reading_language(guide: Guide) -> str:
    """The language the guide speaks to the reader of a desk page."""
    language = interface_language()
    return language if language in guide.languages else ORIGINAL


def queue_name(code: str) -> str:
    """A queue in the reader's words: those of the shared templates, which phones show too."""
    labels: Any = current_app.jinja_env.get_template("shared/labels.html").module
    return str(labels.queue_label(code)).strip()


def doubts_about(guide: Guide, language: str, key: str, text: str) -> list[str]:
    """What the check of the guide doubts about a text, in the reader's words."""
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
    """The words for whoever reads this page."""
    return Words(packs_of(guide), reading_language(guide), people)


def words_of(db: Database, guide: Guide, version: str, people: Mapping[str, str]) -> Words | None:
    """The words of the guide's version that a visit was made with, "" for the one in force; None
    where this server never had it."""
    if version in ("", guide.version):
        return words_for(guide, people)
    kept = {tag: pack_bytes(db, version, tag) for tag in (ORIGINAL, interface_language())}
    packs = {tag: json.loads(octets) for tag, octets in kept.items() if octets}
    if ORIGINAL not in packs:
        return None
    return Words(packs, interface_language() if interface_language() in packs else ORIGINAL, people)


def describe_text(text: str, words: Words) -> str:
    """What the bytes of an operation say; the bytes themselves where they say nothing."""
    try:
        raw = json.loads(text)
        kind, data = raw["kind"], raw["data"]
        known = _KINDS.get(kind)
        if known and isinstance(data, dict):
            return _whole(known(data, words))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        pass
    # A held operation may be anything at all: its first words are better than a shrug.
    return _whole(text[:RAW_CHARACTERS_MAX])


def _whole(text: str) -> str:
    """`text` with a mark for each half of a surrogate pair: a page with one could not be sent."""
    return text.encode("utf-8", "replace").decode()


def _assign(data: Data, words: Words) -> str:
    said = []
    if "visitors" in data:
        people = ", ".join(words.person(one) for one in data["visitors"])
        if people:
            said.append(_("Assigned to %(people)s", people=people))
        else:
            said.append(_("Reopened the visit"))
    when = " ".join(data[name] for name in ("date", "time") if data.get(name))
    if when:
        said.append(_("Booked for %(when)s", when=when))
    return " · ".join(said) or _("Cleared the time")


def _answer(data: Data, words: Words) -> str:
    item = words.item(data["item"])
    if not data["answer"]:
        return _("Removed the answer to: %(item)s", item=item)
    return f"{item}: {words.answer(data['item'], data['answer'])}"


def _tick(data: Data, words: Words) -> str:
    section = words.text(f"{data['section']}.title") or data["section"]
    answers = data["answers"]
    if not any(answers.values()):
        return _("Undid the section: %(section)s", section=section)
    return str(
        ngettext(
            "%(section)s: %(num)s point gone through",
            "%(section)s: %(num)s points gone through",
            len(answers),
            section=section,
        )
    )


def _note(data: Data, words: Words) -> str:
    return _("Note on %(item)s: %(text)s", item=words.item(data["item"]), text=data["text"])


def _follow_up(data: Data, words: Words) -> str:
    said = _(
        "Follow-up to %(queue)s on %(item)s",
        queue=queue_name(data["queue"]),
        item=words.item(data["item"]),
    )
    return f"{said}: {data['text']}" if data["text"] else said


def _attempt(data: Data, words: Words) -> str:
    if data["outcome"] == "not_home":
        return _("Nobody at home")
    if data["outcome"] == "declined":
        return _("Said no thank you")
    when = f"{data.get('date', '')} {data.get('time', '')}".strip()
    return _("New time agreed: %(when)s", when=when)


def _consent(data: Data, words: Words) -> str:
    title = f"{data['purpose']} {words.consent(data['purpose'])}"
    if data["decision"] == "yes":
        return _("Consent, yes: %(title)s", title=title)
    return _("Consent, no: %(title)s", title=title)


def _withdraw(data: Data, words: Words) -> str:
    title = f"{data['purpose']} {words.consent(data['purpose'])}"
    return _("Consent withdrawn: %(title)s", title=title)


def _return(data: Data, words: Words) -> str:
    points = "; ".join(f"{words.item(one['item'])}: {one['text']}" for one in data["points"])
    return _("Returned: %(points)s", points=points)


def _approve(data: Data, words: Words) -> str:
    comment = data["comment"]
    return _("Approved: %(comment)s", comment=comment) if comment else _("Approved")


def _choose(data: Data, words: Words) -> str:
    field, value = data["field"], data["value"]
    if field.startswith("answer."):
        item = field.removeprefix("answer.")
        said = words.answer(item, value) if value else _("No answer")
        return _("Chose for %(item)s: %(value)s", item=words.item(item), value=said)
    if isinstance(value, list):
        value = ", ".join(words.person(one) for one in value)
    if field == "language":
        value = language_name(value)
    return _("Resolved a conflict: %(value)s", value=value)


def _follow_up_answer(data: Data, words: Words) -> str:
    if data["done"]:
        return _("Answered a follow-up and closed it: %(text)s", text=data["text"])
    return _("Answered a follow-up: %(text)s", text=data["text"])


_KINDS: Mapping[str, Callable[[Data, Words], str]] = {
    "tenancy.register": lambda data, words: _("Registered the tenancy"),
    "tenancy.protect": lambda data, words: _("Handed over to the supervisor"),
    "visit.plan": lambda data, words: _("Planned the visit"),
    "visit.open": lambda data, words: _("Opened a visit"),
    "visit.assign": _assign,
    "visit.language": lambda data, words: _(
        "Language: %(language)s", language=language_name(data["language"])
    ),
    "visit.answer": _answer,
    "visit.tick": _tick,
    "visit.note": _note,
    "visit.photo": lambda data, words: _("Photo: %(item)s", item=words.item(data["item"])),
    "visit.follow_up": _follow_up,
    "visit.attempt": _attempt,
    "visit.consent": _consent,
    "visit.withdraw": _withdraw,
    "visit.retract": lambda data, words: _("Struck something out"),
    "visit.close": lambda data, words: _("Finished the visit"),
    "visit.reopen": lambda data, words: _("Opened the visit again"),
    "visit.approve": _approve,
    "visit.return": _return,
    "visit.cancel": lambda data, words: _("Cancelled the visit"),
    "visit.choose": _choose,
    "follow_up.answer": _follow_up_answer,
}
