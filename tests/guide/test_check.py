"""`check`: each kind of fault is put into a copy of the real guide and found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pwa.guide import BASELINE, LANGUAGES, Report, check, load
from pwa.guide.check import doubts
from pwa.guide.forbidden import find_forbidden, rules

Break = Callable[[str, str, str], Report]


@pytest.fixture
def broken(tmp_path: Path) -> Break:
    """Checks a copy of the guide in Swedish and English in which `old` has become `new`."""
    (tmp_path / "texts").mkdir()
    for name in ("structure.toml", "settings.toml", "texts/sv.toml", "texts/en.toml"):
        shutil.copy(BASELINE / name, tmp_path / name)

    def checked(file: str, old: str, new: str) -> Report:
        path = tmp_path / file
        content = path.read_text(encoding="utf-8")
        assert old in content
        path.write_text(content.replace(old, new, 1), encoding="utf-8")
        return check(load(tmp_path))

    return checked


def test_the_guide_is_whole_in_every_language_and_every_check_passes() -> None:
    report = check(load())
    assert report.ok
    assert report.problems == ()


def test_a_complete_guide_is_reported_as_ok(broken: Break) -> None:
    report = broken("texts/en.toml", "# --- Common", "# --- Shared")
    assert report.ok
    assert report.as_text().endswith("\nok")


def test_one_missing_text_is_enough_to_fail(broken: Break) -> None:
    report = broken("texts/en.toml", '"s01.title" = "Before the visit"\n', "")
    assert not report.ok
    assert report.languages["en"].missing == 1
    assert report.as_json()["problems"] == [
        {"language": "en", "key": "s01.title", "problem": "missing"}
    ]
    assert report.as_text().endswith("\nnot ok")
    assert "s01.title" in report.as_text()


def test_the_json_counts_texts_by_language_and_state() -> None:
    found = check(load()).as_json()
    assert list(found) == ["items", "languages", "problems"]
    assert found["items"] == 72
    files = {path.stem for path in (BASELINE / "texts").glob("*.toml")}
    assert list(found["languages"]) == [tag for tag in LANGUAGES if tag in files]
    assert found["problems"] == []
    for tag, counts in found["languages"].items():
        assert list(counts) == [
            "texts", "missing", "original", "translated", "machine", "reviewed",
        ]  # fmt: skip
        assert counts["missing"] == 0
        state = "original" if tag == "sv" else "machine"
        assert counts[state] == counts["texts"] > 0


FAULTS = [
    ("texts/en.toml", "I come from {company.name}.", "I come from the company.", "i09.explain", "placeholders differ"),
    ("texts/en.toml", "Photo taken", "Photo taken by {company.name}", "i66.answer.taken", "placeholders differ"),
    ("texts/en.toml", "114 14 is the police", "114 41 is the police", "i30.explain", "numbers differ"),
    ("texts/en.toml", "114 14 is the police", "١١٤ 14 is the police", "i30.explain", "digits must be Latin"),
    ("texts/en.toml", '"i10.label" = "Is it all right if we come in?"', '"i10.label" = "هل يناسبكم أن ندخل؟"', "i10.label", "another script"),
    ("texts/en.toml", '"s01.title" = "Before the visit"', '"s01.title" = "Före besöket"', "s01.title", "the same as the Swedish"),
    ("texts/en.toml", "Is it still all right if we come in for a while? The visit is voluntary. You can say no, or ask us to come another day. It does not affect your lease.", "May we?", "i10.explain", "much shorter"),
    ("texts/en.toml", '"s01.title" = "Before the visit"', '"s01.title" = "Before the visit, that is, before anyone comes"', "s01.title", "longer than 40"),
    ("texts/en.toml", '"s01.title" =', '"s01.colour" = "Red"\n"s01.title" =', "s01.colour", "unknown key"),
    ("texts/en.toml", "# --- 3.1", '"i03.answer.arabic" = "Arabic"\n# --- 3.1', "i03.answer.arabic", "unknown key"),
    ("texts/en.toml", "114 14 is the police", "114 14 is <b>the police</b>", "i30.explain", "HTML"),
    ("texts/en.toml", "114 14 is the police", "\u2066114 14\u2069 is the police", "i30.explain", "an invisible mark"),
    ("texts/en.toml", "114 14 is the police", "114 14 (is the police", "i30.explain", "brackets that do not match"),
    ("texts/en.toml", "114 14 is the police", "114 14 is the police or you may be evicted", "i30.explain", "threatens with losing the home"),
    ("texts/en.toml", "The visit is voluntary.", "Besöket är frivilligt. Du kan säga nej.", "i10.explain", "Swedish was left in it"),
    ("texts/sv.toml", "Jag kommer från {company.name}.", "Jag kommer från {company.nmae}.", "i09.explain", "{company.nmae} is no setting"),
    ("texts/sv.toml", "Jag kommer från {company.name}.", "Jag kommer från {company.name.", "i09.explain", "a brace"),
    ("structure.toml", 'settings = ["company.name"]\n', "", "i09", "settings are not those"),
    ("texts/sv.toml", "Mitt ja gäller i 8 veckor.", "Mitt ja gäller i 9 veckor.", "K9", "the wording has changed"),
    ("texts/sv.toml", "till att {recipient} säger mitt namn", "till att medlaren säger mitt namn", "K7", "{recipient} stands"),
    ("structure.toml", '"K8", "K10"', '"K8"', "K10", "no item offers"),
    ("structure.toml", '[[section]]\nkey = "s14"', '[[section]]\nkey = "s15"\nnumber = "3.15"\ntags = []\n[[section]]\nkey = "s14"', "s15", "without items"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "problem"), FAULTS,
    ids=[f"{row[3]} {row[4]}" for row in FAULTS],
)  # fmt: skip
def test_a_fault_is_found_at_its_key(
    broken: Break, file: str, old: str, new: str, key: str, problem: str
) -> None:
    report = broken(file, old, new)
    assert not report.ok
    assert [one for one in report.problems if one.key == key and problem in one.problem]


def test_a_latin_comma_in_arabic_is_found() -> None:
    assert list(doubts(load(), "ar", "i10.label", "هل, يناسبكم أن ندخل؟"))
    assert not list(doubts(load(), "ar", "i10.label", "هل يناسبكم، أن ندخل؟"))


@pytest.mark.parametrize("tag", LANGUAGES)
def test_each_language_has_words_for_each_rule_and_finds_them(tag: str) -> None:
    for rule in rules():
        assert rule.words.get(tag), (rule.name, tag)
        for word in rule.words[tag]:
            # In the middle of a sentence, begun with a capital letter, and with a longer ending.
            text = f"Test {word.capitalize()}x test"
            assert (word, rule.why) in find_forbidden(tag, "i09.explain", text), word


def test_a_rule_names_only_languages_of_the_guide() -> None:
    assert {tag for rule in rules() for tag in rule.words} <= set(LANGUAGES)
    assert {key for rule in rules() for key in rule.excepted} <= set(load().text_keys)


def test_a_review_of_an_older_original_is_found(broken: Break) -> None:
    old = load().original_hash("i25.explain")
    review = f'[states."i25.explain"]\nstate = "reviewed"\nby = "Test Testsson"\nat = "2026-11-20"\nof = "{old}"\n\n[texts]'
    assert broken("texts/en.toml", "[texts]", review).ok
    report = broken("texts/sv.toml", "Varna de andra.", "Varna alla andra.")
    assert [(one.language, one.key) for one in report.problems] == [("en", "i25.explain")]


def test_a_blank_lost_at_the_end_is_found(broken: Break) -> None:
    report = broken("texts/en.toml", '"list.separator" = ", "', '"list.separator" = ","')
    assert [(one.key, one.problem) for one in report.problems] == [
        ("list.separator", "a blank at its beginning or end differs from the original")
    ]
