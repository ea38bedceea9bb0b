"""From a reviewer's keyboard to a tenant's door: a corrected text is published while visits go on.

A visit already begun keeps the words it was begun with, also when the phone has the new ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import DESK, ROOT, Device, Server, until
from tests.browser.test_story import (
    FIRST,
    SECOND,
    answer,
    assign,
    import_at_the_desk,
    import_file,
    open_visit,
    packs_kept,
    section,
    send,
    sign_in_at_the_desk,
    sign_in_on,
    sync_until,
    visit_at,
)
from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser

NEW = {"ar": "نجرّب جهاز إنذار الدخان معًا", "so": "Aan wada tijaabinno digniinta"}


def sign_in(page: Page, url: str, name: str) -> None:
    page.context.clear_cookies()
    page.goto(url + "/sign-in")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    until(page, "location.pathname !== '/sign-in'")


def test_a_correction_reaches_new_visits_and_never_one_that_is_begun(
    server: Server, desk: Device, phone: Device, tmp_path: Path
) -> None:
    page = sign_in_at_the_desk(desk)
    import_at_the_desk(page, server.url, import_file(tmp_path))
    assign(page, server.url, "Bob Testsson", time="10:00")
    begun, coming = visit_at(server, FIRST), visit_at(server, SECOND)
    sign_in_on(phone, "bob")
    packs_kept(phone)
    open_visit(phone, begun)
    section(phone.page, begun, "s04")
    before = phone.page.locator("#item-i23 .tenant-text").first.inner_text()
    answer(phone.page, "i23", "sounds")
    send(phone)

    # Amira corrects the label in both of her languages; nothing reaches anybody yet.
    sign_in(page, server.url, "amira")
    for tag, text in NEW.items():
        page.goto(f"{server.url}/desk/guide/{tag}?show=fire")
        row = page.locator("#t-i23-label")
        row.locator("summary", has_text="Correct").click()
        row.locator("textarea").fill(text)
        row.get_by_role("button", name="Save the correction").click()
        expect(page.locator("#t-i23-label .guide-words").nth(1)).to_have_text(text)
        expect(page.locator("#t-i23-label")).to_contain_text("Not published yet")
    sign_in(page, server.url, "root")
    page.goto(f"{server.url}/desk/guide/publish")
    for text in NEW.values():
        expect(page.locator("main")).to_contain_text(text)
    page.get_by_role("button", name="Publish 2 changes").click()
    until(page, "location.pathname === '/desk/guide'")

    # The phone hears of it at its next contact.
    def has_it() -> bool:
        phone.open(f"/field/visits/{coming}/s/s04")
        return phone.page.locator("#item-i23").inner_text().find(NEW["so"]) >= 0

    sync_until(phone, has_it)
    phone.open(f"/field/visits/{begun}/s/s04")
    expect(phone.page.locator("#item-i23 .tenant-text").first).to_have_text(before)
    server.stop()
    phone.open(f"/field/visits/{begun}/s/s04")
    expect(phone.page.locator("#item-i23 .tenant-text").first).to_have_text(before)


def test_a_whole_page_is_approved_with_the_enter_key_alone(server: Server, desk: Device) -> None:
    page = desk.page
    sign_in(page, server.url, "amira")
    page.goto(f"{server.url}/desk/guide/so?show=fire")
    total = page.locator(".guide-approve").count()
    assert total > 5
    page.locator(".guide-approve").first.focus()
    for left in range(total - 1, total - 4, -1):
        page.keyboard.press("Enter")
        expect(page.locator(".guide-approve")).to_have_count(left)
        until(page, "document.activeElement.classList.contains('guide-approve')")
    assert page.locator(".guide-text").nth(3).locator(".guide-approve:focus").count() == 1
    assert [one for one in desk.said if "Failed to load resource" not in one] == []


AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("language", ["sv", "ar"])
def test_the_pages_of_the_guides_texts_break_no_rule_of_accessibility(
    playwright: Playwright, server: Server, tmp_path: Path, language: str
) -> None:
    desk = Device(playwright, server, tmp_path / "desk", {**DESK, "locale": language})
    try:
        look_at_all(desk.page, server.url, language)
    finally:
        desk.close()


def look_at_all(page: Page, url: str, language: str) -> None:
    sign_in(page, url, "root")
    page.goto(f"{url}/desk/guide/so?show=fire")
    expect(page.locator("html")).to_have_attribute("lang", language)
    row = page.locator("#t-i23-label")
    row.locator("summary").first.click()
    row.locator("textarea").fill(NEW["so"])
    row.locator("button[value=correct]").click()
    expect(page.locator("#t-i23-label .history")).to_have_count(1)
    page.locator("#t-i23-label .history summary").click()
    page.locator("#t-i23-explain summary").first.click()
    check_accessible(page)
    for path in ("", "/publish", "/sv?show=consent", "/ar?show=law", "/so/import"):
        page.goto(f"{url}/desk/guide{path}")
        check_accessible(page)


def check_accessible(page: Page) -> None:
    page.evaluate(AXE)
    found = page.evaluate(
        "async () => (await axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa',"
        " 'best-practice'], rules: {'color-contrast-enhanced': {enabled: true}}}))"
        ".violations.map(v => [v.id, v.nodes.slice(0, 3).map(n => n.html)])"
    )
    assert found == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280, page.url
