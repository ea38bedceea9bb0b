"""The guide: what a visitor explains, checks, asks and does, in every language of the product.

Invariant: a published guide is immutable and named by its hash; a text that a language lacks is
shown in Swedish and marked as such; a company fact that is not set is never invented. Nothing here
knows visits, people or the web: files are read and values come out.
"""

from pwa.guide.check import Report, check
from pwa.guide.fill import fill, localise
from pwa.guide.format import Consent, Guide, Item, Notice, Section, Text
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.guide.reader import BASELINE, GuideError, load
from pwa.guide.setting import Setting

__all__ = [
    "BASELINE",
    "LANGUAGES",
    "ORIGINAL",
    "Consent",
    "Guide",
    "GuideError",
    "Item",
    "Notice",
    "Report",
    "Section",
    "Setting",
    "Text",
    "check",
    "fill",
    "load",
    "localise",
    "text",
]


def text(guide: Guide, language: str, key: str) -> Text:
    """The text of `key` in `language`, else in Swedish; KeyError for an unknown key."""
    return guide.text(language, key)
