"""Publishing the draft of the guide: what would change, and the one button that does it.

Invariant: what is published is what the page showed (its hash comes back with the form); visits
already begun keep the version they name. A version is the whole guide, never a part.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from pwa.desk.guide.lists import owner_name, topics
from pwa.desk.parts import staff
from pwa.desk.parts.guide_words import doubts_about, words_for
from pwa.desk.parts.language_names import language_name
from pwa.guide.languages import LANGUAGES
from pwa.publishing.difference import changes, counts, renumbered
from pwa.publishing.versions import draft_guide, publications, publish
from pwa.services import get_services
from pwa.web.access import get_current_user, may, requires

blueprint = Blueprint("guide_publish", __name__)

CHANGES_MAX = 500  # on one page; the counts are always whole
PUBLICATIONS_MAX = 20


@blueprint.get("/desk/guide/publish")
@requires("guide.review")
def page() -> ResponseReturnValue:
    services = get_services()
    with services.databases.reading() as db:
        draft = draft_guide(db, services.baseline)
        past = publications(db)
        people = staff.names(db)
    found = changes(services.guide, draft)
    words = words_for(services.guide, people)
    owners = {topic.key: owner_name(draft, words, topic) for topic in topics(draft)}
    return render_template(
        "desk/guide_publish.html",
        seen=draft.version,
        languages=[
            {
                "name": language_name(tag),
                "autonym": LANGUAGES[tag].autonym,
                "tag": tag,
                "dir": LANGUAGES[tag].direction,
                **count,
                "changes": [
                    {"change": one, "owner": owners.get(one.key, "")}
                    for one in found[:CHANGES_MAX]
                    if one.language == tag
                ],
            }
            for tag, count in counts(found).items()
        ],
        total=len(found),
        consents=[
            {"title": words.consent(one.consent), "old": one.old, "new": one.new}
            for one in renumbered(services.guide, draft)
        ],
        doubts=[
            {"name": language_name(one.language), "key": one.key, "problem": problem}
            for one in found[:CHANGES_MAX]
            if one.reworded
            for problem in doubts_about(draft, one.language, one.key, one.new)
        ],
        may_publish=may(get_current_user(), "guide.publish"),
        past=[{**one, "person": people.get(one["by"], "")} for one in past[:PUBLICATIONS_MAX]],
    )


@blueprint.post("/desk/guide/publish")
@requires("guide.publish")
def send() -> ResponseReturnValue:
    services = get_services()
    seen = request.form.get("seen", "")
    with services.databases.writing() as db:
        published = publish(db, services.baseline, get_current_user().id, seen, services.now())
    services.guide = published
    flash(gettext("Published. Phones get it at their next contact."))
    return redirect("/desk/guide", 303)
