"""Directions on the screen: an Arabic name, a Swedish street and a number that people dial.

Measured where the letters are drawn. Arrows are mirrored with the text, a telephone is not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat
from playwright.sync_api import Page, Playwright

from pwa.commands import demo
from tests.browser import screens
from tests.browser.phone import Phone

pytestmark = pytest.mark.browser

RUNS = """([selector, text]) => {
  const walker = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(text)
    if (at < 0) continue
    const left = [...text].map((letter, i) => {
      const range = document.createRange()
      range.setStart(node, at + i)
      range.setEnd(node, at + i + 1)
      return letter.trim() ? range.getBoundingClientRect().left : null
    }).filter(x => x !== null)
    if (left.every((x, i) => i === 0 || x > left[i - 1])) return 'ltr'
    if (left.every((x, i) => i === 0 || x < left[i - 1])) return 'rtl'
    return `mixed: ${left.map(Math.round)}`
  }
  return 'not there'
}"""


@pytest.fixture(scope="module")
def visited(
    built: None, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Phone, str]]:
    """Bob's phone in the demo company, and a visit on it."""
    folder = tmp_path_factory.mktemp("direction")
    with screens.demo_server(folder) as server:
        phone = Phone(playwright, server, folder / "phone")
        phone.sign_in("bob", demo.PASSWORD)
        yield phone, f"/field/visits/{screens.names_of(server)['visit']}"
        phone.close()


def runs(page: Page, selector: str, text: str) -> str:
    found: str = page.evaluate(RUNS, [selector, text])
    return found


def picture(page: Page, selector: str) -> Image.Image:
    """What is drawn of an element, cropped to it."""
    element = page.locator(selector).first
    element.evaluate(
        "one => { for (; one; one = one.parentElement) one.style.textDecoration = 'none' }"
    )
    seen = Image.open(io.BytesIO(element.screenshot())).convert("L")
    return seen.crop(seen.point(lambda level: 255 if level < 200 else 0).getbbox())


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether the same is drawn, but for single pixels."""
    whole = (0, 0, max(one.width, other.width), max(one.height, other.height))
    difference = ImageChops.difference(one.crop(whole), other.crop(whole))
    return ImageStat.Stat(difference).mean[0] < 30


@pytest.mark.parametrize("language", ["sv", "ar", "fa", "ckb"])
def test_a_name_a_street_and_a_number_each_run_their_own_way(
    visited: tuple[Phone, str], language: str
) -> None:
    phone, visit = visited
    screens.set_language(phone, language)
    phone.open(visit)
    page = phone.page
    street = page.locator("#visit-title").inner_text()
    number = page.locator("a[href^='tel:'] bdi").first.inner_text()
    screens.settle(page)
    assert runs(page, "#visit-title", street) == "ltr"
    assert runs(page, "a[href^='tel:']", number) == "ltr"
    # Letters that join share a box with their neighbours; the words do not.
    first, last = page.locator(".contact-name bdi").first.evaluate(
        """(element, words) => {
             element.textContent = words.join(' ')
             return words.map(word => {
               const [node] = element.childNodes
               const range = document.createRange()
               range.setStart(node, node.data.indexOf(word))
               range.setEnd(node, node.data.indexOf(word) + word.length)
               return range.getBoundingClientRect().left
             })
           }""",
        ["محمد", "اختباري"],
    )
    assert first > last, "an Arabic name begins at its right"


@pytest.mark.parametrize("language", ["ar", "ps"])
def test_an_address_of_a_page_in_a_right_to_left_sentence_stays_whole(
    visited: tuple[Phone, str], language: str
) -> None:
    phone, _ = visited
    screens.set_language(phone, language)
    phone.open("/field/nowhere")
    assert runs(phone.page, "main", "/field/nowhere") == "ltr"


def test_arrows_are_mirrored_and_a_telephone_is_not(visited: tuple[Phone, str]) -> None:
    phone, visit = visited
    drawn = {}
    for language in ("sv", "ar"):
        screens.set_language(phone, language)
        phone.open(visit)
        screens.settle(phone.page)
        drawn[language] = {
            name: picture(phone.page, selector)
            for name, selector in {
                "back": ".crumbs .back",
                "go": ".strip-go",
                "telephone": "a[href^='tel:'] > span",
            }.items()
        }
    for arrow in ("back", "go"):
        assert alike(ImageOps.mirror(drawn["sv"][arrow]), drawn["ar"][arrow]), arrow
        assert not alike(drawn["sv"][arrow], drawn["ar"][arrow]), arrow
    assert alike(drawn["sv"]["telephone"], drawn["ar"]["telephone"])
