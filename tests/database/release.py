"""Writes the next old database from today's code: `python -m tests.database.release NAME`.

Once for each release that changes the schema or a version of what is derived; see README.md in
tests/data/databases. Refuses to write a file that is there: what was released does not change.
"""

from __future__ import annotations

import lzma
import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import time_machine
from argon2 import PasswordHasher

import pwa
from pwa import create_app, initialise
from pwa.database.connections import DATABASE
from pwa.guide import load as load_guide
from pwa.guide.format import Guide
from pwa.people import accounts
from pwa.services import EXTENSION
from pwa.settings import Settings
from tests.cast.operations import NOW
from tests.database.story import tell

FOLDER = Path(__file__).parents[1] / "data" / "databases"


def files() -> list[Path]:
    """Every old database, the oldest first."""
    return sorted(FOLDER.glob("*.sql.xz"))


def load(path: Path, data: Path) -> None:
    """Make the data folder `data` with the database that `path` holds."""
    data.mkdir()
    (data / "secret").write_text("test", "utf-8")
    with closing(sqlite3.connect(data / DATABASE)) as db:
        db.executescript(lzma.decompress(path.read_bytes()).decode())


def write(path: Path) -> None:
    """Write today's database to `path`, which must not be there."""
    whole = load_guide()
    quick = mock.patch.object(accounts, "HASHER", PasswordHasher(1, 8, 1))
    small = mock.patch.object(pwa, "load_guide", return_value=_small(whole))
    with TemporaryDirectory() as folder, time_machine.travel(NOW, tick=False), quick, small:
        settings = Settings(data=Path(folder) / "data")
        initialise(settings)
        app = create_app(settings)
        try:
            tell(app, whole)
        finally:
            app.extensions[EXTENSION].close()
        with closing(sqlite3.connect(settings.data / DATABASE)) as db:
            text = "\n".join(db.iterdump()) + "\n"
    with path.open("xb") as file:
        file.write(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def _small(guide: Guide) -> Guide:
    """Two items, one consent, two languages, one word a text: the real guide is 300 kilobytes."""
    items = {
        key: replace(guide.items[key], consents=(), notice="") for key in ("i04", "i05")
    }  # fmt: skip
    small = replace(
        guide,
        sections={one.section: guide.sections[one.section] for one in items.values()},
        items=items,
        consents={"K8": guide.consents["K8"]},
        notices={},
        common=guide.common[:3],
        settings={},
    )
    languages = {
        tag: replace(guide.languages[tag], texts=dict.fromkeys(small.text_keys, "Test"), reviews={})
        for tag in ("sv", "so")
    }
    return replace(small, languages=languages)


def main(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise SystemExit("The name is made of a-z, 0-9 and hyphens.")
    path = FOLDER / f"{len(files()) + 1:02}-{name}.sql.xz"
    write(path)
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
