"""Every address, asked by everybody, for what is theirs and what is not (I7).

The table is tests/web/address_table.py. An address of the application without a row fails here by
its name, and so does a row whose address is gone.
"""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.web.address_forms import FORMS, path_of, request_for
from tests.web.address_table import COLUMNS, ROWS, Row
from tests.web.company import OPEN, SECRET, Company


def asked_for(app: Flask) -> set[tuple[str, str]]:
    """(method, rule) of everything the application answers; HEAD where there is no GET beside it."""
    found = set()
    for rule in app.url_map.iter_rules():
        methods = set(rule.methods or ()) - {"OPTIONS"}
        found |= {(one, rule.rule) for one in methods - ({"HEAD"} if "GET" in methods else set())}
    return found


def outcome(answer: TestResponse) -> str:
    """The answer as one of the table's letters, before its words and the database are looked at."""
    if answer.status_code == 401 or (answer.location or "").startswith("/sign-in?next="):
        return "S"
    if answer.status_code in (403, 404):
        return {403: "R", 404: "A"}[answer.status_code]
    return "o" if answer.status_code < 400 else str(answer.status_code)


def shown(answer: TestResponse, words: tuple[str, ...]) -> bool:
    text = answer.get_data().decode("utf-8", "replace")
    return any(word in text for word in words)


def ask(company: Company, row: Row, who: str) -> str:
    """The letter for what `who` gets; behind it "!" and what should not have been, if anything."""
    path = path_of(company, row.rule, row.target)
    request = request_for(company, row.method, row.rule, row.target, who)
    answer = company.client(who).open(path, method=row.method, **request)
    stored = company.stored()
    if stored:
        company.restore()
    letter = outcome(answer)
    if letter == "o":
        if shown(answer, SECRET):
            return "P"
        if shown(answer, OPEN):
            return "V" if row.method == "GET" or not stored else "V! stored"
        return "n" if row.method in ("POST", "PUT") and not stored else "o"
    letter += "! shown" if shown(answer, (*OPEN, *SECRET)) else ""
    return letter + ("! stored" if stored else "")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_address_gives_everybody_what_the_table_says(company: Company, row: Row) -> None:
    found = {who: ask(company, row, who) for who in COLUMNS}
    assert found == row.expected


def test_no_address_is_without_a_row_and_no_row_without_an_address(company: Company) -> None:
    rows = {(row.method, row.rule) for row in ROWS}
    assert asked_for(company.app) - rows == set(), "give it a row in tests/web/address_table.py"
    assert rows - asked_for(company.app) == set()


def test_whatever_takes_a_form_has_one_here(company: Company) -> None:
    taking = {one for one in asked_for(company.app) if one[0] in ("POST", "PUT")}
    assert taking - FORMS.keys() == set(), "give it a form in tests/web/address_forms.py"


def test_an_address_with_an_id_is_asked_for_what_is_somebody_elses_and_for_what_is_not() -> None:
    targets: dict[tuple[str, str], set[str]] = {}
    for row in ROWS:
        targets.setdefault((row.method, row.rule), set()).add(row.target)
    for (method, rule), found in targets.items():
        # A person's page and a recording have one owner: whoever may, may for all of them.
        of_visit = "<sha256>" in rule or "<id>" in rule or "<visit>" in rule
        if of_visit and not rule.startswith(("/desk/people/", "/recordings/")):
            assert found >= {"open", "protected", "unknown"}, (method, rule)
        if "<" in rule and not rule.startswith(("/field/", "/s/")):
            assert len(found) > 1, (method, rule)


@pytest.mark.parametrize("who", ["nobody", "charlie", "hugo", "saga", "root"])
def test_head_says_what_get_says_and_shows_nothing(company: Company, who: str) -> None:
    client = company.client(who)
    for row in (row for row in ROWS if row.method == "GET"):
        path = path_of(company, row.rule, row.target)
        request = request_for(company, "GET", row.rule, row.target, who)
        answer = client.head(path, **request)
        assert outcome(answer) == outcome(client.get(path, **request)), path
        assert answer.data == b"", path


@pytest.mark.parametrize("who", ["nobody", "bob", "alice", "root"])
def test_no_address_answers_another_method(company: Company, who: str) -> None:
    methods: dict[str, set[str]] = {}
    for rule in company.app.url_map.iter_rules():
        path = path_of(company, rule.rule, "ar" if "<language>" in rule.rule else "open")
        matching = company.app.url_map.bind("127.0.0.1").allowed_methods(path)
        methods[path] = set(matching) | {"OPTIONS"}
    client = company.client(who)
    for path, known in methods.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"} - known:
            assert client.open(path, method=method).status_code == 405, (method, path)
        answer = client.options(path)
        assert answer.status_code in (200, 401, 403, 404), path
        assert not shown(answer, (*OPEN, *SECRET)), path
    assert not company.stored()


def test_an_officer_sees_nothing_of_a_home_but_the_fault_and_an_ambassador_only_their_own_words(
    company: Company,
) -> None:
    _, tenant, note, follow_up = OPEN
    beyond = {"hugo": (tenant, note), "hilda": OPEN, "amira": (note, follow_up)}
    for who, words in beyond.items():
        for row in ROWS:
            path = path_of(company, row.rule, row.target)
            request = request_for(company, row.method, row.rule, row.target, who)
            if row.method == "GET":
                assert not shown(company.client(who).get(path, **request), words), (who, path)
