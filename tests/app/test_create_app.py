"""Putting the application together: nothing at import, and from a wheel as from a checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined

from pwa import create_app
from pwa.database import DatabaseError
from pwa.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

IMPORTS = """
import sys
def watch(event, arguments):
    if event in ("sqlite3.connect", "socket.bind", "socket.connect", "subprocess.Popen", "os.mkdir"):
        if "__pycache__" not in str(arguments):
            print(event, arguments)
    elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        print(event, arguments)
sys.addaudithook(watch)
import pwa.commands.cli, pwa.commands.serve
"""


def test_importing_opens_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORTS],
        env={"PYTHONPATH": str(ROOT), "TROSKEL_DATA": str(tmp_path / "never"), "PORT": "nonsense"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_templates_and_static_are_found_inside_an_installed_package(
    tmp_path: Path, data_dir: Path
) -> None:
    site = tmp_path / "site"
    skip = shutil.ignore_patterns("__pycache__")
    for source, target in [
        ("pwa", "pwa"), ("sync", "sync"), ("templates", "pwa/templates"), ("static", "pwa/static"),
    ]:  # fmt: skip
        shutil.copytree(ROOT / source, site / target, ignore=skip)
    code = (
        "import sys; from pathlib import Path; from pwa import create_app;"
        "from pwa.settings import Settings; import pwa;"
        "app = create_app(Settings(data=Path(sys.argv[1])));"
        "print(pwa.__file__, app.test_client().get('/sign-in').status_code,"
        " app.extensions['troskel'].assets.static_dir)"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(data_dir)],
        env={"PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [
        str(site / "pwa/__init__.py"), "200", str(site / "pwa/static"),
    ], done.stderr  # fmt: skip


def test_a_folder_that_init_has_not_made_is_refused_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="troskel init --data"):
        create_app(Settings(data=tmp_path / "typo"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/sign-in", "/sessions", "/desk/people", "/nowhere"])
def test_our_pages_render_where_every_name_must_be_defined(
    app: Flask, client_for: Callable[[str], FlaskClient], path: str
) -> None:
    app.jinja_env.undefined = StrictUndefined
    assert client_for("root").get(path).status_code in (200, 404)
