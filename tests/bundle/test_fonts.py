"""No empty boxes: every character that is shown is in a font we ship, or on every phone.

Compared are all texts with what is built: the faces of static/build/fonts.css and the characters
that HarfBuzz finds in the font files.
"""

import json
import re
import subprocess
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from pwa.bundle import build, catalogues, fonts
from pwa.bundle.assets import Assets
from pwa.guide.languages import LANGUAGES, TEXTS

ROOT = Path(__file__).parent.parent.parent

# What Windows, Android, iOS and Debian all have in their own font: WGL4's letters and signs,
# Romanian's commas below, and the apostrophe that Ukrainian writes as a letter.
EVERYWHERE = {
    *range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x218, 0x21C), *range(0x400, 0x460),
    0x490, 0x491, 0x2BC, *map(ord, "\n–—‘’‚“”„†•…‰‹›€™−≈≠≤≥"),
}  # fmt: skip

COVER = """
import {readFile} from 'node:fs/promises'
import * as harfbuzz from 'harfbuzzjs'
import fontverter from 'fontverter'
const found = {}
for (const path of JSON.parse(process.argv[1])) {
  const blob = new harfbuzz.Blob(await fontverter.convert(await readFile(path), 'sfnt'))
  found[path] = [...new harfbuzz.Face(blob).collectUnicodes()]
}
console.log(JSON.stringify(found))
"""


@dataclass(frozen=True)
class Face:
    family: str
    path: Path
    said: frozenset[int]
    has: frozenset[int]


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    build.copy_vendor(ROOT, say=lambda _: None)
    build.cut_fonts(ROOT, say=lambda _: None)
    css = (ROOT / "static/build/fonts.css").read_text()
    rules = [
        (m["family"], (ROOT / "static/build" / m["url"]).resolve(), frozenset(_range(m["range"])))
        for m in re.finditer(
            r'font-family: "(?P<family>[^"]+)"; src: url\("(?P<url>[^"]+)"\).*unicode-range: (?P<range>[^;]+);',
            css,
        )
    ]
    has = characters_of([path for _, path, _ in rules])
    return [Face(family, path, said, has[path]) for family, path, said in rules]


def characters_of(paths: list[Path]) -> dict[Path, frozenset[int]]:
    done = subprocess.run(
        ["node", "--input-type=module", "-e", COVER, json.dumps([str(path) for path in paths])],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {Path(path): frozenset(codes) for path, codes in json.loads(done.stdout).items()}


def _range(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.strip().removeprefix("U+").partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def shown(text: str) -> set[int]:
    """The characters of `text` that need a glyph: no marks of direction, no joiners."""
    return {ord(c) for c in text if unicodedata.category(c) != "Cf"}


def texts_of(tag: str) -> str:
    guide = tomllib.loads((TEXTS / f"{tag}.toml").read_text("utf-8"))
    words = [json.dumps(guide, ensure_ascii=False)]
    if tag in catalogues.find_languages(ROOT) and tag != "en":
        with catalogues.po_path(ROOT, tag).open("rb") as file:
            for message in read_po(file):
                found = message.string
                words += found if isinstance(found, tuple | list) else [found or ""]
    return "\n".join(words)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_no_text_of_any_language_has_a_character_without_a_glyph(
    faces: list[Face], tag: str
) -> None:
    whole = {f.path for f in faces if f.path.name in fonts.vendor()}
    ours = {c for f in faces if tag in fonts.languages_of(f.path.name) for c in f.said & f.has}
    signs = {c for f in faces if f.path not in whole for c in f.said & f.has}
    missing = shown(texts_of(tag)) - EVERYWHERE - ours - signs
    assert not missing, [f"{chr(c)} U+{c:04X} {unicodedata.name(chr(c), '')}" for c in missing]


def test_every_sign_that_templates_scripts_and_styles_draw_has_a_glyph(faces: list[Face]) -> None:
    small = {c for f in faces if "Signs" in f.family for c in f.said & f.has}
    sources = [
        *ROOT.glob("templates/**/*.html"),
        *ROOT.glob("static/css/*.css"),
        *ROOT.glob("static/desk/*.js"),
        *ROOT.glob("static/field/**/*.js"),
    ]
    comments = re.compile(r"\{#.*?#\}|/\*.*?\*/|^\s*//.*?$|\s// .*?$", re.DOTALL | re.MULTILINE)
    for path in sources:
        text = comments.sub("", path.read_text("utf-8"))
        signs = {c for c in shown(text) if unicodedata.category(chr(c)).startswith("S")}
        missing = signs - EVERYWHERE - small
        assert not missing, (path.name, [chr(c) for c in missing])


@pytest.mark.parametrize("letters", ["ێۆڕڵڤەیکگپچژئ", "ټډړږښڼېۍځڅ", "ٹڈےۓ\u200c،؛؟٪٫٬۔"])
def test_the_arabic_font_has_the_kurdish_and_the_pashto_letters(
    faces: list[Face], letters: str
) -> None:
    for face in (f for f in faces if f.family == "Troskel Arabic"):
        assert set(map(ord, letters)) <= face.said & face.has, face.path.name


def test_a_list_of_languages_needs_no_font_but_the_small_one_that_every_phone_has(
    faces: list[Face],
) -> None:
    kept = {
        Path(f["url"]).name for f in Assets(ROOT / "static").worker_files if not f.get("optional")
    }
    small = {c for f in faces if f.family == "Troskel Names" and f.path.name in kept
             for c in f.said & f.has}  # fmt: skip
    for language in LANGUAGES.values():
        assert shown(language.autonym) <= EVERYWHERE | small, language.autonym


def test_the_fonts_of_every_phone_are_small() -> None:
    files = Assets(ROOT / "static").worker_files
    sizes = [
        (ROOT / "static/build" / Path(f["url"]).name).stat().st_size
        for f in files
        if f["url"].endswith(".woff2") and not f.get("optional")
    ]
    assert len(sizes) == len(fonts.cuts())
    assert sum(sizes) < 20_000


def test_a_whole_font_is_only_for_phones_with_a_language_of_its_script() -> None:
    files = Assets(ROOT / "static").worker_files
    whole = {Path(f["url"]).name: f for f in files if "languages" in f}
    assert set(whole) == {name for name in fonts.vendor() if name.endswith(".woff2")}
    for name, file in whole.items():
        assert file["optional"] is True
        scripts = {LANGUAGES[tag].script for tag in file["languages"]}
        assert len(scripts) == 1, name
        assert file["languages"] == [t for t, one in LANGUAGES.items() if one.script in scripts]


def test_fonts_are_cut_once_and_again_when_the_letters_change(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "pwa").symlink_to(ROOT / "pwa")
    (tmp_path / "package-lock.json").symlink_to(ROOT / "package-lock.json")
    said: list[str] = []
    build.cut_fonts(tmp_path, say=said.append)
    build.cut_fonts(tmp_path, say=said.append)
    (tmp_path / "static/build/fonts.css").write_text("other letters")
    build.cut_fonts(tmp_path, say=said.append)
    assert said == ["fonts: 4 cut", "fonts: 4 cut, unchanged", "fonts: 4 cut"]
