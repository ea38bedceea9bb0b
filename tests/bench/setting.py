"""What every bench needs: an empty folder, plain tenancies, a line for each figure."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cast.samples import FIELDS

ROOT = Path(__file__).parents[2]
OUT = ROOT / "bench.jsonl"
PLAIN_FIELDS = FIELDS | {"object": "", "phones": []}
"""A tenancy as it was when the targets were set."""


def say(what: str, value: float, unit: str, target: str = "", note: str = "") -> None:
    line = {"what": what, "value": round(value, 1), "unit": unit, "target": target, "note": note}
    with OUT.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"{what:<58}{value:>10.1f} {unit:<4} {target:<12} {note}")


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="troskel-bench-") as path:
        yield Path(path)
