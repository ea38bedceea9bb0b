"""Every statement of the desk stands in one file, and every row is read by one function there.

Read off the syntax tree: a list that forgot to leave out protected visits would look right in
every other test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pwa.desk
from pwa.desk.parts.due import DAYS
from sync.shapes import URGENCIES

DESK = Path(pwa.desk.__file__).parent
TABLES = DESK / "parts" / "tables.py"
# What a connection or a table of sqlite-utils offers to read or write rows with.
CALLS = frozenset({
    "execute", "executemany", "executescript", "query", "table", "view", "rows_where", "pks_and_rows_where",
    "count_where", "insert", "insert_all", "upsert", "upsert_all", "update", "delete_where", "search", "lookup",
})  # fmt: skip


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(DESK.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """(name of the method, the call) of every `something.method(…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


def test_no_page_and_no_part_has_a_statement_of_its_own() -> None:
    found = [
        f"{path.relative_to(DESK)}:{call.lineno}: .{name}("
        for path, tree in trees()
        if path != TABLES
        for name, call in calls(tree)
        if name in CALLS
    ]
    assert found == []


def test_no_page_takes_a_table_out_of_a_connection() -> None:
    """`db["visit_index"]` is a table of sqlite-utils."""
    found = [
        f"{path.relative_to(DESK)}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "db"
    ]
    assert found == []


def functions() -> dict[str, ast.FunctionDef]:
    tree = ast.parse(TABLES.read_text("utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def texts(node: ast.AST) -> str:
    """Every literal text in `node` but its docstrings, in capitals."""
    docstrings = {
        id(one.body[0].value)
        for one in ast.walk(node)
        if isinstance(one, ast.Module | ast.FunctionDef | ast.ClassDef)
        and isinstance(one.body[0], ast.Expr)
    }
    return " ".join(
        one.value.upper()
        for one in ast.walk(node)
        if isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and id(one) not in docstrings
    )


def test_one_function_reads_and_one_writes() -> None:
    executing = {
        name for name, node in functions().items() if any(n in CALLS for n, _ in calls(node))
    }
    assert executing == {"_select", "add_reading"}
    # Nothing is executed at the top of the module, or by a class.
    whole = ast.parse(TABLES.read_text("utf-8"))
    assert sum(name in CALLS for name, _ in calls(whole)) == len(executing)


def test_no_other_function_writes_a_select_into_a_statement() -> None:
    whole = texts(ast.parse(TABLES.read_text("utf-8")))
    assert whole.count("SELECT ") == texts(functions()["_select"]).count("SELECT ") == 1
    assert texts(functions()["add_reading"]).startswith("INSERT INTO ACCESS_LOG ")
    for name in ("UNION", "EXISTS", "VISIT_INDEX WHERE"):
        assert name not in whole


def test_every_source_joins_the_visits() -> None:
    """`source` is left out (visit_index itself) or made by `_of_visits`."""
    tree = ast.parse(TABLES.read_text("utf-8"))
    made = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and _is_of_visits(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    selects = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "_select"
    ]
    assert len(selects) > 12
    for call in selects:
        assert len(call.args) == 3, call.lineno
        for keyword in call.keywords:
            if keyword.arg == "source":
                value = keyword.value
                assert _is_of_visits(value) or (isinstance(value, ast.Name) and value.id in made)


def _is_of_visits(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "_of_visits"
    )


def test_what_is_joined_leaves_out_protected_visits() -> None:
    assert texts(functions()["_scope"]) == "V.PROTECTED = 0"
    names = {node.id for node in ast.walk(functions()["_select"]) if isinstance(node, ast.Name)}
    assert "_scope" in names
    assert "JOIN VISIT_INDEX V ON V.ID = " in texts(functions()["_of_visits"])


def test_every_urgency_has_its_days() -> None:
    assert tuple(DAYS) == URGENCIES
    assert list(DAYS.values()) == sorted(DAYS.values())
