"""What a tenant is given to read: the boendeguide, and messages before and after a visit.

Invariant: every text stands in the tenant's language beside the Swedish, filled with the
company's facts for the home, and says itself whether a native speaker has looked at it. The
boendeguide holds nothing of any tenant, so its address may be sent and kept: it shows what is
published now. It refuses to send anything: what is written here is copied by a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from pwa import company
from pwa.access import public, requires
from pwa.accounts import INTERFACE_LANGUAGES
from pwa.desk.company_page import level_of, places
from pwa.desk.languages import language_name
from pwa.guide.fill import localise
from pwa.guide.format import Guide
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.i18n import direction, locale_of
from pwa.problems import Problem
from pwa.services import services
from pwa.view_texts import put_in

blueprint = Blueprint("handing", __name__)

MESSAGES = (
    "message_booking", "message_reminder", "message_rebooked", "message_not_reached", "missed_card",
    "message_done",
)  # fmt: skip


@blueprint.get("/desk/boendeguide")
@requires("guide.review", "visits")
def choose() -> ResponseReturnValue:
    """Language, sections and home of the boendeguide to be handed over."""
    guide = services().guide
    language = request.args.get("language", "")
    areas, buildings = places()
    return render_template(
        "desk/boendeguide_choose.html",
        languages=[
            {"tag": tag, "name": language_name(tag), "autonym": LANGUAGES[tag].autonym}
            for tag in guide.languages
        ],
        language=language if language in guide.languages else ORIGINAL,
        sections=[
            {"key": key, "title": guide.languages[ORIGINAL].texts[f"{key}.title"]}
            for key in handed_sections(guide)
        ],
        areas=areas,
        buildings=sorted(buildings),
        level=request.args.get("level", ""),
    )


@blueprint.get("/g")
@public
def chosen() -> ResponseReturnValue:
    """From the form to the page's own address, which names only what differs from the whole guide."""
    guide = services().guide
    language = request.args.get("language", "")
    if language not in guide.languages:
        raise Problem("not_found")
    wanted = [key for key in handed_sections(guide) if key in request.args.getlist("section")]
    whole = len(wanted) in (0, len(handed_sections(guide)))
    query = [("section", key) for key in wanted if not whole]
    query += [("level", level)] if (level := request.args.get("level", "")) else []
    address = f"/g/{language}" + (f"?{urlencode(query)}" if query else "")
    return Response(status=303, headers={"Location": address})


@blueprint.get("/g/<language>")
@public
def boendeguide(language: str) -> ResponseReturnValue:
    """The guide in `language` beside Swedish: a page to send, and to print."""
    here = services()
    guide = here.guide
    if language not in guide.languages:
        raise Problem("not_found")
    level = level_of(request.args.get("level", ""))
    wanted = request.args.getlist("section")
    with here.databases.reading() as db:
        facts = company.settings_for(db, level.area, level.building)
    tags = [language] if language == ORIGINAL else [language, ORIGINAL]
    shown = {
        "language": language,
        "tags": tags,
        "title": both(guide, tags, "notice.boendeguide.title", facts),
        "text": both(guide, tags, "notice.boendeguide.text", facts),
        "sections": [
            section_of(guide, key, tags, facts)
            for key in handed_sections(guide)
            if not wanted or key in wanted
        ],
        "company": facts.get("company.name", ""),
        "web": facts.get("company.web", ""),
        "phone": facts.get("company.phone", ""),
        "law_as_of": guide.law_as_of,
    }
    # Its reader is the tenant, whoever is signed in: what the page itself says is in their language.
    interface = language if language in INTERFACE_LANGUAGES else ORIGINAL
    with force_locale(locale_of(interface)):
        page = render_template(
            "desk/boendeguide.html", **shown, lang=interface, dir=direction(interface)
        )
    response = make_response(page)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def handed_sections(guide: Guide) -> list[str]:
    """Sections that tell how to live here; the others are the visit's own."""
    telling = {item.section for item in guide.items.values() if item.kind == "explain"}
    return [key for key in guide.sections if key in telling]


def section_of(
    guide: Guide, key: str, tags: Sequence[str], facts: Mapping[str, str]
) -> dict[str, Any]:
    """One section with its items, in each of `tags`."""
    return {
        "key": key,
        "heading": both(guide, tags, f"{key}.title", facts),
        "items": [
            {
                "key": item.key,
                "pictogram": item.pictogram,
                "verify": bool(item.law and item.law.verify),
                "label": both(guide, tags, f"{item.key}.label", facts),
                "explain": both(guide, tags, f"{item.key}.explain", facts),
            }
            for item in guide.items.values()
            if item.section == key
        ],
    }


def both(
    guide: Guide, tags: Iterable[str], key: str, facts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """{tag, dir, text, mark, mark_tag, mark_dir} in each language: `mark` says in it that nobody has
    reviewed the text, or that it is missing, and then the text is Swedish."""
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
    """{key, texts} of each message to a tenant that can be written now: one that names the day or
    time of the visit only when there is one."""
    known = language if language in guide.languages else ORIGINAL
    tags = list(dict.fromkeys((known, ORIGINAL)))
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
                    "texts": both(guide, tags, f"notice.{key}.text", {**facts, **context}),
                }
            )
    return rows
