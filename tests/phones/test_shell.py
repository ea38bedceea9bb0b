"""The phone's public files: one shell for every address, verified by hash and cached by version."""

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pwa.bundle.assets import PUBLIC, Assets
from pwa.services import Services

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def anyone(app: Flask) -> FlaskClient:
    return app.test_client()


def worker_files(answer: TestResponse) -> list[dict[str, str]]:
    found = re.search(r"^const FILES = (.*)$", answer.text, re.MULTILINE)
    assert found
    files: list[dict[str, str]] = json.loads(found[1])
    return files


@pytest.mark.parametrize("path", ["/field/", "/field/visits/1", "/field/outbox?x=1", "/field/a/b"])
def test_every_address_below_field_answers_the_same_shell(anyone: FlaskClient, path: str) -> None:
    answer = anyone.get(path)
    assert answer.status_code == 200
    assert answer.data == anyone.get("/field/").data
    assert 'id="main"' in answer.text


def test_the_shell_is_the_same_when_signed_in_and_sets_no_cookie(
    anyone: FlaskClient, client_for: Callable[[str], FlaskClient]
) -> None:
    signed_in = client_for("bob").get("/field/", headers={"Accept-Language": "ar"})
    assert signed_in.data == anyone.get("/field/").data
    assert "Set-Cookie" not in signed_in.headers
    assert "Cookie" not in signed_in.headers.get("Vary", "")
    assert "Bob" not in signed_in.text


def test_the_shell_submits_no_form_and_runs_no_inline_script(anyone: FlaskClient) -> None:
    answer = anyone.get("/field/")
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'none'" in policy
    assert "script-src 'self';" in policy
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", answer.text)


@pytest.mark.parametrize("path", ["/field/", "/field/visits/1/note", "/sw.js"])
def test_nothing_below_field_accepts_a_post(
    client_for: Callable[[str], FlaskClient], path: str
) -> None:
    assert client_for("bob").post(path, data={"text": "x"}).status_code == 405


def test_each_file_of_the_worker_has_the_hash_and_type_it_says(anyone: FlaskClient) -> None:
    files = worker_files(anyone.get("/sw.js"))
    assert files[0]["url"] == "/field/"
    assert {"build", "css", "vendor"} <= {f["url"].split("/")[3] for f in files[1:]}
    for file in files:
        answer = anyone.get(file["url"])
        assert answer.status_code == 200, file
        assert answer.mimetype == file["type"]
        assert hashlib.sha256(answer.data).hexdigest() == file["sha256"]


def test_the_worker_keeps_everything_the_shell_loads(anyone: FlaskClient) -> None:
    kept = {file["url"] for file in worker_files(anyone.get("/sw.js"))}
    loaded = re.findall(r'(?:src|href)="(/s/[^"]+\.(?:js|css|svg))"', anyone.get("/field/").text)
    assert loaded
    assert set(loaded) <= kept


def test_the_worker_itself_is_revalidated_each_time(anyone: FlaskClient) -> None:
    assert anyone.get("/sw.js").headers["Cache-Control"] == "no-cache"


def test_a_file_may_be_cached_for_ever_and_is_sent_compressed(
    anyone: FlaskClient, services: Services
) -> None:
    url = services.assets.url("css/base.css")
    plain = anyone.get(url)
    packed = anyone.get(url, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in plain.headers["Cache-Control"]
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)
    assert packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("name", ["css/nothing.css", "../pyproject.toml", "sw.js", ""])
def test_a_file_that_is_not_public_is_not_found(
    anyone: FlaskClient, services: Services, name: str
) -> None:
    assert anyone.get(f"/s/{services.assets.version}/{name}").status_code == 404


def test_another_version_is_not_answered_with_this_ones_files(anyone: FlaskClient) -> None:
    assert anyone.get("/s/0123456789abcdef/css/base.css").status_code == 404


@pytest.fixture
def some_static(tmp_path: Path) -> Path:
    for name in (
        "build/phone.js",
        "css/base.css",
        "vendor/htmx.min.js",
        "field/boot.js",
        "build/templates.js",
        "build/original.js",
    ):
        path = tmp_path / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "static" / "sw.js").write_text("worker")
    shell = tmp_path / "templates/field/shell.html"
    shell.parent.mkdir(parents=True)
    shell.write_text("shell")
    return tmp_path / "static"


@pytest.mark.parametrize("name", ["build/phone.js", "sw.js", "../templates/field/shell.html"])
def test_a_change_of_any_file_makes_another_version(some_static: Path, name: str) -> None:
    before = Assets(some_static).version
    assert Assets(some_static).version == before
    (some_static / name).write_text("changed")
    assert Assets(some_static).version != before


def test_only_the_listed_folders_and_types_are_public(some_static: Path) -> None:
    (some_static / "secret").mkdir()
    for name in (
        "secret/x.js",
        "build/.hidden.js",
        "build/notes.txt",
        "field/x.js",
        "vendor/htmx.min.txt",
    ):
        (some_static / name).write_text("x")
    assert all(name.split("/")[0] in PUBLIC for name in Assets(some_static).files)
    assert set(Assets(some_static).files) == {
        "build/phone.js", "css/base.css", "vendor/htmx.min.js",
    }  # fmt: skip


def test_a_file_changed_under_a_running_server_is_not_sent_under_the_old_version(
    app: Flask, services: Services, some_static: Path
) -> None:
    services.assets = Assets(some_static)
    url = services.assets.url("css/base.css")
    assert app.test_client().get(url).status_code == 200
    (some_static / "css/base.css").write_text("edited")
    assert app.test_client().get(url).status_code == 404


def test_before_the_build_the_shell_says_what_to_run(
    app: Flask, services: Services, some_static: Path
) -> None:
    (some_static / "build/phone.js").unlink()
    services.assets = Assets(some_static)
    answer = app.test_client().get("/field/")
    assert answer.status_code == 503
    assert "python -m pwa.bundle.build" in answer.text


def test_the_manifest_names_an_installable_app(anyone: FlaskClient) -> None:
    answer = anyone.get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    manifest = answer.get_json(force=True)
    assert (manifest["name"], manifest["start_url"], manifest["display"]) == (
        "Tröskel", "/field/", "standalone",
    )  # fmt: skip
    assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])
    for icon in manifest["icons"]:
        assert anyone.get(icon["src"]).mimetype == "image/png"
    for shortcut in manifest["shortcuts"]:
        assert anyone.get(shortcut["url"]).status_code == 200


def test_health_is_reported_without_signing_in(anyone: FlaskClient) -> None:
    answer = anyone.get("/healthz")
    assert answer.get_json()["status"] == "ok"
    assert answer.headers["Cache-Control"] == "no-store"
