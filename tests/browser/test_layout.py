"""No page is wider than the screen, cuts a word or has the wrong direction, in any language.

`make pictures` shows every screen there is; these are the fullest.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Playwright

from pwa.bundle import catalogues
from pwa.commands import demo
from tests.browser import screens
from tests.browser.desk import Desk
from tests.browser.device import CHROMIUM, FLAGS
from tests.browser.phone import Phone
from tests.browser.server import ROOT, Server

pytestmark = pytest.mark.browser

TAGS = catalogues.find_languages(ROOT)
ON_THE_PHONE = {"visits", "give-guide", "section", "explained", "consent", "read-back", "follow-up", "settings", "tenant-item", "tenant-consent"}  # fmt: skip
AT_THE_DESK = {"coverage", "visits", "visit", "follow-ups", "consents", "import"}


@pytest.fixture(scope="module")
def server(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo company."""
    with screens.demo_server(tmp_path_factory.mktemp("layout")) as running:
        yield running


@pytest.fixture(scope="module")
def phone(
    playwright: Playwright, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Phone]:
    """Bob's."""
    device = Phone(playwright, server, tmp_path_factory.mktemp("phone"), device_scale_factor=1)
    device.sign_in("bob", demo.PASSWORD)
    yield device
    device.close()


@pytest.fixture(scope="module")
def desk(
    playwright: Playwright, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """Alice's."""
    device = Desk(playwright, server, tmp_path_factory.mktemp("desk"))
    device.sign_in("alice", demo.PASSWORD)
    yield device
    device.close()


@pytest.mark.parametrize("language", TAGS)
def test_the_phones_screens_fit_in_every_language(phone: Phone, language: str) -> None:
    names = screens.names_of(phone.server)
    screens.set_language(phone, language)
    screens.choose(phone, names["visit"], screens.beside(language))
    wrong = {}
    for screen in (one for one in screens.PHONE_SCREENS if one.name in ON_THE_PHONE):
        screens.go(phone, screen.path.format(**names))
        screens.settle(phone.page, screen.act)
        wrong[screen.name] = screens.faults(phone.page)
    assert not {name: found for name, found in wrong.items() if found}


@pytest.mark.parametrize("language", TAGS)
def test_the_desks_pages_fit_in_every_language(desk: Desk, language: str) -> None:
    names = screens.names_of(desk.server)
    desk.set_language(language)
    wrong = {}
    for screen in (one for one in screens.DESK_SCREENS if one.name in AT_THE_DESK):
        desk.open(screen.path.format(language=language, **names))
        screens.settle(desk.page, screen.act)
        wrong[screen.name] = screens.faults(desk.page)
    assert not {name: found for name, found in wrong.items() if found}


BROKEN = {
    "the page is": "<p style='inline-size: 500px'>wide</p>",
    "outside the screen": "<p style='position: absolute; inset-inline-start: -40px'>out</p>",
    "outside its box": "<p style='inline-size: 2rem; overflow-wrap: normal'>Donaudampfschiff</p>",
    "cut at a side": "<p style='inline-size: 2rem; overflow: hidden; white-space: nowrap'>Donau</p>",
    "cut above or below": "<p style='block-size: 0.5rem; overflow: hidden'>flat</p>",
    "ar runs ltr": "<p lang='ar' dir='ltr'>مرحبا</p>",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_layout_is_found(playwright: Playwright, fault: str) -> None:
    """The check itself finds what it must find."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
    page: Page = browser.new_page(viewport={"width": 360, "height": 740})
    page.set_content(f"<body>{BROKEN[fault]}<p>fine</p>")
    found = screens.faults(page)
    browser.close()
    assert any(one.startswith(fault) for one in found), found


@pytest.mark.parametrize("language", ["sv", "ar", "kmr"])
def test_the_desks_pages_are_no_wider_than_a_phone(desk: Desk, language: str) -> None:
    names = screens.names_of(desk.server)
    desk.set_language(language)
    desk.page.set_viewport_size({"width": 360, "height": 740})
    wide = {}
    for screen in (one for one in screens.DESK_SCREENS if one.name in AT_THE_DESK):
        desk.open(screen.path.format(language=language, **names))
        wide[screen.name] = desk.page.evaluate("document.documentElement.scrollWidth")
    desk.page.set_viewport_size({"width": 1280, "height": 800})
    assert set(wide.values()) == {360}, wide
