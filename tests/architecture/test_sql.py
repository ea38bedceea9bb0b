"""SQL stands in one place per room: files named tables.py, the storage engine, and what opens the
database itself. A second engine comes later and must not go hunting.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.architecture.test_boundaries import PYTHON, ROOT

# They run statements that are no room's: PRAGMA, BEGIN and the schema steps, which are .sql files.
DATABASE_ITSELF = {
    "pwa.database.connections": "PRAGMA and transactions of the one writer",
    "pwa.database.migrations": "runs the steps of pwa/database/steps",
    "pwa.database.schema": "divides the steps into statements",
    "pwa.database.backup": "PRAGMA integrity_check and SQLite's own backup",
    "sync.rederive": "a one-off over the log, inside the SQLite engine",
    "sync.restored": "the entry that a restore ends the log with",
}
RUNS = {"execute", "executemany", "executescript", "query", "table", "insert_all", "upsert", "rows_where"}  # fmt: skip
STATEMENT = re.compile(
    r"^\s*(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX|VIEW))\b",
    re.I | re.S,
)
PORTABLE = re.compile(r"\browid\b|\bjson_\w+\(|INSERT\s+OR\s+|\bREPLACE\s+INTO\b", re.I)
REASON = "# SQLite only:"


def is_place(name: str, path: Path) -> bool:
    return path.name == "tables.py" or name == "sync.sqlite"


def strings(tree: ast.AST) -> list[str]:
    """Every string constant, docstrings left out."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_statements_stand_in_tables_alone() -> None:
    found = [
        f"{name}: {text[:60]}"
        for name, path in PYTHON.items()
        if not is_place(name, path) and name not in DATABASE_ITSELF
        for text in strings(ast.parse(path.read_text("utf-8")))
        if STATEMENT.match(text)
    ]
    assert found == []


def test_nothing_else_runs_statements() -> None:
    found = [
        f"{name}:{node.lineno} {node.func.attr}"
        for name, path in PYTHON.items()
        if not is_place(name, path) and name not in DATABASE_ITSELF
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in RUNS
        and ast.unparse(node.func.value).endswith(("db", "writer", "conn", "connection"))
    ]
    assert found == []


def test_what_only_sqlite_knows_gives_its_reason() -> None:
    for name, path in PYTHON.items():
        if not is_place(name, path):
            continue
        text = path.read_text("utf-8")
        used = sum(bool(PORTABLE.search(one)) for one in strings(ast.parse(text)))
        if used:
            assert REASON in text, f"{name} uses what only SQLite knows and does not say why"


def test_there_is_something_to_check() -> None:
    places = [
        path.relative_to(ROOT).as_posix() for name, path in PYTHON.items() if is_place(name, path)
    ]
    assert len(places) >= 6
    assert STATEMENT.match("SELECT a, b FROM c")
    assert not STATEMENT.match("Select a file from the list")
