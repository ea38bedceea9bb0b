"""Texts of the guide as a tenant is given them: in their language beside the Swedish, filled with the
company's facts, each saying whether a native speaker has reviewed it.

Invariant: a text that is missing in a language is shown in Swedish and says so; a number is never
divided at the end of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pwa.guide.fill import localise
from pwa.guide.format import Guide
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.visits.view_texts import put_in

_INSIDE = re.compile(r"(?<=[0-9])[ –-](?=[0-9])")
# A no-break space; a dash between word joiners.
_KEPT = {" ": "\u00a0", "-": "\u2060-\u2060", "–": "\u2060–\u2060"}

CARD = "missed_card"
MESSAGES = (
    "message_booking", "message_reminder", "message_rebooked", "message_not_reached", CARD,
    "message_done",
)  # fmt: skip


def printable(
    guide: Guide, tags: Iterable[str], key: str, facts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """`texts_in`, with each number, date and telephone number in one piece: half a number at the end of
    a line is a wrong number, from right to left above all. Not for texts that are copied elsewhere."""
    return [
        {**one, "text": _INSIDE.sub(lambda sign: _KEPT[sign[0]], one["text"])}
        for one in texts_in(guide, tags, key, facts)
    ]


def tags_of(guide: Guide, language: str) -> list[str]:
    """The tenant's language, where the guide has it, and then Swedish."""
    return list(dict.fromkeys((language if language in guide.languages else ORIGINAL, ORIGINAL)))


def texts_in(
    guide: Guide, tags: Iterable[str], key: str, facts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """{tag, dir, text, mark, mark_tag, mark_dir} of a text in each language: `mark` says, in that
    language, that no native speaker has reviewed the text, or that it is missing and Swedish."""
    found = []
    for tag in tags:
        text = guide.text(tag, key)
        texts = guide.languages[text.language_used].texts
        own = guide.languages[tag].texts
        direction = LANGUAGES[text.language_used].direction
        fallback = texts.get("ask_landlord", "")
        mark = own.get(f"label.{text.state}", "") if text.state in ("machine", "translated") else ""
        if text.language_used != tag:
            mark = own.get("label.shown_in_swedish", "")
        found.append(
            {
                "tag": text.language_used,
                "dir": direction,
                "text": put_in(text.text, localise(facts, texts), fallback, direction),
                "mark": mark,
                "mark_tag": tag,
                "mark_dir": LANGUAGES[tag].direction,
            }
        )
    return found


def messages_for(
    guide: Guide, language: str, facts: Mapping[str, str], day: str, time: str
) -> list[dict[str, Any]]:
    """{key, name, texts} of each message to a tenant that can be written now: one that names the day or
    time of the visit only when there is one."""
    tags = tags_of(guide, language)
    context = {
        "visit.date": date.fromisoformat(day).isoformat() if day else "",
        "visit.time": time,
    }
    rows = []
    for key in MESSAGES:
        raw = guide.languages[ORIGINAL].texts[f"notice.{key}.text"]
        if all(context[name] or f"{{{name}}}" not in raw for name in context):
            rows.append(
                {
                    "key": key,
                    "name": guide.languages[ORIGINAL].texts[f"notice.{key}.title"],
                    "texts": texts_in(guide, tags, f"notice.{key}.text", {**facts, **context}),
                }
            )
    return rows
