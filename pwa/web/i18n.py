"""The language of a page, and its direction.

Invariant: the language of an answer is one of `INTERFACE_LANGUAGES`: the person's own choice, else
the browser session's, else the best of Accept-Language, else Swedish. It is never guessed from a name
or a place. The direction follows from the language alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, has_request_context, request, session
from flask_babel import Babel, get_locale, to_user_timezone

from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.people.accounts import INTERFACE_LANGUAGES
from pwa.web.access import find_current_user

DEFAULT_LANGUAGE = ORIGINAL
SESSION_KEY = "language"

# Flask-Babel has locales (fa_AF), everything else has tags (fa-AF). Browsers ask for either: a
# Kurdish one asks for `ku`.
_TAGS = {LANGUAGES[tag].babel: tag for tag in INTERFACE_LANGUAGES}
_ACCEPTED = {
    **{babel.replace("_", "-"): tag for babel, tag in _TAGS.items()},
    **{tag: tag for tag in INTERFACE_LANGUAGES},
}


def direction(language: str) -> str:
    """ "rtl" or "ltr" for the tag of a language; "ltr" for an unknown one."""
    return LANGUAGES[language].direction if language in LANGUAGES else "ltr"


def interface_language() -> str:
    """The tag of the language of the current answer."""
    return _TAGS.get(str(get_locale()), DEFAULT_LANGUAGE)


def locale_of(language: str) -> str:
    """The Babel locale of an interface language's tag, as `force_locale` takes it."""
    return LANGUAGES[language].babel


def select_language() -> str:
    """The tag of the language to answer in; see the top of this module."""
    if not has_request_context():
        return DEFAULT_LANGUAGE
    user = find_current_user()
    chosen = (user.interface_language if user else "") or session.get(SESSION_KEY, "")
    if chosen in INTERFACE_LANGUAGES:
        return str(chosen)
    return _ACCEPTED[request.accept_languages.best_match(_ACCEPTED, DEFAULT_LANGUAGE)]


def moment(at: str) -> str:
    """An ISO 8601 time as "2026-11-22 14:05" in the company's time zone, the same in every language:
    CLDR's English would be American here, and a Swedish calendar has Latin digits. In a right-to-left
    text it is isolated, because its parts would change places after an Arabic word."""
    shown = str(to_user_timezone(datetime.fromisoformat(at)).strftime("%Y-%m-%d %H:%M"))
    return f"\u2066{shown}\u2069" if direction(interface_language()) == "rtl" else shown


def install(app: Flask, zone: str) -> None:
    """Install Flask-Babel in `app`; give templates `lang`, `dir` and the choice of languages."""
    Babel(
        app,
        default_locale=DEFAULT_LANGUAGE,
        default_timezone=zone,
        locale_selector=lambda: locale_of(select_language()),
    )
    app.jinja_env.filters["moment"] = moment

    @app.context_processor
    def add_language() -> dict[str, Any]:
        language = interface_language()
        return {
            "lang": language,
            "dir": direction(language),
            "interface_languages": [
                {
                    "tag": tag,
                    "autonym": LANGUAGES[tag].autonym,
                    "dir": direction(tag),
                    "chosen": tag == language,
                }
                for tag in INTERFACE_LANGUAGES
            ],
        }
