"""The published figures: `docs/proof.json`, and the table in the README made from it.

Invariant: every figure was counted by a run, and stands beside the date and commit of that run; a
part that has not run is not in the table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.soak import unseen
from tests.soak.ledger import Line
from tests.soak.parts import FAULTS, PLANTED

BEGIN, END = "<!-- proof -->", "<!-- /proof -->"
COUNTED = ("tried", "lost", "doubled", "hidden")

Row = dict[str, Any]


def tally(name: str, lines: Sequence[Line], chunks: int) -> list[Row]:
    """The finished chunks of one part, added up: one row for each fault class.

    Raises KeyError for a fault class without a description.
    """
    rows: dict[str, Row] = {}
    for line in lines:
        for counted in line.rows:
            fault = str(counted["fault"])
            row = rows.setdefault(
                fault,
                {"part": name, "fault": fault, "what": counted.get("what", FAULTS[fault])},
            )
            for key in COUNTED:
                row[key] = row.get(key, 0) + int(counted[key])
    newest = max(lines, key=lambda line: line.date)
    stamp = {
        "chunks": [len({line.chunk for line in lines}), chunks],
        "date": newest.date,
        "commit": newest.commit,
    }
    return [row | stamp for row in rows.values()]


def merge(path: Path, fresh: Sequence[Row], order: Sequence[str]) -> list[Row]:
    """Put the rows of the parts just measured in the place of their older ones, and keep the rest.

    `order` names the parts there are; rows of a part that no longer exists are dropped.
    """
    measured = {row["part"] for row in fresh}
    rows = [row for row in load(path) if row["part"] in order and row["part"] not in measured]
    rows = sorted([*rows, *fresh], key=lambda row: order.index(row["part"]))
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"rows": rows}, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return rows


def load(path: Path) -> list[Row]:
    """The published rows; none where nothing has been published."""
    rows: list[Row] = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    return rows


def table(rows: Sequence[Row], unseen_row: str = "") -> str:
    """The rows as Markdown; `unseen_row` is a line of it, made by `unseen.row`."""
    out = [
        "| fault | what | run | tried | lost | doubled | hidden | measured |",
        "|---|---|---|--:|--:|--:|--:|---|",
    ]
    for row in (one for one in rows if one["fault"] != PLANTED):
        figures = " | ".join(f"{row[key]:,}" for key in COUNTED)
        out.append(f"| {row['fault']} | {row['what']} | {_run(row)} | {figures} | {_when(row)} |")
    out += [unseen_row] * bool(unseen_row)
    for row in (one for one in rows if one["fault"] == PLANTED):
        caught = f"{row['tried'] - row['hidden']:,} of {row['tried']:,} ({_when(row)})"
        out += ["", f"Mistakes planted in the code and caught, {row['part']}: {caught}."]
    return "\n".join(out)


def publish(readme: Path, rows: Sequence[Row], tallies: Sequence[unseen.Tally] = ()) -> None:
    """Write the table between the README's markers. Raises ValueError where they are not."""
    before, found, rest = readme.read_text("utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{readme} has no {BEGIN} … {END}")
    readme.write_text(f"{before}{BEGIN}\n{table(rows, unseen.row(tallies))}\n{END}{after}", "utf-8")


def _run(row: Row) -> str:
    done, chunks = row["chunks"]
    return row["part"] if done == chunks else f"{row['part']} ({done} of {chunks} chunks)"


def _when(row: Row) -> str:
    return f"{row['date'][:10]}, {row['commit']}"
