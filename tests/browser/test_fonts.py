"""The fonts of a phone's languages are there without a network; those of others are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.releases import newer, remove
from tests.browser.server import Server

pytestmark = pytest.mark.browser

KEPT = """(async () => {
  const newest = (await caches.keys()).filter(name => name.startsWith('troskel-shell-')).at(-1)
  const urls = newest ? (await (await caches.open(newest)).keys()).map(one => one.url) : []
  return [...new Set(urls.flatMap(url => url.match(/noto-sans-(arabic|ethiopic)-\\w+-[47]00/)?.[1] ?? []))].sort()
})()"""


def expect_fonts(phone: Phone, *scripts: str) -> None:
    """Wait until these whole fonts, and no others, are stored on the phone."""
    until(phone.page, f"{KEPT}.then(found => found.join() === '{','.join(scripts)}')")


def fonts_of(phone: Phone, selector: str) -> set[tuple[str, bool]]:
    """(family, whether it is ours) of the glyphs that are really drawn below `selector`."""
    session = phone.context.new_cdp_session(phone.page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    used: list[dict[str, Any]] = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})[
        "fonts"
    ]
    session.detach()
    return {(one["familyName"], one["isCustomFont"]) for one in used}


def wait_for_fonts(phone: Phone) -> None:
    """Wait until no font is being loaded."""
    until(phone.page, "document.fonts.ready.then(fonts => fonts.status === 'loaded')")


def choose_languages(phone: Phone, *tags: str) -> None:
    """As the switches of the settings page do."""
    listed = ",".join(f'"{tag}"' for tag in tags)
    phone.page.evaluate(f"localStorage.setItem('troskel.guide-languages', '[{listed}]')")
    phone.page.reload()
    phone.ready()


def test_a_phone_has_the_fonts_of_its_languages_without_network_and_no_others(
    phone: Phone, server: Server
) -> None:
    phone.sign_in("bob")  # sv, ar, en
    phone.wait_for_worker()
    expect_fonts(phone, "arabic")
    latin = {family for family, _ in fonts_of(phone, "h1")}
    phone.set_language("ar")
    phone.page.reload()  # the words of Arabic are fetched now
    phone.ready()
    until(phone.page, "caches.match(location.origin + document.querySelector('link[href*=fonts]')"
                      ".getAttribute('href').replace('fonts.css', 'catalog.ar.js'))")  # fmt: skip
    server.stop()
    phone.new_page()  # with nothing that the last page had in memory
    phone.open("/field/outbox")
    wait_for_fonts(phone)
    assert ("Noto Sans Arabic", True) in (used := fonts_of(phone, "h1"))
    assert {family for family, ours in used if not ours} <= latin  # its spaces


def test_a_list_of_languages_fetches_no_whole_font_and_has_no_empty_boxes(
    phone: Phone, server: Server
) -> None:
    asked: list[str] = []
    phone.page.on("request", lambda request: asked.append(request.url))
    phone.open("/field/sign-in")
    phone.wait_for_worker()
    wait_for_fonts(phone)
    for tag, family in {"ar": "Noto Sans Arabic", "ti": "Noto Sans Ethiopic"}.items():
        assert fonts_of(phone, f"#language-{tag}") == {(family, True)}, tag
    assert not [url for url in asked if "/vendor/noto" in url]
    expect_fonts(phone)


def test_the_fonts_of_a_chosen_language_come_and_go_with_it(
    phone: Phone,
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    choose_languages(phone, "ti")
    expect_fonts(phone, "arabic", "ethiopic")
    choose_languages(phone)
    expect_fonts(phone, "arabic")


def test_an_update_fetches_no_font_again(phone: Phone, server: Server) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    expect_fonts(phone, "arabic")
    first = phone.version()
    breakage = remove("vendor/noto-sans-arabic-arabic-400-normal.woff2")

    def change(root: Path) -> None:
        newer(root)
        breakage(root)  # a request for it is answered with 404

    server.release(change)
    phone.look_for_update()
    phone.page.locator("#banner button").click()
    until(phone.page, f"document.documentElement.dataset.version !== {first!r}")
    phone.ready()
    expect_fonts(phone, "arabic")
