"""Every screen in every language, as pictures to look at: `python -m tests.browser.pictures`.

Writes ./pictures (git-ignored): pictures/phone/<screen>/<language>.png at 360×740,
pictures/desk/<screen>/<language>.png at 1280×800, and one contact sheet of all languages for each
screen. Arguments name the screens and the languages wanted; without any it is all of them. It
reports faults of the layout (screens.py) and ends with 1 where there are any.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Playwright, sync_playwright

from pwa.bundle import build, catalogues
from pwa.commands import demo
from tests.browser import screens
from tests.browser.desk import Desk
from tests.browser.device import Device
from tests.browser.phone import Phone
from tests.browser.screens import DESK_SCREENS, PHONE_SCREENS, Screen
from tests.browser.server import ROOT, Server

OUT = ROOT / "pictures"
LABEL = 22
ACROSS = {"phone": 5, "desk": 3}
SHEET_SCALE = {"phone": 1.0, "desk": 0.6}


class Album:
    """Takes the pictures, and remembers what was wrong."""

    def __init__(self, wanted: Sequence[str]) -> None:
        tags = catalogues.find_languages(ROOT)
        names = {one.name for one in (*PHONE_SCREENS, *DESK_SCREENS)}
        unknown = set(wanted) - set(tags) - names
        if unknown:
            raise SystemExit(f"no such screen or language: {', '.join(sorted(unknown))}")
        self.tags = [tag for tag in tags if tag in wanted] or list(tags)
        self.names = {name for name in wanted if name in names} or names
        self.faults: list[str] = []

    def take(self, device: Device, where: str, screen: Screen, language: str) -> None:
        screens.settle(device.page, screen.act)
        path = OUT / where / screen.name / f"{language}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        device.page.screenshot(path=str(path))
        for fault in screens.faults(device.page):
            self.faults.append(f"{where} {screen.name} {language}: {fault}")
            print(self.faults[-1], flush=True)

    def phone(self, playwright: Playwright, server: Server, folder: Path) -> None:
        phone = Phone(playwright, server, folder / "phone", device_scale_factor=1, locale="sv-SE")
        names = screens.names_of(server)
        shown = [one for one in PHONE_SCREENS if one.name in self.names]
        for who in ("", "bob"):
            if who:
                screens.set_language(phone, "en")
                phone.sign_in(who, demo.PASSWORD)
            for tag in self.tags if any(one.who == who for one in shown) else ():
                screens.set_language(phone, tag)
                if who:
                    screens.choose(phone, names["visit"], screens.beside(tag))
                for screen in (one for one in shown if one.who == who):
                    phone.open(screen.path.format(**names))
                    self.take(phone, "phone", screen, tag)
                print(f"phone {who or 'nobody'} {tag}", flush=True)
        phone.close()

    def desk(self, playwright: Playwright, server: Server, folder: Path) -> None:
        names = screens.names_of(server)
        shown = [one for one in DESK_SCREENS if one.name in self.names]
        for who in ("", "alice", "root"):
            if not any(one.who == who for one in shown):
                continue
            desk = Desk(playwright, server, folder / f"desk-{who}", locale="sv-SE")
            if who:
                desk.sign_in(who, demo.PASSWORD)
            for tag in self.tags:
                desk.set_language(tag)
                for screen in (one for one in shown if one.who == who):
                    desk.open(screen.path.format(language=screens.beside(tag), **names))
                    self.take(desk, "desk", screen, tag)
                print(f"desk {who or 'nobody'} {tag}", flush=True)
            desk.close()


def sheet(where: str, name: str) -> None:
    """All languages of one screen on one picture, each under its tag."""
    paths = sorted((OUT / where / name).glob("*.png"))
    pictures = {path.stem: Image.open(path).convert("RGB") for path in paths}
    scale = SHEET_SCALE[where]
    small = {
        tag: one.resize((int(one.width * scale), int(one.height * scale)))
        for tag, one in pictures.items()
    }
    width, height = (
        max(sizes) for sizes in zip(*(one.size for one in small.values()), strict=True)
    )
    across = min(ACROSS[where], len(small))
    down = -(-len(small) // across)
    whole = Image.new("RGB", (across * (width + 8), down * (height + LABEL)), "#444")
    pen = ImageDraw.Draw(whole)
    for place, (tag, one) in enumerate(small.items()):
        left, top = place % across * (width + 8), place // across * (height + LABEL)
        pen.text((left + 4, top + 4), f"{tag} · {name}".replace("·", "-"), fill="white")
        whole.paste(one, (left, top + LABEL))
    whole.save(OUT / f"{where}-{name}.png")


def main(wanted: Sequence[str]) -> int:
    build.build(ROOT, say=lambda _: None)
    album = Album(wanted)
    with tempfile.TemporaryDirectory(prefix="troskel-pictures-") as name:
        folder = Path(name)
        with screens.demo_server(folder) as server, sync_playwright() as playwright:
            album.phone(playwright, server, folder)
            album.desk(playwright, server, folder)
    for where in ("phone", "desk"):
        for folder in sorted((OUT / where).iterdir() if (OUT / where).exists() else ()):
            sheet(where, folder.name)
    print(f"{len(list(OUT.glob('*/*/*.png')))} pictures in {OUT}, {len(album.faults)} faults")
    return 1 if album.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
