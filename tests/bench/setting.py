"""Where every bench stands: an empty data folder, an application on it, a line for each figure."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pwa import create_app, initialise
from pwa.services import EXTENSION, Services
from pwa.settings import Settings

ROOT = Path(__file__).parents[2]
OUT = ROOT / "bench.jsonl"


def say(what: str, value: float, unit: str, target: str = "", note: str = "") -> None:
    line = {"what": what, "value": round(value, 1), "unit": unit, "target": target, "note": note}
    with OUT.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"{what:<58}{value:>10.1f} {unit:<4} {target:<12} {note}")


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="troskel-bench-") as path:
        yield Path(path)


def make(data: Path) -> Any:
    settings = Settings(data=data / "data")
    initialise(settings)
    return create_app(settings)


def services_of(app: Any) -> Services:
    services: Services = app.extensions[EXTENSION]
    return services
