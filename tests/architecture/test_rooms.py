"""The map of docs/architecture.md is the code's: each file stands in a room, each import is allowed.

The table of rooms there is read, not repeated here. A room may import what its row lists, and
its row lists only rooms above it in the table, so no circle of rooms can be written down.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.test_boundaries import PYTHON, ROOT, imports

MAP = ROOT / "docs" / "architecture.md"
ROW = re.compile(r"^\| `([\w.]+)` \| ([^|]+) \| [^|]{10,} \|$", re.M)
PAGE_ROOMS = ("pwa.desk", "pwa.desk.guide")


def read_map(name: str) -> dict[str, frozenset[str]]:
    """room → the rooms it may import, in the order of the table between the markers of `name`."""
    text = MAP.read_text("utf-8")
    table = text[text.index(f"<!-- {name} -->") : text.index(f"<!-- /{name} -->")]
    return {room: frozenset(re.findall(r"`([\w.]+)`", cell)) for room, cell in ROW.findall(table)}


ROOMS = read_map("rooms")


def room_of(module: str) -> str | None:
    """The room a module stands in: the longest name in the map that it begins with."""
    fitting = [room for room in ROOMS if module == room or module.startswith(f"{room}.")]
    # `pwa` is a room of one file: what lies below it stands in a room of its own.
    found = max(fitting, key=len, default=None)
    return None if found == "pwa" and module != "pwa" else found


def imported_rooms(module: str) -> Iterator[tuple[str, str]]:
    """(room, imported module) of what `module` imports from this project."""
    for name, _ in imports(PYTHON[module]):
        if name in PYTHON and name != module:
            room = room_of(name)
            # `from pwa.homes import company` names the package too: its file is imported with it.
            is_package = PYTHON[name].name == "__init__.py" and name != "pwa"
            if room is not None and not (is_package and not _takes_from(module, name)):
                yield room, name


def _takes_from(module: str, package: str) -> bool:
    """Whether `module` takes the package itself, or a name from it that is no module of it."""
    parent, _, last = package.rpartition(".")
    for node in ast.walk(ast.parse(PYTHON[module].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            if any(f"{package}.{one.name}" not in PYTHON for one in node.names):
                return True
        elif isinstance(node, ast.ImportFrom) and node.module == parent:
            if any(one.name == last for one in node.names):
                return True
        elif isinstance(node, ast.Import) and any(one.name == package for one in node.names):
            return True
    return False


def test_the_map_is_read() -> None:
    assert {"sync", "pwa.desk.parts", "pwa"} <= set(ROOMS)
    assert len(ROOMS) >= 18


def test_every_file_stands_in_a_room() -> None:
    assert [name for name in PYTHON if room_of(name) is None] == []


def test_every_room_of_the_map_is_there() -> None:
    assert [room for room in ROOMS if not any(room_of(name) == room for name in PYTHON)] == []


def test_a_room_may_import_rooms_below_it_only() -> None:
    below: set[str] = set()
    for room, allowed in ROOMS.items():
        assert allowed <= below, f"{room} lists {sorted(allowed - below)}, which are not below it"
        below.add(room)


def test_every_import_is_on_the_map() -> None:
    wrong = [
        f"{module} imports {name}"
        for module in PYTHON
        for room, name in imported_rooms(module)
        if room != room_of(module) and room not in ROOMS[str(room_of(module))]
    ]
    assert wrong == []


def test_the_map_allows_nothing_that_is_not_needed() -> None:
    used: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module in PYTHON:
        used[str(room_of(module))] |= {room for room, _ in imported_rooms(module)}
    unused = {room: sorted(ROOMS[room] - used[room]) for room in ROOMS if ROOMS[room] - used[room]}
    assert unused == {}


def test_pages_never_import_pages() -> None:
    pages = {
        name
        for name, path in PYTHON.items()
        if room_of(name) in PAGE_ROOMS
        and path.name != "__init__.py"
        and "\nblueprint = Blueprint(" in path.read_text("utf-8")
    }
    assert len(pages) > 15
    assert [
        f"{page} imports {name}"
        for page in sorted(pages)
        for name, _ in imports(PYTHON[page])
        if name in pages and name != page
    ] == []
