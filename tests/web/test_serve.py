"""The server as a process: it starts, is alone on its folder, and says what it may."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pwa import initialise
from pwa.db import DATABASE, Databases
from pwa.settings import Settings

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """`start()` is a server process on the folder with the cast."""
    running: list[subprocess.Popen[str]] = []

    def serve(*arguments: str, **environ: str) -> subprocess.Popen[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TROSKEL_")}
        command = [sys.executable, "-c", "from pwa.cli import main; main()", "serve", "--port", "0"]
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


def test_a_second_server_is_refused_and_one_after_a_kill_is_let_in(start: Start) -> None:
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
    command = [sys.executable, "-c", "from pwa.cli import main; main()"]
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
