"""The one story that must always work, as people live it: a file comes in, a visit is made with no
network, everything arrives once, it is returned, corrected and approved.

"No network" is the server's absence; the phone's browser is killed in the middle of the visit;
meanwhile the desk moves the appointment and gives another visit to somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect

from tests.browser.desk import FIRST, SECOND, Desk, import_file
from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import Server
from tests.cast.company import open_app, services_of, store_facts

pytestmark = pytest.mark.browser

BICYCLE = "En cykel står i trapphuset"
DOORBELL = "Ringklockan är trasig"
TRY_AGAIN = "Prova larmet en gång till"


@pytest.fixture
def data_dir(data_dir: Path) -> Path:
    """The cast's folder with the company's own facts in it: consents need them."""
    with open_app(data_dir) as app:
        store_facts(services_of(app))
    return data_dir


@dataclass
class Story:
    """Alice at her desk, Bob with his phone, and the server between them."""

    server: Server
    alice: Desk
    bob: Phone
    first: str = ""
    second: str = ""
    unsent: int = 0

    def alice_imports_a_file_and_gives_both_visits_to_bob(self, folder: Path) -> None:
        self.alice.sign_in("alice")
        until(self.alice.page, "location.pathname.startsWith('/desk/')")
        self.alice.import_tenancies(import_file(folder))
        assert self.server.query("SELECT count(*) FROM visit_index") == [(2,)]
        self.alice.assign_all("Bob Testsson", time="10:00")
        self.first, self.second = self.server.visit_at(FIRST), self.server.visit_at(SECOND)

    def bobs_phone_gets_them(self) -> None:
        self.bob.sign_in("bob")
        expect(self.bob.card(self.first)).to_contain_text(FIRST)
        expect(self.bob.card(self.second)).to_contain_text(SECOND)
        self.bob.wait_for_worker()
        self.bob.wait_for_guide()

    def the_network_is_gone(self) -> None:
        self.server.stop()

    def the_network_is_back(self) -> None:
        self.server.start()

    def bob_begins_the_visit_in_the_tenants_language(self) -> None:
        self.bob.open_visit(self.first)
        self.bob.choose_tenants_language("ar")
        expect(self.bob.page.locator("#choose-language")).to_contain_text("العربية")
        self.bob.open_section(self.first, "s02")
        self.bob.page.click("#tick")
        self.bob.answer("i10", "yes")
        self.bob.back_to_visit(self.first)
        self.bob.open_section(self.first, "s04")
        self.bob.answer("i23", "silent")
        self.bob.write_note("i26", BICYCLE)
        self.unsent = self.bob.unsent()
        assert self.unsent >= 5

    def bobs_phone_dies(self) -> None:
        self.bob.kill()

    def alice_moves_one_visit_and_gives_the_other_to_charlie(self) -> None:
        self.alice.change_assignment(self.first, time="14:30")
        self.alice.change_assignment(self.second, who="Charlie Testsson")

    def bob_starts_it_again_and_everything_is_there(self) -> None:
        self.bob.reopen()
        self.bob.open("/field/")
        assert self.bob.unsent() == self.unsent
        self.bob.show_visits()
        self.bob.open_visit(self.first)
        self.bob.open_section(self.first, "s04")
        self.bob.expect_answer("i23", "silent")
        expect(self.bob.page.locator("#item-i26")).to_contain_text(BICYCLE)

    def bob_finishes_the_visit(self) -> None:
        self.bob.order_follow_up(self.first, "s04", "i23")
        self.bob.back_to_visit(self.first)
        self.bob.record_consent(self.first, "K1", "Ambassadörerna i Norr")
        self.bob.close_visit(self.first)

    def bob_writes_in_the_visit_that_is_no_longer_his(self) -> None:
        self.bob.show_visits()
        self.bob.open_visit(self.second)
        self.bob.write_note_on_visit(self.second, DOORBELL)

    def everything_is_sent_once(self) -> None:
        self.bob.send()
        twice = "SELECT id, count(*) FROM log GROUP BY id HAVING count(*) > 1"
        assert self.server.query(twice) == []
        assert self.server.query("SELECT count(*) FROM held WHERE state = 'open'") == [(0,)]

    def alice_finds_every_answer_note_and_consent_once(self) -> None:
        page, query = self.alice.page, self.server.query
        self.alice.open_visit(self.first)
        text = page.locator("main").inner_text()
        assert text.count(BICYCLE) >= 1
        assert page.locator(f"main :text-is('{BICYCLE}')").count() == 1
        assert "14:30" in text  # the appointment she moved stands
        page.locator("img[src*='/blobs/']").first.scroll_into_view_if_needed()
        pictures = "[...document.querySelectorAll(\"img[src*='/blobs/']\")]"
        until(page, f"{pictures}.every(i => i.naturalWidth > 0)")
        consents = query("SELECT purpose, decision FROM consent_index WHERE visit = ?", self.first)
        assert consents == [("K1", "yes")]
        assert query("SELECT count(*) FROM log WHERE kind = 'visit.note'") == [(2,)]
        assert query("SELECT count(*) FROM log WHERE kind = 'visit.follow_up'") == [(1,)]
        self.alice.open_visit(self.second)
        expect(page.locator("main")).to_contain_text(DOORBELL)

    def alice_returns_one_point(self) -> None:
        self.alice.return_visit(self.first, "i23", TRY_AGAIN)

    def bob_corrects_it_and_closes_again(self) -> None:
        returned = self.bob.page.locator(f".group-returned #visit-{self.first}")
        self.bob.sync_until(lambda: returned.count() == 1)
        self.bob.open_visit(self.first)
        expect(self.bob.page.locator(".banner-warn").first).to_contain_text(TRY_AGAIN)
        self.bob.open_section(self.first, "s04")
        self.bob.answer("i23", "sounds")
        self.bob.back_to_visit(self.first)
        self.bob.close_visit(self.first)
        self.bob.send()

    def alice_approves(self) -> None:
        self.alice.approve_visit(self.first)
        state = self.server.query("SELECT state FROM visit_index WHERE id = ?", self.first)
        assert state == [("approved",)]


@pytest.fixture(params=["en", "ar"])
def story(
    request: pytest.FixtureRequest,
    playwright: Playwright,
    server: Server,
    desk: Desk,
    tmp_path: Path,
) -> Iterator[Story]:
    """Bob's phone is in English, or in Arabic."""
    locale = {"en": "en-GB", "ar": "ar"}[request.param]
    phone = Phone(playwright, server, tmp_path / "phone", locale=locale)
    yield Story(server, desk, phone)
    phone.close()


def test_the_story(story: Story, tmp_path: Path) -> None:
    story.alice_imports_a_file_and_gives_both_visits_to_bob(tmp_path)
    story.bobs_phone_gets_them()

    story.the_network_is_gone()
    story.bob_begins_the_visit_in_the_tenants_language()
    story.bobs_phone_dies()

    story.the_network_is_back()
    story.alice_moves_one_visit_and_gives_the_other_to_charlie()

    story.the_network_is_gone()
    story.bob_starts_it_again_and_everything_is_there()
    story.bob_finishes_the_visit()
    story.bob_writes_in_the_visit_that_is_no_longer_his()

    story.the_network_is_back()
    story.everything_is_sent_once()
    story.alice_finds_every_answer_note_and_consent_once()

    story.alice_returns_one_point()
    story.bob_corrects_it_and_closes_again()
    story.alice_approves()
    assert story.bob.faults() == []
