"""Swedish values in right-to-left texts: each is isolated, and digits are Latin."""

import io
import re
from gettext import GNUTranslations
from pathlib import Path
from typing import cast

import pytest
from babel.messages.catalog import Message
from flask import Flask
from flask_babel import force_locale

from pwa.bundle import catalogues, phone_words
from pwa.guide.languages import LANGUAGES
from pwa.visits.view_texts import Reader, text_of
from pwa.web import i18n
from sync.shapes import VisitRecord

ROOT = Path(__file__).parent.parent.parent
TAGS = [tag for tag in catalogues.find_languages(ROOT) if tag != "en"]
LTR, RTL = (
    [tag for tag in TAGS if LANGUAGES[tag].direction == way] for way in ("ltr", "rtl")
)  # fmt: skip
ARABIC_DIGIT = re.compile("[\u0660-\u0669\u06f0-\u06f9]")


def test_five_languages_of_the_interface_are_right_to_left() -> None:
    assert set(RTL) >= {"ar", "fa", "fa-AF", "ckb", "ps"}


def id_of(message: Message) -> str | tuple[str, str]:
    """The id as catalogues are compiled by it: a text, or singular and plural."""
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


@pytest.mark.parametrize("tag", RTL)
def test_every_value_put_into_a_right_to_left_sentence_is_isolated(tag: str) -> None:
    catalogue = catalogues.read_catalogue(ROOT, tag)
    wanted = [id_of(message) for message in catalogue if message.id and all(message.string or ())]
    compiled = GNUTranslations(io.BytesIO(catalogues.compile_mo(catalogue)))
    server = "".join(compiled.gettext(m) if isinstance(m, str) else compiled.ngettext(*m, 3)
                     for m in wanted)  # fmt: skip
    phone = phone_words.compile_catalogue(catalogue, tag, wanted)
    for words in (server, phone):
        found = re.findall(r"(.?)%\(\w+\)[sd](.?)", words)
        assert found
        assert set(found) == {("\u2068", "\u2069")}


@pytest.mark.parametrize("tag", LTR)
def test_a_left_to_right_catalogue_is_sent_unchanged(tag: str) -> None:
    catalogue = catalogues.read_catalogue(ROOT, tag)
    assert catalogues.isolated(catalogue) is catalogue


@pytest.mark.parametrize("tag", TAGS)
def test_interface_texts_have_latin_digits_only(tag: str) -> None:
    said = [message.string for message in catalogues.read_catalogue(ROOT, tag) if message.id]
    assert not [one for one in said if ARABIC_DIGIT.search(str(one))]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_guide_texts_have_latin_digits_only(tag: str) -> None:
    text = (ROOT / f"pwa/guide/texts/{tag}.toml").read_text("utf-8")
    assert not ARABIC_DIGIT.findall(text)


def test_a_company_fact_in_an_arabic_text_is_isolated() -> None:
    pack = {
        "texts": {"x": "اتصل بـ{phone}، {street}.", "ask_landlord": "?"},
        "states": {}, "state": "machine",
    }  # fmt: skip
    facts = {"phone": "021-12 34 56", "street": "Gatvägen 5 A"}
    nothing = cast(VisitRecord, {})
    reader = Reader(
        nothing, "", {}, {"ar": facts, "sv": facts}, {"ar": pack, "sv": pack}, "sv", "ar", {}, {}
    )
    said = text_of(reader, "ar", "x", {})["text"]
    assert said == ("اتصل بـ\u2068\u2066021-12 34 56\u2069\u2069، \u2068Gatvägen 5 A\u2069.")
    assert text_of(reader, "ar", "x", {"phone": ""})["text"] == "?"  # nothing is still nothing


@pytest.mark.parametrize("tag", ["ar", "fa-AF", "sv"])
def test_a_time_is_isolated_in_a_right_to_left_text(app: Flask, tag: str) -> None:
    with app.test_request_context(), force_locale(i18n.locale_of(tag)):
        said = i18n.moment("2026-11-22T13:05:00+00:00")
    whole = "2026-11-22 14:05"
    assert said == (f"\u2066{whole}\u2069" if tag in RTL else whole)
