"""Every template of a visit, rendered by Flask's Jinja and by the phone, is the same to the byte.

Contexts are real: the phone's pages get what their handlers made in a walk through one visit
(page_contexts.mjs), the shared ones what the view models' vectors expect, with hostile texts.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parity.renderers import render_both

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "sync/vectors/view_visit.json").read_text("utf-8"))
STATES = ("planned", "booked", "started", "done", "returned", "approved", "changed", "declined")
STATES += ("not_reached", "cancelled", "a code from a later version")
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
def walk() -> list[dict[str, Any]]:
    return _walk()


def _hostile(value: Any) -> Any:
    """`value` with each text a person wrote replaced by one that wants out of its place."""
    if isinstance(value, dict):
        return {
            key: HOSTILE if key in ("text", "comment", "by") and isinstance(one, str) else _hostile(one)
            for key, one in value.items()
        }
    return [_hostile(one) for one in value] if isinstance(value, list) else value


def _summaries() -> Iterator[dict[str, Any]]:
    for case in VECTORS["cases"]:
        if case["view"] == "summary":
            yield case["expected"]


def _same(name: str, context: dict[str, Any], language: str) -> str:
    python, js = render_both(name, context, language)
    assert js == python, f"{name} differs"
    return str(python)


@pytest.mark.parametrize("language", ["en", "sv", "ar"])
def test_every_page_of_a_visit_is_the_same_in_both_renderers(
    walk: list[dict[str, Any]], language: str
) -> None:
    common = {"title": "", "lang": language, "dir": "ltr", "screen": "app"}
    for page in walk:
        html = _same(page["template"], {**common, **page["context"]}, language)
        assert "<script>alert" not in html


def test_the_walk_meets_every_template_of_a_visit(walk: list[dict[str, Any]]) -> None:
    frame = {"device", "layout", "message", "nav", "outbox", "settings", "shell", "sign_in", "status", "update"}
    parts = {"section_bar", "text_field", "pictures"}  # included or imported by those above
    ours = {path.stem for path in (ROOT / "templates/field").glob("*.html")} - frame - parts
    assert {Path(page["template"]).stem for page in walk} == ours


@pytest.mark.parametrize("state", STATES)
def test_the_summary_is_the_same_in_both_renderers(state: str) -> None:
    for summary in _summaries():
        for visit in (summary, _hostile(summary)):
            context = {"visit": {**visit, "state": state}, "url": "/desk/visits/1", "actions": False}
            html = _same("shared/visit_summary.html", context, "sv")
            assert "<b onclick" not in html


@pytest.mark.parametrize("name", ["shared/visit_head.html", "shared/sections.html"])
def test_the_parts_are_the_same_in_both_renderers(name: str) -> None:
    for case in VECTORS["cases"]:
        if case["view"] == "visit":
            for actions in (True, False):
                context = {"visit": case["expected"], "url": "/field/visits/1", "actions": actions}
                _same(name, context, "ar")


def test_the_desk_sees_no_buttons() -> None:
    for visit in _summaries():
        html = _same(
            "shared/visit_summary.html", {"visit": visit, "url": "", "actions": False}, "en"
        )
        assert "hx-post" not in html
        assert "<button" not in html


def test_every_input_has_an_id_and_every_id_is_one(walk: list[dict[str, Any]]) -> None:
    """Trap 1 of htmx: without ids a morph gives one control the state of another."""
    common = {"title": "", "lang": "sv", "dir": "ltr", "screen": "app"}
    for page in walk:
        html, _ = render_both(page["template"], {**common, **page["context"]}, "en")
        for tag in re.findall(r"<(?:input|select|textarea|button)\b[^>]*>", str(html)):
            assert re.search(r"\sid=\"[^\"]+\"", tag), f"{page['template']}: {tag}"
        ids = re.findall(r"\sid=\"([^\"]*)\"", str(html))
        assert len(ids) == len(set(ids)), f"{page['template']}: {sorted(ids)}"


def test_a_form_that_creates_something_carries_its_operation(walk: list[dict[str, Any]]) -> None:
    """Trap 2: the id is there from the moment the form is shown, so a double tap is one operation."""
    common = {"title": "", "lang": "sv", "dir": "ltr", "screen": "app"}
    for page in walk:
        html, _ = render_both(page["template"], {**common, **page["context"]}, "en")
        for form in re.findall(r"<form\b.*?</form>", str(html), re.DOTALL):
            assert "hx-post=" in form
            assert " action=" not in form
            assert re.search(r'name="operation"[^>]* value="[0-9a-f-]{36}"', form), form
