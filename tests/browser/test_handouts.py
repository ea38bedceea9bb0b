"""What a tenant is given on paper: whole items, one card, in scripts of both directions; and where
the facts in it are set."""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import violations
from tests.browser.desk import FIRST, Desk, import_file
from tests.browser.phone import Phone
from tests.browser.server import Server

pytestmark = pytest.mark.browser

# Of every item, how far it reaches past its column and page, and whether paper may tear it.
TORN = """() => [...document.querySelectorAll('article, .heading, header')].filter(one =>
  one.scrollWidth > one.clientWidth + 1 ||
  (one.tagName === 'ARTICLE' && getComputedStyle(one).breakInside !== 'avoid') ||
  (one.matches('.heading') && getComputedStyle(one).breakAfter !== 'avoid')
).map(one => one.innerText.slice(0, 60))"""
_FOOT = re.compile(rb"BT\s/F\d+ 12 Tf\s1 0 0 -1 ([\d.]+) [\d.]+ Tm(.*?)ET", re.S)
_GLYPHS = re.compile(rb"<([0-9A-F]+)> Tj")
SIDE_BY_SIDE = """() => {
  const [own, swedish] = document.querySelector('article .pair').children
  const a = own.getBoundingClientRect(), b = swedish.getBoundingClientRect()
  return {direction: getComputedStyle(own).direction, sameRow: Math.abs(a.top - b.top) < 4,
    ownFirst: a.left < b.left, swedish: getComputedStyle(swedish).direction}
}"""


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def feet_of(pdf: bytes) -> list[list[bytes]]:
    """Of each page the pieces of its foot from left to right, as glyphs: nothing else is set in 9 pt."""
    feet = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.S):
        with suppress(zlib.error):
            found = _FOOT.findall(zlib.decompress(stream))
            pieces = sorted((float(x), b"".join(_GLYPHS.findall(shown))) for x, shown in found)
            feet += [[glyphs for _, glyphs in pieces]] if pieces else []
    return feet


@pytest.mark.parametrize("language", ["sv", "ar", "fa-AF"])
def test_a_page_says_its_number_before_how_many_there_are(
    desk: Desk, server: Server, language: str
) -> None:
    page = desk.page
    page.goto(f"{server.url}/g/{language}")
    pdf = page.pdf(prefer_css_page_size=True)
    feet = feet_of(pdf)
    assert len(feet) == pages_of(pdf) > 5
    assert len({one[0] for one in feet}) == len(feet)
    assert len({one[-1] for one in feet}) == 1


@pytest.mark.parametrize(("language", "direction"), [("ti", "ltr"), ("fa-AF", "rtl")])
def test_the_boendeguide_on_paper_tears_no_item_and_stands_beside_swedish(
    desk: Desk, server: Server, language: str, direction: str
) -> None:
    page = desk.page
    page.goto(f"{server.url}/g/{language}")
    assert violations(page) == []
    page.emulate_media(media="print")
    assert page.evaluate(TORN) == []
    assert page.evaluate(SIDE_BY_SIDE) == {
        "direction": direction, "sameRow": True, "ownFirst": direction == "ltr", "swedish": "ltr",
    }  # fmt: skip
    assert 5 < pages_of(page.pdf(prefer_css_page_size=True)) < 20


def test_the_card_is_one_sheet(desk: Desk, server: Server, tmp_path: Path) -> None:
    desk.sign_in()
    page = desk.page
    desk.import_tenancies(import_file(tmp_path))
    desk.assign_all("Bob Testsson", time="10:00")
    page.goto(f"{server.url}/desk/visits/{server.visit_at(FIRST)}/card")
    assert page.locator("h1").count() == 2
    assert violations(page) == []
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 1


def test_the_companys_facts_are_previewed_as_they_are_typed_and_saved_with_all_cards(
    desk: Desk, server: Server
) -> None:
    desk.sign_in("root")
    page = desk.page
    page.goto(server.url + "/desk/company")
    assert violations(page) == []
    page.fill("#f-quiet-from", "22:30")
    page.fill("#f-company-phone", "ask at the office")
    fact = page.locator("[id='company.phone']")
    fact.locator("summary").click()
    fact.get_by_role("button", name="Show with what is typed").click()
    expect(fact.locator(".company-preview .banner-warn")).to_be_visible()
    page.fill("#f-company-phone", "021-12 34 56")
    fact.locator("select").select_option("so")
    shown = fact.locator(".company-preview [lang=so]").filter(has_text="021-12 34 56")
    expect(shown.first).to_be_visible()
    fact.locator("xpath=ancestor::section").get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("Saved.")
    expect(page.locator("#f-company-phone")).to_have_value("021-12 34 56")
    expect(page.locator("#f-quiet-from")).to_have_value("22:30")


def test_the_guide_is_given_from_the_visit_without_a_network(
    phone: Phone, desk: Desk, server: Server, tmp_path: Path
) -> None:
    desk.sign_in()
    page = desk.page
    desk.import_tenancies(import_file(tmp_path))
    desk.assign_all("Bob Testsson", time="10:00")
    phone.sign_in("bob")
    phone.wait_for_worker()
    visit = server.visit_at(FIRST)
    expect(phone.page.locator(f"#visit-{visit}")).to_contain_text(FIRST)
    server.stop()
    phone.open(f"/field/visits/{visit}")
    mine = phone.page
    mine.click("#give-guide summary")
    link = mine.locator("#guide-link")
    expect(link).to_have_text(f"{server.url}/g/ar?level=area%3ANorr")
    assert violations(mine) == []
    mine.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    mine.evaluate("() => { navigator.share = undefined }")
    mine.click("#share-guide")
    expect(mine.locator("#toast")).to_have_text("The link is copied")
    given = mine.evaluate("navigator.clipboard.readText()")
    assert given == link.get_attribute("href")
    mine.evaluate("() => { navigator.share = async what => { document.title = what.url } }")
    mine.click("#share-guide")
    expect(mine).to_have_title(given)
    server.start()
    page.goto(given)
    expect(page.locator("html")).to_have_attribute("lang", "ar")


def test_enter_in_a_fact_saves_its_card_and_stays_at_it(desk: Desk, server: Server) -> None:
    desk.sign_in("root")
    page = desk.page
    page.goto(server.url + "/desk/company")
    page.fill("#f-quiet-from", "22:30")
    page.press("#f-quiet-from", "Enter")
    expect(page.locator("#notices")).to_contain_text("Saved.")
    assert page.url.endswith("#quiet")
    box = page.locator("#quiet").bounding_box()
    assert box
    assert box["y"] < 100
    expect(page.locator("#f-quiet-from")).to_have_value("22:30")


@pytest.mark.parametrize("language", ["en", "ar", "fa-AF", "fi"])
def test_no_desk_page_is_wider_than_a_phone(desk: Desk, server: Server, language: str) -> None:
    desk.sign_in("root")
    page = desk.page
    page.set_viewport_size({"width": 360, "height": 740})
    page.context.request.post(
        server.url + "/language", form={"language": language, "next": "/desk/"},
        headers={"Origin": server.url},
    )  # fmt: skip
    for path in ("/desk/", "/desk/company", "/desk/guide", "/desk/people", "/sessions"):
        page.goto(server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
