"""Cells of tenancy files: dates, phones, languages, numbers, column names."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from pwa.desk.parts.language_names import language_name
from pwa.guide.languages import LANGUAGES
from pwa.homes.files import cells, headers
from pwa.homes.files.dates import has_month_first, read_date
from pwa.homes.files.phones import read_phones
from pwa.homes.files.shapes import CellProblem

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30", "20261130", "261130", "2026-11-30 00:00:00", "2026-11-30T00:00:00",
        "30/11/2026", "30.11.2026", "2026/11/30", "46356", "46356.5", " 2026-11-30\u00a0",
    ],
)  # fmt: skip
def test_every_known_form_of_a_date_is_read(text: str) -> None:
    assert read_date(text, today=TODAY) == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("11/12/26", "date_ambiguous"),
        ("26-11-30", "date_ambiguous"),
        ("30.11.26", "date_ambiguous"),
        ("2026-02-30", "date_impossible"),
        ("20261301", "date_impossible"),
        ("11/30/2026", "date_impossible"),
        ("261301", "date_impossible"),
        ("1826-11-30", "date_out_of_range"),
        ("2226-11-30", "date_out_of_range"),
        ("9999-12-31", "date_out_of_range"),
        ("00001", "date_out_of_range"),
        ("99999", "date_out_of_range"),
        ("72187", "date_out_of_range"),
        ("2026", "date_unreadable"),
        ("snart", "date_unreadable"),
        ("2026-11.30", "date_unreadable"),
        ("٢٠٢٦-١١-٣٠", "date_unreadable"),
    ],
)
def test_a_date_that_is_not_certain_is_refused(text: str, code: str) -> None:
    with pytest.raises(CellProblem) as problem:
        read_date(text, today=TODAY)
    assert problem.value.code == code


def test_six_digits_before_this_century_are_read_in_the_last() -> None:
    assert read_date("850701", today=TODAY) == date(1985, 7, 1)


def test_a_column_that_writes_the_month_first_loses_its_other_slash_dates() -> None:
    assert has_month_first(["11/12/2026", "11/30/2026"])
    assert not has_month_first(["11/12/2026", "30/11/2026", "46/99/2026", "11.30.2026"])
    assert read_date("11/12/2026", today=TODAY) == date(2026, 12, 11)
    with pytest.raises(CellProblem) as problem:
        read_date("11/12/2026", today=TODAY, month_first=True)
    assert problem.value.code == "date_ambiguous"


@given(st.dates(date(1940, 1, 1), date(2031, 12, 31)))
def test_a_date_means_the_same_in_every_form(day: date) -> None:
    serial = str((day - date(1899, 12, 30)) // timedelta(days=1))
    for text in (f"{day:%Y-%m-%d}", f"{day:%Y%m%d}", f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}", serial):
        assert read_date(text, today=TODAY) == day


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("070-123 45 67", ["+46701234567"]),
        ("0701234567", ["+46701234567"]),
        ("+46701234567", ["+46701234567"]),
        ("0046 70 123 45 67", ["+46701234567"]),
        ("+46 (0)70 123 45 67", ["+46701234567"]),
        ("070 123 45 67 (mobil)", ["+46701234567"]),
        ("070-1234567/070-7654321", ["+46701234567", "+46707654321"]),
        ("070-1234567\n070-7654321", ["+46701234567", "+46707654321"]),
        ("0701234567 och 0707654321", ["+46701234567", "+46707654321"]),
        ("021/12 34 56", ["+4621123456"]),
        ("08-123 456 78", ["+46812345678"]),
        ("+358 40 123 45 67", ["+358401234567"]),
        ("00380 50 123 45 67", ["+380501234567"]),
        ("+49 (0)30 901820", ["+4930901820"]),
        ("", []),
        ("-", []),
        ("NULL", []),
    ],
)
def test_phone_numbers_get_their_international_form(cell: str, numbers: list[str]) -> None:
    phones, problems = read_phones(cell)
    assert [phone["e164"] for phone in phones] == numbers
    assert problems == []


def test_the_original_of_a_number_is_kept() -> None:
    assert read_phones("070 123 45 67 (mobil)")[0][0]["original"] == "070 123 45 67 (mobil)"


@pytest.mark.parametrize(
    ("cell", "original", "code"),
    [
        ("12 34 56", "12 34 56", "phone_area_code_missing"),
        ("701234567", "701234567", "phone_area_code_missing"),
        ("46701234567", "46701234567", "phone_area_code_missing"),
        ("070-123 45 6", "070-123 45 6", "phone_incomplete"),
        ("0701234567 0707654321", "0701234567 0707654321", "phone_incomplete"),
        ("0999-123 45", "0999-123 45", "phone_incomplete"),  # no such area code
        ("+45 12 34 56 7", "+45 12 34 56 7", "phone_incomplete"),  # eight in Denmark
    ],
)
def test_an_uncertain_number_is_kept_as_written_with_a_warning(
    cell: str, original: str, code: str
) -> None:
    assert read_phones(cell) == ([{"original": original, "e164": None}], [code])


@pytest.mark.parametrize("cell", ["ring efter fem", "ring 1700", "se pärmen"])
def test_words_without_a_number_are_not_kept(cell: str) -> None:
    assert read_phones(cell) == ([], ["phone_unreadable"])


def test_words_beside_a_number_are_not_kept() -> None:
    phones, problems = read_phones("0701234567 är sjuk, ring grannen")
    assert phones == [{"original": "0701234567", "e164": "+46701234567"}]
    assert problems == ["phone_text_dropped", "phone_unreadable"]


def test_an_extension_after_a_slash_is_reported_and_not_made_into_a_number() -> None:
    phones, problems = read_phones("021-12 34 56/78")
    assert [phone["e164"] for phone in phones] == ["+4621123456"]
    assert problems == ["phone_incomplete"]


@pytest.mark.parametrize("cell", ["900101-2385", "199001012385", "0701234567 19900101-2385"])
def test_a_personnummer_in_a_phone_cell_is_not_kept(cell: str) -> None:
    assert read_phones(cell) == ([], ["personnummer"])


def test_a_mobile_number_that_looks_like_a_personnummer_is_a_phone_number() -> None:
    assert cells.has_personnummer("0701234569")
    for last in range(10):
        assert read_phones(f"070123456{last}")[0][0]["e164"] == f"+4670123456{last}"


@given(st.text(max_size=40))
def test_no_phone_cell_raises_or_keeps_a_word(cell: str) -> None:
    for phone in read_phones(cell)[0]:
        assert sum(c.isdigit() for c in phone["original"]) >= 5
        again, _ = read_phones(phone["original"])
        assert [p["e164"] for p in again] == [phone["e164"]]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("ar", "ar"), ("Arabiska", "ar"), ("somaliska", "so"), ("Tigrinja", "ti"),
        ("dari", "fa-AF"), ("prs", "fa-AF"), ("fa-AF", "fa-AF"), ("fa_af", "fa-AF"),
        ("Persiska (farsi)", "fa"), ("fa", "fa"), ("fa-IR", "fa"), ("ukrainska", "uk"),
        ("Sorani", "ckb"), ("kurdiska (kurmanji)", "kmr"), ("Turkiska", "tr"),
        ("BKS", "bs"), ("Bosniska/kroatiska/serbiska", "bs"), ("albanska", "sq"),
        ("Pashto", "ps"), ("SV-se", "sv"), ("English", "en"), ("", ""), ("-", ""),
    ],
)  # fmt: skip
def test_languages_become_tags(text: str, tag: str) -> None:
    assert cells.read_language(text) == tag
    assert cells.read_language(tag) == tag


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_language_is_known_by_its_names_and_its_tag(app: Flask, tag: str) -> None:
    names = {tag, LANGUAGES[tag].autonym, *LANGUAGES[tag].register_names}
    for locale in ("sv", "en"):
        with app.app_context(), force_locale(locale):
            names.add(language_name(tag))  # what the desk shows can be typed into a register
    assert {name: cells.read_language(name) for name in names} == dict.fromkeys(names, tag)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("kurdiska", "language_ambiguous"),
        ("ku", "language_ambiguous"),
        ("klingon", "language_unknown"),
        ("talar bra svenska", "language_unknown"),
    ],
)
def test_a_language_that_is_not_certain_is_left_empty(text: str, code: str) -> None:
    with pytest.raises(CellProblem) as problem:
        cells.read_language(text)
    assert problem.value.code == code


@pytest.mark.parametrize(
    ("text", "number"),
    [("903", "0903"), ("1102", "1102"), ("903.0", "0903"), ("A12", "A12"), ("", "")],
)
def test_apartment_numbers_get_their_zero_back(text: str, number: str) -> None:
    assert cells.read_apartment_number(text) == number


@pytest.mark.parametrize("text", ["72187", "721 87", "721\u00a087", "SE-721 87", "72187.0"])
def test_postcodes_are_five_digits(text: str) -> None:
    assert cells.read_postcode(text) == "72187"


@pytest.mark.parametrize("text", ["7218", "072187", "Västerås", "02187"])
def test_what_is_not_a_postcode_is_refused(text: str) -> None:
    with pytest.raises(CellProblem):
        cells.read_postcode(text)


@pytest.mark.parametrize("text", ["not mail", "a@b", "a@example.se;b@example.se"])
def test_what_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(CellProblem):
        cells.read_email(text)


def test_a_person_called_null_keeps_the_name() -> None:
    assert cells.read_text("Null") == "Null"
    assert cells.read_text("NULL") == ""


def test_a_persian_joiner_stays_and_a_bidi_control_goes() -> None:
    assert cells.clean("  a\u200cb\u202e\ufeff  c ") == "a\u200cb c"


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert cells.clean(cells.clean(text)) == cells.clean(text)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Lägenhetsnr", "apartment_number"), ("LÄGENHETS NR.", "apartment_number"),
        ("Lgh-nr", "apartment_number"), ("LMV-nr", "apartment_number"), ("Kontraktsnr", "tenancy_ref"),
        ("Hyresid", "tenancy_ref"), ("Hyresobjekt", "object_ref"), ("Hyresgäst 1", "tenant1"),
        ("Hyresgäst 1 benämning", "tenant1"), ("Tfn bost/arbete", "phone"), ("From.datum", "move_in"),
        ("Avtal fr o m", "move_in"), ("Tillträdesdag", "move_in"), ("Kv.", "property"),
        ("Sista debiteringsdatum", "lease_end"), ("Kvartersvärdsområde", "area"),
        ("Lagsökt", "protected"), ("God man", "trustee"), ("E-post", "email"),
    ],
)  # fmt: skip
def test_column_names_are_known_by_their_synonyms(header: str, field: str) -> None:
    assert headers.field_of(header) == field


@pytest.mark.parametrize(
    "header",
    [
        "Personnummer", "Pers.nr", "Hyresgäst 1 personnummer", "Inkomst", "Kreditbetyg", "UC",
        "Kommentar", "Notering", "Bankkonto", "Obs", "Specialattention", "Hyra", "Årshyra",
        "Storlek", "Antal rum", "Köpoäng", "Nyckelnamn", "Status",
    ],
)  # fmt: skip
def test_columns_about_the_person_are_never_a_field(header: str) -> None:
    assert headers.field_of(header) is None


def test_no_synonym_is_shadowed_by_the_names_that_are_never_kept() -> None:
    for name, field in headers._FIELDS.items():
        assert headers.field_of(name) == field


@pytest.mark.parametrize(
    "key", ["personnummer", "arshyra", "kommentar", "bankkonto", "obs", "inkomst", "kredit"]
)
def test_a_synonym_added_by_mistake_does_not_let_a_forbidden_column_in(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(headers._FIELDS, key, "customer_ref")
    assert headers.field_of(key) is None


def test_a_co_ordination_number_is_a_personnummer_too() -> None:
    assert cells.has_personnummer("900161-2382")


def test_digits_of_other_scripts_hide_no_personnummer() -> None:
    assert cells.has_personnummer("٩٠٠١٠١-٢٣٨٥")


def test_a_header_that_looks_like_data_is_shown_by_its_place() -> None:
    assert headers.show_name("19900101-2385", 6) == "#7"
    assert headers.show_name("", 0) == "#1"
    assert headers.show_name("Hyresgäst 1", 0) == "Hyresgäst 1"
