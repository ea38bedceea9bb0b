"""docs/asvs.md: its counts are right, and what it calls met can be looked up."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.architecture.test_boundaries import ROOT, tracked

PAPER = ROOT / "docs/asvs.md"
# How many requirements of each level the standard has (5.0.0).
LEVELS = {"1": 70, "2": 183}
STATES = ("met", "not met", "n/a")
WHEN = re.compile(r"(before real use|no date|on purpose|as (\d+\.\d+\.\d+))", re.I)
_ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\d) \| (.+?) \| (met|not met|n/a) \| (.+) \|$", re.M)
_COUNT = re.compile(r"^\| ([a-z /]+) \| (\d+) \| (\d+) \| (\d+) \|$", re.M)
_FILE = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.\w+|(?:[\w.-]+/)+)`")
_TEST = re.compile(r"`(test_\w+)`")
# What opens a connection, or starts a program.
CALLING = {
    "aiohttp", "asyncio", "ftplib", "http.client", "httpx", "imaplib", "poplib", "pty", "requests",
    "smtplib", "socket", "socketserver", "ssl", "subprocess", "telnetlib", "urllib.request",
    "urllib3", "webbrowser", "websockets", "xmlrpc",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Requirement:
    id: str
    level: str
    words: str
    state: str
    cell: str


ROWS = [Requirement(*found) for found in _ROW.findall(PAPER.read_text("utf-8"))]
IDS = [row.id for row in ROWS]


def test_each_requirement_stands_there_once_and_in_order() -> None:
    assert len(IDS) == len(set(IDS))
    numbers = [tuple(map(int, id.split("."))) for id in IDS]
    assert numbers == sorted(numbers)
    assert {chapter for chapter, *_ in numbers} == set(range(1, 18))
    assert Counter(row.level for row in ROWS) == LEVELS


def test_the_counts_at_the_top_are_right() -> None:
    counted = Counter((row.state, row.level) for row in ROWS)
    told = {state.strip(): tuple(map(int, n)) for state, *n in _COUNT.findall(PAPER.read_text())}
    for state in STATES:
        one, two = counted[state, "1"], counted[state, "2"]
        assert told[state] == (one, two, one + two), state
    assert told["all"] == (LEVELS["1"], LEVELS["2"], sum(LEVELS.values()))


@pytest.mark.parametrize("row", [row for row in ROWS if row.state == "met"], ids=lambda row: row.id)
def test_what_is_met_names_what_shows_it(row: Requirement) -> None:
    files = _FILE.findall(row.cell)
    here = "](#" in row.cell  # a section of the paper itself
    assert files or here, row.cell
    for name in files:
        assert (ROOT / name).exists(), name
    code = "".join((ROOT / name).read_text("utf-8") for name in files if name.endswith(".py"))
    for test in _TEST.findall(row.cell):
        assert f"def {test}(" in code, test


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.state == "not met"], ids=lambda row: row.id
)
def test_what_is_not_met_says_when_or_why(row: Requirement) -> None:
    found = WHEN.search(row.cell)
    assert found, row.cell
    assert not found[2] or found[2] in IDS, row.cell


def test_the_server_calls_nobody_and_starts_nothing() -> None:
    for path in tracked("pwa/**.py", "sync/**.py"):
        if path.is_relative_to(ROOT / "pwa/bundle"):
            continue  # the build: it runs npm and Node, before anything is served
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [one.name for one in node.names] if isinstance(node, ast.Import)
                else [node.module or ""] if isinstance(node, ast.ImportFrom)
                else []
            )  # fmt: skip
            for name in names:
                assert not any(name == one or name.startswith(f"{one}.") for one in CALLING), path
            assert not (
                isinstance(node, ast.Attribute)
                and node.attr in ("system", "popen", "fork", "execv", "execve", "spawnv")
            ), path
