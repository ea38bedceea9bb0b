"""The guide's texts at the desk: who may do what, and that nothing is lost on the way to phones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from werkzeug.test import TestResponse

from pwa.desk.guide.lists import FILTERS, topics
from pwa.desk.guide.text_filters import changed, pieces
from pwa.guide import LANGUAGES, load
from pwa.publishing import events, versions
from pwa.services import Services

ClientFor = Callable[[str], FlaskClient]
KEY = "i25.explain"  # law and fire
HTMX = {"HX-Request": "true"}
SECTIONS = {topic.key: topic.section for topic in topics(load())}


def seen(client: FlaskClient, tag: str, key: str) -> str:
    """What the form of `key` carries, read off the page as a browser has it."""
    article = article_of(client, tag, key)
    found = re.search(r'name="seen" value="([0-9a-f]+)"', article)
    assert found
    return found[1]


def article_of(client: FlaskClient, tag: str, key: str) -> str:
    dom = key.replace(".", "-")
    for page in range(1, 30):
        html = client.get(f"/desk/guide/{tag}?section={SECTIONS[key]}&page={page}").text
        found = re.search(rf'<article[^>]*id="t-{dom}".*?</article>', html, re.S)
        if found:
            return found[0]
    raise AssertionError(f"{key} is on no page")


def press(
    client: FlaskClient, tag: str, key: str, action: str, headers: Any = None, **fields: str
) -> TestResponse:
    """Press a button of the form of `key`, as it is on the page now."""
    form = {"action": action, "seen": seen(client, tag, key)} | fields
    return client.post(f"/desk/guide/{tag}/{key}", data=form, headers=headers)


def plain(html: str) -> str:
    """A page without the marks of what changed in a text."""
    return re.sub("</?(?:ins|del)>", "", html)


def publish(client: FlaskClient) -> TestResponse:
    html = client.get("/desk/guide/publish").text
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', html)
    return client.post("/desk/guide/publish", data={"seen": found[1] if found else ""})


def pack(services: Services, client: FlaskClient, tag: str) -> Any:
    return json.loads(client.get(f"/guide/{services.guide.version}/{tag}.json").data)


# --- who may --------------------------------------------------------------------------------


def test_anyone_who_speaks_a_language_reviews_it_and_sees_no_tenant(client_for: ClientFor) -> None:
    amira = client_for("amira")
    assert "/desk/guide/ar?show=unreviewed" in amira.get("/desk/guide").text
    assert press(amira, "ar", KEY, "approve").status_code == 303
    assert amira.get("/desk/visits").status_code == 403
    assert amira.get("/desk/people").status_code == 403


@pytest.mark.parametrize("action", ["approve", "correct", "comment", "undo"])
def test_nobody_changes_a_language_they_do_not_speak(
    client_for: ClientFor, services: Services, action: str
) -> None:
    for name, tag in (("amira", "uk"), ("bob", "so"), ("alice", "ar"), ("alice", "sv")):
        client = client_for(name)
        assert 'name="action"' not in client.get(f"/desk/guide/{tag}").text
        form = {"action": action, "seen": "0", "text": "x", "comment": "x"}
        assert client.post(f"/desk/guide/{tag}/{KEY}", data=form).status_code == 403
    with services.databases.reading() as db:
        assert events.last_id(db) == 0


def test_an_officer_has_no_business_there(client_for: ClientFor) -> None:
    hugo = client_for("hugo")
    for path in ("", "/ar", "/publish", "/ar/po", "/ar/import"):
        assert hugo.get(f"/desk/guide{path}").status_code == 403
    assert "/desk/guide" not in hugo.get("/desk/follow-ups").text


def test_only_an_administrator_publishes(client_for: ClientFor, services: Services) -> None:
    press(client_for("amira"), "ar", KEY, "approve")
    before = services.guide.version
    for name in ("amira", "bob", "alice"):
        client = client_for(name)
        assert 'action="/desk/guide/publish"' not in client.get("/desk/guide/publish").text
        assert client.post("/desk/guide/publish", data={"seen": "x"}).status_code == 403
    assert services.guide.version == before
    assert publish(client_for("root")).status_code == 303
    assert services.guide.version != before


def test_only_a_native_speaker_marks_a_text_reviewed(
    client_for: ClientFor, services: Services
) -> None:
    root = client_for("root")
    answer = press(root, "ar", "i25.label", "approve", HTMX)
    assert answer.status_code == 403
    assert "Only somebody who speaks the language can approve" in answer.text
    assert press(root, "ar", "i25.label", "correct", text="جرّبوا الإنذار").status_code == 303
    with services.databases.reading() as db:
        draft = versions.draft_guide(db, services.baseline)
    assert draft.text("ar", "i25.label").text == "جرّبوا الإنذار"
    assert draft.state_of("ar", "i25.label") == "translated"


def test_it_needs_a_sign_in(client_for: ClientFor) -> None:
    nobody = client_for("")
    assert nobody.get("/desk/guide").status_code == 303
    assert nobody.post(f"/desk/guide/ar/{KEY}", data={}).status_code == 401


# --- the pages ------------------------------------------------------------------------------


def test_the_states_of_each_language_add_up(client_for: ClientFor, services: Services) -> None:
    html = client_for("alice").get("/desk/guide").text
    total = len(services.guide.text_keys)
    bars = re.findall(r'<svg class="bar"[^>]*aria-label="([^"]*)"', html)
    assert len(bars) == len(services.guide.languages)
    assert bars[0] == f"Original {total}"
    for bar in bars:
        assert sum(int(number) for number in re.findall(r"\d+", bar)) == total


def test_every_text_is_on_the_pages_of_its_language_exactly_once(
    client_for: ClientFor, services: Services
) -> None:
    client = client_for("alice")
    found: list[str] = []
    while len(found) < len(services.guide.text_keys):
        html = client.get(f"/desk/guide/uk?page={len(found) // 20 + 1}").text
        found += re.findall(r'<article[^>]* id="t-([^"]+)"', html)
    assert sorted(found) == sorted(key.replace(".", "-") for key in services.guide.text_keys)


def test_original_and_translation_stand_side_by_side_each_in_its_own_direction(
    client_for: ClientFor, services: Services
) -> None:
    article = article_of(client_for("amira"), "ar", KEY)
    for tag, way in (("sv", "ltr"), ("ar", "rtl")):
        words = escape(services.guide.text(tag, KEY).text)
        assert f'<p class="guide-words" lang="{tag}" dir="{way}">{words}</p>' in article


@pytest.mark.parametrize("show", FILTERS)
def test_each_filter_lists_what_it_counts(client_for: ClientFor, show: str) -> None:
    client = client_for("amira")
    press(client, "ar", KEY, "approve")
    press(client, "ar", "i25.label", "comment", comment="Säger man så?")
    html = client.get(f"/desk/guide/ar?show={show}").text
    chip = re.search(r'aria-current="true">[^<]*<span class="count">(\d+)', html)
    assert chip
    assert len(re.findall(r"<article", html)) == min(20, int(chip[1]))


def test_law_fire_and_consent_can_be_looked_at_alone(services: Services) -> None:
    guide = services.guide
    found = {topic.key: topic for topic in topics(guide)}
    assert set(found) == set(guide.text_keys)
    assert (found[KEY].law, found[KEY].fire) == (True, True)
    assert found["K1.text"].consent
    assert not found["i69.label"].fire


def test_a_page_that_is_not_there_is_not_found(client_for: ClientFor) -> None:
    client = client_for("alice")
    for path in ("/xx", "/ar?show=x", "/ar?page=x", "/ar?section=x", "/xx/po", "/sv/po"):
        assert client.get(f"/desk/guide{path}").status_code == 404
    assert client_for("root").post("/desk/guide/ar/i99.label", data={}).status_code == 404


# --- reviewing ------------------------------------------------------------------------------


def test_approving_takes_one_tap_and_returns_the_text_approved(
    client_for: ClientFor,
) -> None:
    answer = press(client_for("amira"), "ar", KEY, "approve", HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "Reviewed by a native speaker" in answer.text
    assert "reviewed by Amira Testsson on" in answer.text
    assert 'value="approve"' not in answer.text


def test_the_history_shows_who_when_and_from_what_to_what(
    client_for: ClientFor, services: Services
) -> None:
    amira, bob = client_for("amira"), client_for("bob")
    old = services.guide.text("ar", "i25.label").text
    press(amira, "ar", "i25.label", "correct", text="جرّبوا الإنذار", comment="Så säger man.")
    press(bob, "ar", "i25.label", "correct", text="اختبروا الإنذار")
    history = plain(article_of(amira, "ar", "i25.label")).partition('<details class="history">')[2]
    assert history.index("Bob Testsson") < history.index("Amira Testsson")
    for words in (old, "جرّبوا الإنذار", "اختبروا الإنذار", "Så säger man."):
        assert words in history
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", history)


def test_nothing_is_written_over_what_somebody_else_wrote_meanwhile(
    client_for: ClientFor, services: Services
) -> None:
    amira, bob = client_for("amira"), client_for("bob")
    stale = seen(bob, "ar", "i25.label")
    press(amira, "ar", "i25.label", "correct", text="جرّبوا الإنذار")
    form = {"action": "correct", "seen": stale, "text": "نص بوب"}
    answer = bob.post("/desk/guide/ar/i25.label", data=form, headers=HTMX)
    assert answer.status_code == 409
    assert "جرّبوا الإنذار" in answer.text
    assert "نص بوب</textarea>" in answer.text
    with services.databases.reading() as db:
        draft = versions.draft_guide(db, services.baseline)
    assert draft.text("ar", "i25.label").text == "جرّبوا الإنذار"


def test_sent_twice_it_is_one_entry_of_history(client_for: ClientFor, services: Services) -> None:
    amira = client_for("amira")
    form = {"action": "approve", "seen": seen(amira, "ar", KEY)}
    said = {"action": "comment", "comment": "Bra."}
    for data in (form, form, said, said):
        assert amira.post(f"/desk/guide/ar/{KEY}", data=data).status_code == 303
    with services.databases.reading() as db:
        assert [one.action for one in events.history(db, "ar")[KEY]] == ["comment", "approve"]
    press(amira, "ar", "i25.label", "correct", text="جرّبوا الإنذار", comment="Bättre.")
    press(amira, "ar", "i25.label", "correct", text="جرّبوا الإنذار", comment="Bättre.")
    with services.databases.reading() as db:
        assert [one.action for one in events.history(db, "ar")["i25.label"]] == ["correct"]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("نص بلا مكان", "{company.phone} is missing"),
        ("{company.phone} {company.phone} {company.name}", "is not in the Swedish text"),
        ("{company.phone} {", "belongs to no placeholder"),
        ("{company.phone} ٣", "Write digits as 0–9"),
    ],
)
def test_a_correction_that_could_not_be_shown_is_refused_and_stays_in_its_box(
    client_for: ClientFor, services: Services, text: str, remedy: str
) -> None:
    key = next(
        one for one in services.guide.text_keys
        if services.guide.text("sv", one).text.count("{") == 1
        and "{company.phone}" in services.guide.text("sv", one).text
        and one in services.guide.languages["ar"].texts
    )  # fmt: skip
    answer = press(client_for("amira"), "ar", key, "correct", HTMX, text=text)
    assert answer.status_code == 400
    assert remedy in unescape(answer.text)
    assert f"{text}</textarea>" in answer.text
    with services.databases.reading() as db:
        assert events.last_id(db) == 0


def test_a_draft_can_be_taken_back_to_what_is_published(
    client_for: ClientFor, services: Services
) -> None:
    amira = client_for("amira")
    press(amira, "ar", "i25.label", "correct", text="جرّبوا الإنذار")
    press(amira, "ar", "i25.label", "undo")
    with services.databases.reading() as db:
        assert versions.draft_guide(db, services.baseline).version == services.guide.version
        assert len(events.history(db, "ar")["i25.label"]) == 2
    assert publish(client_for("root")).status_code == 409


def test_the_checks_warnings_are_shown_to_reviewer_and_publisher(client_for: ClientFor) -> None:
    answer = press(client_for("amira"), "ar", "i25.label", "correct", HTMX, text="نص 7")
    assert "numbers differ from the original" in answer.text
    assert "numbers differ" in client_for("root").get("/desk/guide/publish").text


def test_the_checks_warnings_are_in_the_readers_language(
    client_for: ClientFor,
) -> None:
    amira, root = client_for("amira"), client_for("root")
    for client in (amira, root):
        client.post("/language", data={"language": "sv", "next": "/desk/"})
    answer = press(amira, "ar", "i25.label", "correct", HTMX, text="نص, 7 كما في ثقافتكم")
    for html in (answer.text, root.get("/desk/guide/publish").text):
        assert "siffrorna är inte som i originalet" in html
        assert "förklarar någon med land, kultur eller religion" in html
        assert "ett latinskt kommatecken" in html
        assert not re.search("differ from|explains somebody|Latin comma", html)


def test_of_unreviewed_texts_law_fire_and_consent_are_first(
    client_for: ClientFor,
) -> None:
    html = client_for("amira").get("/desk/guide/so?show=unreviewed").text
    assert "<article" in html
    for article in re.findall(r"<article.*?</header>", html, re.S):
        assert re.search('class="mark"[^>]*>(Law|Fire and safety|Consent)<', article)


# --- publishing -----------------------------------------------------------------------------


def test_publishing_shows_each_text_old_and_new_and_the_counts_of_each_language(
    client_for: ClientFor, services: Services
) -> None:
    amira = client_for("amira")
    old = services.guide.text("ar", "i25.label").text
    press(amira, "ar", "i25.label", "correct", text="جرّبوا الإنذار")
    press(amira, "ar", KEY, "approve")
    press(amira, "so", KEY, "approve")
    html = plain(client_for("root").get("/desk/guide/publish").text)
    for words in (old, "جرّبوا الإنذار", "1 text reworded", "1 text with another state"):
        assert words in html
    assert "Publish 3 changes" in html


def test_what_is_published_is_what_was_looked_at(client_for: ClientFor, services: Services) -> None:
    root, amira = client_for("root"), client_for("amira")
    press(amira, "ar", KEY, "approve")
    html = root.get("/desk/guide/publish").text
    looked_at = re.search(r'name="seen" value="([0-9a-f]{64})"', html)
    assert looked_at
    press(amira, "ar", "i26.explain", "approve")
    before = services.guide.version
    answer = root.post("/desk/guide/publish", data={"seen": looked_at[1]})
    assert answer.status_code == 409
    assert services.guide.version == before


def test_a_changed_swedish_consent_gets_a_higher_number_and_the_page_shows_it(
    client_for: ClientFor, services: Services
) -> None:
    root = client_for("root")
    old = services.guide.consents["K1"]
    words = services.guide.text("sv", "K1.text").text
    press(root, "sv", "K1.text", "correct", text=words + " Tack.")
    html = root.get("/desk/guide/publish").text
    assert f"from number {old.version} to number {old.version + 1}" in html
    publish(root)
    new = pack(services, root, "sv")["consents"]["K1"]
    assert new["version"] == old.version + 1
    assert new["sha256"] != old.original_sha256
    press(root, "sv", "K1.text", "correct", text=words)
    publish(root)
    again = pack(services, root, "sv")["consents"]["K1"]
    assert (again["version"], again["sha256"]) == (old.version + 2, old.original_sha256)


def test_a_review_of_an_older_original_no_longer_counts_and_is_listed(
    client_for: ClientFor, services: Services
) -> None:
    root, amira = client_for("root"), client_for("amira")
    press(amira, "ar", KEY, "approve")
    publish(root)
    assert pack(services, root, "ar")["states"] == {KEY: "reviewed"}
    words = services.guide.text("sv", KEY).text
    press(root, "sv", KEY, "correct", text=words + " Tack.")
    publish(root)
    assert pack(services, root, "ar")["states"] == {}
    html = amira.get("/desk/guide/ar?show=changed").text
    assert "Original changed, review again" in html
    assert "the Swedish text was:" in html
    assert words in unescape(html)
    assert len(re.findall("<article", html)) == 1


# --- PO -------------------------------------------------------------------------------------


def send(client: FlaskClient, tag: str, content: bytes, **fields: str) -> TestResponse:
    data = {"file": (BytesIO(content), "guide.po"), "reviewer": "Samira Testsson"} | fields
    return client.post(f"/desk/guide/{tag}/import", data=data, headers=HTMX)


def test_a_po_file_is_shown_first_and_taken_in_when_accepted(
    client_for: ClientFor, services: Services
) -> None:
    root = client_for("root")
    po = root.get("/desk/guide/ar/po").data.decode()
    old = services.guide.text("ar", "i25.label").text
    changed = re.sub(
        r'#, fuzzy\n(msgctxt "i25.label"\nmsgid .*\nmsgstr )"[^"]*"', r'\1"جرّبوا الإنذار"', po
    ).encode()
    report = send(root, "ar", changed)
    assert old in plain(report.text)
    assert "جرّبوا الإنذار" in plain(report.text)
    with services.databases.reading() as db:
        assert events.last_id(db) == 0
    agreed = re.search(r'name="accept" value="([0-9a-f]{64})"', report.text)
    assert agreed
    assert "not the file that was checked" in send(root, "ar", po.encode(), accept=agreed[1]).text
    assert "Saved as drafts" in send(root, "ar", changed, accept=agreed[1]).text
    with services.databases.reading() as db:
        [event] = events.history(db, "ar")["i25.label"]
        assert (event.action, event.reviewer, event.state) == (
            "import", "Samira Testsson", "reviewed",
        )  # fmt: skip


def test_only_who_may_change_a_language_imports_it(client_for: ClientFor, app: Flask) -> None:
    for name, tag in (("alice", "ar"), ("amira", "uk")):
        client = client_for(name)
        assert client.get(f"/desk/guide/{tag}/import").status_code == 403
        assert send(client, tag, b"x").status_code == 403
    amira = client_for("amira")
    assert amira.get("/desk/guide/ar/import").status_code == 200
    assert send(amira, "ar", b"not a PO file").status_code == 400


def test_all_languages_can_be_opened(client_for: ClientFor, services: Services) -> None:
    client = client_for("root")
    for tag in services.guide.languages:
        html = client.get(f"/desk/guide/{tag}").text
        assert f'lang="{tag}" dir="{LANGUAGES[tag].direction}"' in html


# --- words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "Nytt"),
        ("Ring {company.phone} nu.", "Ring {company.phone} i dag."),
        ("a  b\n\nc", "c\na"),
    ],
)
def test_a_change_shows_every_letter_of_both_texts(old: str, new: str) -> None:
    for text, other in ((old, new), (new, old)):
        found = changed(text, other)
        assert "".join(one["text"] for one in found) == text
        assert any(one["only"] for one in found) or not text
        assert not any(one["only"] for one in changed(text, text))
        assert "".join(one["text"] for one in pieces(text)) == text
