"""Bytes to a table: encoding, delimiter, quotes, line ends, row numbers.

Invariant: a row's number is the line a person sees it on (the first line, when a quoted cell
holds line breaks), and a file in which cells would be lost or moved is refused. The content
decides what a file is; its name can only lead to a refusal.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from pwa.homes.files.headers import count_recognised
from pwa.homes.files.shapes import FileRefused, NumberedCells, Table
from pwa.homes.files.workbook import read_sheets

BYTES_MAX = 20 * 1024 * 1024
ROWS_MAX = 50_000
COLUMNS_MAX = 200
HEADER_WITHIN = 10  # exports put a title, or "sep=;", above the column names
HEADER_NAMES_MIN = 3

# Order decides a tie: what a Swedish spreadsheet writes comes first.
DELIMITERS = (";", "\t", ",")
_TEXT_CONTROLS = frozenset("\t\n\r\x0b\x0c")
_CONTROLS = {chr(code) for code in range(32)} - _TEXT_CONTROLS


def read_table(data: bytes, filename: str) -> Table:
    """Read CSV or .xlsx bytes. Raises FileRefused, and nothing else, for what is not a table."""
    if len(data) > BYTES_MAX:
        raise FileRefused("file.too_large", {"limit_mb": BYTES_MAX // (1024 * 1024)})
    if not data.strip():
        raise FileRefused("file.empty")
    if data.startswith(b"PK"):
        return _read_workbook(data)
    _refuse_other_kinds(data, filename)
    text, encoding = _decode(data)
    return _read_text(text, encoding)


def _refuse_other_kinds(data: bytes, filename: str) -> None:
    if b"%PDF-" in data[:1024]:
        raise FileRefused("file.pdf")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileRefused("file.old_or_locked_workbook")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise FileRefused("file.web_page")
    if filename.lower().endswith((".xlsx", ".xlsm")):
        raise FileRefused("file.damaged_workbook")


def _decode(data: bytes) -> tuple[str, str]:
    """By byte order mark, then strict UTF-8, then Windows-1252."""
    if data.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8", "cp1252"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            # The error's `object` is the whole file: raised here, it would be the next one's context.
            continue
        if not _CONTROLS.isdisjoint(text):
            break
        if not text.strip():
            raise FileRefused("file.empty")
        return text, encoding
    raise FileRefused("file.not_text")


def _read_text(text: str, encoding: str) -> Table:
    delimiter = _find_delimiter(text)
    records: list[NumberedCells] = []
    for record in _Records(text, delimiter):
        records.append(record)
        if len(records) > ROWS_MAX + HEADER_WITHIN:
            raise FileRefused("file.too_many_rows", {"limit": ROWS_MAX})
    return _make_table(records, encoding, delimiter)


def _find_delimiter(text: str) -> str:
    """The delimiter under which the header line names the most columns we know.

    Data rows are not counted: addresses and notes are full of commas.
    """
    best, best_score = DELIMITERS[0], (-1, -1)
    for delimiter in DELIMITERS:
        head: list[NumberedCells] = []
        try:
            for record in _Records(text, delimiter):
                head.append(record)
                if len(head) == HEADER_WITHIN:
                    break
        except FileRefused:
            pass  # what came before the broken quotation mark still counts
        if head:
            header = head[_find_header(head)][1]
            score = (count_recognised(header), len(header))
            if score > best_score:
                best, best_score = delimiter, score
    return best


class _Records:
    """The records of a text that are not blank, each with the number of its first line."""

    def __init__(self, text: str, delimiter: str) -> None:
        # newline="" splits at \n, \r and \r\n and leaves them in; str.splitlines would also
        # split at U+2028 and form feeds, inside cells.
        self._lines = io.StringIO(text, newline="")
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[NumberedCells]:
        # strict: a quotation mark that is never closed would swallow the rows after it.
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            first_line = reader.line_num + 1
            broken = False
            cells: list[str] | None = None
            try:
                cells = next(reader, None)
            except csv.Error:
                broken = True
            if broken:
                raise FileRefused("file.quotes", {"row": first_line})
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield first_line, cells


def _find_header(records: list[NumberedCells]) -> int:
    for index, (_, cells) in enumerate(records[:HEADER_WITHIN]):
        if count_recognised(cells) >= HEADER_NAMES_MIN:
            return index
    return 0


def _read_workbook(data: bytes) -> Table:
    sheets = [s for s in read_sheets(data, rows_max=ROWS_MAX, columns_max=COLUMNS_MAX) if s]
    if not sheets:
        raise FileRefused("file.empty")
    chosen = sheets[0]
    for records in sheets:
        if count_recognised(records[_find_header(records)][1]) >= HEADER_NAMES_MIN:
            chosen = records
            break
    table = _make_table(chosen, "xlsx", "")
    # A sheet has no end of line that a row could stop short of: empty cells are just empty.
    width = len(table.header)
    rows = [(number, cells + [""] * (width - len(cells))) for number, cells in table.rows]
    return Table(table.header, rows, table.encoding, table.delimiter)


def _make_table(records: list[NumberedCells], encoding: str, delimiter: str) -> Table:
    at = _find_header(records)
    header = [cell.strip() for cell in records[at][1]]
    while header and not header[-1]:
        header.pop()
    if len(header) <= 1 and count_recognised(header) == 0:
        raise FileRefused("file.one_column")
    if len(header) > COLUMNS_MAX:
        raise FileRefused("file.too_many_columns", {"limit": COLUMNS_MAX})
    rows = records[at + 1 :]
    if len(rows) > ROWS_MAX:
        raise FileRefused("file.too_many_rows", {"limit": ROWS_MAX})
    width = len(header)
    trimmed = [
        (number, cells if any(c.strip() for c in cells[width:]) else cells[:width])
        for number, cells in rows
    ]
    return Table(header, trimmed, encoding, delimiter)
