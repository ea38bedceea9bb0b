"""The guide's format and content, read from real files: the baseline and broken copies of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pwa.guide import BASELINE, LANGUAGES, Guide, GuideError, fill, load, localise, text
from pwa.guide.fill import placeholders
from pwa.guide.format import CONTEXT
from sync.shapes import QUEUES

Edit = Callable[[str, str, str], Guide]


@pytest.fixture(scope="module")
def guide() -> Guide:
    return load()


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Loads a copy of the baseline in which `old` of `file` has become `new`."""
    for name in ("structure.toml", "settings.toml", "texts"):
        source = BASELINE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)

    def edited(file: str, old: str, new: str) -> Guide:
        path = tmp_path / file
        content = path.read_text(encoding="utf-8")
        assert old in content
        path.write_text(content.replace(old, new, 1), encoding="utf-8")
        return load(tmp_path)

    return edited


# --- contents --------------------------------------------------------------------------


def test_it_has_fourteen_sections_seventy_two_items_and_eleven_consents(guide: Guide) -> None:
    assert list(guide.sections) == [f"s{n:02}" for n in range(1, 15)]
    assert [one.number for one in guide.sections.values()] == [f"3.{n}" for n in range(1, 15)]
    assert list(guide.items) == [f"i{n:02}" for n in range(1, 73)]
    assert list(guide.consents) == [f"K{n}" for n in range(1, 12)]


def test_the_musts_and_who_sets_what_are_those_of_the_checklist(guide: Guide) -> None:
    musts = [int(key[1:]) for key, item in guide.items.items() if item.must]
    assert musts == [1, 2, 3, 9, 10, 11, 15, 23, 25, 30, 67, 68, 71]
    by = {key: item.set_by for key, item in guide.items.items() if item.set_by != "visitor"}
    assert by == {
        **dict.fromkeys(["i01", "i07", "i71"], "system"),
        **dict.fromkeys(["i02", "i03", "i04", "i05", "i06", "i08"], "booking"),
        "i72": "revisit",
    }
    assert [key for key, item in guide.items.items() if item.tally] == ["i69", "i70"]


def test_every_queue_has_a_setting_that_says_who_receives(guide: Guide) -> None:
    queues = {
        queue
        for item in guide.items.values()
        for one in item.follow_ups.values()
        for queue in (one.queue, one.alternative or one.queue)
    }
    assert queues <= set(QUEUES)
    assert {f"roles.{role}" for role in QUEUES} <= set(guide.settings)


def test_a_consent_is_never_answered_by_a_section_tick(guide: Guide) -> None:
    assert all(not item.tick for item in guide.items.values() if item.consents)


# National numbers, ages in law, and the spans of consents and statistics; nothing local.
NATIONAL = {"112", "1177", "114", "14", "113", "13", "18", "28", "3", "6", "8", "10", "12"}


def test_no_text_holds_a_figure_that_a_company_decides(guide: Guide) -> None:
    for language in guide.languages.values():
        for key, words in language.texts.items():
            found = set(re.findall(r"\d+", re.sub(r"\{[^}]*\}", "", words)))
            assert found <= NATIONAL, key


@pytest.mark.parametrize(
    "part", ["{company.phone}", "frivillig", "ångra", "Säger jag nej", "gäller"]
)
def test_every_consent_says_all_that_makes_it_valid(guide: Guide, part: str) -> None:
    for key, consent in guide.consents.items():
        wording = guide.text("sv", f"{key}.text").text
        assert part in wording, key
        assert ("{recipient}" in wording) == (consent.recipient == "named")


@pytest.mark.parametrize("tag", load().languages)
def test_with_demo_settings_every_text_can_be_filled_in(guide: Guide, tag: str) -> None:
    texts = guide.pack(tag)["texts"]
    values = {one.key: one.default for one in guide.settings.values()} | dict.fromkeys(CONTEXT, "X")
    said = localise(values, texts)
    for key, words in texts.items():
        shown = fill(words, said, texts["ask_landlord"])
        assert placeholders(shown) == []
        # A code such as "electric_only" must never reach a tenant.
        assert not re.search(r"[a-z]_[a-z]", shown), key


def test_a_text_whose_setting_is_missing_says_ask_your_landlord(guide: Guide) -> None:
    words = guide.text("en", "i28.explain").text
    shown = fill(words, {}, guide.text("en", "ask_landlord").text)
    assert shown.startswith("Ask your landlord what applies where you live. If you barbecue")


# --- what a phone gets ----------------------------------------------------------------------


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value]


def test_a_pack_holds_strings_whole_numbers_and_booleans_only(guide: Guide) -> None:
    for tag in guide.languages:
        assert {type(leaf) for leaf in _leaves(guide.pack(tag))} == {str, int, bool}


def test_a_pack_names_version_language_direction_and_state(guide: Guide) -> None:
    pack = guide.pack("ar")
    assert pack["version"] == guide.version
    assert (pack["language"], pack["direction"], pack["state"]) == ("ar", "rtl", "machine")
    assert pack["states"] == {}
    assert guide.pack("sv")["direction"] == "ltr"
    assert [key for one in pack["sections"] for key in one["items"]] == list(guide.items)


def test_pack_bytes_are_the_pack_and_always_the_same(guide: Guide) -> None:
    assert json.loads(guide.pack_bytes("sv")) == guide.pack("sv")
    assert load().pack_bytes("sv") == guide.pack_bytes("sv")


def test_a_language_without_a_file_has_no_pack(guide: Guide) -> None:
    with pytest.raises(KeyError):
        guide.pack("xx")


def test_a_language_is_offered_by_its_own_name_in_every_pack(guide: Guide) -> None:
    for tag in guide.languages:
        texts = guide.pack(tag)["texts"]
        assert texts["i03.answer.ti"] == LANGUAGES["ti"].autonym


def test_what_a_language_lacks_is_shown_in_swedish_and_marked(guide: Guide) -> None:
    arabic = guide.languages["ar"]
    texts = {key: words for key, words in arabic.texts.items() if key != "i14.explain"}
    poorer = replace(guide, languages={**guide.languages, "ar": replace(arabic, texts=texts)})
    lacking = text(poorer, "ar", "i14.explain")
    assert (lacking.language_used, lacking.state) == ("sv", "original")
    assert text(poorer, "ar", "i09.explain").language_used == "ar"
    assert text(guide, "xx", "i09.explain").language_used == "sv"
    with pytest.raises(KeyError):
        text(guide, "sv", "i99.label")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("texts/en.toml", "Test the smoke alarm together", "Test the alarm together"),
        ("texts/en.toml", 'state = "machine"', 'state = "translated"'),
        ("structure.toml", 'pictogram = "smile"', 'pictogram = "heart"'),
    ],
)
def test_any_change_a_phone_can_see_makes_a_new_version(
    guide: Guide, edit: Edit, file: str, old: str, new: str
) -> None:
    assert edit(file, old, new).version != guide.version


def test_a_comment_makes_no_new_version(guide: Guide, edit: Edit) -> None:
    assert edit("texts/en.toml", "# --- Common", "# --- Shared").version == guide.version


def test_law_and_safety_texts_are_marked_critical(guide: Guide) -> None:
    items = guide.pack("ar")["items"]
    assert items["i25"]["critical"]
    assert items["i17"]["critical"]
    assert not items["i36"]["critical"]
    assert items["i25"]["law"]["verify"] is True
    assert items["i36"]["law"] == {}


# --- reviews --------------------------------------------------------------------------------


def _review(guide: Guide, key: str) -> str:
    return (
        f'[states."{key}"]\nstate = "reviewed"\nby = "Test Testsson"\nat = "2026-11-20"\n'
        f'of = "{guide.original_hash(key)}"\n\n[texts]'
    )


def test_a_reviewed_text_is_reviewed_until_its_original_changes(guide: Guide, edit: Edit) -> None:
    reviewed = edit("texts/en.toml", "[texts]", _review(guide, "i25.explain"))
    assert text(reviewed, "en", "i25.explain").state == "reviewed"
    assert reviewed.pack("en")["states"] == {"i25.explain": "reviewed"}

    changed = edit("texts/sv.toml", "Varna de andra.", "Varna alla andra.")
    assert text(changed, "en", "i25.explain").state == "machine"


# --- what is refused ------------------------------------------------------------------------

REFUSED = [
    ("structure.toml", 'pictogram = "smile"', 'pictogram = "smile"\ncolour = "red"', "i69.colour"),
    ("structure.toml", 'key = "i02"', 'key = "i01"', "i01"),
    ("structure.toml", 'section = "s13"', 'section = "s99"', "i67.section"),
    ("structure.toml", 'pictogram = "smile"', 'pictogram = "unicorn"', "i69.pictogram"),
    ("structure.toml", "must = true", 'must = "yes"', "i01.must"),
    ("structure.toml", 'law_as_of = "2026-08-31"', 'law_as_of = "2026-13-31"', "law_as_of"),
    ("structure.toml", 'answers = ["have", "have_not", "unknown", "prefer_not"]', 'answers = ["have"]', "i21.answers"),
    ("structure.toml", 'answers = ["ok", "running", "not_seen"]', 'answers = ["ok", "running"]', "i39.answers"),
    ("structure.toml", "{ running = {", "{ dripping = {", "i39.follow_ups.dripping"),
    ("structure.toml", 'running = { queue = "KT"', 'running = { queue = "XX"', "i39.follow_ups.running.queue"),
    ("structure.toml", 'kind = "ask"\ntally = true\nfree_text = false', 'kind = "ask"\ntally = true\nfree_text = true', "i69.free_text"),
    ("structure.toml", 'kind = "ask"\nprivacy = "sensitive"', 'kind = "ask"\nfree_text = true\nprivacy = "sensitive"', "i63.free_text"),
    ("structure.toml", 'kind = "ask"\nprivacy = "sensitive"', 'kind = "ask"\nprivacy = "never"', "i63.privacy"),
    ("structure.toml", "tally = true", "tally = true\nmust = true", "i69.tally"),
    ("structure.toml", 'tick = "informed"', 'tick = "done"', "i11.tick"),
    ("structure.toml", 'consents = ["K8"]', 'consents = ["K88"]', "i61.consents"),
    ("structure.toml", 'notice = "photo"', 'notice = "video"', "i66.notice"),
    ("structure.toml", 'settings = ["bbq.balcony"]', 'settings = ["bbq.roof"]', "i28.settings"),
    ("structure.toml", "expires = { weeks = 8 }", "expires = {}", "K9.expires"),
    ("structure.toml", "version = 1", "version = true", "K1.version"),
    ("settings.toml", 'default = "electric_only"', 'default = "coal"', "bbq.balcony.default"),
    ("settings.toml", 'default = "22:00"', 'default = "22"', "quiet.from.default"),
    ("texts/en.toml", 'language = "en"', 'language = "sv"', "language"),
    ("texts/en.toml", 'state = "machine"', 'state = "original"', "state"),
    ("texts/en.toml", '"i09.label" = "Show your ID and say who you are"', '"i09.label" = " "', "texts.i09.label"),
    ("texts/en.toml", "[texts]", '[states."i09.colour"]\nstate = "reviewed"\n[texts]', "states.i09.colour.state"),
    ("texts/en.toml", "[texts]", "[texts", "file"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "key"), REFUSED, ids=[row[3] for row in REFUSED])
def test_a_mistake_is_refused_with_file_and_key(
    edit: Edit, file: str, old: str, new: str, key: str
) -> None:
    with pytest.raises(GuideError) as refusal:
        edit(file, old, new)
    assert (refusal.value.file, refusal.value.key) == (file, key)


def test_a_guide_without_swedish_is_refused(tmp_path: Path) -> None:
    for name in ("structure.toml", "settings.toml"):
        shutil.copy(BASELINE / name, tmp_path / name)
    with pytest.raises(GuideError, match="original"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("bbq.balcony", "none", "coal"),
        ("fault.channels", "phone,app", "phone,phone"),
        ("boskola.languages", "ar,so", "ar,xx"),
        ("quiet.from", "21:30", "25:00"),
        ("rent.inkasso_fee", "1 500", "180 kr"),
        ("keys.count", "3", "three"),
        ("visit.window_days", "30", "-1"),
        ("disturbance.phone_night", "000-000 00", "call us"),
        ("roles.HY", "CH", "XX"),
        ("bulky.hours", "Testdagar 10:00–16:00", "{keys.count}"),
    ],
)
def test_a_setting_takes_what_its_type_allows(guide: Guide, key: str, good: str, bad: str) -> None:
    setting = guide.settings[key]
    assert setting.accepts(good)
    assert setting.accepts("")
    assert not setting.accepts(bad)
