"""Gzip: sent only to a client that accepts it, by one rule for files and for answers of the API."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from pwa.services import Services
from pwa.web.compression import BYTES_MIN, compress, decompress

LONG = b"x" * (BYTES_MIN + 1)
SHORT = b"x" * BYTES_MIN

accepting = pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.1", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, br", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("x-gzipped", False),
    ],
)


def compressed(app: Flask, content: bytes, accept: str, *, public: bool) -> Response:
    response = Response(content)
    with app.test_request_context(headers={"Accept-Encoding": accept}):
        compress(response, public=public)
    return response


@accepting
@pytest.mark.parametrize("public", [True, False])
def test_gzip_is_sent_to_a_client_that_accepts_it(
    app: Flask, public: bool, accept: str, accepted: bool
) -> None:
    response = compressed(app, LONG, accept, public=public)
    assert (response.headers.get("Content-Encoding") == "gzip") == accepted
    body = gzip.decompress(response.data) if accepted else response.data
    assert body == LONG
    assert response.content_length == len(response.data)
    assert response.headers["Vary"] == "Accept-Encoding"


def test_a_short_answer_to_one_reader_is_sent_as_it_is(app: Flask) -> None:
    assert compressed(app, SHORT, "gzip", public=False).data == SHORT
    assert compressed(app, SHORT, "gzip", public=True).data != SHORT


@accepting
def test_files_and_answers_of_the_api_follow_the_rule(
    client_for: Callable[[str], FlaskClient], services: Services, accept: str, accepted: bool
) -> None:
    bob, headers = client_for("bob"), {"Accept-Encoding": accept}
    for path in (services.assets.url("css/base.css"), "/sw.js", "/field/", "/sync/pull"):
        answer = bob.get(path, headers=headers)
        assert answer.status_code == 200
        assert (answer.headers.get("Content-Encoding") == "gzip") == accepted, path
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_request_body_is_unpacked() -> None:
    assert decompress(gzip.compress(LONG), len(LONG)) == LONG
    assert decompress(gzip.compress(b""), 0) == b""


def test_a_body_past_the_limit_is_unpacked_no_further() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(decompress(bomb, 1000)) == 1001


@pytest.mark.parametrize("body", [b"", b"no gzip", gzip.compress(LONG)[:-9]])
def test_a_body_that_is_no_whole_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decompress(body, 10_000)
