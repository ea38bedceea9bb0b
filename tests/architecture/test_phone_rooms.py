"""The rooms of static/field: who may import whom, read off docs/architecture.md.

Imports in JSDoc (`import('./x.js')`) count as imports: a type belongs to the room that makes it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
FIELD = STATIC / "field"
TABLE = ROOT / "docs" / "architecture.md"

_ROW = re.compile(r"^\| `(\w+)` \|([^|]*)\|", re.M)
_IMPORT = re.compile(r"""(?:\bfrom |\bimport\(|^import )\s*['"]([^'"]+)['"]""", re.M)
_REGISTER = re.compile(r"^export (?:const|function) register\b", re.M)


def read_rows() -> list[tuple[str, str]]:
    """(room, its second column) for each row of the phone's table, in order."""
    text = TABLE.read_text("utf-8")
    return _ROW.findall(text.split("<!-- phone rooms -->")[1].split("<!-- /phone rooms -->")[0])


ALLOWED = {room: set(re.findall(r"`(\w+)`", allowed)) for room, allowed in read_rows()}
"""room → the rooms it may import, in the table's order."""
MODULES = sorted([*FIELD.rglob("*.js"), *FIELD.rglob("*.d.ts")])


def room_of(path: Path) -> str:
    """`store` for static/field/store/rows.js, `boot` for static/field/boot.js, `build` for made ones."""
    folder, *rest = path.relative_to(STATIC).parts
    return folder if folder != "field" else rest[0].partition(".")[0]


def imported(path: Path) -> set[Path]:
    """The files that `path` imports, types among them; a package by its name in static/vendor."""
    names = _IMPORT.findall(path.read_text("utf-8"))
    return {
        Path(os.path.normpath(path.parent / name))
        if name.startswith(".")
        else STATIC / "vendor" / name
        for name in names
    }


def is_page(path: Path) -> bool:
    return bool(_REGISTER.search(path.read_text("utf-8")))


def test_the_table_lists_every_room_once() -> None:
    rooms = [room for room, _ in read_rows()]
    assert len(rooms) == len(set(rooms))
    assert {room_of(path) for path in MODULES} == set(rooms) - {"build", "vendor"}


def test_the_table_allows_imports_downwards_only() -> None:
    rooms = list(ALLOWED)
    for place, room in enumerate(rooms):
        assert ALLOWED[room] <= set(rooms[place + 1 :]), f"{room} may import a room above it"


def test_every_import_is_allowed() -> None:
    wrong = [
        f"{path.relative_to(FIELD)} imports {target.relative_to(STATIC)}"
        for path in MODULES
        for target in imported(path)
        if room_of(target) not in ALLOWED[room_of(path)] | {room_of(path)}
    ]
    assert wrong == []


def test_what_the_table_allows_is_used() -> None:
    used = {
        (room_of(path), room_of(target))
        for path in MODULES
        for target in imported(path)
        if room_of(path) != room_of(target)
    }
    assert used == {(room, other) for room, others in ALLOWED.items() for other in others}


def test_every_import_leads_to_a_file() -> None:
    wrong = [
        f"{path.relative_to(FIELD)}: {target.relative_to(STATIC)}"
        for path in MODULES
        for target in imported(path)
        if room_of(target) not in ("build", "vendor") and not target.is_file()
    ]
    assert wrong == []


def test_no_module_imports_itself_by_a_circle() -> None:
    done: set[Path] = set()

    def walk(path: Path, trail: tuple[Path, ...]) -> None:
        assert path not in trail, " → ".join(one.name for one in (*trail, path))
        if path in done or path not in MODULES:
            return
        for target in sorted(imported(path)):
            walk(target, (*trail, path))
        done.add(path)

    for path in MODULES:
        walk(path, ())


@pytest.mark.parametrize("room", ["pages", "views"])
def test_pages_do_not_import_each_other(room: str) -> None:
    pages = {path for path in (FIELD / room).glob("*.js") if is_page(path)}
    assert len(pages) > 3
    lists = {FIELD / "routes.js", FIELD / "views" / "index.js"}
    wrong = [
        f"{path.relative_to(FIELD)} imports {target.name}"
        for path in MODULES
        if path not in lists
        for target in imported(path) & pages
    ]
    assert wrong == []
