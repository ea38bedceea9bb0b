"""Every template of a visit, rendered by Flask's Jinja and by the phone, is the same to the byte.

Contexts are real: the phone's pages get what their handlers made in a walk through one visit
(page_contexts.mjs), the shared ones what the view models' vectors expect, with hostile texts.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pwa.bundle.catalogues import read_catalogue
from sync.kinds import KINDS
from tests.parity.renderers import TEMPLATES, Both, phone_templates

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "sync/vectors/view_visit.json").read_text("utf-8"))
STATES = ("planned", "booked", "started", "done", "returned", "approved", "changed", "declined")
STATES += ("not_reached", "cancelled", "a code from a later version")
COMMON = {"title": "", "lang": "sv", "dir": "ltr", "screen": "app"}  # what render.js adds
HOSTILE = "<b onclick='x'>\"&amp; \u202e\u2028 \U0001f3e0 مرحبا"


def _walk() -> list[dict[str, Any]]:
    # U+2028 stands in the contexts on purpose: str.splitlines would cut there.
    done = subprocess.run(
        ["node", "tests/parity/page_contexts.mjs"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return [json.loads(line) for line in done.stdout.strip().split("\n")]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    made = Both(TEMPLATES, phone_templates(), tmp_path_factory.mktemp("visit"))
    yield made
    made.close()


def _messages(language: str) -> dict[str, Any]:
    """The interface's words; plurals as [one, other], which is what both renderers ask for."""
    said: dict[str, Any] = {}
    for message in read_catalogue(ROOT, language):
        if isinstance(message.id, tuple):
            if all(message.string):
                said[message.id[0]] = [message.string[0], message.string[-1]]
        elif message.id and message.string:
            said[message.id] = message.string
    return said


@pytest.fixture(scope="module")
def walk() -> list[dict[str, Any]]:
    return _walk()


def _hostile(value: Any) -> Any:
    """`value` with each text a person wrote replaced by one that wants out of its place."""
    if isinstance(value, dict):
        return {
            key: HOSTILE
            if key in ("text", "comment", "by") and isinstance(one, str)
            else _hostile(one)
            for key, one in value.items()
        }
    return [_hostile(one) for one in value] if isinstance(value, list) else value


def _summaries() -> Iterator[dict[str, Any]]:
    for case in VECTORS["cases"]:
        if case["view"] == "summary":
            yield case["expected"]


@pytest.mark.parametrize("language", ["en", "sv", "ar"])
def test_every_page_of_a_visit_is_the_same_in_both_renderers(
    both: Both, walk: list[dict[str, Any]], language: str
) -> None:
    messages = _messages(language)
    for page in walk:
        html = both.same(
            page["template"], {**COMMON, "lang": language, **page["context"]}, messages
        )
        assert "<script>alert" not in html


def test_the_walk_meets_every_template_of_a_visit(walk: list[dict[str, Any]]) -> None:
    frame = {
        "device",
        "layout",
        "message",
        "nav",
        "outbox",
        "settings",
        "shell",
        "sign_in",
        "status",
        "update",
    }
    parts = {"section_bar", "text_field"}  # included or imported by those above
    ours = {path.stem for path in (ROOT / "templates/field").glob("*.html")} - frame - parts
    assert {Path(page["template"]).stem for page in walk} == ours


@pytest.mark.parametrize("state", STATES)
def test_the_summary_is_the_same_in_both_renderers(both: Both, state: str) -> None:
    messages = _messages("sv")
    for summary in _summaries():
        for visit in (summary, _hostile(summary)):
            context = {
                "visit": {**visit, "state": state},
                "url": "/desk/visits/1",
                "actions": False,
            }
            html = both.same("shared/visit_summary.html", context, messages)
            assert "<b onclick" not in html


@pytest.mark.parametrize("name", ["shared/visit_head.html", "shared/sections.html"])
def test_the_parts_are_the_same_in_both_renderers(both: Both, name: str) -> None:
    messages = _messages("ar")
    for case in VECTORS["cases"]:
        if case["view"] == "visit":
            for actions in (True, False):
                context = {"visit": case["expected"], "url": "/field/visits/1", "actions": actions}
                both.same(name, context, messages)


def _events() -> Iterator[dict[str, Any]]:
    """Every kind of operation, with each of its fields there and not."""
    for kind in (*KINDS, "", "a kind of a later version"):
        for text, undone in itertools.product(("", HOSTILE), (False, True)):
            for value in ("", "yes", "rebooked", HOSTILE):
                yield {
                    **dict.fromkeys(("item", "people", "when", "text"), text),
                    **{"kind": kind, "value": value, "undone": undone},
                    **{"queue": "FV", "number": len(text)},
                }


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_words_of_an_event_are_the_same_in_both_renderers(both: Both, language: str) -> None:
    row = {"when": "", "who": "", "state": "phone", "reason": "", "remedy": "", "comment": ""}
    rows = [{**row, "id": str(id), "event": event} for id, event in enumerate(_events())]
    context = {
        **COMMON,
        **dict.fromkeys(("summary", "contact", "problem"), ""),
        **{"total": len(rows), "must_sign_in": False, "kept": rows[:2]},
        "groups": [{"heading": "", "href": "", "rows": rows, "hand_over": ""}],
    }
    html = both.same("field/outbox.html", context, _messages(language))
    assert "<b onclick" not in html


def test_the_desk_sees_no_buttons(both: Both) -> None:
    for visit in _summaries():
        html = both.python(
            "shared/visit_summary.html", {"visit": visit, "url": "", "actions": False}
        )
        assert "hx-post" not in html
        assert "<button" not in html


def test_every_input_has_an_id_and_every_id_is_one(both: Both, walk: list[dict[str, Any]]) -> None:
    """Trap 1 of htmx: without ids a morph gives one control the state of another."""
    for page in walk:
        html = both.python(page["template"], {**COMMON, **page["context"]})
        for tag in re.findall(r"<(?:input|select|textarea|button)\b[^>]*>", html):
            assert re.search(r"\sid=\"[^\"]+\"", tag), f"{page['template']}: {tag}"
        ids = re.findall(r"\sid=\"([^\"]*)\"", html)
        assert len(ids) == len(set(ids)), f"{page['template']}: {sorted(ids)}"


def test_a_form_that_creates_something_carries_its_operation(
    both: Both, walk: list[dict[str, Any]]
) -> None:
    """Trap 2: the id is there from the moment the form is shown, so a double tap is one operation."""
    for page in walk:
        html = both.python(page["template"], {**COMMON, **page["context"]})
        for form in re.findall(r"<form\b.*?</form>", html, re.DOTALL):
            assert "hx-post=" in form
            assert " action=" not in form
            assert re.search(r'name="operation"[^>]* value="[0-9a-f-]{36}"', form), form
