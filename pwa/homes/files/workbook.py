"""Sheets of an .xlsx workbook as rows of text.

Invariant: a number, a date and a text that a person reads as the same come out as the same
text (903, not 903.0; 2026-11-30, not a datetime). Archives that are too large are refused before
anything is unpacked in full, and so is XML with a document type, which no spreadsheet writes and
only attacks need.
"""

from __future__ import annotations

import io
import threading
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pwa.homes.files.shapes import FileRefused, NumberedCells

UNPACKED_MAX = 100 * 1024 * 1024
MEMBERS_MAX = 2_000
SHEET_ROWS_MAX = 1_048_576  # the format's own limit
_DOCTYPES = tuple("<!DOCTYPE".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))

# One workbook at a time: it bounds memory, and warnings.catch_warnings is not thread-safe.
_one_at_a_time = threading.Lock()


def read_sheets(data: bytes, *, rows_max: int, columns_max: int) -> list[list[NumberedCells]]:
    """Every sheet's rows that are not blank, numbered as the spreadsheet numbers them.

    Raises FileRefused for anything that is not a sound workbook within the limits.
    """
    refusal: FileRefused | None = None
    sheets: list[list[NumberedCells]] = []
    with _one_at_a_time, warnings.catch_warnings():
        # openpyxl warns about styles and extensions, and quotes cell values while doing so.
        warnings.simplefilter("ignore")
        try:
            _check_archive(data)
            sheets = list(_read(data, rows_max, columns_max))
        except FileRefused as error:
            refusal = error
        except Exception:  # a library reading hostile bytes may raise anything at all
            refusal = FileRefused("file.damaged_workbook")
    # Raised out here so that no exception that quotes cells comes along as its context.
    if refusal is not None:
        raise FileRefused(refusal.code, refusal.detail)
    return sheets


def _check_archive(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        # zipfile stops at the size the directory claims, so the sum is an upper bound.
        if len(members) > MEMBERS_MAX or sum(m.file_size for m in members) > UNPACKED_MAX:
            raise FileRefused(
                "file.workbook_too_large", {"limit_mb": UNPACKED_MAX // (1024 * 1024)}
            )
        for member in members:
            tail = b""
            with archive.open(member) as stream:
                while chunk := stream.read(1 << 20):
                    if any(mark in tail + chunk for mark in _DOCTYPES):
                        raise FileRefused("file.damaged_workbook")
                    tail = chunk[-32:]


def _read(data: bytes, rows_max: int, columns_max: int) -> Iterator[list[NumberedCells]]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        if book.epoch == CALENDAR_MAC_1904:
            # Real dates would come out right, bare serial numbers four years wrong.
            raise FileRefused("file.dates_from_1904")
        for sheet in book.worksheets:
            records: list[NumberedCells] = []
            # Bounds of our own: the stored dimension is a hint that several exporters get wrong.
            rows = sheet.iter_rows(
                max_row=SHEET_ROWS_MAX, max_col=columns_max + 1, values_only=True
            )
            for number, values in enumerate(rows, start=1):
                cells = [_as_text(value) for value in values]
                while cells and not cells[-1].strip():
                    cells.pop()
                if len(cells) > columns_max:
                    raise FileRefused("file.too_many_columns", {"limit": columns_max})
                if cells:
                    records.append((number, cells))
                if len(records) > rows_max + 1:
                    raise FileRefused("file.too_many_rows", {"limit": rows_max})
            yield records
    finally:
        book.close()


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
