"""PO files: export and import are inverse, and what is refused has a row number and a reason."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from babel.messages.pofile import read_po
from flask import Flask

from pwa.guide import ORIGINAL, Guide, load
from pwa.guide.format import Review
from pwa.problems import Problem
from pwa.publishing import acts, events, versions
from pwa.publishing.acts import Who
from pwa.publishing.events import Event
from pwa.publishing.po import Plan, accept, export_po, plan_import
from pwa.services import Services

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
GUIDE = load()
TAGS = [tag for tag in GUIDE.languages if tag != ORIGINAL]
HEAD = 'msgid ""\nmsgstr ""\n"Language: ar\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def reviewed(guide: Guide, tag: str, *keys: str) -> Guide:
    """`guide` after a native speaker has reviewed `keys` of `tag`."""
    language = guide.languages[tag]
    found = {
        key: Review("reviewed", "Samira Testsson", "2026-11-20", guide.original_hash(key))
        for key in keys
    }
    return replace(guide, languages={**guide.languages, tag: replace(language, reviews=found)})


def event(key: str, comment: str) -> Event:
    return Event(
        "ar", key, "2026-11-21T09:00:00+00:00", "u", "Bob Testsson", "comment", "", "", "", "",
        comment, "", "",
    )  # fmt: skip


def row(key: str, text: str, *, original: str = "", marks: str = "") -> str:
    """One row of a PO file, as a translator's program writes it."""
    words = original or GUIDE.text(ORIGINAL, key).text
    lines = [f'"{line}"' for line in words.replace("\n", "\\n\n").split("\n")]
    return f'{marks}msgctxt "{key}"\nmsgid ""\n' + "\n".join(lines) + f'\nmsgstr "{text}"\n\n'


def plan(*rows: str, guide: Guide = GUIDE) -> Plan:
    return plan_import(guide, "ar", {}, (HEAD + "".join(rows)).encode())


@pytest.mark.parametrize("tag", TAGS)
def test_export_then_import_changes_nothing(tag: str) -> None:
    content = export_po(GUIDE, tag, {}, NOW)
    found = plan_import(GUIDE, tag, {}, content)
    assert (found.rows, found.remarks, found.refused, found.absent) == ((), (), (), 0)
    assert found.unchanged + found.empty == len(GUIDE.text_keys)
    assert found.empty == len(set(GUIDE.text_keys) - set(GUIDE.languages[tag].texts))


@pytest.mark.parametrize("tag", TAGS)
def test_a_file_holds_every_text_word_for_word(tag: str) -> None:
    content = export_po(GUIDE, tag, {}, NOW)
    texts = re.findall(r'^msgctxt "(.*)"$', content.decode(), re.M)
    assert texts == list(GUIDE.text_keys)
    # Another reader must find the same as ours.
    read = {one.context: one for one in read_po(content.decode().splitlines()) if one.id}
    for key, one in read.items():
        assert one.id == GUIDE.text(ORIGINAL, str(key)).text
        assert one.string == GUIDE.languages[tag].texts.get(str(key), "")


@pytest.mark.parametrize(
    "text",
    ["Rad 1\nRad 2", 'Ett "citat"', "C:\\n", "ta\tbb", "a\u2028b\x85c", "ریال‌ها\n\nx", "% 5 %(x)s"],
)
def test_no_character_of_a_text_is_lost(text: str) -> None:
    language = GUIDE.languages["ar"]
    odd = replace(language, texts={**language.texts, "i25.explain": text})
    guide = replace(GUIDE, languages={**GUIDE.languages, "ar": odd})
    found = plan_import(GUIDE, "ar", {}, export_po(guide, "ar", {}, NOW))
    assert [(one.before.key, one.text) for one in found.rows] == [("i25.explain", text)]


def test_reviews_and_comments_survive_export_and_import() -> None:
    guide = reviewed(GUIDE, "ar", "i25.label", "i25.explain")
    long = "Ordet betyder något annat i Irak. " * 12
    said = {"i25.label": [event("i25.label", long.strip())]}
    content = export_po(guide, "ar", said, NOW)
    assert "# Reviewed by: Samira Testsson, 2026-11-20" in content.decode()
    assert (
        len(re.findall("^#, fuzzy", content.decode(), re.M)) == len(GUIDE.languages["ar"].texts) - 2
    )
    found = plan_import(guide, "ar", said, content)
    assert (found.rows, found.remarks, found.refused) == ((), (), ())


def test_each_text_is_exported_with_its_place_and_what_its_placeholders_mean() -> None:
    content = export_po(GUIDE, "en", {}, NOW).decode()
    block = re.search(r'((?:#.*\n)+)msgctxt "K1.text"', content)
    assert block
    assert "Consent K1: " in block[1]
    assert f"{{company.phone}}: {GUIDE.settings['company.phone'].english}" in block[1]
    law = re.search(r'((?:#.*\n)+)msgctxt "i25.explain"', content)
    assert law
    assert "Section 3.4: Brand och säkerhet" in law[1]
    assert "Law: " in law[1]


def test_a_text_without_the_mark_fuzzy_is_reviewed_and_with_it_is_not() -> None:
    text = GUIDE.text("ar", "i25.label").text
    assert [one.state for one in plan(row("i25.label", text)).rows] == ["reviewed"]
    assert plan(row("i25.label", text, marks="#, fuzzy\n")).unchanged == 1
    [changed] = plan(row("i25.label", "نص آخر", marks="#, fuzzy\n")).rows
    assert (changed.text, changed.state) == ("نص آخر", "machine")
    [taken] = plan(
        row("i25.label", text, marks="#, fuzzy\n"), guide=reviewed(GUIDE, "ar", "i25.label")
    ).rows
    assert (taken.reworded, taken.state) == (False, "translated")


@pytest.mark.parametrize(
    ("bad", "remedy"),
    [
        (row("K1.text", "نص بلا مكان"), "is missing. Put it back exactly"),
        (row("i25.label", "نص {company.name}"), "is not in the Swedish text"),
        (row("i25.label", "نص", original="Något annat"), "Export again"),
        (row("i99.label", "نص", original="Något"), "no text with this msgctxt"),
        (row("i26.label", "نص") + row("i26.label", "نص"), "is in the file twice"),
        (row("i25.label", "نص ٣"), "Write digits as 0–9"),
        (row("i25.label", "ا" * 41), "longer than 40 characters"),
        (row("i25.explain", "ا" * 4001), "longer than 4000 characters"),
    ],
)
def test_a_bad_row_is_refused_with_its_number_and_what_to_do_and_the_rest_is_imported(
    app: Flask, bad: str, remedy: str
) -> None:
    found = plan(bad, row("i09.label", "نص جيد"))
    with app.test_request_context(headers={"Accept-Language": "en"}):
        [refused] = found.refused
        assert remedy in " ".join(str(one) for one in refused.reasons)
    lines = (HEAD + bad).split("\n")
    assert lines[refused.line - 1].startswith("msgid")
    assert "i09.label" in [one.before.key for one in found.rows]


def test_what_the_file_does_not_have_stays_as_it_is() -> None:
    found = plan(row("i25.label", "نص"), row("i26.label", ""))
    assert (len(found.rows), found.empty) == (1, 1)
    assert found.absent == len(GUIDE.text_keys) - 2


def test_a_translators_comment_is_kept_once() -> None:
    text = GUIDE.text("ar", "i25.label").text
    marks = "# Ordet är ovanligt\n#, fuzzy\n"
    content = (HEAD + row("i25.label", text, marks=marks)).encode()
    [remark] = plan_import(GUIDE, "ar", {}, content).remarks
    assert remark.comment == "Ordet är ovanligt"
    known = {"i25.label": [event("i25.label", "Ordet är ovanligt")]}
    assert plan_import(GUIDE, "ar", known, content).remarks == ()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"hello", b'msgid "x', b'"x"', b"PK\x03\x04",
        b'msgctxt "a"\n', b'msgid ""\nmsgstr ""\n', b'msgid "a"\nmsgstr[x] "b"\n',
    ],
)  # fmt: skip
def test_what_is_not_a_po_file_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(Problem, match="po_unreadable"):
        plan_import(GUIDE, "ar", {}, content)


def test_a_file_of_another_language_is_refused_as_a_whole() -> None:
    with pytest.raises(Problem, match="po_language"):
        plan_import(GUIDE, "ckb", {}, export_po(GUIDE, "kmr", {}, NOW))
    assert plan_import(GUIDE, "fa-AF", {}, export_po(GUIDE, "fa-AF", {}, NOW)).refused == ()


def test_accepting_imports_what_was_planned_or_nothing(services: Services) -> None:
    found = plan(row("i25.label", "نص آخر"), row("i26.label", "نص جديد"))
    who = Who("", "Samira Testsson")
    with services.databases.writing() as db:
        spot = acts.place(services.guide, "ar", "i26.label")
        acts.record(db, services.baseline, spot, "correct", ("غير", "reviewed"), who, NOW)
        before = events.last_id(db)
    with pytest.raises(Problem, match="guide_changed"), services.databases.writing() as db:
        accept(db, services.baseline, found, who, NOW)
    with services.databases.reading() as db:
        assert events.last_id(db) == before
        draft = versions.draft_guide(db, services.baseline)
    with services.databases.writing() as db:
        again = plan(row("i25.label", "نص آخر"), guide=draft)
        accept(db, services.baseline, again, who, NOW)
        after = versions.draft_guide(db, services.baseline)
    assert after.text("ar", "i25.label").text == "نص آخر"
    assert after.state_of("ar", "i25.label") == "reviewed"
