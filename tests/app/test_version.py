"""One version, in pyproject.toml: the command, /healthz and the package say the same."""

from __future__ import annotations

import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from flask import Flask

from pwa import version

ROOT = Path(__file__).resolve().parents[2]
WANTED = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_the_command_of_a_checkout_says_its_version_from_any_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(ROOT / "bin/troskel"), "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"troskel {WANTED}\n"), done.stderr


def test_the_command_works_through_a_link_and_beside_a_folder_of_the_programs_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "pwa").mkdir()
    link = tmp_path / "troskel"
    link.symlink_to(ROOT / "bin/troskel")
    for arguments in (["--version"], ["init", "--data", "here"]):
        done = subprocess.run([str(link), *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "here/troskel.db").exists()


def test_a_checkout_without_python_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/troskel"
    command.write_bytes((ROOT / "bin/troskel").read_bytes())
    command.chmod(0o755)
    done = subprocess.run([str(command), "--version"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "make run" in done.stderr


def test_healthz_names_the_release_and_the_phones_files(app: Flask) -> None:
    body = app.test_client().get("/healthz").get_json()
    assert body["status"] == "ok"
    assert body["release"] == WANTED
    assert body["version"] not in ("", WANTED)


def test_an_installed_package_says_what_its_metadata_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(version, "__file__", str(tmp_path / "pwa/version.py"))
    monkeypatch.setattr(metadata, "version", lambda name: "9.9.9")
    assert version.release.__wrapped__() == "9.9.9"


def test_another_programs_pyproject_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "7"\n')
    monkeypatch.setattr(version, "__file__", str(tmp_path / "pwa/version.py"))

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert version.release.__wrapped__() == "unknown"
