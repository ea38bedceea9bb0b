"""htmx's headers: what they say of a request, and that one module alone knows them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from flask import Flask, Response

import pwa
from pwa.web import htmx

PWA = Path(pwa.__file__).parent


@pytest.mark.parametrize(
    ("headers", "is_htmx", "is_fragment"),
    [
        ({}, False, False),
        ({"HX-Request": "true"}, True, True),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, True, False),
    ],
)
def test_a_restored_page_is_asked_for_whole(
    app: Flask, headers: dict[str, str], is_htmx: bool, is_fragment: bool
) -> None:
    with app.test_request_context(headers=headers):
        assert (htmx.is_htmx(), htmx.is_fragment()) == (is_htmx, is_fragment)


def test_instructions_to_htmx_are_headers_of_the_answer() -> None:
    response = Response()
    htmx.retarget(response, "#notices")
    htmx.push_url(response, "/desk/visits")
    htmx.vary(response)
    assert {name: value for name, value in response.headers if name[:3] in ("HX-", "Var")} == {
        "HX-Retarget": "#notices",
        "HX-Reswap": "innerHTML",
        "HX-Push-Url": "/desk/visits",
        "Vary": "HX-Request",
    }


def test_no_other_module_names_a_header_of_htmx() -> None:
    naming = {
        path.relative_to(PWA).as_posix()
        for path in PWA.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.lower().startswith("hx-")
    }
    assert naming == {"web/htmx.py"}
