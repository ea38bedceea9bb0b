"""Repeat the offline visit in one engine; the last line is JSON for the soak."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pwa.bundle import build
from tests.browser.server import ROOT
from tests.engines import firefox, webkit
from tests.engines.engine import Engine
from tests.engines.story import make_company, run_story

ENGINES: dict[str, tuple[Callable[[Path], Engine], Callable[[], str]]] = {
    "webkit": (webkit.WebKit, webkit.absent),
    "firefox": (firefox.Firefox, firefox.absent),
}


def once(name: str) -> list[tuple[str, str]]:
    """One visit from an empty profile; what went wrong."""
    with tempfile.TemporaryDirectory(
        prefix=f"troskel-{name}-", ignore_cleanup_errors=True
    ) as folder:
        server = make_company(Path(folder))
        server.start()
        try:
            return run_story(ENGINES[name][0](Path(folder) / "profile"), server)
        finally:
            server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.engines", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--times", type=int, default=10)
    given = parser.parse_args()
    missing = ENGINES[given.engine][1]()
    if missing:
        print(f"{given.engine}: {missing}", file=sys.stderr)
        return 2
    build.build(ROOT, say=lambda _: None)
    wrong: list[tuple[str, str]] = []
    for n in range(given.times):
        wrong += once(given.engine)
        print(f"\r{given.engine}: {n + 1} of {given.times}", end="", file=sys.stderr, flush=True)
    for what, why in wrong:
        print(f"{what}: {why}", file=sys.stderr)
    row = {"part": given.engine, "fault": "F16", "tried": given.times}
    row |= {what: sum(kind == what for kind, _ in wrong) for what in ("lost", "doubled", "hidden")}
    print(json.dumps(row))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
