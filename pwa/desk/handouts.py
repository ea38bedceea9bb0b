"""What a tenant is given to read: the boendeguide, and messages before and after a visit.

Invariant: every text stands in the tenant's language beside the Swedish, filled with the
company's facts for the home, and says itself whether a native speaker has looked at it. The
boendeguide holds nothing of any tenant, so its address may be sent and kept: it shows what is
published now. It refuses to send anything: what is written here is copied by a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from pwa.desk.company import level_of, places
from pwa.desk.parts.languages import language_name
from pwa.desk.parts.reading import log_reading
from pwa.guide.fill import localise, placeholders
from pwa.guide.format import Guide
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.homes import company
from pwa.people.accounts import INTERFACE_LANGUAGES
from pwa.problems import Problem
from pwa.services import get_services
from pwa.visits.submitting import load_visit
from pwa.visits.view_texts import language_view, put_in
from pwa.web.access import get_current_user, public, requires
from pwa.web.i18n import direction, locale_of
from sync.apply import value_of

blueprint = Blueprint("handing", __name__)

_INSIDE = re.compile(r"(?<=[0-9])[ –-](?=[0-9])")
# A no-break space; a dash between word joiners.
_KEPT = {" ": "\u00a0", "-": "\u2060-\u2060", "–": "\u2060–\u2060"}

CARD = "missed_card"
MESSAGES = (
    "message_booking", "message_reminder", "message_rebooked", "message_not_reached", CARD,
    "message_done",
)  # fmt: skip


@blueprint.get("/desk/boendeguide")
@requires("guide.review", "visits")
def choose() -> ResponseReturnValue:
    """Language, sections and home of the boendeguide to be handed over."""
    guide = get_services().guide
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
    guide = get_services().guide
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
    services = get_services()
    guide = services.guide
    if language not in guide.languages:
        raise Problem("not_found")
    level = level_of(request.args.get("level", ""))
    wanted = request.args.getlist("section")
    with services.databases.reading() as db:
        facts = company.settings_for(db, level.area, level.building)
    tags = tags_of(guide, language)
    sections = [
        section_of(guide, key, tags, facts)
        for key in handed_sections(guide)
        if not wanted or key in wanted
    ]
    response = _page("boendeguide", tags, facts, sections=sections, law_as_of=guide.law_as_of)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/desk/visits/<id>/card")
@requires("visits")
def missed_card(id: str) -> ResponseReturnValue:
    """The card that says that we were here and when we come again, to print and leave."""
    services, user = get_services(), get_current_user()
    with services.databases.reading() as db:
        file = load_visit(db, user, id)
    day, time = value_of(file.record, "date", ""), value_of(file.record, "time", "")
    if not day or not time:
        raise Problem("not_found")
    log_reading(user, id)
    home = file.tenancy["fields"] if file.tenancy else {}
    with services.databases.reading() as db:
        facts = company.settings_for(db, home.get("area", ""), home.get("building", ""))
    chosen = value_of(file.record, "language", "") or home.get("language", "")
    tags = tags_of(services.guide, chosen)
    # An invitation to a place nobody has named is none.
    named = placeholders(services.guide.languages[ORIGINAL].texts[f"notice.{CARD}.boskola"])
    known = all(facts.get(name) for name in named)
    also = printed(services.guide, tags, f"notice.{CARD}.boskola", facts) if known else []
    return _page(CARD, tags, {**facts, "visit.date": day, "visit.time": time}, also=also)


def _page(notice: str, tags: Sequence[str], facts: Mapping[str, str], **shown: Any) -> Response:
    """The page for the tenant that begins with a notice and has the template of the same name.

    Its reader is the tenant, whoever is signed in: what the page itself says is in their language.
    """
    guide = get_services().guide
    interface = tags[0] if tags[0] in INTERFACE_LANGUAGES else ORIGINAL
    with force_locale(locale_of(interface)):
        return make_response(
            render_template(
                f"desk/{notice}.html",
                lang=interface,
                dir=direction(interface),
                tags=tags,
                tongues=[language_view(tag) for tag in tags],
                title=printed(guide, tags, f"notice.{notice}.title", facts),
                text=printed(guide, tags, f"notice.{notice}.text", facts),
                company=facts.get("company.name", ""),
                web=facts.get("company.web", ""),
                phone=facts.get("company.phone", ""),
                **shown,
            )
        )


def printed(
    guide: Guide, tags: Iterable[str], key: str, facts: Mapping[str, str]
) -> list[dict[str, Any]]:
    """`both`, with each number, date and telephone number in one piece: half a number at the end of
    a line is a wrong number, from right to left above all. What is copied elsewhere is left alone."""
    return [
        {**one, "text": _INSIDE.sub(lambda sign: _KEPT[sign[0]], one["text"])}
        for one in both(guide, tags, key, facts)
    ]


def tags_of(guide: Guide, language: str) -> list[str]:
    """The tenant's language, where the guide has it, and then Swedish."""
    return list(dict.fromkeys((language if language in guide.languages else ORIGINAL, ORIGINAL)))


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
        "heading": printed(guide, tags, f"{key}.title", facts),
        "items": [
            {
                "key": item.key,
                "pictogram": item.pictogram,
                "verify": bool(item.law and item.law.verify),
                "label": printed(guide, tags, f"{item.key}.label", facts),
                "explain": printed(guide, tags, f"{item.key}.explain", facts),
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
                    "texts": both(guide, tags, f"notice.{key}.text", {**facts, **context}),
                }
            )
    return rows
