"""The desk's menu shows exactly the pages its reader may open."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

ClientFor = Callable[[str], FlaskClient]


def places(client: FlaskClient) -> list[str]:
    menu = re.search(r"<nav.*?</nav>", client.get("/sessions").text, re.S)
    return re.findall(r'href="([^"]+)"', menu[0]) if menu else []


@pytest.mark.parametrize("name", ["alice", "bob", "amira", "hugo", "root"])
def test_every_place_in_the_menu_lets_its_reader_in(client_for: ClientFor, name: str) -> None:
    client = client_for(name)
    shown = places(client)
    assert shown
    # 503 is the phone's shell before `python -m pwa.bundle.build`.
    answers = {path: client.get(path).status_code for path in shown}
    assert {path for path, status in answers.items() if status not in (200, 503)} == set()


def test_the_menu_marks_the_current_page(client_for: ClientFor) -> None:
    page = client_for("root").get("/desk/people").text
    assert re.findall(r'<a href="([^"]+)" aria-current="page"', page) == ["/desk/people"]


def test_without_signing_in_there_is_no_menu(client_for: ClientFor) -> None:
    assert "<nav" not in client_for("").get("/sign-in").text
