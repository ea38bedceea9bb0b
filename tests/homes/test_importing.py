"""Imports: what is counted, that they are idempotent, and that the protected room keeps its rows."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from pwa.homes.importing import import_file
from pwa.homes.protected import ProtectedRow, clear_protected, list_protected
from pwa.homes.report import Report
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.services import Services
from pwa.settings import Settings
from pwa.visits.submitting import Draft, submit

DATA = Path(__file__).parents[1] / "data"
HEADER = "Kontraktsnr;Objektsnr;Adress;Lägenhetsnr;Postnr;Ort;Område;Inflyttningsdatum;Namn;Kundnr;Skyddad\n"


@pytest.fixture(autouse=True)
def _frozen(app: Flask) -> Any:
    with time_machine.travel("2026-11-22T10:00:00+00:00", tick=False), app.app_context():
        yield


def sample(services: Services, name: str, **options: Any) -> Report:
    return import_file(services, None, (DATA / name).read_bytes(), name, **options)


def lines(services: Services, *rows: str, **options: Any) -> Report:
    return import_file(services, None, (HEADER + "\n".join(rows)).encode(), "x.csv", **options)


def row(
    ref: str = "1/1",
    street: str = "Gatvägen 1",
    moved: str = "2026-12-01",
    customer: str = "",
    flag: str = "N",
) -> str:
    return f"{ref};{ref};{street};1101;72187;Västerås;Norr;{moved};Test Testsson;{customer};{flag}"


def counts(report: Report) -> tuple[int, ...]:
    return (report.created, report.updated, report.unchanged, report.protected, report.registered)


def in_the_room(services: Services, user: User) -> list[ProtectedRow]:
    with services.databases.writing() as db:
        return list_protected(db, user, services.now())


def visits(services: Services) -> list[dict[str, Any]]:
    with services.databases.reading() as db:
        return list(db.table("visit_index").rows)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("tenancies-utf8.csv", {}, {"read": 40, "created": 36, "protected": 4}),
        ("leases-cp1252-padded.csv", {}, {"read": 30, "created": 24, "protected": 1}),
        ("too-much-data.csv", {}, {"read": 12, "created": 12}),
        ("bad-rows.csv", {}, {"read": 8, "created": 3}),
    ],
)
def test_the_sample_files_give_the_expected_counts(
    services: Services, name: str, options: dict[str, str], expected: dict[str, int]
) -> None:
    report = sample(services, name, **options)
    said = report.as_json()
    assert {key: said[key] for key in expected} == expected
    assert said["created"] == len(visits(services))
    assert said["read"] == sum(
        (said["created"], said["updated"], said["unchanged"], said["protected"], said["registered"],
         len(said["skipped"]), len(said["refused"]))
    )  # fmt: skip


@pytest.mark.parametrize(
    "phone",
    ["070 123 45 6", "070" * 15, "1234567", ", ".join(f"070-12345{n}" for n in range(60, 70)), "?"],
)
def test_a_bad_phone_number_never_refuses_a_tenancy(services: Services, phone: str) -> None:
    file = f"{HEADER.strip()};Telefon\n{row('1-1/1')};{phone}\n"
    report = import_file(services, None, file.encode(), "x.csv")
    assert report.refused_whole is None
    assert len(visits(services)) == 1


def test_a_file_imported_twice_changes_nothing(services: Services) -> None:
    sample(services, "tenancies-utf8.csv")
    before = visits(services)
    with services.storage.transaction():
        head = services.storage.head()
    assert counts(sample(services, "tenancies-utf8.csv")) == (0, 0, 36, 4, 0)
    assert visits(services) == before
    with services.storage.transaction():
        assert services.storage.head() == head


def test_a_dry_run_counts_the_same_and_stores_nothing(services: Services) -> None:
    dry = sample(services, "tenancies-utf8.csv", dry_run=True)
    assert visits(services) == []
    with services.databases.reading() as db:
        assert db.table("imports").count == db.table("protected_room").count == 0
    assert counts(dry) == counts(sample(services, "tenancies-utf8.csv"))


def test_a_changed_row_updates_the_tenancy_and_plans_no_second_visit(services: Services) -> None:
    lines(services, row())
    assert counts(lines(services, row(street="Nygatan 2"))) == (0, 1, 0, 0, 0)
    assert [one["street"] for one in visits(services)] == ["Nygatan 2"]


def test_a_missing_row_deletes_nothing(services: Services) -> None:
    lines(services, row("1/1"), row("2/1"))
    lines(services, row("2/1"))
    assert len(visits(services)) == 2


def test_an_old_tenancy_is_registered_without_a_visit(services: Services) -> None:
    assert counts(lines(services, row(moved="2024-01-01"))) == (0, 0, 0, 0, 1)
    assert visits(services) == []


def test_a_move_within_the_company_gets_the_short_visit(services: Services) -> None:
    lines(services, row("1/1", moved="2024-01-01", customer="P1"))
    lines(services, row("2/1", customer="P1"), row("3/1", customer="P2"))
    assert sorted(one["kind"] for one in visits(services)) == ["short", "welcome"]


@pytest.mark.parametrize("flag", ["J", "x", "?", "", "NULL", "1"])
def test_anything_but_a_clear_no_is_protected(services: Services, flag: str) -> None:
    assert counts(lines(services, row(flag=flag))) == (0, 0, 0, 1, 0)


def test_blank_is_unprotected_only_when_somebody_answers_for_it(services: Services) -> None:
    assert counts(lines(services, row(flag=""), blank_means_unprotected="Test Testsson"))[0] == 1


# Ids, hashes, password hashes and moments: any few digits may occur in them by chance.
BY_CHANCE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}|\$argon2\S+"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(?:[+-][\d:]+)?"
)


def everything_but_the_room(services: Services) -> str:
    """Every value of every table but the protected room, as one text; bytes decoded, and without
    what the server makes at random or reads from the clock."""
    db = sqlite3.connect(services.databases.path)
    text: list[str] = []
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        if name in ("protected_room", "tenancy_refs"):
            continue
        for values in db.execute(f"SELECT * FROM {name}"):
            text.extend(
                v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values
            )
    db.close()
    return BY_CHANCE.sub("#", "\n".join(text))


def test_a_protected_row_is_in_the_protected_room_and_nowhere_else(services: Services) -> None:
    report = lines(services, row("9/9", street="Hemliga gatan 7", flag="J"))
    assert "Hemliga" not in everything_but_the_room(services)
    assert "Hemliga" not in str(report.as_json()) + report.as_text()


def test_a_flag_raised_later_takes_everything_out_of_the_log(services: Services) -> None:
    lines(services, row("9/9", street="Hemliga gatan 7"))
    assert "Hemliga" in everything_but_the_room(services)
    assert counts(lines(services, row("9/9", street="Hemliga gatan 7", flag="J"))) == (
        0,
        0,
        0,
        1,
        0,
    )
    assert "Hemliga" not in everything_but_the_room(services)
    assert [one["protected"] for one in visits(services)] == [1]


def test_a_file_never_lowers_the_flag(services: Services) -> None:
    lines(services, row("9/9", flag="J"))
    assert counts(lines(services, row("9/9", flag="N"))) == (0, 0, 0, 1, 0)
    assert visits(services) == []


def test_a_refused_row_still_raises_the_flag(services: Services) -> None:
    lines(services, row("9/9", street="Hemliga gatan 7"))
    report = lines(services, row("9/9", street="", moved="11/12/26", flag="J"))
    assert len(report.refused) == 1
    assert "Hemliga" not in everything_but_the_room(services)


def test_clearing_needs_the_right_and_a_reason_and_plans_the_visit(
    services: Services, user_of: Any
) -> None:
    lines(services, row("9/9", flag="J"))
    alice: User = user_of("alice")
    with pytest.raises(Problem):
        in_the_room(services, alice)
    allowed = User(
        **{name: getattr(alice, name) for name in User.__slots__} | {"may_see_protected": True}
    )
    (locked,) = in_the_room(services, allowed)
    with pytest.raises(Problem):
        clear_protected(services, alice, locked.id, "Fel i filen")
    with pytest.raises(Problem):
        clear_protected(services, allowed, locked.id, "  ")
    clear_protected(services, allowed, locked.id, "Fel i filen")
    assert len(visits(services)) == 1
    assert in_the_room(services, allowed) == []
    assert counts(lines(services, row("9/9"))) == (0, 0, 1, 0, 0)
    with services.databases.reading() as db:
        assert [one["what"].split()[0] for one in db.table("protected_reads").rows] == [
            "list",
            "clear",
            "list",
        ]


def test_dropped_columns_leave_no_trace(services: Services) -> None:
    report = sample(services, "too-much-data.csv")
    assert list(report.dropped_columns) == [
        "Personnummer",
        "Inkomst",
        "Kreditbetyg",
        "Notering",
        "Bankkonto",
    ]
    everything = everything_but_the_room(services)
    for trace in ("19900101", "312000", "sjuk", "försörjningsstöd", "8327"):
        assert trace not in everything


def test_a_file_that_is_not_a_table_is_refused_as_a_whole(services: Services) -> None:
    report = import_file(services, None, b"%PDF-1.7 ...", "x.csv")
    assert report.exit_code == 2
    assert report.as_json()["message"]
    assert report.as_text()


def test_refused_rows_name_row_field_and_remedy(services: Services) -> None:
    refused = sample(services, "bad-rows.csv").as_json()["refused"]
    assert [one["row"] for one in refused] == [3, 4, 5, 6, 8]
    for one in refused:
        assert one["field"]
        assert str(one["row"]) in one["message"]


def test_a_failure_in_the_middle_stores_nothing(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr("pwa.homes.protected.lock", fail)
    with pytest.raises(OSError, match="disk"):
        sample(services, "tenancies-utf8.csv")
    assert visits(services) == []


def test_a_form_sent_twice_is_one_operation(
    services: Services, settings: Settings, user_of: Any
) -> None:
    lines(services, row())
    (visit,) = visits(services)
    draft = Draft(
        "01930000-0000-7000-8000-000000000001",
        "visit.assign",
        visit["id"],
        {"time": "10:00"},
        visit["seq"],
    )
    first = submit(services, user_of("alice"), [draft])
    again = submit(services, user_of("alice"), [draft, draft])
    assert [one.result for one in (*first, *again)] == ["applied", "duplicate", "duplicate"]
