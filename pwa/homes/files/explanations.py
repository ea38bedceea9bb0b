"""What each code of a reading means, in words: an English msgid and its named parameters.

Invariant: every code that the package can give stands here, and a retired code stays listed, because
stored reports hold codes. A msgid names the row, the column and what to do, never a cell's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pwa.homes.files.shapes import Params
from pwa.messages import N_

# Column names to put in a "missing" list: header names we recognise, the same in any language.
CANONICAL_HEADERS = {
    "tenancy_ref": "Kontraktsnr",
    "object_ref": "Objektsnr",
    "street": "Adress",
    "move_in": "Inflyttningsdatum",
}

EXPLANATIONS: dict[str, str] = {
    # The file as a whole.
    "file.empty": N_("The file is empty. Export it again from the property system."),
    "file.too_large": N_(
        "The file is larger than %(limit_mb)s MB. Export fewer rows, or only new tenancies."
    ),
    "file.too_many_rows": N_("The file has more than %(limit)s rows. Split it into several files."),
    "file.too_many_columns": N_(
        "The file has more than %(limit)s columns. Export only the columns that are needed."
    ),
    "file.not_text": N_(
        "This is not a table: the file is of another kind or damaged. Export it as .csv or .xlsx."
    ),
    "file.pdf": N_("This is a PDF, not a table. Export it as .csv or .xlsx."),
    "file.web_page": N_(
        "This is a web page, not a table. Open it in a spreadsheet and save it as .xlsx."
    ),
    "file.old_or_locked_workbook": N_(
        "This workbook is in the old .xls format or locked with a password."
        " Save it as .xlsx without a password."
    ),
    "file.damaged_workbook": N_(
        "The workbook cannot be opened. Open it in a spreadsheet, save it again as .xlsx and retry."
    ),
    "file.workbook_too_large": N_(
        "The workbook is larger than %(limit_mb)s MB when unpacked. Export fewer rows."
    ),
    "file.dates_from_1904": N_(
        "The workbook counts its dates from 1904, so a date may be four years wrong."
        " Turn that setting off in the spreadsheet, check the dates and save it again."
    ),
    "file.one_column": N_(
        "Only one column was found. Separate the columns with semicolon, comma or tab."
    ),
    "file.quotes": N_(
        "Row %(row)s: a quotation mark is opened and not closed, so the columns cannot be told"
        " apart. Correct the row and import the file again."
    ),
    "file.no_header": N_(
        "No row with column names was found. The first row must name the columns, with at least:"
        " %(missing)s."
    ),
    "file.columns_missing": N_(
        "These columns are missing: %(missing)s. Columns found: %(found)s."
        " Add or rename the columns and import the file again."
    ),
    # Rows that are left out on purpose.
    "not_a_dwelling": N_("Row %(row)s: not a dwelling, left out."),
    "duplicate_row": N_("Row %(row)s: says the same as an earlier row, left out."),
    # Rows that are refused.
    "too_many_cells": N_(
        "Row %(row)s: %(found)s cells under %(expected)s column names, so the columns have"
        " shifted. Put the cell that holds a separator in quotation marks."
    ),
    "cell_missing": N_("Row %(row)s, %(field)s: the cell is empty. Fill it in."),
    "cell_too_long": N_(
        "Row %(row)s, %(field)s: more than %(limit)s characters, not stored. Shorten the cell."
    ),
    "personnummer": N_(
        "Row %(row)s, %(field)s: the cell seems to hold a personal identity number and was not"
        " stored. Remove the number from the cell."
    ),
    "date_ambiguous": N_(
        "Row %(row)s, %(field)s: the date can be read in more than one way."
        " Write it as year-month-day, such as 2026-11-30."
    ),
    "date_impossible": N_("Row %(row)s, %(field)s: there is no such date. Correct it."),
    "date_out_of_range": N_("Row %(row)s, %(field)s: the year cannot be right. Correct the date."),
    "date_unreadable": N_(
        "Row %(row)s, %(field)s: this is not a date. Write it as year-month-day, such as 2026-11-30."
    ),
    "duplicate_reference": N_(
        "Row %(row)s, %(field)s: the same reference as row %(first_row)s, with other content."
        " Keep one of the rows; two leaseholders belong on one row."
    ),
    # Rows that go in, but somebody should look.
    "short_row": N_(
        "Row %(row)s: %(found)s cells under %(expected)s column names. The rest was read as"
        " missing. Check the row."
    ),
    "object_type_missing": N_(
        "Row %(row)s, %(field)s: the kind of object is empty, so it was taken for a dwelling."
        " Fill it in, or cancel the visit."
    ),
    "tenant_missing": N_(
        "Row %(row)s, %(field)s: no name of a tenant. Fill it in before the visit is booked."
    ),
    "lease_ends_before_it_starts": N_(
        "Row %(row)s, %(field)s: the lease ends before it starts, so no visit is planned."
        " Correct the dates if the tenant does move in."
    ),
    "phone_unreadable": N_(
        "Row %(row)s, %(field)s: no phone number could be read and the text was not stored."
        " Write only the number, such as 070-123 45 67."
    ),
    "phone_incomplete": N_(
        "Row %(row)s, %(field)s: a number is incomplete or of the wrong length."
        " Check it before calling."
    ),
    "phone_area_code_missing": N_(
        "Row %(row)s, %(field)s: the area code is missing. Add it, such as 021-12 34 56."
    ),
    "phone_text_dropped": N_(
        "Row %(row)s, %(field)s: the number was kept and the text beside it was not stored."
        " Write only the number in this column."
    ),
    "phone_too_many": N_(
        "Row %(row)s, %(field)s: more than four phone numbers; the others were not stored."
        " Write at most four."
    ),
    "postcode_unreadable": N_(
        "Row %(row)s, %(field)s: a postcode has five digits. It was left empty; correct it."
    ),
    "email_unreadable": N_(
        "Row %(row)s, %(field)s: this is not one e-mail address. It was left empty; correct it."
    ),
    "language_unknown": N_(
        "Row %(row)s, %(field)s: the language is not known here. It was left empty;"
        " the tenant chooses at the visit."
    ),
    "language_ambiguous": N_(
        "Row %(row)s, %(field)s: Kurdish is more than one language. Write sorani or kurmanji."
    ),
}


def explain(problem: str, params: Mapping[str, Any]) -> tuple[str, Params]:
    """The English msgid of a problem, skip reason or file code, and its named parameters.

    Lists become comma-separated text. An unknown code raises KeyError: it is a bug, and a
    silent fallback would show a supervisor an empty message.
    """
    shown = dict(params)
    if "missing" in shown:
        shown["missing"] = [CANONICAL_HEADERS.get(name, name) for name in shown["missing"]]
    for name, value in shown.items():
        if isinstance(value, list):
            shown[name] = ", ".join(str(part) for part in value)
    return EXPLANATIONS[problem], shown
