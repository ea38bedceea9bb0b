"""Reading a property system's file of tenancies: bytes in, clean rows and a report out.

Invariant: every data row of a file that is read ends up in exactly one of `rows`, `skipped`
and `refused`, and nothing that is not a recognised column survives the reading: no dropped
cell is in any row, message, exception or `repr`. Messages carry row numbers, column names
and problem codes, never cell values, so they can be shown and logged for protected
identities too.

The package refuses to touch a database, a clock, a locale or the web: today's date and the
names of those who answer for unprotected rows are arguments, and texts are English msgids
for the caller to translate.
"""

from pwa.homes.files.decode import read_table
from pwa.homes.files.explanations import explain
from pwa.homes.files.rows import read_tenancies
from pwa.homes.files.shapes import FileRefused, Message, Phone, Reading, Skip, Table, TenancyRow

__all__ = [
    "FileRefused",
    "Message",
    "Phone",
    "Reading",
    "Skip",
    "Table",
    "TenancyRow",
    "explain",
    "read_table",
    "read_tenancies",
]
