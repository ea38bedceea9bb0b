"""What an operation did is worded for every kind, and one that cannot be parsed is shown as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask, get_template_attribute

from pwa.desk.parts.events import RAW_CHARACTERS_MAX, Event, parse_event
from pwa.desk.parts.guide_words import Words, words_for
from pwa.services import get_services
from sync.kinds import KINDS
from sync.operations import parse
from tests.sync.release import story


@pytest.fixture
def words(app: Flask) -> Words:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        return words_for(get_services().guide, {"bob": "Bob Testsson"})


def label(event: Event) -> str:
    return str(get_template_attribute("shared/labels.html", "event_label")(event))


def written(app: Flask, text: str, words: Words) -> str:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        return label(parse_event(text, words))


def operation(kind: str, data: Any) -> str:
    return json.dumps({"kind": kind, "data": data})


def test_every_kind_about_a_visit_has_words(app: Flask, words: Words) -> None:
    seen = set()
    for text in story():
        kind = parse(text).kind
        seen.add(kind)
        if not kind.startswith("tally."):
            shown = written(app, text, words)
            assert shown.strip() == shown != ""
            assert kind not in shown
            assert "{" not in shown
    assert seen == set(KINDS)


WORDED: list[tuple[str, dict[str, Any], str]] = [
    ("visit.assign", {"visitors": ["bob"]}, "Assigned to Bob Testsson"),
    ("visit.assign", {"visitors": []}, "Unassigned the visit"),
    ("visit.assign", {"date": "", "time": ""}, "Cleared the time"),
    ("visit.assign", {"visitors": ["bob"], "date": "2026-11-23", "time": "10:00"},
     "Assigned to Bob Testsson · Booked for 2026-11-23 10:00"),
    ("visit.assign", {"visitors": [], "date": "2026-11-23"},
     "Unassigned the visit · Booked for 2026-11-23"),
    ("visit.language", {"language": "so"}, "Language of the tenant: Somali"),
    ("visit.answer", {"item": "i09", "answer": "done"}, "Show your ID and say who you are: Done"),
    ("visit.answer", {"item": "i09", "answer": ""},
     "Removed the answer to: Show your ID and say who you are"),
    ("visit.tick", {"section": "nothing", "answers": {"i14": "done"}}, "nothing: 1 point gone through"),
    ("visit.tick", {"section": "nothing", "answers": {"i14": "", "i15": ""}}, "Removed the answers to: nothing"),
    ("visit.note", {"item": "", "text": "<b>"}, "Note on The visit as a whole: &lt;b&gt;"),
    ("visit.follow_up", {"item": "", "queue": "FV", "urgency": "now", "text": ""},
     "Follow-up to Caretaker on The visit as a whole"),
    ("visit.follow_up", {"item": "", "queue": "FV", "urgency": "now", "text": "Dripping"},
     "Follow-up to Caretaker on The visit as a whole: Dripping"),
    ("visit.attempt", {"outcome": "declined"}, "Said no thank you"),
    ("visit.attempt", {"outcome": "rebooked", "date": "2026-11-24", "time": "09:30"},
     "New time agreed: 2026-11-24 09:30"),
    ("visit.withdraw", {"purpose": "K99", "channel": "desk"}, "Consent withdrawn: K99 K99"),
    ("visit.approve", {"comment": ""}, "Approved"),
    ("visit.approve", {"comment": "Good"}, "Approved: Good"),
    ("visit.choose", {"field": "answer.i09", "value": ""},
     "Chose for Show your ID and say who you are: No answer"),
    ("visit.choose", {"field": "visitors", "value": ["bob"]}, "Resolved a conflict: Bob Testsson"),
    ("follow_up.answer", {"follow_up": "1", "text": "Mended", "done": True},
     "Answered a follow-up and closed it: Mended"),
    ("follow_up.answer", {"follow_up": "1", "text": "Soon", "done": False},
     "Answered a follow-up: Soon"),
]  # fmt: skip


def test_the_words_of_an_event(app: Flask, words: Words) -> None:
    for kind, data, shown in WORDED:
        assert written(app, operation(kind, data), words) == shown


UNPARSED = [
    "no JSON",
    "[]",
    "[" * 5000,
    operation("visit.sing", {}),
    operation("visit.note", []),
    operation("visit.note", {"item": "i39"}),
    operation("visit.assign", {"visitors": 7}),
    operation("visit.tick", {"section": "s02", "answers": ["i14"]}),
    json.dumps({"kind": ["visit.note"], "data": {}}),
    operation("tally.count", {"day": "2026-11-22", "topic": "i69", "value": "1"}),
]


def test_what_cannot_be_parsed_is_shown_as_it_is(words: Words) -> None:
    for text in UNPARSED:
        assert parse_event(text, words) == Event("", text=text[:RAW_CHARACTERS_MAX])


def test_half_a_surrogate_pair_is_replaced(words: Words) -> None:
    for text in ("\ud800", operation("visit.note", {"item": "", "text": "\ud800"})):
        parse_event(text, words).text.encode("utf-8")


def test_a_value_of_another_type_is_printed(app: Flask, words: Words) -> None:
    assert (
        written(app, operation("visit.approve", {"comment": {"a": 1}}), words)
        == "Approved: {&#39;a&#39;: 1}"
    )
