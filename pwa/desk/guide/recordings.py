"""The recordings of one language: what is recorded, which no longer fit their text, add, listen, remove.

Invariant: exactly those who may change a language's texts may record them; no tenant is on the
page. A rejected file leaves the earlier recording in use. What phones fetch is here too, for anyone
who is signed in: a colleague's voice is no public file.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from pwa.desk.parts import staff
from pwa.desk.parts.guide_words import words_for
from pwa.desk.parts.language_names import language_name
from pwa.guide.languages import LANGUAGES
from pwa.problems import Problem
from pwa.publishing import recordings
from pwa.publishing.acts import may_change
from pwa.services import get_services
from pwa.web.access import SIGNED_IN, get_current_user, requires

blueprint = Blueprint("recordings", __name__)


@blueprint.get("/desk/guide/<language>/recordings")
@requires("guide.review")
def page(language: str) -> ResponseReturnValue:
    return _page(language)


@blueprint.post("/desk/guide/<language>/recordings/<key>")
@requires("guide.review")
def add(language: str, key: str) -> ResponseReturnValue:
    user = _speaker(language)
    uploaded = request.files.get("file")
    octets = b""
    if uploaded:
        octets = uploaded.read(recordings.BYTES_MAX + 1)
        uploaded.close()
    services = get_services()
    try:
        if not octets:
            raise Problem("audio_none")
        with services.databases.writing() as db:
            recordings.add_recording(
                db, services.guide, language, key, octets, user, services.now()
            )
    except Problem as problem:
        if problem.code == "not_found":
            raise
        return _page(language, key, problem), problem.entry.status
    return redirect(f"/desk/guide/{language}/recordings#{key}", 303)


@blueprint.post("/desk/guide/<language>/recordings/<key>/remove")
@requires("guide.review")
def remove(language: str, key: str) -> ResponseReturnValue:
    user = _speaker(language)
    services = get_services()
    with services.databases.writing() as db:
        recordings.end_recording(db, language, key, user, services.now())
    return redirect(f"/desk/guide/{language}/recordings#{key}", 303)


@blueprint.get("/recordings/<language>.json")
@requires(SIGNED_IN)
def listed(language: str) -> ResponseReturnValue:
    """The recordings that phones of this language play."""
    services = get_services()
    if language not in services.guide.languages:
        raise Problem("not_found")
    with services.databases.reading() as db:
        found = recordings.list_for_phones(db, services.guide, language)
    return jsonify(language=language, recordings=found)


@blueprint.get("/recordings/<sha256>")
@requires(SIGNED_IN)
def sound(sha256: str) -> Response:
    with get_services().databases.reading() as db:
        found = recordings.read_bytes(db, sha256)
    if found is None:
        raise Problem("not_found")
    return Response(found[1], content_type=found[0])


def _speaker(language: str) -> str:
    """The id of who is signed in, if they may record this language."""
    user = get_current_user()
    if language not in get_services().guide.languages:
        raise Problem("not_found")
    if not may_change(user, language):
        raise Problem("no_right")
    return user.id


def _page(language: str, key: str = "", problem: Problem | None = None) -> str:
    services = get_services()
    guide = services.guide
    if language not in guide.languages:
        raise Problem("not_found")
    with services.databases.reading() as db:
        found = recordings.find_recordings(db, guide, language)
        spoken = recordings.words_of(db, guide, language)
        names = staff.names(db)
    words = words_for(guide, names)
    heads = {
        **{one: f"{one}.label" for one in guide.items},
        **{one: f"{one}.title" for one in guide.consents},
    }
    rows = [
        {
            "key": one,
            "name": words.text(heads.get(one, f"{one}.title")),
            "texts": words_read.texts,
            "recording": found.get(one),
            "by": names.get(found[one].by, "") if one in found else "",
            "problem": problem if one == key else None,
        }
        for one, words_read in spoken.items()
    ]
    known = LANGUAGES[language]
    return render_template(
        "desk/recordings.html",
        language={
            "tag": language,
            "name": language_name(language),
            "autonym": known.autonym,
            "dir": known.direction,
        },
        rows=rows,
        recorded=sum(one.fits for one in found.values()),
        may_record=may_change(get_current_user(), language),
    )
