"""Bytes to tables: encodings, delimiters, quotes, line numbers, workbooks, what is refused."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pwa.homes.files import FileRefused, decode, read_table, read_tenancies, workbook

DATA = Path(__file__).resolve().parent.parent / "data"
HEADER = ["Kontraktsnr", "Objektsnr", "Adress", "Lägenhetsnr", "Inflyttningsdatum", "Skyddad"]
GOOD = ["K-1", "O-1", "Gatvägen 1", "0903", "2026-12-01", "N"]


def code_of(data: bytes, filename: str = "a.csv") -> str:
    with pytest.raises(FileRefused) as refused:
        read_table(data, filename)
    return refused.value.code


def make_workbook(*sheets: Sequence[Sequence[object]], epoch: datetime | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    if epoch is not None:
        book.epoch = epoch
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def edit_workbook(data: bytes, name: str, old: bytes, new: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(stream, "w") as after:
        for member in before.namelist():
            content = before.read(member)
            after.writestr(member, content.replace(old, new) if member == name else content)
    return stream.getvalue()


CELL = st.text(
    st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=12
) | st.sampled_from(["a;b", "a,b", "a\tb", 'a"b', "two\nlines", ";", " x "])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(CELL, min_size=6, max_size=6), max_size=5),
    st.sampled_from([";", ",", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_table_reads_back_equal_however_it_was_written(
    rows: list[list[str]], delimiter: str, encoding: str, line_end: str
) -> None:
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([HEADER, *rows])
    table = read_table(stream.getvalue().encode(encoding), "a.csv")
    assert table.header == HEADER
    assert [cells for _, cells in table.rows] == rows
    assert table.delimiter == delimiter


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.xlsx", ""]))
def test_any_bytes_are_read_or_refused(data: bytes, filename: str) -> None:
    with contextlib.suppress(FileRefused):
        read_tenancies(
            data,
            filename,
            today=date(2026, 11, 22),
            protected_checked_by=None,
            blank_means_unprotected=None,
        )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused(data: st.DataObject) -> None:
    sound = bytearray((DATA / "leases.xlsx").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(sound[: data.draw(st.integers(4, len(sound)))])
    with contextlib.suppress(FileRefused):
        read_table(cut, "a.xlsx")


def test_row_numbers_are_the_lines_a_person_sees() -> None:
    text = 'Kontraktsnr;Objektsnr;Adress\r\n\r\nK1;"two\r\nlines";x\r\n;;\r\nK2;O;y\r\n'
    table = read_table(text.encode(), "a.csv")
    assert [number for number, _ in table.rows] == [3, 6]
    assert table.rows[0][1][1] == "two\r\nlines"


def test_a_unicode_line_separator_inside_a_cell_is_no_line() -> None:
    table = read_table("Kontraktsnr;Objektsnr;Adress\nK;O;a\u2028b\x0bc\n".encode(), "a.csv")
    assert table.rows == [(2, ["K", "O", "a\u2028b\x0bc"])]


def test_commas_in_data_do_not_decide_the_delimiter() -> None:
    text = "Kontraktsnr;Objektsnr;Adress\nK;O;a,b,c,d,e\nK2;O;a,b,c,d,e\n"
    assert read_table(text.encode(), "a.csv").delimiter == ";"


def test_commas_in_a_column_name_do_not_decide_the_delimiter() -> None:
    text = "Kontraktsnr;Objektsnr;Adress;Port (a, b, c, d, e, f)\nK;O;x;a\n"
    assert read_table(text.encode(), "a.csv").delimiter == ";"


def test_a_delimiter_inside_a_quoted_column_name_is_not_counted() -> None:
    text = '"Kontraktsnr","Objektsnr","Adress; gata; nummer; ort"\nK,O,x\n'
    table = read_table(text.encode(), "a.csv")
    assert table.delimiter == ","
    assert len(table.header) == 3


def test_empty_columns_at_the_end_are_gone_and_a_full_one_stays() -> None:
    text = "Kontraktsnr;Objektsnr;Adress;;\nK;O;x;;\nK;O;x;;y\nK;O\n"
    table = read_table(text.encode(), "a.csv")
    assert table.header == ["Kontraktsnr", "Objektsnr", "Adress"]
    assert [len(cells) for _, cells in table.rows] == [3, 5, 2]


def test_titles_and_a_separator_hint_above_the_column_names_are_skipped() -> None:
    text = "sep=;\nHyreskontrakt;;\n\nKontraktsnr;Objektsnr;Adress\nK;O;x\n"
    table = read_table(text.encode(), "a.csv")
    assert table.header == ["Kontraktsnr", "Objektsnr", "Adress"]
    assert table.rows == [(5, ["K", "O", "x"])]


def test_a_quotation_mark_that_is_never_closed_refuses_the_file_and_names_the_row() -> None:
    text = 'Kontraktsnr;Objektsnr;Adress\nK;O;x\nK2;O;"x\nK3;O;x\n'
    with pytest.raises(FileRefused) as refused:
        read_table(text.encode(), "a.csv")
    assert (refused.value.code, refused.value.detail) == ("file.quotes", {"row": 3})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file.empty"),
        (b" \r\n", "file.empty"),
        (b"\xef\xbb\xbf", "file.empty"),
        (b"%PDF-1.7\n...", "file.pdf"),
        (b"\xef\xbb\xbf <!DOCTYPE html><table>", "file.web_page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file.old_or_locked_workbook"),
        (b"Kontraktsnr;Adress\nK;\x00", "file.not_text"),
        (b"a;b\n\x81\x8d", "file.not_text"),
        (b"\xef\xbb\xbfa;b\n\xff", "file.not_text"),
        (b"just a line\nand another", "file.one_column"),
        (b"PK\x03\x04 not a workbook", "file.damaged_workbook"),
        (b"PK\x05\x06" + bytes(18), "file.damaged_workbook"),
    ],
)
def test_what_is_not_a_table_is_refused(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_text_called_a_workbook_is_refused() -> None:
    assert code_of(b"Kontraktsnr;Adress\nK;x", "a.XLSX") == "file.damaged_workbook"


def test_a_workbook_called_csv_is_read() -> None:
    assert read_table(make_workbook([HEADER, GOOD]), "a.csv").encoding == "xlsx"


def test_files_over_the_limits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Kontraktsnr;Objektsnr;Adress\n" + "K;O;x\n" * 30
    monkeypatch.setattr(decode, "ROWS_MAX", 29)
    assert code_of(text.encode()) == "file.too_many_rows"
    rows: list[list[object]] = [list(GOOD) for _ in range(40)]
    assert code_of(make_workbook([list(HEADER), *rows])) == "file.too_many_rows"
    monkeypatch.setattr(decode, "COLUMNS_MAX", 2)
    assert code_of(b"Kontraktsnr;Objektsnr;Adress\nK;O;x") == "file.too_many_columns"
    assert code_of(make_workbook([list(HEADER)])) == "file.too_many_columns"
    monkeypatch.setattr(decode, "BYTES_MAX", 100)
    assert code_of(text.encode()) == "file.too_large"


def test_a_workbook_that_unpacks_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO(make_workbook([HEADER, GOOD]))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/x", bytes(3_000_000))
    monkeypatch.setattr(workbook, "UNPACKED_MAX", 2_000_000)
    assert code_of(stream.getvalue()) == "file.workbook_too_large"


def test_a_workbook_with_a_document_type_is_refused() -> None:
    data = edit_workbook(
        make_workbook([HEADER, GOOD]),
        "xl/workbook.xml",
        b"<workbook ",
        b'<!DOCTYPE w [<!ENTITY a "b">]><workbook ',
    )
    assert code_of(data) == "file.damaged_workbook"


def test_a_row_far_down_a_sheet_is_not_lost() -> None:
    data = edit_workbook(
        make_workbook([HEADER, GOOD]), "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="70000"'
    )
    assert [number for number, _ in read_table(data, "a.xlsx").rows] == [70000]


def test_a_wrong_dimension_hides_no_cell() -> None:
    data = edit_workbook(
        make_workbook([HEADER, GOOD]), "xl/worksheets/sheet1.xml", b'ref="A1:F2"', b'ref="A1:B1"'
    )
    assert read_table(data, "a.xlsx").rows == [(2, GOOD)]


def test_cells_of_a_workbook_become_the_text_a_person_sees() -> None:
    row: list[object] = [
        7050220402.0,
        903,
        True,
        72187.0,
        datetime(2026, 11, 30),
        date(2026, 12, 1),
    ]
    later: list[object] = ["K", None, False, 0.5, datetime(2026, 11, 30, 12, 30)]
    table = read_table(make_workbook([HEADER, row, [], later]), "a.xlsx")
    assert table.rows == [
        (2, ["7050220402", "903", "true", "72187", "2026-11-30", "2026-12-01"]),
        (4, ["K", "", "false", "0.5", "2026-11-30 12:30:00", ""]),
    ]


def test_a_whole_number_stored_as_a_fraction_shows_no_fraction() -> None:
    data = make_workbook([HEADER, ["K-1", "O-1", "Gatan 1", 903]])
    data = edit_workbook(data, "xl/worksheets/sheet1.xml", b"<v>903</v>", b"<v>903.0</v>")
    assert read_table(data, "a.xlsx").rows[0][1][3] == "903"


def test_the_first_sheet_with_known_column_names_is_read() -> None:
    data = make_workbook([["Om filen"], ["Utskriven"]], [HEADER, GOOD], [HEADER, ["K-2"]])
    assert read_table(data, "a.xlsx").rows == [(2, GOOD)]


def test_a_workbook_that_counts_from_1904_is_refused() -> None:
    assert code_of(make_workbook([HEADER, GOOD], epoch=CALENDAR_MAC_1904)) == "file.dates_from_1904"


def test_a_refusal_carries_no_cell_in_its_context() -> None:
    for data in (b'Kontraktsnr;Adress\nSECRET;"x', b"\xef\xbb\xbfSECRET\xff", b"SECRET\x81;"):
        with pytest.raises(FileRefused) as refused:
            read_table(data, "a.csv")
        error: BaseException | None = refused.value
        while error is not None:
            assert "SECRET" not in f"{error!r}{error.__dict__}{getattr(error, 'object', '')}"
            error = error.__context__
