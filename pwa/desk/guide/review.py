"""The guide's texts at the desk: how much of each language is reviewed, and one language text by text.

Invariant: a page shows the draft, and marks each text that phones do not have yet; no tenant and no
visit is on it, so that anyone who speaks a language may review it. What may be done with a text is
decided in pwa/publishing/acts.py; here only what is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlite_utils import Database

from pwa.desk.guide import text_filters
from pwa.desk.guide.lists import FILTERS, Known, Topic, chosen, line, listed, owner_name, topics
from pwa.desk.parts import staff
from pwa.desk.parts.forms import back_to
from pwa.desk.parts.guide_words import Words, doubts_about, words_for
from pwa.desk.parts.language_names import language_name
from pwa.desk.parts.paging import count_pages, page_asked
from pwa.guide.format import Guide
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.publishing import events
from pwa.publishing.acts import Place, act, may_approve, may_change, place
from pwa.publishing.difference import changes
from pwa.publishing.events import Event
from pwa.publishing.overlay import Entries, outdated
from pwa.publishing.versions import draft_guide, published_until
from pwa.services import get_services
from pwa.web import htmx
from pwa.web.access import get_current_user, requires

blueprint = Blueprint("guide_review", __name__)
text_filters.register_filters(blueprint)

TEXTS_PER_PAGE = 20
SHOWN_IN_PLACE = ("guide_text", "guide_changed", "guide_speaker")


@dataclass(frozen=True, slots=True)
class Desk:
    """The draft and its history, read in one transaction."""

    draft: Guide
    entries: Entries
    drafts: Mapping[str, frozenset[str]]
    originals: Mapping[str, str]
    until: int

    def outdated(self, tag: str) -> frozenset[str]:
        return frozenset(outdated(get_services().baseline, self.draft, self.entries, tag))


def read_desk(db: Database) -> Desk:
    """The draft as it stands in `db`, and the keys in which it differs from what phones have."""
    services = get_services()
    draft = draft_guide(db, services.baseline)
    differing: dict[str, set[str]] = {}
    for change in changes(services.guide, draft):
        differing.setdefault(change.language, set()).add(change.key)
    return Desk(
        draft=draft,
        entries=events.entries(db),
        drafts={tag: frozenset(differing.get(tag, ())) for tag in draft.languages},
        originals=events.originals(db),
        until=published_until(db),
    )


@blueprint.get("/desk/guide")
@requires("guide.review")
def overview() -> ResponseReturnValue:
    user = get_current_user()
    with get_services().databases.reading() as db:
        desk = read_desk(db)
    order = [tag for tag in LANGUAGES if tag in desk.draft.languages]
    lines = [line(desk.draft, tag, len(desk.outdated(tag)), len(desk.drafts[tag])) for tag in order]
    return render_template(
        "desk/guide.html",
        lines=[
            {"line": one, "name": language_name(one.tag), "mine": may_change(user, one.tag)}
            for one in lines
        ],
        drafts=sum(one.drafts for one in lines),
        law_as_of=desk.draft.law_as_of,
    )


@blueprint.get("/desk/guide/<language>")
@requires("guide.review")
def one(language: str) -> ResponseReturnValue:
    show = request.args.get("show", "all")
    section = request.args.get("section", "")
    number = page_asked(request.args)
    if show not in FILTERS or number is None:
        raise Problem("not_found")
    with get_services().databases.reading() as db:
        desk = read_desk(db)
        history = events.history(db, language)
        words = words_for(get_services().guide, staff.names(db))
    if language not in desk.draft.languages or section not in ("", *desk.draft.sections):
        raise Problem("not_found")
    known = _known(desk, history, language)
    every = listed(desk.draft, language, section)
    found = chosen(every, known, show)
    pages = count_pages(len(found), TEXTS_PER_PAGE)
    page = min(number, pages)
    some = found[(page - 1) * TEXTS_PER_PAGE : page * TEXTS_PER_PAGE]
    return render_template(
        "desk/guide_language.html",
        language=_language(language),
        rows=[_row(desk, history, known, words, topic, spot) for topic, spot in some],
        total=len(found),
        show=show,
        section=section,
        filters=[(name, len(chosen(every, known, name))) for name in FILTERS],
        sections=[
            {"key": key, "number": each.number, "title": words.text(f"{key}.title")}
            for key, each in desk.draft.sections.items()
        ],
        page=page,
        pages=pages,
        back=request.full_path,
        may_import=may_change(get_current_user(), language) and language != ORIGINAL,
    )


@blueprint.post("/desk/guide/<language>/<key>")
@requires("guide.review")
def change(language: str, key: str) -> ResponseReturnValue:
    """Approve, correct, comment or undo; the text as it is afterwards."""
    services, user = get_services(), get_current_user()
    problem = None
    try:
        with services.databases.writing() as db:
            act(
                db,
                services.baseline,
                services.guide,
                user,
                (language, key),
                request.form,
                services.now(),
            )
    except Problem as refused:
        if refused.code not in SHOWN_IN_PLACE:
            raise
        problem = refused
    if problem is None and not htmx.is_fragment():
        return redirect(back_to(f"/desk/guide/{language}") + f"#t-{key.replace('.', '-')}", 303)
    return _answer(language, key, problem)


def _answer(language: str, key: str, problem: Problem | None) -> ResponseReturnValue:
    with get_services().databases.reading() as db:
        desk = read_desk(db)
        history = events.history(db, language)
        words = words_for(get_services().guide, staff.names(db))
    topic = next(one for one in topics(desk.draft) if one.key == key)
    spot = place(desk.draft, language, key)
    row = _row(desk, history, _known(desk, history, language), words, topic, spot)
    # A rejected correction stays in its box, beside what somebody else wrote meanwhile.
    typed = request.form.get("text", "") if problem is not None else ""
    template = "desk/guide_text.html" if htmx.is_fragment() else "desk/guide_one.html"
    page = render_template(
        template,
        row=row,
        typed=typed,
        problem=problem,
        language=_language(language),
        back=back_to(f"/desk/guide/{language}"),
    )
    response = make_response(page)
    if problem is not None:
        response.status_code = problem.entry.status
    return response


def _language(tag: str) -> dict[str, str]:
    known = LANGUAGES[tag]
    return {
        "tag": tag,
        "name": language_name(tag),
        "autonym": known.autonym
        if known.autonym.casefold() != language_name(tag).casefold()
        else "",
        "dir": known.direction,
        "original": "1" if tag == ORIGINAL else "",
    }


def _known(desk: Desk, history: Mapping[str, Iterable[Event]], language: str) -> Known:
    return Known(
        outdated=desk.outdated(language),
        drafts=desk.drafts[language],
        commented=frozenset(
            key for key, acts in history.items() if any(one.comment for one in acts)
        ),
    )


def _row(
    desk: Desk,
    history: Mapping[str, Iterable[Event]],
    known: Known,
    words: Words,
    topic: Topic,
    spot: Place,
) -> dict[str, Any]:
    user = get_current_user()
    review = desk.draft.languages[spot.language].reviews.get(spot.key)
    stale = spot.key in known.outdated
    return {
        "topic": topic,
        "spot": spot,
        "owner": owner_name(desk.draft, words, topic),
        "state": spot.state or "missing",
        "outdated": stale,
        "compared_with": _compared_with(desk, spot) if stale else "",
        "doubts": doubts_about(desk.draft, spot.language, spot.key, spot.text) if spot.text else [],
        "draft": spot.key in known.drafts,
        "reviewer": review.by if review and spot.state == "reviewed" else "",
        "reviewed_at": review.at[:10] if review and spot.state == "reviewed" else "",
        "history": [_event(one, words, desk.until) for one in history.get(spot.key, ())],
        "may": _rights(user, spot, spot.key in known.drafts),
    }


def _compared_with(desk: Desk, spot: Place) -> str:
    """The Swedish text that a translation was last compared with; "" where it is not stored."""
    entry = desk.entries.get((spot.language, spot.key))
    review = desk.draft.languages[spot.language].reviews.get(spot.key)
    baseline = get_services().baseline
    released = baseline.original_hash(spot.key)
    of = entry.of if entry else review.of if review else released
    if of == released:
        return baseline.languages[ORIGINAL].texts[spot.key]
    return desk.originals.get(of, "")


def _rights(user: User, spot: Place, draft: bool) -> dict[str, bool]:
    published = get_services().guide.languages.get(spot.language)
    return {
        "change": may_change(user, spot.language),
        "undo": draft and published is not None and spot.key in published.texts,
        "approve": may_approve(user, spot.language)
        and spot.state not in ("", "reviewed", "original"),
    }


def _event(event: Event, words: Words, until: int) -> dict[str, Any]:
    return {
        "event": event,
        "person": words.person(event.by) if event.by else event.reviewer,
        "published": event.id <= until,
        "reworded": event.old_text != event.text,
    }
