"""Each released database becomes today's: its schema, its rows, what is derived, and it serves."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pwa import create_app, initialise
from pwa.database import indexes
from pwa.database.connections import DATABASE
from pwa.database.schema import steps
from pwa.services import EXTENSION
from pwa.settings import Settings
from sync.apply import RULE
from sync.index import TABLES as INDEX_TABLES
from sync.index import VERSION
from tests.cast.people import PASSWORD, SAME_ORIGIN
from tests.cast.wire_phone import WirePhone
from tests.database.release import files, load, write
from tests.database.story import CONFLICTS, COUNTS
from tests.server_faults.oracle import check_indexes

OLD = files()
Row = dict[str, Any]
Rows = dict[str, list[Row]]
# Steps that change rows, and not only add; what they do to which is in `kept` and `comparable`.
TODAYS = {"rule": RULE, "indexes": VERSION}
FORGETS, RULE_2 = "sync_0004_forget_applied", "unseen"


@pytest.fixture(params=OLD, ids=lambda path: path.name.partition(".")[0])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A data folder with an old database, as its release left it."""
    load(request.param, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    initialise(Settings(data=tmp_path / "fresh"))
    return tmp_path / "fresh"


def opened(data: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(data / DATABASE))


def schema(data: Path) -> dict[str, Any]:
    """All that SQLite knows of tables, indexes, views and triggers; texts but for white space."""
    with opened(data) as db:
        objects = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        found: dict[str, Any] = {
            f"{type} {name}": (table, _words(sql)) for type, name, table, sql in objects
        }
        for _, name, type, columns, without_rowid, strict in db.execute("PRAGMA table_list"):
            if name.startswith("sqlite_"):
                continue
            found[f"columns of {name}"] = (
                (type, columns, without_rowid, strict),
                db.execute(f'PRAGMA table_xinfo("{name}")').fetchall(),
                db.execute(f'PRAGMA foreign_key_list("{name}")').fetchall(),
            )
    return found


def _words(sql: str | None) -> list[str]:
    return re.findall(r"\w+|\S", sql or "")


def rows(data: Path) -> Rows:
    with opened(data) as db:
        db.row_factory = sqlite3.Row
        names = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: [dict(row) for row in db.execute(f'SELECT * FROM "{name}"')] for name in names
        }


def kept(table: str, row: Row, before: Rows) -> Row | None:
    """What must be left of an old row; None where a step takes it away."""
    if table == "held" and FORGETS not in names(before):
        applied = row["state"] == "resolved" and row["resolved_how"] != "file"
        if applied and row["id"] in {one["id"] for one in before["log"]}:
            return None if row["kind"] == "tally.count" else row | {"bytes": b""}
    if table == "marks" and row["name"] in TODAYS:
        return row | {"value": TODAYS[row["name"]]}
    return row


def comparable(table: str, row: Row, before: Rows) -> Row:
    """Of a record made under rule 1 only what that rule does not decide."""
    if table != "records" or row["type"] != "visit" or RULE_2 in names(before):
        return row
    record = json.loads(row["body"])
    consents = [{k: v for k, v in one.items() if k != "alone"} for one in record["consents"]]
    return row | {"body": record | {"cells": sorted(record["cells"]), "consents": consents}}


def names(found: Rows) -> list[str]:
    """The steps a database has taken."""
    return [one["name"] for one in found["migrations"]]


def test_the_schema_becomes_todays(old: Path, fresh: Path) -> None:
    initialise(Settings(data=old))
    assert schema(old) == schema(fresh)


def test_every_row_is_still_there(old: Path) -> None:
    before = rows(old)
    initialise(Settings(data=old))
    after = rows(old)
    tables = [name for name in before if name not in INDEX_TABLES]
    assert {"users", "log", "held", "records", "visibility", "tallies", "marks"} <= set(tables)
    for table in tables:
        columns = before[table][0] if before[table] else {}
        left = [
            comparable(table, {name: one[name] for name in columns}, before) for one in after[table]
        ]
        for row in before[table]:
            wanted = kept(table, row, before)
            if wanted is None:
                assert row["id"] not in {one["id"] for one in left}
            else:
                assert comparable(table, wanted, before) in left, (table, row)


def test_what_is_derived_is_what_todays_code_makes_of_it(old: Path) -> None:
    initialise(Settings(data=old))
    with opened(old) as db:
        visits = db.execute("SELECT id, body FROM records WHERE type = 'visit'").fetchall()
        assert check_indexes(db, {id: json.loads(body) for id, body in visits}) == []
        db.row_factory = None
        counts = db.execute("SELECT purpose, decision FROM consent_index").fetchall()
        conflicts = db.execute("SELECT conflicts FROM visit_index WHERE conflicts > 0").fetchall()
        marks = dict(db.execute("SELECT name, value FROM marks").fetchall())
    assert sorted(counts) == COUNTS
    assert [count for (count,) in conflicts] == CONFLICTS
    assert TODAYS.items() <= marks.items()


def test_records_of_rule_2_are_left_alone_although_no_mark_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob was no ambassador when he wrote; deriving his visits again would call him one."""
    (path,) = (one for one in OLD if one.name == "14-07c6b17.sql.xz")
    load(path, tmp_path / "data")
    with opened(tmp_path / "data") as db:
        db.execute("UPDATE users SET role = 'ambassador' WHERE name = 'bob'")
        db.commit()
    before = rows(tmp_path / "data")["records"]
    monkeypatch.setattr(indexes, "RULE", "2")
    initialise(Settings(data=tmp_path / "data"))
    assert rows(tmp_path / "data")["records"] == before


def test_starting_once_more_changes_nothing(old: Path) -> None:
    initialise(Settings(data=old))
    before = rows(old)
    initialise(Settings(data=old))
    assert rows(old) == before


def test_it_serves(old: Path) -> None:
    app = create_app(Settings(data=old))
    try:
        client = app.test_client()
        client.environ_base.update(SAME_ORIGIN)
        answer = client.post("/sign-in", data={"name": "bob", "password": PASSWORD})
        assert answer.status_code == 303
        with opened(old) as db:
            (bob,) = db.execute("SELECT id FROM users WHERE name = 'bob'").fetchone()
        phone = WirePhone(client, bob)
        visits = [one["id"] for one in phone.news()["snapshots"]]
        assert visits
        assert phone.told(*(phone.note(visit) for visit in visits)) == [("applied", "")] * len(
            visits
        )
    finally:
        app.extensions[EXTENSION].close()


# --- the newest ---------------------------------------------------------------------------


def test_the_newest_is_todays(tmp_path: Path, fresh: Path) -> None:
    """Fails when the schema, RULE or VERSION is another: add a database (README.md beside them)."""
    load(OLD[-1], tmp_path / "data")
    before = rows(tmp_path / "data")
    assert names(before) == [step.name for step in steps()]
    marks = {one["name"]: one["value"] for one in before["marks"]}
    assert TODAYS.items() <= marks.items()
    assert schema(tmp_path / "data") == schema(fresh)
    # Rows that today's code makes otherwise, under the same version, are found here too.
    initialise(Settings(data=tmp_path / "data"))
    assert rows(tmp_path / "data") == before
    with opened(tmp_path / "data") as db:
        db.execute("DELETE FROM marks WHERE name IN ('rule', 'indexes')")
        db.commit()
    initialise(Settings(data=tmp_path / "data"))
    again = rows(tmp_path / "data")
    for table in (*INDEX_TABLES, "records"):
        assert sorted(map(repr, again[table])) == sorted(map(repr, before[table])), table


def test_the_next_can_be_written_and_has_a_row_in_every_table(tmp_path: Path) -> None:
    write(tmp_path / "99-next.sql.xz")
    load(tmp_path / "99-next.sql.xz", tmp_path / "data")
    found = rows(tmp_path / "data")
    assert [name for name, some in found.items() if not some] == []
    with pytest.raises(FileExistsError):
        write(tmp_path / "99-next.sql.xz")


def test_they_stay_small_and_numbered() -> None:
    assert [path.name[:3] for path in OLD] == [f"{n:02}-" for n in range(1, len(OLD) + 1)]
    assert sum(path.stat().st_size for path in OLD) < 500_000
