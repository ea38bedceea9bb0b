"""A reviewer's correction is published while visits go on, and reaches the tenants of later visits.

A visit already begun keeps the text it was begun with, also when the phone has the new one.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.accessibility import violations
from tests.browser.desk import FIRST, SECOND, Desk, import_file
from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import Server

pytestmark = pytest.mark.browser

NEW = {"ar": "نجرّب جهاز إنذار الدخان معًا", "so": "Aan wada tijaabinno digniinta"}


def test_a_correction_reaches_new_visits_and_never_one_that_is_begun(
    server: Server, desk: Desk, phone: Phone, tmp_path: Path
) -> None:
    desk.sign_in()
    page = desk.page
    desk.import_tenancies(import_file(tmp_path))
    desk.assign_all("Bob Testsson", time="10:00")
    begun, coming = server.visit_at(FIRST), server.visit_at(SECOND)
    phone.sign_in("bob")
    phone.wait_for_guide()
    phone.open_visit(begun)
    phone.open_section(begun, "s04")
    before = phone.page.locator("#item-i23 .tenant-text").first.inner_text()
    phone.answer("i23", "sounds")
    phone.send()

    # Amira corrects the label in both of her languages; nothing reaches anybody yet.
    desk.sign_in("amira")
    for tag, text in NEW.items():
        page.goto(f"{server.url}/desk/guide/{tag}?show=fire")
        row = page.locator("#t-i23-label")
        row.locator("summary", has_text="Correct").click()
        row.locator("textarea").fill(text)
        row.get_by_role("button", name="Save the correction").click()
        expect(page.locator("#t-i23-label .guide-words").nth(1)).to_have_text(text)
        expect(page.locator("#t-i23-label")).to_contain_text("Not published yet")
    desk.sign_in("root")
    page.goto(f"{server.url}/desk/guide/publish")
    for text in NEW.values():
        expect(page.locator("main")).to_contain_text(text)
    page.get_by_role("button", name="Publish 2 changes").click()
    until(page, "location.pathname === '/desk/guide'")

    # The phone receives it at its next contact.
    def has_it() -> bool:
        phone.open(f"/field/visits/{coming}/s/s04")
        return phone.page.locator("#item-i23").inner_text().find(NEW["so"]) >= 0

    phone.sync_until(has_it)
    phone.open(f"/field/visits/{begun}/s/s04")
    expect(phone.page.locator("#item-i23 .tenant-text").first).to_have_text(before)
    server.stop()
    phone.open(f"/field/visits/{begun}/s/s04")
    expect(phone.page.locator("#item-i23 .tenant-text").first).to_have_text(before)


def test_a_whole_page_is_approved_with_the_enter_key_alone(server: Server, desk: Desk) -> None:
    page = desk.page
    desk.sign_in("amira")
    page.goto(f"{server.url}/desk/guide/so?show=fire")
    total = page.locator(".guide-approve").count()
    assert total > 5
    page.locator(".guide-approve").first.focus()
    for left in range(total - 1, total - 4, -1):
        page.keyboard.press("Enter")
        expect(page.locator(".guide-approve")).to_have_count(left)
        until(page, "document.activeElement.classList.contains('guide-approve')")
    assert page.locator(".guide-text").nth(3).locator(".guide-approve:focus").count() == 1
    assert desk.faults() == []


@pytest.mark.parametrize("language", ["sv", "ar"])
def test_the_pages_of_the_guides_texts_break_no_rule_of_accessibility(
    playwright: Playwright, server: Server, tmp_path: Path, language: str
) -> None:
    desk = Desk(playwright, server, tmp_path / "desk", locale=language)
    try:
        desk.sign_in("root")
        desk.open("/desk/guide/so?show=fire")
        expect(desk.page.locator("html")).to_have_attribute("lang", language)
        correct_a_text(desk.page)
        check_accessible(desk.page)
        for path in ("", "/publish", "/sv?show=consent", "/ar?show=law", "/so/import"):
            desk.open(f"/desk/guide{path}")
            check_accessible(desk.page)
    finally:
        desk.close()


def correct_a_text(page: Page) -> None:
    """So that the page shows a text with a history, opened."""
    row = page.locator("#t-i23-label")
    row.locator("summary").first.click()
    row.locator("textarea").fill(NEW["so"])
    row.locator("button[value=correct]").click()
    expect(page.locator("#t-i23-label .history")).to_have_count(1)
    page.locator("#t-i23-label .history summary").click()
    page.locator("#t-i23-explain summary").first.click()


def check_accessible(page: Page) -> None:
    assert violations(page, strict=True) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280, page.url
