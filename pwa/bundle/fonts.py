"""Fonts for letters that a phone may lack: which, for which languages, and where they come from.

Latin and Cyrillic are on every phone; the whole font of a script in FONTS is loaded only by phones
that use a language of it. Two small subsets are on every phone: the languages' own names, so that a
list of languages has no empty boxes and needs no whole font, and the signs of the interface. Each
face says by `unicode-range` which characters it is for, so that a browser fetches none in vain and
the letters of one word come from one font. A language has the font of its script
(pwa/guide/languages.py); no language is named here.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pwa.guide.languages import LANGUAGES, Script

WEIGHTS: Final = (400, 700)


@dataclass(frozen=True, slots=True)
class Font:
    """A font from npm: CSS `family`, `package` of @fontsource, its `part`, characters `covered`."""

    family: str
    package: str
    part: str
    covered: str

    def file(self, weight: int = 400) -> str:
        return f"{self.package}-{self.part}-{weight}-normal.woff2"

    def source(self, weight: int = 400) -> str:
        """The file's path in node_modules."""
        return f"@fontsource/{self.package}/files/{self.file(weight)}"


FONTS: Final[Mapping[Script, Font]] = {
    # With Kurdish and Pashto letters, the joiners, and presentation forms of old texts.
    "Arab": Font(
        "Troskel Arabic", "noto-sans-arabic", "arabic",
        "U+0600-06FF, U+0750-077F, U+08A0-08FF, U+200C-200D, U+FB50-FDFF, U+FE70-FEFC",
    ),
    "Ethi": Font(
        "Troskel Ethiopic", "noto-sans-ethiopic", "ethiopic",
        "U+1200-1399, U+2D80-2DDE, U+AB01-AB2E",
    ),
}  # fmt: skip

SIGNS: Final[Mapping[str, Font]] = {
    "✓✕✆▶⌖⌛▯●": Font("Troskel Signs", "noto-sans-symbols-2", "symbols", ""),
    "↑→↓↶": Font("Troskel Signs", "noto-sans-math", "latin", ""),
}
"""Signs of the interface that phones lack or show as coloured emoji → the font that has them."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A font cut down to `letters`, in static/build: file `name`, from `font`."""

    name: str
    family: str
    font: Font
    letters: str


def cuts() -> list[Cut]:
    """The small fonts that every phone loads."""
    of_names = {
        script: "".join(sorted({c for c in _autonyms(script) if not c.isascii()}))
        for script in FONTS
    }
    names = [
        Cut(f"names-{font.part}.woff2", "Troskel Names", font, of_names[script])
        for script, font in FONTS.items()
        if of_names[script]
    ]
    signs = [
        Cut(f"signs-{font.part}.woff2", font.family, font, letters)
        for letters, font in SIGNS.items()
    ]
    return [*names, *signs]


def vendor() -> dict[str, str]:
    """File in static/vendor → file in node_modules: the fonts of the guide's languages, and the licence
    that must be shipped with each font."""
    used = {one.script for one in LANGUAGES.values()}
    whole = {
        font.file(weight): font.source(weight)
        for script, font in FONTS.items()
        if script in used
        for weight in WEIGHTS
    }
    licences = {
        f"{font.package}.LICENSE": f"@fontsource/{font.package}/LICENSE"
        for font in (*FONTS.values(), *SIGNS.values())
    }
    return whole | licences


def languages_of(name: str) -> list[str]:
    """The tags that need this file of static/vendor; none for a file that is not a script's font."""
    return [
        tag
        for tag, one in LANGUAGES.items()
        if one.script in FONTS and name in {FONTS[one.script].file(weight) for weight in WEIGHTS}
    ]


def _autonyms(script: Script) -> str:
    return "".join(one.autonym for one in LANGUAGES.values() if one.script == script)


def compile_css(root: Path) -> str:
    """static/build/fonts.css. It names the versions of the fonts, so that it changes when one does."""
    return "\n".join(_faces(root)) + "\n"


def _faces(root: Path) -> Iterator[str]:
    lock = json.loads((root / "package-lock.json").read_text("utf-8"))
    for font in [*FONTS.values(), *SIGNS.values()]:
        version = lock["packages"][f"node_modules/@fontsource/{font.package}"]["version"]
        yield f"/* {font.package} {version}, SIL Open Font License 1.1 */"
    for cut in cuts():
        covered = ", ".join(f"U+{ord(letter):04X}" for letter in cut.letters)
        # One weight is enough for a name or a sign; the range keeps browsers from faking bold.
        yield _face(cut.family, cut.name, "1 1000", covered)
    for font in FONTS.values():
        for weight in WEIGHTS:
            if font.file(weight) in vendor():
                yield _face(
                    font.family, f"../vendor/{font.file(weight)}", str(weight), font.covered
                )


def _face(family: str, url: str, weight: str, covered: str) -> str:
    # swap: text in another font at once, instead of no text while the font is loading.
    return (
        f'@font-face {{ font-family: "{family}"; src: url("{url}") format("woff2"); '
        f"font-weight: {weight}; font-display: swap; unicode-range: {covered}; }}"
    )
