"""The guide's languages by their names in the reader's language.

Invariant: every tag of the guide has a name here. CLDR's own names are not used: it says
"centralkurdiska" where people say sorani, and has no kurmanji in some releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask_babel import gettext

from pwa.problems import N_

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
    return gettext(NAMES[tag]) if tag in NAMES else tag


def language_names(tags: Iterable[str]) -> str:
    """Several languages, one after the other."""
    return ", ".join(language_name(tag) for tag in tags)
