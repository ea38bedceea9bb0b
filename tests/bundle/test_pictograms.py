"""The sprite of pictograms: one drawing for each name the guide may use, and nothing but drawings."""

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pwa.bundle.assets import Assets
from pwa.guide.format import PICTOGRAMS

STATIC = Path(__file__).resolve().parents[2] / "static"
SPRITE = STATIC / "icons" / "pictograms.svg"
SVG = "{http://www.w3.org/2000/svg}"
BYTES_MAX = 12_000
COMPRESSED_MAX = 5_000
STROKE = {
    "fill": "none",
    "stroke": "currentColor",
    "stroke-width": "2.5",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
}


@pytest.fixture(scope="module")
def sprite() -> ElementTree.Element:
    return ElementTree.fromstring(SPRITE.read_text("utf-8"))


def test_every_pictogram_of_the_guide_is_drawn_once_and_no_other(
    sprite: ElementTree.Element,
) -> None:
    assert sprite.tag == f"{SVG}svg"
    names = [symbol.get("id", "") for symbol in sprite]
    assert sorted(names) == sorted(PICTOGRAMS)


def test_every_drawing_has_the_same_grid_and_line(sprite: ElementTree.Element) -> None:
    for symbol in sprite:
        rest = dict(symbol.attrib)
        name = rest.pop("id")
        assert symbol.tag == f"{SVG}symbol", name
        assert rest == {"viewBox": "0 0 48 48", **STROKE}, name


def test_a_drawing_is_one_line_of_its_own_and_no_two_are_alike(
    sprite: ElementTree.Element,
) -> None:
    drawn = []
    for symbol in sprite:
        (path,) = symbol
        assert path.tag == f"{SVG}path"
        # Nothing but `d`: no style, script, event or reference has a place to hide.
        assert set(path.attrib) == {"d"}
        assert not (path.text or "").strip()
        drawn.append(path.attrib["d"])
    assert all(re.fullmatch(r"M[MmLlHhVvCcSsAaZz0-9 .,-]+", line) for line in drawn)
    assert len(set(drawn)) == len(drawn)


def test_the_sprite_refers_to_nothing_outside_itself() -> None:
    text = SPRITE.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"script|style|href|url\(|https?:|<!DOCTYPE|<!ENTITY|<\?", text, re.I)


def test_the_sprite_is_small_and_stored_with_the_app() -> None:
    content = SPRITE.read_bytes()
    assert len(content) <= BYTES_MAX
    assert len(gzip.compress(content, 9)) <= COMPRESSED_MAX
    assets = Assets(STATIC)
    url = assets.url("icons/pictograms.svg")
    assert url in {one["url"] for one in assets.worker_files}
