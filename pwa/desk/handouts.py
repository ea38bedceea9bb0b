"""What a tenant is given to read: the boendeguide, and the card left at a missed visit.

Invariant: every text stands in the tenant's language beside the Swedish, filled with the company's
facts for the home, and is marked where no native speaker has reviewed it. The boendeguide holds
nothing of any tenant, so its address may be sent and kept: it shows what is published now. Nothing
is sent from here: a person prints or copies it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from pwa.desk.parts.access_log import log_reading
from pwa.desk.parts.language_names import language_name
from pwa.desk.parts.levels import level_of
from pwa.desk.parts.tenant_texts import CARD, printable, tags_of
from pwa.guide.fill import placeholders
from pwa.guide.format import Guide
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.homes import company
from pwa.people.accounts import INTERFACE_LANGUAGES
from pwa.problems import Problem
from pwa.services import get_services
from pwa.visits.submitting import load_visit
from pwa.visits.view_texts import language_view
from pwa.web.access import get_current_user, public, requires
from pwa.web.i18n import direction, locale_of
from sync.apply import value_of

blueprint = Blueprint("handing", __name__)


@blueprint.get("/desk/boendeguide")
@requires("guide.review", "visits")
def choose() -> ResponseReturnValue:
    """Language, sections and home of the boendeguide to be handed over."""
    services = get_services()
    guide = services.guide
    language = request.args.get("language", "")
    with services.databases.reading() as db:
        areas, buildings = company.places(db)
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
    wanted = request.args.getlist("section")
    with services.databases.reading() as db:
        level = level_of(db, request.args.get("level", ""))
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
    """The card to print and leave: that we were here, and when we come again."""
    services, user = get_services(), get_current_user()
    with services.databases.reading() as db:
        file = load_visit(db, user, id)
    day, time = value_of(file.record, "date", ""), value_of(file.record, "time", "")
    if not day or not time:
        raise Problem("not_found")
    log_reading(services, user, id)
    home = file.tenancy["fields"] if file.tenancy else {}
    with services.databases.reading() as db:
        facts = company.settings_for(db, home.get("area", ""), home.get("building", ""))
    chosen = value_of(file.record, "language", "") or home.get("language", "")
    tags = tags_of(services.guide, chosen)
    # An invitation to a place that is not set would have a hole in it.
    named = placeholders(services.guide.languages[ORIGINAL].texts[f"notice.{CARD}.boskola"])
    known = all(facts.get(name) for name in named)
    also = printable(services.guide, tags, f"notice.{CARD}.boskola", facts) if known else []
    return _page(CARD, tags, {**facts, "visit.date": day, "visit.time": time}, also=also)


def _page(notice: str, tags: Sequence[str], facts: Mapping[str, str], **shown: Any) -> Response:
    """The page for the tenant that begins with a notice and has the template of the same name.

    Its reader is the tenant, not the user: the page's own words are in the tenant's language too.
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
                title=printable(guide, tags, f"notice.{notice}.title", facts),
                text=printable(guide, tags, f"notice.{notice}.text", facts),
                company=facts.get("company.name", ""),
                web=facts.get("company.web", ""),
                phone=facts.get("company.phone", ""),
                **shown,
            )
        )


def handed_sections(guide: Guide) -> list[str]:
    """Sections about living here; the others are about the visit itself."""
    explaining = {item.section for item in guide.items.values() if item.kind == "explain"}
    return [key for key in guide.sections if key in explaining]


def section_of(
    guide: Guide, key: str, tags: Sequence[str], facts: Mapping[str, str]
) -> dict[str, Any]:
    """One section with its items, in each of `tags`."""
    return {
        "key": key,
        "heading": printable(guide, tags, f"{key}.title", facts),
        "items": [
            {
                "key": item.key,
                "pictogram": item.pictogram,
                "verify": bool(item.law and item.law.verify),
                "label": printable(guide, tags, f"{item.key}.label", facts),
                "explain": printable(guide, tags, f"{item.key}.explain", facts),
            }
            for item in guide.items.values()
            if item.section == key
        ],
    }
