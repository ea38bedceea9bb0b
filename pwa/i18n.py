"""Which language a page speaks, and which way it runs.

Invariant: the language of an answer is one of `INTERFACE_LANGUAGES`: the person's own choice,
else the browser session's, else the best of Accept-Language, else Swedish. The direction
comes from the language code alone. It refuses to guess a language from a name or a place.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, has_request_context, request, session
from flask_babel import Babel, get_locale, to_user_timezone

from pwa.access import find_current_user
from pwa.accounts import INTERFACE_LANGUAGES

DEFAULT_LANGUAGE = "sv"
AUTONYMS = {"sv": "svenska", "en": "English", "ar": "العربية"}
SESSION_KEY = "language"

# Languages of ours written in Arabic letters. CLDR knows more; nothing else is offered here.
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "ckb", "ps", "ur", "he"})


def direction(language: str) -> str:
    """ "rtl" or "ltr" for a language tag such as `fa-AF`."""
    return "rtl" if language.replace("_", "-").split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def interface_language() -> str:
    """The language of the current answer."""
    locale = get_locale()
    return str(locale.language) if locale else DEFAULT_LANGUAGE


def select_language() -> str:
    """The language to answer in, see the module's invariant."""
    if not has_request_context():
        return DEFAULT_LANGUAGE
    user = find_current_user()
    chosen = (user.interface_language if user else "") or session.get(SESSION_KEY, "")
    if chosen in INTERFACE_LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(INTERFACE_LANGUAGES) or DEFAULT_LANGUAGE


def moment(at: str) -> str:
    """An ISO 8601 time as "2026-11-22 14:05" in the company's zone, in every language: CLDR's
    English is American here, and Latin digits are what everyone reads on a Swedish calendar."""
    return str(to_user_timezone(datetime.fromisoformat(at)).strftime("%Y-%m-%d %H:%M"))


def install(app: Flask, zone: str) -> None:
    """Wire Flask-Babel into `app` and lend templates `lang`, `dir` and the language chooser."""
    Babel(
        app,
        default_locale=DEFAULT_LANGUAGE,
        default_timezone=zone,
        locale_selector=select_language,
    )
    app.jinja_env.filters["moment"] = moment

    @app.context_processor
    def lend() -> dict[str, Any]:
        language = interface_language()
        return {
            "lang": language,
            "dir": direction(language),
            "interface_languages": [
                {
                    "tag": tag,
                    "autonym": AUTONYMS[tag],
                    "dir": direction(tag),
                    "chosen": tag == language,
                }
                for tag in INTERFACE_LANGUAGES
            ],
        }
