"""The guide's languages by their names in the reader's language.

Invariant: every language has a name. CLDR's own names come second: it says "centralkurdiska"
where people say sorani, and has no kurmanji in some releases. A language that was added later
and stands in neither is called what it calls itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask_babel import get_locale, gettext

from pwa.guide.languages import LANGUAGES
from pwa.messages import N_

NAMES: Mapping[str, str] = {
    "sv": N_("Swedish"),
    "en": N_("English"),
    "ar": N_("Arabic"),
    "so": N_("Somali"),
    "ti": N_("Tigrinya"),
    "fa-AF": N_("Dari"),
    "fa": N_("Persian"),
    "uk": N_("Ukrainian"),
    "ckb": N_("Sorani Kurdish"),
    "kmr": N_("Kurmanji Kurdish"),
    "tr": N_("Turkish"),
    "bs": N_("Bosnian"),
    "sq": N_("Albanian"),
    "ps": N_("Pashto"),
}


def language_name(tag: str) -> str:
    """The language in the reader's words; "" for "", and a tag we do not know as it is."""
    if tag in NAMES:
        return str(gettext(NAMES[tag]))
    if tag not in LANGUAGES:
        return tag
    locale = get_locale()
    return str((locale.languages if locale else {}).get(tag) or LANGUAGES[tag].autonym)


def language_names(tags: Iterable[str]) -> str:
    """Several languages, one after the other."""
    return ", ".join(language_name(tag) for tag in tags)
