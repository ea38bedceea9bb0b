"""What a tenant is given on paper: whole items, one card, in scripts of both directions; and where
the facts in it are set."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Device, Server
from tests.browser.test_handing import VIOLATIONS
from tests.browser.test_shell import AXE
from tests.browser.test_story import (
    FIRST,
    assign,
    import_at_the_desk,
    import_file,
    sign_in_at_the_desk,
    visit_at,
)

pytestmark = pytest.mark.browser

# Of every item, how far it reaches past its column and page, and whether paper may tear it.
TORN = """() => [...document.querySelectorAll('article, .heading, header')].filter(one =>
  one.scrollWidth > one.clientWidth + 1 ||
  (one.tagName === 'ARTICLE' && getComputedStyle(one).breakInside !== 'avoid') ||
  (one.matches('.heading') && getComputedStyle(one).breakAfter !== 'avoid')
).map(one => one.innerText.slice(0, 60))"""
SIDE_BY_SIDE = """() => {
  const [own, swedish] = document.querySelector('article .pair').children
  const a = own.getBoundingClientRect(), b = swedish.getBoundingClientRect()
  return {direction: getComputedStyle(own).direction, sameRow: Math.abs(a.top - b.top) < 4,
    ownFirst: a.left < b.left, swedish: getComputedStyle(swedish).direction}
}"""


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.mark.parametrize(("language", "direction"), [("ti", "ltr"), ("fa-AF", "rtl")])
def test_the_boendeguide_on_paper_tears_no_item_and_stands_beside_swedish(
    desk: Device, server: Server, language: str, direction: str
) -> None:
    page = desk.page
    page.goto(f"{server.url}/g/{language}")
    page.evaluate(AXE)
    assert page.evaluate(VIOLATIONS) == []
    page.emulate_media(media="print")
    assert page.evaluate(TORN) == []
    assert page.evaluate(SIDE_BY_SIDE) == {
        "direction": direction, "sameRow": True, "ownFirst": direction == "ltr", "swedish": "ltr",
    }  # fmt: skip
    assert 5 < pages_of(page.pdf(prefer_css_page_size=True)) < 20


def test_the_card_is_one_sheet(desk: Device, server: Server, tmp_path: Path) -> None:
    page = sign_in_at_the_desk(desk)
    import_at_the_desk(page, server.url, import_file(tmp_path))
    assign(page, server.url, "Bob Testsson", time="10:00")
    page.goto(f"{server.url}/desk/visits/{visit_at(server, FIRST)}/card")
    assert page.locator("h1").count() == 2
    page.evaluate(AXE)
    assert page.evaluate(VIOLATIONS) == []
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 1


def test_the_companys_facts_are_previewed_as_they_are_typed_and_saved_with_all_cards(
    desk: Device, server: Server
) -> None:
    page = sign_in_at_the_desk(desk, "root")
    page.goto(server.url + "/desk/company")
    page.evaluate(AXE)
    assert page.evaluate(VIOLATIONS) == []
    page.fill("#f-quiet-from", "22:30")
    page.fill("#f-company-phone", "ask at the office")
    fact = page.locator("[id='company.phone']")
    fact.locator("summary").click()
    fact.get_by_role("button", name="Show with what is typed").click()
    expect(fact.locator(".company-preview .banner-warn")).to_be_visible()
    page.fill("#f-company-phone", "021-12 34 56")
    fact.locator("select").select_option("so")
    said = fact.locator(".company-preview [lang=so]").filter(has_text="021-12 34 56")
    expect(said.first).to_be_visible()
    fact.locator("xpath=ancestor::section").get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("Saved.")
    expect(page.locator("#f-company-phone")).to_have_value("021-12 34 56")
    expect(page.locator("#f-quiet-from")).to_have_value("22:30")
