"""The interface in every language: every message is translated, with the same values in it.

Texts are compared with what a fresh extraction finds, so a message that was added without its
translations fails here and not in use. Whether it reads well only people can judge; what
is checked is that a sentence is there, in the right letters, with the same values in it.
"""

import re
from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog

from pwa.bundle import catalogues
from pwa.guide.languages import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = [tag for tag in catalogues.LANGUAGES if tag != "en"]

# Words that many languages share: names, and loans.
NAMES = frozenset(
    {
        "Tröskel",
        "Dari",
        "Pashto",
        "Import",
        "Period",
        "Status",
        "Filter",
        "Area",
        "Version",
        "Visitor",
        "Desk",
        "PIN",
    }
)
LETTERS = {
    "Arab": re.compile(r"[\u0621-\u06d5]"),
    "Ethi": re.compile(r"[\u1200-\u137f]"),
    "Cyrl": re.compile(r"[\u0400-\u04ff]"),
    "Latn": re.compile(r"[A-Za-z\u00c0-\u024f]"),
}
OTHER_DIGITS = re.compile(r"(?![0-9])\d")
# A Latin comma, semicolon or question mark after an Arabic letter.
LATIN_MARK = re.compile(r"(?<=[\u0621-\u06d5])\s*[,;?]")
ENDS = {".": ".።", "?": "?؟", ":": ":፦፡"}
# Which gettext form CLDR's rules give a number, where a language has more than two.
FORMS = {
    "ar": {0: 0, 1: 1, 2: 2, 3: 3, 10: 3, 11: 4, 99: 4, 100: 5, 102: 5, 103: 3, 111: 4},
    "uk": {0: 2, 1: 0, 2: 1, 4: 1, 5: 2, 11: 2, 12: 2, 14: 2, 21: 0, 22: 1, 25: 2, 111: 2, 101: 0},
    "bs": {0: 2, 1: 0, 2: 1, 4: 1, 5: 2, 11: 2, 12: 2, 14: 2, 21: 0, 22: 1, 25: 2, 111: 2, 101: 0},
}


PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?(.)")


def _id(msgid: str | tuple[str, ...] | list[str]) -> str:
    return msgid if isinstance(msgid, str) else msgid[0]


def _forms(string: object) -> list[str]:
    return [str(form) for form in string] if isinstance(string, tuple | list) else [str(string)]


def _placeholders(text: str) -> list[str]:
    """Every `%(name)s` of `text`, sorted. `%%` is a percent sign, not one of them."""
    return sorted(
        f"{name}:{conversion}"
        for name, conversion in PLACEHOLDER.findall(text)
        if conversion != "%"
    )


@pytest.fixture(scope="module")
def found() -> dict[str, catalogues.MessageId]:
    sources = [*catalogues.phone_sources(ROOT), *catalogues.server_sources(ROOT)]
    return {_id(msgid): msgid for _name, msgid in catalogues.find_messages(ROOT, sources)}


@pytest.fixture(scope="module", params=TRANSLATED)
def tag(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def catalogue(tag: str) -> Catalog:
    return catalogues.read_catalogue(ROOT, tag)


def test_every_message_in_the_code_is_translated(
    catalogue: Catalog, found: dict[str, catalogues.MessageId]
) -> None:
    missing = [
        msgid
        for msgid in found
        if (message := catalogue.get(msgid)) is None or not all(_forms(message.string))
    ]
    assert not missing, f"run `make messages` and translate: {missing}"


def test_nothing_is_a_guess_or_a_leftover(
    catalogue: Catalog, found: dict[str, catalogues.MessageId]
) -> None:
    assert not [message.id for message in catalogue if message.id and message.fuzzy]
    assert not catalogue.obsolete
    assert not [m.id for m in catalogue if m.id and _id(m.id) not in found]


def test_a_translation_names_the_same_values_as_the_message(catalogue: Catalog) -> None:
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        if isinstance(message.id, str):
            if _placeholders(_forms(message.string)[0]) != _placeholders(message.id):
                wrong.append(message.id)
            continue
        _one, many = message.id
        # The last form serves every number that has none of its own, so it names them all. A
        # form that serves one number alone may say it in a word ("two visits").
        forms = [_placeholders(form) for form in _forms(message.string)]
        spoken = {"num:s", "count:s"}
        for form in forms:
            if set(_placeholders(many)) - set(form) - spoken or set(form) - set(
                _placeholders(many)
            ):
                wrong.append(many)
        if forms[-1] != _placeholders(many):
            wrong.append(many)
    assert not wrong


def test_a_plural_form_for_many_numbers_contains_the_number(catalogue: Catalog) -> None:
    form_of = c2py(str(catalogue.plural_expr))
    serves: dict[int, set[int]] = {}
    for number in range(200):
        serves.setdefault(form_of(number), set()).add(number)
    silent = []
    for message in catalogue:
        if isinstance(message.id, tuple):
            for index, form in enumerate(_forms(message.string)):
                if len(serves[index]) > 1 and not _placeholders(form):
                    silent.append((message.id, form))
    assert not silent


def test_every_count_has_each_of_the_languages_forms(catalogue: Catalog) -> None:
    wrong = [
        message.id
        for message in catalogue
        if isinstance(message.id, tuple) and len(_forms(message.string)) != catalogue.num_plurals
    ]
    assert not wrong


def test_no_sentence_was_left_in_english(catalogue: Catalog) -> None:
    same = {
        _id(message.id)
        for message in catalogue
        if message.id and set(_forms(message.string)) & {_id(message.id)}
    }
    # One word may be the same in two languages; two words in a row are no coincidence.
    words = {text: PLACEHOLDER.sub("", text).strip() for text in same}
    assert not {text for text in same if " " in words[text] and text not in NAMES}
    assert len(same) <= 15


def test_a_sentence_ends_as_the_message_does(catalogue: Catalog) -> None:
    wrong = [
        (_id(message.id), form)
        for message in catalogue
        if message.id and _id(message.id)[-1] in ENDS
        for form in _forms(message.string)
        if form[-1] not in ENDS[_id(message.id)[-1]]
    ]
    assert not wrong


def test_it_is_written_in_the_letters_of_the_language(catalogue: Catalog, tag: str) -> None:
    letters = LETTERS[LANGUAGES[tag].script]
    texts = [
        form
        for message in catalogue
        if message.id and _id(message.id) not in NAMES
        for form in _forms(message.string)
    ]
    assert not [text for text in texts if not letters.search(text)]
    assert not [text for text in texts if OTHER_DIGITS.search(text)]
    if LANGUAGES[tag].script == "Arab":
        assert not [text for text in texts if LATIN_MARK.search(text)]


@pytest.mark.parametrize("language", [tag for tag in FORMS if tag in TRANSLATED])
def test_it_counts_as_cldr_does(language: str) -> None:
    form_of = c2py(str(catalogues.read_catalogue(ROOT, language).plural_expr))
    assert {number: form_of(number) for number in FORMS[language]} == FORMS[language]


@pytest.mark.parametrize("language", TRANSLATED)
def test_it_has_as_many_forms_as_cldr_has_for_whole_numbers(language: str) -> None:
    """CLDR's rule over 0–200 and gettext's name the same groups of numbers."""
    catalogue = catalogues.read_catalogue(ROOT, language)
    form_of = c2py(str(catalogue.plural_expr))
    rule = Locale.parse(LANGUAGES[language].babel).plural_form
    for number in range(200):
        for other in range(number):
            if rule(number) == rule(other):
                assert form_of(number) == form_of(other), (number, other)
    assert {form_of(number) for number in range(200)} == set(range(catalogue.num_plurals))


def test_no_page_tells_anybody_that_they_disturb() -> None:
    """The company asks for consideration; it does not speak of disturbing (docs/domain.md 3.10)."""
    catalogue = catalogues.read_catalogue(ROOT, "sv")
    texts = [form for m in catalogue if m.id for form in _forms(m.string)]
    assert not [text for text in texts if re.search(r"\bstör(?!re|st)", text, re.IGNORECASE)]
