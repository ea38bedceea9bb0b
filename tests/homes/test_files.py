"""Reading files of tenancies: the sample files, protection, data minimisation, duplicates."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwa.homes.files import FileRefused, Reading, explain, read_table, read_tenancies
from pwa.homes.files.explanations import EXPLANATIONS

DATA = Path(__file__).resolve().parent.parent / "data"
TODAY = date(2026, 11, 22)
HEADER = "Kontraktsnr;Objektsnr;Adress;Inflyttningsdatum;Namn;Telefon;Skyddad"
GOOD = "K-1;O-1;Gatvägen 1;2026-12-01;Testsson Test;070-123 45 67;N"


def read(
    text: str | bytes,
    *,
    checked_by: str | None = None,
    blank_ok: str | None = None,
    name: str = "new.csv",
) -> Reading:
    data = text.encode() if isinstance(text, str) else text
    return read_tenancies(
        data,
        name,
        today=TODAY,
        protected_checked_by=checked_by,
        blank_means_unprotected=blank_ok,
    )


def sample(name: str) -> Reading:
    return read((DATA / name).read_bytes(), name=name)


def everything(reading: Reading) -> str:
    return repr(reading) + json.dumps(dataclasses.asdict(reading), default=str, ensure_ascii=False)


def problems(messages: list[Any]) -> list[tuple[int, str]]:
    return [(message["row"], message["problem"]) for message in messages]


def one(line: str, header: str = HEADER) -> Reading:
    return read(f"{header}\n{line}\n")


# The sample files.


def test_the_utf8_sample_gives_forty_rows_of_which_four_are_protected() -> None:
    reading = sample("tenancies-utf8.csv")
    assert (reading.read, len(reading.rows)) == (40, 40)
    assert [row.row for row in reading.rows if row.protected] == [9, 21, 25, 33]
    assert not reading.refused
    assert not reading.skipped
    assert not reading.warnings
    assert reading.rows[0].postcode == "72559"
    assert reading.rows[0].language == "ar"


def test_the_padded_sample_loses_its_padding_and_parking_but_not_its_capitals() -> None:
    reading = sample("leases-cp1252-padded.csv")
    assert (reading.read, len(reading.rows)) == (30, 25)
    assert reading.skipped == [
        {"row": row, "reason": "not_a_dwelling"} for row in (7, 13, 19, 25, 31)
    ]
    assert [row.row for row in reading.rows if row.protected] == [11]
    second = reading.rows[1]
    assert second.tenants == ["ÅSKÅDNING TEST", "TESTSSON ANDRA"]
    assert second.tenancy_ref == "705-030-03-0001/16"
    assert second.move_in == date(2026, 12, 9)
    assert [row.apartment_number for row in reading.rows[:3]] == ["1203", "1305", "0902"]
    assert reading.dropped_columns == ["Status"]


def test_columns_that_are_not_needed_leave_no_trace() -> None:
    reading = sample("too-much-data.csv")
    assert len(reading.rows) == 12
    assert reading.dropped_columns == [
        "Personnummer", "Inkomst", "Kreditbetyg", "Notering", "Bankkonto",
    ]  # fmt: skip
    trace = everything(reading)
    for secret in ("19900101", "2385", "312000", "sjuk", "försörjning", "8327", "456 789"):
        assert secret not in trace
    assert '"AA"' not in trace


def test_bad_rows_are_refused_and_a_bad_phone_number_loses_only_the_number() -> None:
    reading = sample("bad-rows.csv")
    assert problems(reading.refused) == [
        (3, "cell_missing"),
        (4, "date_ambiguous"),
        (5, "date_impossible"),
        (6, "cell_missing"),
        (8, "cell_missing"),
    ]
    assert [message["field"] for message in reading.refused] == [
        "Kontraktsnr", "Inflyttningsdatum", "Inflyttningsdatum", "Adress", "Inflyttningsdatum",
    ]  # fmt: skip
    assert [row.row for row in reading.rows] == [2, 7, 9]
    assert problems(reading.warnings) == [(7, "phone_unreadable")]
    assert reading.rows[1].phones == []
    assert "efter fem" not in everything(reading)


def test_the_workbook_sample_gives_dates_serials_and_padded_apartment_numbers() -> None:
    reading = sample("leases.xlsx")
    assert (reading.read, len(reading.rows)) == (25, 25)
    assert not reading.refused
    assert not reading.warnings
    assert reading.rows[0].move_in == date(2026, 12, 8)  # a real date
    assert reading.rows[3].move_in == date(2026, 12, 3)  # the bare number 46359
    assert reading.rows[11].apartment_number == "0903"
    assert [row.row for row in reading.rows if row.protected] == [13]
    assert reading.rows[0].customer_ref == "P100000"


# Protected identities.


@pytest.mark.parametrize("flag", ["J", "Ja", "1", "x", "true", "?", "nja", "N?", "#N/A", "0,0"])
def test_anything_but_a_clear_no_is_protected(flag: str) -> None:
    assert one(GOOD[:-1] + flag).rows[0].protected


@pytest.mark.parametrize("flag", ["N", "n", " Nej ", "0", "FALSE", "no", "Falskt"])
def test_a_clear_no_is_not_protected(flag: str) -> None:
    assert not one(GOOD[:-1] + flag).rows[0].protected


@pytest.mark.parametrize("flag", ["", " ", "-", "NULL"])
def test_a_blank_flag_is_protected_unless_a_named_person_answers_for_it(flag: str) -> None:
    text = f"{HEADER}\n{GOOD[:-1]}{flag}"
    assert read(text).rows[0].protected
    assert read(text, checked_by="Alice").rows[0].protected
    assert read(text, blank_ok="  ").rows[0].protected
    assert not read(text, blank_ok="Alice").rows[0].protected


def test_without_a_flag_column_every_row_is_protected_unless_somebody_has_checked() -> None:
    text = "\n".join(line.rsplit(";", 1)[0] for line in (HEADER, GOOD))
    assert read(text).rows[0].protected
    assert read(text, blank_ok="Alice").rows[0].protected
    assert read(text, checked_by="").rows[0].protected
    assert not read(text, checked_by="Alice").rows[0].protected


def test_a_row_cut_off_before_its_flag_is_protected_whoever_answers_for_blanks() -> None:
    reading = read(f"{HEADER}\nK-1;O-1;Gatvägen 1;2026-12-01;Testsson Test", blank_ok="Alice")
    assert reading.rows[0].protected
    assert problems(reading.warnings) == [(2, "short_row")]


def test_the_flag_of_any_of_several_columns_is_enough() -> None:
    reading = one(GOOD + ";J", HEADER + ";Sekretessmarkering")
    assert reading.rows[0].protected
    assert reading.dropped_columns == []


def test_an_unknown_spelling_of_the_flag_column_still_protects() -> None:
    assert one(GOOD[:-1] + "J", HEADER[:-7] + "Skyddade uppg.").rows[0].protected


def test_a_flag_on_a_second_row_of_a_tenancy_protects_the_first() -> None:
    reading = read(f"{HEADER}\n{GOOD}\n{GOOD[:-1]}J")
    assert problems(reading.refused) == [(3, "duplicate_reference")]
    assert reading.rows[0].protected
    assert reading.protect_also == []


def test_a_blank_flag_on_a_second_row_of_a_tenancy_protects_the_first() -> None:
    assert read(f"{HEADER}\n{GOOD}\n{GOOD[:-1]}").rows[0].protected


def test_a_refused_row_with_a_raised_flag_still_names_the_tenancy_to_protect() -> None:
    reading = one("K-1;O-1;Gatvägen 1;11/12/26;Testsson Test;;J")
    assert reading.rows == []
    assert reading.protect_also == ["K-1"]
    assert "K-1" not in repr(reading)
    assert one("K-1;O-1;Gatvägen 1;11/12/26;Testsson Test;;").protect_also == []


def test_no_message_holds_a_cell_of_any_row() -> None:
    secrets = "SECRETREF;SECRETOBJ;Secretstreet;{};Secret Name;secret phone;J;secret mail;xx-secret"
    reading = read(
        "\n".join(
            [
                HEADER + ";E-post;Språk",
                secrets.format("2026-12-01"),
                secrets.format("2026-12-02"),
                secrets.format("secret date"),
                secrets.format("1/2/26") + ";secret extra",
            ]
        )
    )
    assert len(reading.rows) == 1
    assert len(reading.refused) == 3
    assert reading.warnings
    said = json.dumps([reading.skipped, reading.refused, reading.warnings]) + repr(reading)
    assert "secret" not in said.lower()


# Data minimisation.


@pytest.mark.parametrize(
    "cell", ["19900101-2385", "900101-2385", "9001012385", "199001012385", "19900101 2385"]
)
def test_a_personnummer_in_a_kept_column_empties_the_cell_and_is_not_repeated(cell: str) -> None:
    header = HEADER + ";Kundnr"
    for line in (GOOD + f";{cell}", GOOD.replace("Test;", f"Test {cell};") + ";P1"):
        reading = one(line, header)
        assert reading.warnings[0]["problem"] == "personnummer"
        assert len(reading.rows) == 1
        assert "2385" not in everything(reading)


def test_a_personnummer_as_the_reference_refuses_the_row() -> None:
    reading = one(GOOD.replace("K-1", "19900101-2385"))
    assert problems(reading.refused) == [(2, "personnummer")]
    assert "2385" not in everything(reading)


@pytest.mark.parametrize("cell", ["705-022-04-0201/11", "556677-8899", "19900101-2384", "P123456"])
def test_references_and_company_numbers_are_not_taken_for_personnummer(cell: str) -> None:
    reading = one(GOOD + f";{cell}", HEADER + ";Kundnr")
    assert reading.rows[0].customer_ref == cell


def test_an_unknown_column_is_dropped_and_named() -> None:
    reading = one(GOOD + ";mystery", HEADER + ";Husets själ")
    assert reading.dropped_columns == ["Husets själ"]
    assert "mystery" not in everything(reading)


def test_a_file_without_a_header_row_is_refused_without_repeating_its_first_tenant() -> None:
    with pytest.raises(FileRefused) as refused:
        read(f"{GOOD}\n{GOOD}")
    assert refused.value.code == "file.no_header"
    assert "Testsson" not in repr(refused.value.detail)


def test_missing_columns_refuse_the_file_with_what_was_found() -> None:
    with pytest.raises(FileRefused) as refused:
        read("Kontraktsnr;Namn;Skyddad\nK-1;Test;N")
    assert refused.value.code == "file.columns_missing"
    assert refused.value.detail == {
        "missing": ["object_ref", "street", "move_in"],
        "found": ["Kontraktsnr", "Namn", "Skyddad"],
    }
    msgid, params = explain(refused.value.code, refused.value.detail)
    assert "Objektsnr, Adress, Inflyttningsdatum" in msgid % params


# Rows.


def test_the_same_row_twice_is_read_once_and_reported() -> None:
    reading = read(f"{HEADER}\n{GOOD}\n\n{GOOD}")
    assert reading.skipped == [{"row": 4, "reason": "duplicate_row"}]
    assert len(reading.rows) == 1


def test_the_same_reference_with_other_content_is_refused() -> None:
    reading = read(f"{HEADER}\n{GOOD}\n{GOOD.replace('Gatvägen 1', 'Gatvägen 2')}")
    assert problems(reading.refused) == [(3, "duplicate_reference")]
    assert reading.refused[0]["params"]["first_row"] == 2
    assert not reading.rows[0].protected


def test_a_row_with_more_cells_than_names_is_refused() -> None:
    assert problems(one(GOOD + ";extra").refused) == [(2, "too_many_cells")]
    assert one(GOOD + "; ;").rows


@pytest.mark.parametrize(
    "kind", ["Bostad", "LÄGENHET", "Bostadslägenhet", " bostad ", "Studentbostad"]
)
def test_homes_are_read(kind: str) -> None:
    assert one(GOOD + f";{kind}", HEADER + ";Objekttyp").rows


@pytest.mark.parametrize(
    "kind", ["Bilplats", "Förråd", "Garage", "Lokal", "Lägenhetsförråd", "Ej bostad"]
)
def test_what_is_not_a_home_is_left_out(kind: str) -> None:
    reading = one(GOOD + f";{kind}", HEADER + ";Objekttyp")
    assert reading.skipped == [{"row": 2, "reason": "not_a_dwelling"}]


def test_an_object_without_a_kind_is_read_with_a_warning() -> None:
    reading = one(GOOD + ";", HEADER + ";Objekttyp")
    assert len(reading.rows) == 1
    assert problems(reading.warnings) == [(2, "object_type_missing")]


@pytest.mark.parametrize(
    ("end", "ended"),
    [
        ("2026-11-21", True),
        ("2026-11-22", False),
        ("", False),
        ("NULL", False),
        ("9999-12-31", False),
    ],
)
def test_a_lease_that_is_over_is_marked(end: str, ended: bool) -> None:
    line = GOOD.replace("2026-12-01", "2026-01-01")
    assert one(line + f";{end}", HEADER + ";Slutdatum").rows[0].ended is ended


def test_a_lease_cancelled_before_it_began_is_over_and_reported() -> None:
    reading = one(GOOD + ";2026-11-30", HEADER + ";Slutdatum")
    assert reading.rows[0].ended
    assert problems(reading.warnings) == [(2, "lease_ends_before_it_starts")]


def test_names_in_halves_are_joined_and_a_second_tenant_is_kept() -> None:
    header = "Kontraktsnr;Objektsnr;Adress;Startdatum;Förnamn;Efternamn;Medsökande;Skyddad"
    reading = one("K;O;Gatan 1;2026-12-01;Test;Testsson;Andersson Andra;N", header)
    assert reading.rows[0].tenants == ["Testsson Test", "Andersson Andra"]


def test_a_column_of_names_wins_over_the_column_of_codes() -> None:
    header = (
        "Kontraktsnummer;Hyresobjekt;Adress;Startdatum;Hyresgäst 1 benämning;Hyresgäst 1 (kod);"
        "Hyresgäst 1 e-post;Hyresgäst 2;Hyresgäst 2 benämning;Årshyra;Skyddad"
    )
    reading = one("K;O;Gatan 1;2026-12-01;Test Ett;P1;test@example.se;P2;Test Två;9;N", header)
    assert reading.rows[0].tenants == ["Test Ett", "Test Två"]
    assert reading.rows[0].customer_ref == "P1"
    assert reading.rows[0].email == "test@example.se"
    assert reading.dropped_columns == ["Hyresgäst 2", "Årshyra"]


def test_the_first_of_two_columns_for_one_field_wins() -> None:
    reading = one(GOOD + ";Norr;Söder", HEADER + ";Distrikt;Område")
    assert reading.rows[0].area == "Norr"
    assert reading.dropped_columns == ["Område"]


def test_phones_of_several_columns_add_up_without_repeats() -> None:
    reading = one(GOOD + ";0701234567;021-12 34 56", HEADER + ";Mobil;Tfn bost/arbete")
    assert [phone["e164"] for phone in reading.rows[0].phones] == ["+46701234567", "+4621123456"]


def test_of_many_phones_four_are_kept_and_the_report_says_so() -> None:
    cell = ", ".join(f"070-12345{n}" for n in range(60, 66))
    reading = one(GOOD + f";{cell};070-1234560", HEADER + ";Mobil;Tfn bost/arbete")
    numbers = [phone["e164"] for phone in reading.rows[0].phones]
    assert numbers == ["+46701234567", *(f"+467012345{n}" for n in range(60, 63))]
    assert {problem for _, problem in problems(reading.warnings)} == {"phone_too_many"}


def test_the_same_name_in_both_columns_is_one_tenant() -> None:
    reading = one(GOOD + ";Testsson Test", HEADER + ";Hyresgäst 2")
    assert reading.rows[0].tenants == ["Testsson Test"]


def test_a_cell_that_is_too_long_is_not_stored() -> None:
    reading = one(GOOD.replace("Testsson Test", "Story " * 40))
    assert reading.rows[0].tenants == []
    assert problems(reading.warnings) == [(2, "cell_too_long"), (2, "tenant_missing")]
    assert "Story" not in everything(reading)


def test_a_cell_that_looks_like_a_formula_stays_text() -> None:
    reading = one(GOOD.replace("Testsson Test", "=1+1"))
    assert reading.rows[0].tenants == ["=1+1"]


def test_a_row_without_a_name_is_read_with_a_warning() -> None:
    reading = one(GOOD.replace("Testsson Test", "NULL"))
    assert reading.rows[0].tenants == []
    assert problems(reading.warnings) == [(2, "tenant_missing")]


# The report.


def test_a_row_never_shows_its_cells_in_a_traceback() -> None:
    reading = one(GOOD)
    assert repr(reading.rows[0]) == "TenancyRow(row=2)"
    assert "Testsson" not in repr(read_table(f"{HEADER}\n{GOOD}".encode(), "a.csv"))


def test_every_explanation_formats_with_the_params_of_its_message() -> None:
    facts = {"row": 2, "field": "Adress", "found": 1, "expected": 2, "first_row": 1}
    facts |= {"limit": 3, "limit_mb": 4}
    for code, msgid in EXPLANATIONS.items():
        text, params = explain(code, {**facts, "missing": ["street"]})
        assert text == msgid
        assert "%(" not in text % params


def test_every_row_message_can_be_explained_as_it_stands() -> None:
    reading = sample("bad-rows.csv")
    for message in reading.refused + reading.warnings:
        msgid, params = explain(message["problem"], message["params"])
        said = msgid % params
        assert f"Row {message['row']}, {message['field']}" in said


CELL = st.one_of(
    st.sampled_from(
        ["", "-", "NULL", "K-1", "K-2", "2026-12-01", "1/2/26", "J", "N", "Bostad", "Bilplats"]
    ),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12),
)
TEXT = st.lists(st.lists(CELL, max_size=10), max_size=8)


@settings(max_examples=150, deadline=None)
@given(TEXT)
def test_every_data_row_ends_up_in_exactly_one_place(lines: list[list[str]]) -> None:
    body = "\n".join(
        ";".join('"' + cell.replace('"', '""') + '"' for cell in cells) for cells in lines
    )
    reading = read(f"{HEADER};Objekttyp\n{body}")
    assert reading.read == len(reading.rows) + len(reading.skipped) + len(reading.refused)
    places = [row.row for row in reading.rows]
    places += [skip["row"] for skip in reading.skipped]
    places += [message["row"] for message in reading.refused]
    assert not [row for row, count in Counter(places).items() if count > 1]
    for message in reading.refused + reading.warnings:
        explain(message["problem"], message["params"])


def test_reading_the_same_file_again_gives_the_same_reading() -> None:
    for name in ("tenancies-utf8.csv", "leases.xlsx", "bad-rows.csv"):
        assert sample(name) == sample(name)
