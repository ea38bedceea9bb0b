"""The company's facts at the desk: what is set where, what is missing, what tenants then read.

Invariant: only values that a text can name are stored (Setting.accepts); a rejected value stays in
its field with the reason; the history of changes is kept. The preview shows every text that names a
fact, with the value that is typed and not yet stored. No fact has an invented default: one that is
not set is listed, with the texts that then say "ask your landlord".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlite_utils import Database

from pwa.desk.parts import staff
from pwa.desk.parts.guide_words import queue_name
from pwa.desk.parts.language_names import language_name
from pwa.desk.parts.levels import Level, level_of
from pwa.guide.fill import localise, placeholders
from pwa.guide.format import Guide
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.guide.setting import Setting
from pwa.homes import company
from pwa.homes.files.cells import clean
from pwa.messages import N_
from pwa.problems import Problem
from pwa.services import get_services
from pwa.visits.view_texts import put_in
from pwa.web.access import get_current_user, requires
from pwa.web.i18n import interface_language
from sync.shapes import QUEUES

blueprint = Blueprint("company", __name__)

HISTORY_ROWS_MAX = 50

# First part of a fact's name → the card it stands in; the order is that of the page.
GROUPS = {
    "company": ("company",),
    "rent": ("rent",),
    "contract": ("notice", "sublet", "occupants", "insurance"),
    "quiet": ("quiet", "drilling", "disturbance"),
    "laundry": ("laundry",),
    "waste": ("waste", "bulky"),
    "heat": ("heat", "electricity"),
    "safety": ("alarm", "bbq", "ebike", "bike_room"),
    "keys": ("keys", "tag", "lock_change_price", "lockout_fee"),
    "fault": ("fault", "movein"),
    "life": ("influence", "boskola", "senior"),
    "roles": ("roles",),
    "visit": ("visit", "languages"),
    "retention": ("retention",),
    "home": (),  # and everything else
}
# Choices that no text of the guide names yet.
CODES = {
    "ask": N_("ask first"),
    "allowed": N_("allowed"),
    "not_allowed": N_("not allowed"),
    "neutral": N_("neutral"),
}
_GROUP_OF = {part: group for group, parts in GROUPS.items() for part in parts}


@blueprint.get("/desk/company")
@requires("settings")
def page() -> ResponseReturnValue:
    with get_services().databases.reading() as db:
        level = level_of(db, request.args.get("level", ""))
        return _page(db, level, {})


@blueprint.post("/desk/company")
@requires("settings")
def save() -> ResponseReturnValue:
    """Store every field that was changed; all of them, or none when one cannot be.

    Unchanged fields are not written, so a colleague's concurrent edit survives.
    """
    services = get_services()
    with services.databases.reading() as db:
        level = level_of(db, request.form.get("level", ""))
    typed = {
        name: _typed(setting)
        for name, setting in services.guide.settings.items()
        if level.kind in setting.levels and _touched(setting)
    }
    refused = {
        name: value
        for name, value in typed.items()
        if not services.guide.settings[name].accepts(value)
    }
    if refused:
        with services.databases.reading() as db:
            return _page(db, level, typed, refused), 400
    with services.databases.writing() as db:
        count = company.change_settings(
            db, typed, level.scope, by=get_current_user().id, now=services.now()
        )
    if count:
        flash(gettext("Saved. Phones have it after their next contact."), "ok")
    return redirect(f"/desk/company?level={level.scope}#{request.form.get('group', '')[:40]}", 303)


@blueprint.get("/desk/company/preview")
@requires("settings")
def preview() -> ResponseReturnValue:
    """Every text that names a fact, in Swedish and another language, with what is typed."""
    services = get_services()
    name = request.args.get("name", "")
    language = request.args.get("language", "")
    if name not in services.guide.settings:
        raise Problem("not_found")
    if language not in services.guide.languages:
        language = _other_language(services.guide)
    value = _typed(services.guide.settings[name], request.args)
    with services.databases.reading() as db:
        level = level_of(db, request.args.get("level", ""))
        facts = company.settings_for(db, level.area, level.building)
    accepted = services.guide.settings[name].accepts(value)
    if accepted:
        facts = {**facts, name: value} if value else _without(facts, name)
    return render_template(
        "desk/company_preview.html",
        accepted=accepted,
        texts=texts_with(services.guide, name, facts, language),
        language={"tag": language, "dir": LANGUAGES[language].direction},
    )


# --- what the page shows -----------------------------------------------------------------


def _page(db: Database, level: Level, typed: Mapping[str, str], refused: Iterable[str] = ()) -> str:
    guide = get_services().guide
    areas, buildings = company.places(db)
    own = company.settings_of(db, level.scope)
    in_force = company.settings_for(db, level.area, level.building)
    above = (
        {}
        if level.kind == "company"
        else company.settings_for(db, level.area if level.kind == "building" else "", "")
    )
    history = company.history(db, level.scope, HISTORY_ROWS_MAX)
    names = staff.names(db)
    used = {name: keys_with(guide, name) for name in guide.settings}
    groups: dict[str, list[dict[str, Any]]] = {group: [] for group in GROUPS}
    for name, setting in guide.settings.items():
        if level.kind not in setting.levels:
            continue
        groups[_GROUP_OF.get(name.partition(".")[0], "home")].append(
            {
                "name": name,
                "label": label_of(setting),
                "type": setting.type,
                "value": typed.get(name, own.get(name, "")),
                "stored": own.get(name, ""),
                "above": value_words(guide, setting, above.get(name, "")),
                "own": name in own,
                "used": len(used[name]),
                "refused": name in refused,
                "options": options_of(guide, setting),
            }
        )
    return render_template(
        "desk/company.html",
        level=level,
        areas=areas,
        buildings=sorted(buildings),
        groups={group: rows for group, rows in groups.items() if rows},
        refused=[{"name": name, "label": label_of(guide.settings[name])} for name in refused],
        missing=[
            {"name": name, "label": label_of(setting), "used": len(used[name])}
            for name, setting in guide.settings.items()
            if used[name] and not in_force.get(name)
        ],
        languages=[
            {"tag": tag, "name": language_name(tag)} for tag in guide.languages if tag != ORIGINAL
        ],
        language=_other_language(guide),
        history=[
            {
                **one,
                "by": names.get(one["by"], ""),
                "label": label_of(guide.settings[one["name"]])
                if one["name"] in guide.settings
                else one["name"],
            }
            for one in history
        ],
    )


def _typed(setting: Setting, form: Mapping[str, Any] | None = None) -> str:
    """The value of a fact in the form; several boxes are one value with commas."""
    source: Any = request.form if form is None else form
    if setting.type in ("choices", "languages"):
        return ",".join(source.getlist(setting.key))
    # Pasted text can hold invisible characters.
    return clean(str(source.get(setting.key, "")))[:300]


def _touched(setting: Setting) -> bool:
    """Whether the form has the fact, with another value than its page showed."""
    shown = request.form.get(f"was.{setting.key}")
    if shown is None:
        return False
    typed = _typed(setting)
    if setting.type in ("choices", "languages"):
        return sorted(typed.split(",")) != sorted(shown.split(","))
    return typed != shown.strip()


def label_of(setting: Setting) -> str:
    """What the fact is called, in the reader's language."""
    queue = {"queue": queue_name(setting.queue)} if setting.queue else {}
    return str(gettext(setting.label, **queue))


def options_of(guide: Guide, setting: Setting) -> list[dict[str, str]]:
    """The values to choose among, with their words; empty where a value is typed."""
    if setting.type in ("choice", "choices"):
        return [
            {"code": code, "label": value_words(guide, setting, code)} for code in setting.choices
        ]
    if setting.type == "languages":
        return [{"code": tag, "label": language_name(tag)} for tag in guide.languages]
    if setting.type == "role":
        return [{"code": code, "label": queue_name(code)} for code in QUEUES]
    return []


def value_words(guide: Guide, setting: Setting, value: str) -> str:
    """A value in the reader's words, as far as the guide has words for it."""
    if setting.type == "languages":
        return ", ".join(language_name(tag) for tag in value.split(",") if tag)
    if setting.type == "role":
        return queue_name(value) if value else ""
    language = interface_language()
    texts = guide.languages[language if language in guide.languages else ORIGINAL].texts
    words = localise({setting.key: value}, texts)[setting.key]
    # No text names this choice, so the guide has no words for it; for yes and no it has.
    if words == value:
        words = texts.get(f"answer.{value}") or str(gettext(CODES.get(value, value)))
    return words


def keys_with(guide: Guide, name: str) -> list[str]:
    """Keys of the texts that name a fact."""
    texts = guide.languages[ORIGINAL].texts
    return [key for key in guide.text_keys if name in placeholders(texts.get(key, ""))]


def texts_with(
    guide: Guide, name: str, facts: Mapping[str, str], language: str
) -> list[dict[str, str]]:
    """{key, original, text} of each text that names a fact, filled in with `facts`."""
    found = []
    for key in keys_with(guide, name):
        row = {"key": key}
        for part, tag in (("original", ORIGINAL), ("text", language)):
            texts = guide.languages[tag].texts
            fallback, direction = texts.get("ask_landlord", ""), LANGUAGES[tag].direction
            row[part] = put_in(texts.get(key, ""), localise(facts, texts), fallback, direction)
            row[f"{part}_missing"] = "" if key in texts else "missing"
        found.append(row)
    return found


def _other_language(guide: Guide) -> str:
    language = interface_language()
    return language if language in guide.languages and language != ORIGINAL else "en"


def _without(facts: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in facts.items() if key != name}
