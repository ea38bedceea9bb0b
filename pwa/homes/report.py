"""What an import did, or would do: counts, and what was left out, refused or looks doubtful.

Invariant: no cell of the file is in it, only row numbers, column names and codes (files/shapes.py),
so it can be stored, mailed and shown for protected identities too. The JSON is stable: others
script against it (docs/design.md 9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flask_babel import gettext

from pwa.homes.files import Message, Skip, explain


@dataclass(slots=True)
class Report:
    """Counts are of rows; `created` counts planned visits. `refused_whole`: the code and facts of
    a file that could not be read at all."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    protected: int = 0
    registered: int = 0
    skipped: Sequence[Skip] = ()
    refused: Sequence[Message] = ()
    warnings: Sequence[Message] = ()
    dropped_columns: Sequence[str] = ()
    dry_run: bool = False
    refused_whole: tuple[str, Mapping[str, Any]] | None = None
    sha256: str = ""

    @property
    def exit_code(self) -> int:
        """0 when rows were imported or none needed to be, 2 when the file was refused (docs/design.md 9.3)."""
        return 2 if self.refused_whole else 0

    def as_json(self) -> dict[str, Any]:
        """The stable JSON of docs/design.md 9.3, with `warnings` beside it; messages in the language in force."""
        return {
            "read": self.read,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "protected": self.protected,
            "registered": self.registered,
            "skipped": [dict(one) for one in self.skipped],
            "refused": [_with_message(one) for one in self.refused],
            "warnings": [_with_message(one) for one in self.warnings],
            "dropped_columns": list(self.dropped_columns),
            **(
                {"problem": self.refused_whole[0], "message": self.whole_message()}
                if self.refused_whole
                else {}
            ),
        }

    def as_stored(self) -> dict[str, Any]:
        """What is kept of it in the database: codes, no words of any language."""
        apart = ("refused_whole", "sha256", "dry_run")
        return {key: value for key, value in asdict(self).items() if key not in apart}

    def whole_message(self) -> str:
        """Why the file was refused as a whole, and what to do; "" when it was not."""
        return message(*self.refused_whole) if self.refused_whole else ""

    def as_text(self) -> str:
        """The report for a terminal, in the language in force."""
        if self.refused_whole:
            return str(gettext("Nothing was imported.")) + "\n" + self.whole_message()
        lines = [
            gettext("Dry run: nothing was stored.") if self.dry_run else gettext("Imported."),
            gettext("Rows read: %(n)s", n=self.read),
            gettext("Visits planned: %(n)s", n=self.created),
            gettext("Tenancies updated: %(n)s", n=self.updated),
            gettext("Unchanged: %(n)s", n=self.unchanged),
            gettext("Handled by the supervisor: %(n)s", n=self.protected),
            gettext("Registered without a visit: %(n)s", n=self.registered),
            gettext("Left out: %(n)s", n=len(self.skipped)),
            gettext("Refused: %(n)s", n=len(self.refused)),
        ]
        if self.dropped_columns:
            lines.append(
                gettext("Columns not stored: %(names)s", names=", ".join(self.dropped_columns))
            )
        lines += ["  " + message(one["problem"], one["params"]) for one in self.refused]
        if self.warnings:
            lines.append(gettext("Check these rows:"))
            lines += ["  " + message(one["problem"], one["params"]) for one in self.warnings]
        return "\n".join(lines)


def message(problem: str, params: Mapping[str, Any]) -> str:
    """One problem in words, in the language in force."""
    msgid, shown = explain(problem, params)
    return str(gettext(msgid, **shown))


def _with_message(one: Message) -> dict[str, Any]:
    return {
        "row": one["row"],
        "field": one["field"],
        "problem": one["problem"],
        "message": message(one["problem"], one["params"]),
    }
