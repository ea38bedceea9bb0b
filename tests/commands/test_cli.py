"""The troskel command: exit codes, output, files."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pwa import create_app
from pwa.commands.cli import main
from pwa.settings import Settings
from pwa.visits.exporting import safe_cell
from tests.cast.people import PASSWORD

FILES = Path(__file__).parent.parent / "data"
Run = Callable[..., "Answer"]


class Answer(NamedTuple):
    """The result of a command: its exit code and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("user", "list")` on a folder of the test's own. In this process, because starting
    Python costs more than the command; test_serve.py runs the real thing."""
    for name in os.environ:
        if name.startswith(("TROSKEL_", "LC_", "LANG", "PORT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TROSKEL_DATA", str(tmp_path / "data"))

    def troskel(*arguments: object, stdin: str = "", **environ: str) -> Answer:
        capsys.readouterr()
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as stop:
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["troskel", *map(str, arguments)])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            main()
        return Answer(int(stop.value.code or 0), *capsys.readouterr())

    return troskel


def test_init_makes_a_private_folder_and_can_be_repeated(run: Run, tmp_path: Path) -> None:
    assert run("init").returncode == 0
    secret = (tmp_path / "data" / "secret").read_text()
    assert len(secret) == 64
    for path in [tmp_path / "data", *(tmp_path / "data").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert "already there" in run("init").stdout
    assert (tmp_path / "data" / "secret").read_text() == secret


def test_data_on_the_command_line_beats_the_environment(run: Run, tmp_path: Path) -> None:
    assert run("init", "--data", tmp_path / "other").returncode == 0
    assert (tmp_path / "other" / "troskel.db").exists()
    assert not (tmp_path / "data").exists()


def test_a_folder_that_was_never_made_is_refused_with_what_to_do(run: Run, tmp_path: Path) -> None:
    for command in (["user", "list"], ["export", "visits"], ["serve"]):
        answer = run(*command)
        assert answer.returncode == 1, command
        assert "troskel init --data" in answer.stderr or "Cannot use" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_wrong_settings_stop_every_command_with_all_mistakes(run: Run) -> None:
    answer = run("init", TROSKEL_TYPO="1", PORT="x")
    assert answer.returncode == 1
    assert "TROSKEL_TYPO" in answer.stderr
    assert "PORT" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_settings_shows_the_value_in_force(run: Run) -> None:
    assert "Europe/Helsinki" in run("settings", TROSKEL_ZONE="Europe/Helsinki").stdout


def test_people_are_added_listed_deactivated_activated_and_given_passwords(run: Run) -> None:
    run("init")
    added = run(
        "user", "add", "hugo", "--role", "officer", "--queue", "KT", "--display", "Hugo Testsson",
        "--languages", "sv, ar", "--password-stdin", stdin=PASSWORD + "\n",
    )  # fmt: skip
    assert (added.returncode, added.stderr) == (0, "")
    assert run("user", "list").stdout == "hugo\tofficer\tKT\tsv,ar\tHugo Testsson\tactive\n"
    assert run("user", "deactivate", "hugo").returncode == 0
    assert "inactive" in run("user", "list").stdout
    assert run("user", "activate", "hugo").returncode == 0
    assert run("user", "password", "hugo", "--password-stdin", stdin="another one").returncode == 0


def test_impossible_people_are_refused_in_words(run: Run) -> None:
    run("init")
    add = ["user", "add", "dora", "--role", "visitor"]
    short = run(*add, "--password-stdin", stdin="short\n")
    assert (short.returncode, "at least 8" in short.stderr) == (1, True)
    assert run(*add).returncode == 2  # nobody there to type a password
    assert run("user", "add", "dora", "--role", "boss").returncode == 2
    nobody = run("user", "deactivate", "nobody")
    assert (nobody.returncode, "nobody called nobody" in nobody.stderr) == (1, True)
    assert run("user", "list").stdout == ""


def test_import_prints_the_stable_report_and_a_dry_run_stores_nothing(run: Run) -> None:
    run("init")
    file = FILES / "tenancies-utf8.csv"
    dry = run("import", file, "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    assert len(run("export", "visits").stdout.splitlines()) == 1
    real = run("import", file, "--json")
    assert real.returncode == 0, real.stderr
    assert json.loads(real.stdout) == json.loads(dry.stdout)
    assert {
        "read", "created", "updated", "unchanged", "protected", "registered", "skipped",
        "refused", "dropped_columns",
    } <= json.loads(real.stdout).keys()  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(run("export", "visits", "--format", "csv").stdout)))
    assert len(rows) == json.loads(real.stdout)["created"] > 0


def test_import_of_a_file_that_is_refused_as_a_whole_exits_2(run: Run, tmp_path: Path) -> None:
    run("init")
    (tmp_path / "x.csv").write_text("hello\nworld\n")
    answer = run("import", tmp_path / "x.csv")
    assert answer.returncode == 2
    assert "Nothing was imported" in answer.stdout
    assert run("import", tmp_path / "missing.csv").returncode == 2


@pytest.mark.parametrize("what", ["visits", "follow-ups", "consents"])
def test_an_export_of_nothing_is_a_header(run: Run, what: str) -> None:
    run("init")
    answer = run("export", what)
    assert (answer.returncode, len(answer.stdout.splitlines())) == (0, 1)
    assert not {"language", "name", "phone", "text", "by"} & set(answer.stdout.strip().split(","))


@pytest.mark.parametrize("text", ["=1+1", "+46", "-1", "@x", "\tx", "\rx"])
def test_a_cell_never_starts_a_formula(text: str) -> None:
    assert safe_cell(text) == "'" + text
    assert safe_cell("a=1") == "a=1"
    assert safe_cell(None) == ""


def test_guide_check_exits_0_only_when_nothing_is_missing(run: Run) -> None:
    answer = run("guide", "check", "--json")
    report = json.loads(answer.stdout)
    assert answer.returncode == (1 if report["problems"] else 0)
    assert report["items"] == 72


# --- backup and restore --------------------------------------------------------------


@pytest.fixture
def filled(run: Run, tmp_path: Path) -> Path:
    """A folder with visits and a picture; its backup."""
    run("init")
    run("user", "add", "bob", "--role", "visitor", "--password-stdin", stdin=PASSWORD)
    assert run("import", FILES / "tenancies-utf8.csv").returncode == 0
    blob = (
        tmp_path / "data/blobs/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    )
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"hello")
    (blob.parent / f".{blob.name}.new").write_bytes(b"half")
    # A picture, under the hash it came with and its own.
    (blob.parent / f"2c{'0' * 62}.{blob.name}").write_bytes(b"hello")
    answer = run("backup", tmp_path / "b.tar.gz")
    assert answer.returncode == 0, answer.stderr
    return tmp_path / "b.tar.gz"


def test_a_backup_holds_the_database_and_whole_blobs_and_no_secret(filled: Path) -> None:
    with tarfile.open(filled) as tar:
        names = tar.getnames()
    assert names[0] == "troskel.db"
    assert [name.rsplit("/", 1)[0] for name in names[1:]] == ["blobs/2c"] * 2
    assert filled.stat().st_mode & 0o077 == 0
    assert list(filled.parent.glob(".b*")) == []


def test_a_backup_moves_the_mark_to_the_number_it_holds(run: Run, filled: Path) -> None:
    with closing(sqlite3.connect(filled.parent / "data/troskel.db")) as db:
        mark = db.execute("SELECT value FROM marks WHERE name = 'backup'").fetchone()[0]
        head = db.execute("SELECT max(seq) FROM log").fetchone()[0]
    assert int(mark) == head > 0


def test_an_external_backup_does_not_move_the_mark(run: Run, tmp_path: Path) -> None:
    run("init")
    answer = run("backup", tmp_path / "b.tar.gz", TROSKEL_BACKUP="external")
    assert "was not moved" in answer.stdout
    with closing(sqlite3.connect(tmp_path / "data/troskel.db")) as db:
        assert db.execute("SELECT value FROM marks WHERE name = 'backup'").fetchone() is None


def test_a_restore_brings_back_visits_people_and_blobs(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    before = run("export", "visits").stdout
    answer = run("restore", filled, "--data", tmp_path / "new")
    assert answer.returncode == 0, answer.stderr
    assert run("export", "visits", "--data", tmp_path / "new").stdout == before
    assert "bob" in run("user", "list", "--data", tmp_path / "new").stdout
    assert [p.read_bytes() for p in (tmp_path / "new/blobs").glob("??/*")] == [b"hello"] * 2


def test_a_restore_refuses_a_folder_with_data_and_with_force_puts_it_aside(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    run("user", "add", "dora", "--role", "visitor", "--password-stdin", stdin=PASSWORD)
    refused = run("restore", filled)
    assert (refused.returncode, "already holds data" in refused.stderr) == (1, True)
    assert "dora" in run("user", "list").stdout
    assert run("restore", filled, "--force").returncode == 0
    assert "dora" not in run("user", "list").stdout
    (aside,) = (tmp_path / "data").glob("replaced-*")
    assert {"troskel.db", "blobs"} <= {path.name for path in aside.iterdir()}


def test_a_damaged_backup_changes_nothing(run: Run, filled: Path, tmp_path: Path) -> None:
    whole = filled.read_bytes()
    filled.write_bytes(whole[: len(whole) // 2])
    answer = run("restore", filled, "--force")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "bob" in run("user", "list").stdout
    assert list((tmp_path / "data").glob(".restore*")) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("../evil", b"x"),
        ("/etc/evil", b"x"),
        ("secret", b"x"),
        ("blobs/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", b"other"),
        ("troskel.db", b"no database" * 500),
    ],
)
def test_an_archive_that_is_no_backup_is_refused(
    run: Run, filled: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    bad = tmp_path / "bad.tar.gz"
    with tarfile.open(filled) as good, tarfile.open(bad, "w:gz") as tar:
        if name != "troskel.db":
            tar.addfile(good.getmember("troskel.db"), good.extractfile("troskel.db"))
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    answer = run("restore", bad, "--data", tmp_path / "new")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert list((tmp_path / "new").rglob("*.db")) == []


def test_files_that_another_tool_restored_are_marked_as_restored(run: Run, filled: Path) -> None:
    answer = run("restore", "--external")
    assert answer.returncode == 0, answer.stderr
    assert "goes on" in answer.stdout
    for wrong in (["restore"], ["restore", filled, "--external"]):
        refused = run(*wrong)
        assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
        assert "--external" in refused.stderr


def test_a_restore_ends_every_session(run: Run, filled: Path, tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path / "data"))
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    client.post("/sign-in", json={"name": "bob", "password": PASSWORD})
    assert client.get("/session").status_code == 200
    app.extensions["troskel"].close()
    assert run("backup", filled).returncode == 0
    assert run("restore", filled, "--force").returncode == 0
    again = create_app(Settings(data=tmp_path / "data"))
    cookie = client.get_cookie("troskel")
    assert cookie is not None
    other = again.test_client()
    other.set_cookie("troskel", cookie.value)
    assert other.get("/session").status_code == 401
    again.extensions["troskel"].close()


# --- the guide as PO files ------------------------------------------------------------------


def test_a_language_of_the_guide_is_exported_and_imported_as_drafts(
    run: Run, tmp_path: Path
) -> None:
    run("init")
    out = run("guide", "export", "so")
    file = tmp_path / "so.po"
    file.write_text(out.stdout, "utf-8")
    same = json.loads(run("guide", "import", "so", file, "--reviewer", "Test", "--json").stdout)
    assert (same["changed"], same["reviewed"], same["refused"]) == (0, 0, [])
    text = out.stdout.replace('#, fuzzy\nmsgctxt "i25.label"', 'msgctxt "i25.label"')
    assert text != out.stdout
    file.write_text(text, "utf-8")
    for dry, reviewed in ((["--dry-run"], 1), ([], 1), ([], 0)):
        answer = run("guide", "import", "so", file, "--reviewer", "Test Testsson", "--json", *dry)
        assert answer.returncode == 0
        assert json.loads(answer.stdout)["reviewed"] == reviewed
    assert "# Reviewed by: Test Testsson, " in run("guide", "export", "so").stdout


def test_what_publishing_would_change_is_shown_and_checked_with_the_drafts(
    run: Run, tmp_path: Path
) -> None:
    def told(*arguments: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(run("guide", *arguments, "--json").stdout)
        return answer

    run("init")
    nothing = told("diff")
    assert (nothing["changes"], nothing["from"]) == ([], nothing["to"])
    file = tmp_path / "so.po"
    out = run("guide", "export", "so").stdout
    entry = re.search(r'#, fuzzy\nmsgctxt "i25.label"\nmsgid "[^"]*"\nmsgstr "([^"]*)"', out)
    assert entry
    approved = entry[0].removeprefix("#, fuzzy\n").replace(entry[1], "Boorso")
    file.write_text(out.replace(entry[0], approved), "utf-8")
    run("guide", "import", "so", file, "--reviewer", "Test Testsson")
    diff = told("diff")
    assert diff["from"] == nothing["from"] != diff["to"]
    assert diff["changes"] == [
        {"language": "so", "key": "i25.label", "old": entry[1], "new": "Boorso",
         "old_state": "machine", "new_state": "reviewed"}
    ]  # fmt: skip
    lines = run("guide", "diff").stdout.splitlines()
    assert lines == [
        "so i25.label (machine → reviewed)", f"- {entry[1]}", "+ Boorso", "texts that would change: 1",
    ]  # fmt: skip
    reviewed = [
        told(*how)["languages"]["so"]["reviewed"] for how in (("check",), ("check", "--drafts"))
    ]
    assert reviewed == [0, 1]
    out = run("guide", "export", "so").stdout
    assert '"Boorso"' in out
    file.write_text(out.replace('"Boorso"', '"Бурсо"'), "utf-8")
    run("guide", "import", "so", file, "--reviewer", "Test Testsson")
    assert run("guide", "check").returncode == 0
    answer = run("guide", "check", "--drafts", "--json")
    assert answer.returncode == 1
    assert [one["key"] for one in json.loads(answer.stdout)["problems"]] == ["i25.label"]


def test_a_refused_row_is_reported_with_its_number_and_a_refused_file_is_exit_code_2(
    run: Run, tmp_path: Path
) -> None:
    run("init")
    file = tmp_path / "so.po"
    out = run("guide", "export", "so").stdout
    file.write_text(out.replace('msgctxt "i25.label"', 'msgctxt "i99.label"'), "utf-8")
    answer = run("guide", "import", "so", file, "--reviewer", "Test")
    assert answer.returncode == 0
    assert re.search(r"^row \d+: i99\.label: There is no text", answer.stdout, re.M)
    assert run("guide", "import", "ti", file, "--reviewer", "Test").returncode == 2
    file.write_text("not a PO file", "utf-8")
    assert run("guide", "import", "so", file, "--reviewer", "Test").returncode == 2
    assert run("guide", "export", "sv").returncode == 1
    assert run("guide", "export", "xx").returncode == 1
