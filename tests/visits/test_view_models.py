"""The view models against the vectors they share with the phone, and what they must not contain."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pwa.guide import LANGUAGES, load
from pwa.visits import view_models
from pwa.visits.view_texts import isolate, language_view

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "sync/vectors/view_visit.json").read_text("utf-8"))
PACKS = VECTORS["packs"]
OWNED = {name for kind in (dict, list, str) for name in dir(kind) if not name.startswith("_")}

VIEWS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "visit": lambda one: view_models.visit_view(*_all(one)),
    "section": lambda one: view_models.section_view(*_all(one), *one["arguments"]),
    "summary": lambda one: view_models.summary_view(*_all(one)),
    "consent": lambda one: view_models.consent_view(
        one["file"], PACKS, one["languages"], one["people"], *one["arguments"]
    ),
    "notice": lambda one: view_models.notice_view(
        one["file"], PACKS, one["languages"], *one["arguments"]
    ),
    "head": lambda one: view_models.head_view(one["file"], one["people"]),
    "tick": lambda one: view_models.tick_of(one["file"], PACKS, *one["arguments"]),
    "untick": lambda one: view_models.untick_of(one["file"], PACKS, *one["arguments"]),
    "must_open": lambda one: view_models.must_open(one["file"], PACKS),
}


def _all(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["file"], PACKS, one["languages"], one["people"], one["status"]


@pytest.mark.parametrize("one", VECTORS["cases"], ids=lambda one: one["name"])
def test_a_view_equals_its_vector(one: dict[str, Any]) -> None:
    assert VIEWS[one["view"]](one) == one["expected"]


@pytest.mark.parametrize("one", VECTORS["cases"], ids=lambda one: one["name"])
def test_a_view_holds_only_what_templates_accept(one: dict[str, Any]) -> None:
    def check(value: Any, path: str) -> None:
        assert isinstance(value, str | int | list | dict), f"{path} is {value!r}"
        if isinstance(value, dict):
            for key, inner in value.items():
                assert one["view"] in ("tick", "untick") or key not in OWNED, f"{path}.{key}"
                check(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                check(inner, f"{path}[{place}]")

    check(VIEWS[one["view"]](one), one["view"])


@pytest.mark.parametrize("one", VECTORS["cases"], ids=lambda one: one["name"])
def test_a_view_changes_nothing_it_was_given(one: dict[str, Any]) -> None:
    before = json.dumps([one, PACKS])
    VIEWS[one["view"]](one)
    assert json.dumps([one, PACKS]) == before


def test_the_whole_guide_shows_in_every_language_it_has() -> None:
    guide = load()
    packs = {tag: guide.pack(tag) for tag in guide.languages}
    file = VECTORS["cases"][0]["file"]
    for tag in LANGUAGES:
        view = view_models.summary_view(file, packs, {"staff": "sv", "tenant": tag}, {}, {})
        rows = [row for section in view["detail"] for row in section["rows"]]
        assert len(rows) == len(guide.items)
        assert all(row["label"] and all(one["label"] for one in row["answers"]) for row in rows)
        # What the language lacks is said to be missing, and nothing else is.
        for row in rows:
            known = tag in packs and f"{row['key']}.label" in packs[tag]["texts"]
            assert row["label_missing"] == (not known), (tag, row["key"])


def test_a_section_tick_never_answers_a_check_or_a_question() -> None:
    guide = load()
    packs = {"sv": guide.pack("sv")}
    file = VECTORS["cases"][0]["file"]
    ticked = {
        key: answer
        for section in packs["sv"]["sections"]
        for key, answer in view_models.tick_of(file, packs, section["key"]).items()
    }
    assert ticked
    assert {guide.items[key].kind for key in ticked} == {"explain", "do"}
    assert all(answer in guide.items[key].answers for key, answer in ticked.items())
    assert "yes" not in ticked.values()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("اتصل 114 14", "اتصل \u2066114 14\u2069"),
        ("+46 70-123 45 67.", "\u2066+46 70-123 45 67\u2069."),
        ("112", "\u2066112\u2069"),
        ("5", "5"),
        ("07:00–22:00", "\u206607:00–22:00\u2069"),
    ],
)
def test_numbers_stay_whole_in_a_right_to_left_text(text: str, expected: str) -> None:
    assert isolate(text) == expected


def test_the_vectors_know_the_languages_of_the_guide() -> None:
    known = {tag: [one.autonym, one.direction] for tag, one in LANGUAGES.items()}
    # Adding or removing a language needs no new vectors.
    assert {tag: VECTORS["languages"].get(tag, one) for tag, one in known.items()} == known


def test_an_unknown_language_is_its_own_name() -> None:
    assert language_view("xx") == {"tag": "xx", "name": "xx", "dir": "ltr"}
