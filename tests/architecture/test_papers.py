"""The papers: what code and documents cite is there, and the checklist they print is the guide's.

Each rule is read off the files as they stand; none needs the application to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pwa.guide import load
from pwa.guide.format import Item
from tests.architecture.test_boundaries import ROOT, tracked

DOCS = ROOT / "docs"
CITED = re.compile(r"\bdocs/(\w+\.md) (\d+(?:\.\d+)*(?:, ?\d+(?:\.\d+)*)*)")
# `path/of/a/file.py` in a paper: from the top, or as the text around it names the folder.
NAMED = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|js|mjs|html|toml|json|sql|md|c))`")
BASES = ("", "static/field", "docs")
LINK = re.compile(r"\]\(([^()\s]+)\)")
_FENCED = re.compile(r"^```.*?^```|^    .*?$", re.M | re.S)
_MARKS = {"none": "○", "personal": "◐", "sensitive": "●", "never": "✖"}
_URGENCIES = {
    "now": "now", "same_day": "same day", "three_days": "3 days", "fourteen_days": "14 days",
}  # fmt: skip


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file git knows."""
    for path in tracked():
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def headings(path: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", _FENCED.sub("", path.read_text("utf-8")), re.M)


def sections(path: Path) -> set[str]:
    """The numbers of a paper's sections: "7" of "## 7. Privacy", "7.3" of "### 7.3 …"."""
    found = (re.match(r"(\d+)\. |(\d+(?:\.\d+)+) ", heading) for heading in headings(path))
    return {one[1] or one[2] for one in found if one}


def anchor(heading: str) -> str:
    """The name under which a page of Markdown can be entered at a heading, as repository hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_section_that_is_cited_exists() -> None:
    known = {path.name: sections(path) for path in DOCS.glob("*.md")}
    found = 0
    for path, text in texts():
        for name, numbers in CITED.findall(text):
            for number in re.split(", ?", numbers):
                found += 1
                assert number in known.get(name, set()), f"{path}: docs/{name} {number}"
    assert found > 30


def test_nothing_cites_a_paper_that_is_not_here() -> None:
    old = re.compile(r"\bDESIGN \d|(?<![\w/])(?:platform|engines|domain)(?:\.md)? \d")
    here = {path.name for path in tracked("*.md")}
    for path, text in texts():
        if path.name in ("CHANGELOG.md", Path(__file__).name):
            continue
        assert not old.search(text), f"{path}: {old.search(text)}"
        named = set(re.findall(r"(?<![\w/.-])(?:[\w-]+/)*([A-Za-z_-]+\.md)\b", text))
        assert named <= here, f"{path}: {named - here}"


def papers() -> list[Path]:
    return tracked("*.md")


@pytest.mark.parametrize("path", papers(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_paper_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(_FENCED.sub("", path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, place = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if place:
            assert place in {anchor(heading) for heading in headings(there)}, target


@pytest.mark.parametrize("path", papers(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_paper_names_exists(path: Path) -> None:
    for name in NAMED.findall(path.read_text("utf-8")):
        if "NNNN" in name:  # stands for a number
            continue
        bases = [ROOT / base for base in BASES] + [path.parent]
        assert any((base / name).exists() for base in bases), name


def test_the_checklist_on_paper_is_the_guides() -> None:
    text = (DOCS / "domain.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+)( \*\*!\*\*)? \| (\w+) \| [^|]+ \| ([^|]*) \| (.) \|", text, re.M)
    items = load().items
    assert [int(number) for number, *_ in rows] == list(range(1, len(items) + 1))
    for number, must, kind, answers, mark in rows:
        item = items[f"i{int(number):02}"]
        assert (bool(must), kind, mark) == (item.must, item.kind, _MARKS[item.privacy]), number
        assert _opened(answers) == _opens(item), number


def _opens(item: Item) -> dict[str, str]:
    """answer → "KT or FV, same day" of the follow-up that it offers."""
    return {
        answer: f"{' or '.join(filter(None, (one.queue, one.alternative)))}, {_URGENCIES[one.urgency]}"
        for answer, one in item.follow_ups.items()
    }


def _opened(cell: str) -> dict[str, str]:
    """The same from a cell such as "`ok`; `silent`, `missing` → FV or BR, same day"."""
    found: dict[str, str] = {}
    for part in cell.split("; "):
        answers, arrow, where = part.partition(" → ")
        if arrow:
            found |= dict.fromkeys(re.findall(r"`(\w+)`", answers), where)
    return found
