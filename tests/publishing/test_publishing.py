"""Published versions of the guide: through real starts of the server, releases and reviews."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

import pwa
from pwa import create_app
from pwa.guide import Guide
from pwa.publishing import acts, events, overlay, versions
from pwa.services import Services
from pwa.settings import Settings
from tests.cast.people import user_named

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
KEY = "i25.explain"
Release = Callable[[Guide], Any]


def with_texts(guide: Guide, tag: str, **texts: str) -> Guide:
    """`guide` as a release with other texts: `i25__label="…"` for i25.label."""
    said = {key.replace("__", "."): text for key, text in texts.items()}
    language = guide.languages[tag]
    changed = replace(language, texts={**language.texts, **said})
    return replace(guide, languages={**guide.languages, tag: changed})


@pytest.fixture(scope="module")
def files(guide_read_once: None) -> Guide:
    """This release's guide as the server reads it."""
    return cast(Guide, vars(pwa)["load_guide"]())


@pytest.fixture
def release(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """`with release(guide) as app`: the server is stopped and started with another release."""

    @contextmanager
    def start(guide: Guide) -> Iterator[Flask]:
        monkeypatch.setattr(pwa, "load_guide", lambda: guide)
        app = create_app(Settings(data=data_dir))
        try:
            yield app
        finally:
            app.extensions["troskel"].close()

    return start


def parts_of(app: Flask) -> Services:
    services: Services = app.extensions["troskel"]
    return services


def pack(app: Flask, tag: str, version: str = "") -> Any:
    answer = app.test_client().get(f"/guide/{version or parts_of(app).guide.version}/{tag}.json")
    assert answer.status_code == 200
    return json.loads(answer.data)


def do(app: Flask, name: str, tag: str, key: str, action: str, **fields: str) -> None:
    """What the page of `tag` does when `name` presses a button below the text as it is now."""
    parts = parts_of(app)
    with app.app_context():
        user = user_named(parts, name)
        with parts.databases.writing() as db:
            seen = acts.place(versions.draft_guide(db, parts.baseline), tag, key).seen
            form = {"action": action, "seen": seen} | fields
            acts.act(db, parts.baseline, parts.guide, user, (tag, key), form, NOW)


def publish(app: Flask) -> str:
    """Publish the draft; its version."""
    parts = parts_of(app)
    with parts.databases.reading() as db:
        seen = versions.draft_guide(db, parts.baseline).version
    with parts.databases.writing() as db:
        parts.guide = versions.publish(db, parts.baseline, "root", seen, NOW)
    return parts.guide.version


# --- versions -------------------------------------------------------------------------------


def test_the_guide_of_the_files_is_a_version_from_the_first_start(app: Flask, files: Guide) -> None:
    client = app.test_client()
    for tag in files.languages:
        answer = client.get(f"/guide/{files.version}/{tag}.json")
        assert answer.data == files.pack_bytes(tag)
        assert "immutable" in answer.headers["Cache-Control"]


def test_what_was_never_published_is_not_found(app: Flask, files: Guide) -> None:
    client = app.test_client()
    for path in (f"/guide/{'0' * 64}/sv.json", f"/guide/{files.version}/xx.json"):
        assert client.get(path).status_code == 404


def test_an_upgrade_never_makes_an_old_visits_version_unreadable(
    release: Release, files: Guide
) -> None:
    with release(with_texts(files, "ar", i25__explain="نص جديد")) as app:
        assert parts_of(app).guide.version != files.version
        for tag in files.languages:
            answer = app.test_client().get(f"/guide/{files.version}/{tag}.json")
            assert answer.data == files.pack_bytes(tag)


def test_starting_again_with_the_same_release_stores_nothing(
    release: Release, files: Guide
) -> None:
    for _ in range(2):
        with release(files) as app, parts_of(app).databases.reading() as db:
            assert len(versions.publications(db)) == 1


def test_a_version_that_changes_one_language_stores_one_pack(app: Flask, files: Guide) -> None:
    with parts_of(app).databases.reading() as db:
        before = db.table("guide_contents").count
    do(app, "amira", "ar", KEY, "approve")
    publish(app)
    with parts_of(app).databases.reading() as db:
        assert db.table("guide_contents").count == before + 1


# --- drafts and publishing ------------------------------------------------------------------


def test_a_correction_reaches_phones_when_it_is_published_and_never_before(app: Flask) -> None:
    before = parts_of(app).guide.version
    do(app, "amira", "ar", "i25.label", "correct", text="جرّبوا الإنذار")
    assert parts_of(app).guide.version == before
    after = publish(app)
    assert after != before
    assert pack(app, "ar", after)["texts"]["i25.label"] == "جرّبوا الإنذار"
    assert pack(app, "ar", after)["states"] == {"i25.label": "reviewed"}
    assert pack(app, "ar", before)["states"] == {}


def test_the_next_pull_names_the_new_version(
    app: Flask, client_for: Callable[[str], FlaskClient]
) -> None:
    do(app, "amira", "ar", KEY, "approve")
    version = publish(app)
    assert client_for("bob").get("/sync/pull?cursor=").get_json()["guide"] == version


def test_it_is_still_published_after_a_restart(release: Release, files: Guide) -> None:
    with release(files) as app:
        do(app, "amira", "ar", KEY, "approve")
        version = publish(app)
        do(app, "amira", "ar", "i25.label", "approve")
    with release(files) as app:
        assert parts_of(app).guide.version == version


def test_what_is_published_is_never_changed_or_removed(app: Flask) -> None:
    reviewed(app)
    with parts_of(app).databases.reading() as db:
        growing = [table for table in db.table_names() if table.startswith("guide_")]
    assert len(growing) == 6
    for table in growing:
        for order in (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = rowid"):
            with (
                pytest.raises(sqlite3.IntegrityError, match="only grows"),
                parts_of(app).databases.writing() as db,
            ):
                assert db.table(table).count, table
                db.execute(order)


def test_a_version_may_come_back_as_it_was(release: Release, files: Guide) -> None:
    with release(files) as app:
        first = parts_of(app).guide.version
        do(app, "root", "ar", "i25.label", "correct", text="جرّبوا الإنذار")
        second = publish(app)
        old = files.text("ar", "i25.label").text
        do(app, "root", "ar", "i25.label", "correct", text=old)
        third = publish(app)
        assert len({first, second, third}) == 3  # a person's words now, no machine's
    with release(with_texts(files, "ar", i25__label="نص")):
        pass
    with release(files) as app:
        assert parts_of(app).guide.version == third
        assert app.test_client().get(f"/guide/{first}/ar.json").data == files.pack_bytes("ar")


def test_undo_never_marks_a_text_as_reviewed_against_an_original_nobody_compared_it_with(
    app: Flask,
) -> None:
    do(app, "amira", "ar", KEY, "approve")
    publish(app)
    do(app, "root", "sv", KEY, "correct", text=pack(app, "sv")["texts"][KEY] + " Tack.")
    do(app, "amira", "ar", KEY, "undo")
    publish(app)
    assert parts_of(app).guide.state_of("ar", KEY) == "machine"


def test_a_translation_not_yet_compared_with_corrected_swedish_is_listed(
    app: Flask,
) -> None:
    swedish = pack(app, "sv")["texts"]["i25.label"]
    do(app, "root", "sv", "i25.label", "correct", text="Vid brand")
    assert listed_again(app, "ar") == listed_again(app, "so") == {"i25.label"}
    publish(app)
    assert listed_again(app, "ar") == listed_again(app, "so") == {"i25.label"}
    do(app, "amira", "ar", "i25.label", "correct", text="عند الحريق")
    assert listed_again(app, "ar") == set()
    do(app, "amira", "ar", "i25.label", "undo")
    assert listed_again(app, "ar") == {"i25.label"}  # again the words from before the correction
    do(app, "amira", "ar", "i25.label", "approve")
    assert (listed_again(app, "ar"), listed_again(app, "so")) == (set(), {"i25.label"})
    do(app, "root", "sv", "i25.label", "correct", text=swedish)
    assert (listed_again(app, "ar"), listed_again(app, "so")) == ({"i25.label"}, set())


# --- a new release --------------------------------------------------------------------------


def reviewed(app: Flask) -> None:
    """Amira corrects one Arabic text and approves another; both are published."""
    do(app, "amira", "ar", "i25.label", "correct", text="جرّبوا الإنذار")
    do(app, "amira", "ar", KEY, "approve")
    publish(app)


def listed_again(app: Flask, tag: str) -> set[str]:
    parts = parts_of(app)
    with parts.databases.reading() as db:
        draft = versions.draft_guide(db, parts.baseline)
        return overlay.outdated(parts.baseline, draft, events.entries(db), tag)


def test_a_correction_is_carried_over_where_the_original_is_the_same(
    release: Release, files: Guide
) -> None:
    with release(files) as app:
        reviewed(app)
    with release(with_texts(files, "ar", i25__label="نص الإصدار", i26__label="نص آخر")) as app:
        guide = parts_of(app).guide
        assert guide.text("ar", "i25.label").text == "جرّبوا الإنذار"
        assert guide.state_of("ar", "i25.label") == "reviewed"
        assert guide.text("ar", "i26.label").text == "نص آخر"
        assert listed_again(app, "ar") == set()


def test_where_the_original_changed_the_releases_text_is_shown_and_the_correction_is_listed(
    release: Release, files: Guide
) -> None:
    with release(files) as app:
        reviewed(app)
    newer = with_texts(files, "sv", i25__label="Om det börjar brinna")
    newer = with_texts(newer, "ar", i25__label="إذا بدأ الحريق")
    with release(newer) as app:
        guide = parts_of(app).guide
        assert guide.text("ar", "i25.label").text == "إذا بدأ الحريق"
        assert guide.state_of("ar", "i25.label") == "machine"
        assert guide.state_of("ar", KEY) == "reviewed"
        assert listed_again(app, "ar") == {"i25.label"}
        do(app, "amira", "ar", "i25.label", "approve")
        assert listed_again(app, "ar") == set()
        with parts_of(app).databases.reading() as db:
            acts_done = [one.action for one in events.history(db, "ar")["i25.label"]]
        assert acts_done == ["approve", "correct"]


def test_words_of_a_person_stay_when_only_the_original_changed_but_not_their_review(
    release: Release, files: Guide
) -> None:
    with release(files) as app:
        reviewed(app)
    with release(with_texts(files, "sv", i25__label="Om det börjar brinna")) as app:
        guide = parts_of(app).guide
        assert guide.text("ar", "i25.label").text == "جرّبوا الإنذار"
        assert guide.state_of("ar", "i25.label") == "machine"
        assert listed_again(app, "ar") == {"i25.label"}


def test_a_swedish_correction_gives_way_to_a_release_that_changes_the_same_text(
    release: Release, files: Guide
) -> None:
    with release(files) as app:
        do(app, "root", "sv", "i25.label", "correct", text="Vid brand")
        do(app, "root", "sv", "i26.label", "correct", text="Håll vägen ut fri")
        publish(app)
    with release(with_texts(files, "sv", i25__label="Om det börjar brinna")) as app:
        guide = parts_of(app).guide
        assert guide.text("sv", "i25.label").text == "Om det börjar brinna"
        assert guide.text("sv", "i26.label").text == "Håll vägen ut fri"
        assert listed_again(app, "sv") == {"i25.label"}


def test_a_draft_is_still_a_draft_after_a_new_release(release: Release, files: Guide) -> None:
    with release(files) as app:
        do(app, "amira", "ar", KEY, "approve")
    with release(with_texts(files, "ar", i26__label="نص آخر")) as app:
        assert parts_of(app).guide.state_of("ar", KEY) == "machine"
        publish(app)
        assert parts_of(app).guide.state_of("ar", KEY) == "reviewed"


def test_a_number_of_a_consent_never_means_two_wordings(release: Release, files: Guide) -> None:
    numbers: dict[int, str] = {}

    def note(app: Flask) -> None:
        one = pack(app, "sv")["consents"]["K1"]
        assert numbers.setdefault(one["version"], one["sha256"]) == one["sha256"]

    words = files.text("sv", "K1.text").text
    with release(files) as app:
        note(app)
        do(app, "root", "sv", "K1.text", "correct", text=words + " Tack.")
        publish(app)
        note(app)
    changed = with_texts(files, "sv", K1__text=words + " Hej.")
    k1 = replace(
        changed.consents["K1"],
        version=files.consents["K1"].version + 1,
        original_sha256=changed.consent_hash("K1", "sv"),
    )
    with release(replace(changed, consents={**changed.consents, "K1": k1})) as app:
        note(app)
        assert pack(app, "sv")["consents"]["K1"]["version"] == k1.version + 1
    assert len(numbers) == 3


# --- random histories ----------------------------------------------------------------------------

LIFE_KEYS = ("i25.label", KEY, "K1.text")


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_every_version_stays_and_reviewed_means_that_a_speaker_saw_this_original(
    app: Flask, files: Guide, seed: int
) -> None:
    chance, parts = random.Random(seed), parts_of(app)
    told: dict[str, bytes] = {}
    numbers: dict[int, str] = {}
    seen: dict[str, set[str]] = {key: set() for key in LIFE_KEYS}  # originals Amira said yes to

    def look() -> None:
        guide = parts.guide
        told.setdefault(guide.version, guide.pack_bytes("ar"))
        k1 = guide.consents["K1"]
        assert numbers.setdefault(k1.version, k1.original_sha256) == k1.original_sha256
        assert check_consents(guide) == []
        for key in LIFE_KEYS:
            if guide.state_of("ar", key) == "reviewed":
                assert guide.original_hash(key) in seen[key]

    for _ in range(40):
        key = chance.choice(LIFE_KEYS)
        with parts.databases.reading() as db:
            draft = versions.draft_guide(db, parts.baseline)
        event = chance.choice(("approve", "correct", "undo", "swedish", "publish", "release"))
        if event == "approve":
            do(app, "amira", "ar", key, "approve")
            seen[key].add(draft.original_hash(key))
        elif event == "correct":
            do(app, "amira", "ar", key, "correct", text=draft.text("ar", key).text + "ا")
            seen[key].add(draft.original_hash(key))
        elif event == "undo":
            do(app, "amira", "ar", key, "undo")
        elif event == "swedish":
            words = draft.text("sv", key).text
            text = words[:-1] if chance.random() < 0.5 else words + chance.choice("ab")
            do(app, "root", "sv", key, "correct", text=text)
        elif event == "publish" and draft.version != parts.guide.version:
            publish(app)
        elif event == "release":
            tag, name = chance.choice(("sv", "ar")), key.replace(".", "__")
            text = files.text(tag, key).text + chance.choice(("", "x", "y"))
            parts.baseline = with_texts(parts.baseline, tag, **{name: text})
            with parts.databases.writing() as db:
                parts.guide = versions.current_guide(db, parts.baseline, NOW)
        look()
    for version, content in told.items():
        assert app.test_client().get(f"/guide/{version}/ar.json").data == content


def check_consents(guide: Guide) -> list[str]:
    """Consents whose hash is not that of their Swedish words."""
    return [
        key
        for key, one in guide.consents.items()
        if one.original_sha256 != guide.consent_hash(key, "sv")
    ]
