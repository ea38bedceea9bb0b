"""The server as a process: how it starts, its lock on the folder, what it prints and logs."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pwa import create_app, initialise
from pwa.database.connections import DATABASE, Databases
from pwa.ids import uuid4, uuid7
from pwa.services import EXTENSION, Services
from pwa.settings import Settings
from pwa.visits.submitting import Draft, submit
from sync.operations import MEDIA_TYPE, encode
from tests.cast.people import user_named
from tests.conftest import PASSWORD
from tests.sync.world import REGISTER

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """`start()` is a server process on the folder with the cast."""
    running: list[subprocess.Popen[str]] = []

    def serve(*arguments: str, **environ: str) -> subprocess.Popen[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TROSKEL_")}
        command = [
            sys.executable,
            "-c",
            "from pwa.commands.cli import main; main()",
            "serve",
            "--port",
            "0",
        ]
        process = subprocess.Popen(
            [*command, "--data", str(data_dir), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**clean, "PYTHONPATH": os.getcwd(), **environ},
        )
        running.append(process)
        return process

    yield serve
    for process in running:
        process.terminate()
        process.communicate(timeout=30)


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"Tröskel is at (http://127\.0\.0\.1:\d+)\n", line)
    assert found, (line, process.poll())
    return found[1]


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_it_serves_says_where_and_logs_no_query(start: Start) -> None:
    server = start()
    url = url_of(server)
    assert status(f"{url}/sign-in?next=/desk/&who=Test+Testsson") == 200
    server.send_signal(signal.SIGTERM)
    out, err = server.communicate(timeout=30)
    assert server.returncode == 0
    assert "GET /sign-in 200" in out
    assert "Testsson" not in out + err
    assert "127.0.0.1" not in out


def test_a_second_server_is_refused_and_one_after_a_kill_starts(start: Start) -> None:
    first = start()
    url_of(first)
    second = start()
    _, err = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "Another Tröskel server is running" in err
    first.kill()
    third = start()
    assert status(url_of(third) + "/sign-in") == 200


def test_a_command_works_beside_the_server(start: Start, data_dir: Path) -> None:
    server = start()
    url = url_of(server)
    command = [sys.executable, "-c", "from pwa.commands.cli import main; main()"]
    for arguments in (["user", "deactivate", "bob"], ["backup", str(data_dir.parent / "b.tar.gz")]):
        done = subprocess.run([*command, *arguments, "--data", str(data_dir)], check=False)
        assert done.returncode == 0
    refused = subprocess.run(
        [
            *command,
            "restore",
            str(data_dir.parent / "b.tar.gz"),
            "--force",
            "--data",
            str(data_dir),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 1
    assert "Another Tröskel server is running" in refused.stderr
    assert status(url + "/sign-in") == 200


def test_every_command_that_writes_is_safe_beside_a_server_under_load(
    start: Start, data_dir: Path, tmp_path: Path
) -> None:
    """A phone pushes without a pause while commands write: every acknowledged note is in the log once,
    every command succeeds, the database is intact, and a restore is refused."""
    server = start()
    url = url_of(server)
    visit, bob = _assigned_visit(data_dir)
    backup = str(tmp_path / "b.tar.gz")
    tenancies = str(Path(__file__).parents[1] / "data/tenancies-utf8.csv")
    with drained(server), Pushing(url, visit, bob) as phone:
        for arguments in (
            ["user", "add", "dora", "--role", "visitor", "--password-stdin"],
            ["import", tenancies],
            ["company", "set", "company.name", "Testbolaget"],
            ["backup", backup],
            ["user", "deactivate", "charlie"],
        ):
            seen = len(phone.answered)
            done = command(*arguments, "--data", str(data_dir))
            assert done.returncode == 0, done.stderr
            phone.wait_for(seen + 1)
        refused = command("restore", backup, "--force", "--data", str(data_dir))
    assert refused.returncode == 1
    assert "Another Tröskel server is running" in refused.stderr
    assert phone.failed == []
    with closing(sqlite3.connect(data_dir / DATABASE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        logged = [id for (id,) in db.execute("SELECT id FROM log WHERE kind = 'visit.note'")]
        assert sorted(logged) == sorted(phone.answered)
        people = dict(db.execute("SELECT name, active FROM users"))
        assert (people["dora"], people["charlie"]) == (1, 0)
        assert db.execute("SELECT count(*) FROM imports").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM marks WHERE name = 'backup'").fetchone() == (1,)


@contextmanager
def drained(server: subprocess.Popen[str]) -> Iterator[None]:
    """Read what a server prints until the block ends, then stop it. A thousand lines of access log
    fill the pipe, and the server would wait for a reader."""
    reader = threading.Thread(target=server.communicate)
    reader.start()
    try:
        yield
    finally:
        server.terminate()
        reader.join(60)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A `troskel` command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from pwa.commands.cli import main; main()", *arguments],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=False,
    )


def _assigned_visit(data: Path) -> tuple[str, str]:
    """(visit, Bob's id): one visit of Bob's, made beside the server too."""
    app = create_app(Settings(data=data))
    services: Services = app.extensions[EXTENSION]
    try:
        with app.app_context():
            alice, bob = user_named(services, "alice"), user_named(services, "bob")
            visit = uuid4()
            drafts = [
                Draft(uuid7(1), "tenancy.register", visit, REGISTER, type="tenancy"),
                Draft(uuid7(2), "visit.plan", visit, {"tenancy": visit, "kind": "welcome"}),
                Draft(uuid7(3), "visit.assign", visit, {"visitors": [bob.id]}),
            ]
            assert not any(one.problem for one in submit(services, alice, drafts))
            return visit, bob.id
    finally:
        services.close()


class Pushing(threading.Thread):
    """Bob's phone: one note after the other over real HTTP, for as long as the block runs."""

    def __init__(self, url: str, visit: str, bob: str) -> None:
        super().__init__()
        self.answered: list[str] = []
        self.failed: list[object] = []
        self._visit, self._bob = visit, bob
        self._more, self._ended = threading.Condition(), False
        cookies = http.cookiejar.CookieJar()
        self._http = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        self._http.addheaders = [("Sec-Fetch-Site", "same-origin")]
        self._url = url
        form = urllib.parse.urlencode({"name": "bob", "password": PASSWORD}).encode()
        self._http.open(f"{url}/sign-in", form, timeout=30).close()

    def run(self) -> None:
        number = 0
        while not self._ended:
            number += 1
            try:
                self._push(number)
            except Exception as error:  # told by the test, not by a thread's traceback
                self.failed.append(error)
                self._ended = True
            with self._more:
                self._more.notify_all()

    def _push(self, number: int) -> None:
        id = uuid7(number)
        text = encode(
            {
                "id": id, "v": 1, "kind": "visit.note", "by": self._bob, "device": "phone",
                "subject": {"type": "visit", "id": self._visit}, "device_seq": number, "base": 3,
                "at": "2026-11-22T10:00:00+01:00", "data": {"item": "", "text": f"Test {number}"},
            }
        )  # fmt: skip
        body = {"protocol": 1, "device": "phone", "operations": [text], "blobs": []}
        request = urllib.request.Request(
            f"{self._url}/sync/push",
            json.dumps(body).encode(),
            {"Content-Type": MEDIA_TYPE, "X-Troskel-Protocol": "1"},
        )
        with self._http.open(request, timeout=30) as answer:
            (result,) = json.load(answer)["results"]
        assert result["result"] == "applied", result
        self.answered.append(id)

    def wait_for(self, count: int) -> None:
        """Until that many have been answered."""
        with self._more:
            assert self._more.wait_for(lambda: self.failed or len(self.answered) >= count, 60)

    def __enter__(self) -> Pushing:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = True
        self.join(60)


@pytest.mark.parametrize(
    "environ",
    [{"TROSKEL_PUBLIC_URL": "https://visits.example"},
     {"TROSKEL_PUBLIC_URL": "https://visits.example", "TROSKEL_HOST": "0.0.0.0"}],
)  # fmt: skip
def test_demo_is_for_loopback_only(start: Start, environ: dict[str, str]) -> None:
    server = start("--demo", **environ)
    _, err = server.communicate(timeout=60)
    assert server.returncode == 1
    assert "loopback only" in err


def test_a_folder_with_demo_sign_ins_is_never_served_to_others(
    start: Start, data_dir: Path
) -> None:
    databases = Databases(data_dir / DATABASE)
    with databases.writing() as db:
        db.table("marks").insert({"name": "demo", "value": "1"})
    databases.close()
    server = start(TROSKEL_PUBLIC_URL="https://visits.example")
    _, err = server.communicate(timeout=60)
    assert server.returncode == 1
    assert "demo sign-ins" in err


def test_demo_on_a_folder_with_real_people_fills_nothing(start: Start, data_dir: Path) -> None:
    initialise(Settings(data=data_dir))
    server = start("--demo")
    url_of(server)
    assert server.stdout is not None
    assert "no demo data" in server.stdout.readline()
