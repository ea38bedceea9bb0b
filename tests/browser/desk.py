"""A desk at the office: what a supervisor does on it, by the forms and links on its pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Playwright, expect

from tests.browser.device import FLAGS, Device, until
from tests.browser.server import Server
from tests.cast.people import PASSWORD

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
FIRST, SECOND = "Gatvägen 12 A", "Provgatan 3 B"
"""The addresses of the two visits that `import_file` leads to."""
HEADER = "Kontraktsnr;Objektsnr;Adress;Lägenhetsnr;Postnr;Ort;Område;Inflyttningsdatum;Namn;Telefon;Språk;Skyddad"


def today() -> date:
    """The company's day, not the machine's: they differ for an hour or two each night."""
    return datetime.now(ZoneInfo("Europe/Stockholm")).date()


def import_file(folder: Path) -> Path:
    """Two homes, a protected identity, and a row (the fifth line) that is wrong."""
    moved_in = (today() - timedelta(days=5)).isoformat()
    rows = [
        f"1/1;1;{FIRST};1102;721 87;Västerås;Norr;{moved_in};Testsson Test;070-123 45 67;ar;N",
        f"2/1;2;{SECOND};0903;721 87;Västerås;Norr;{moved_in};Provberg Prov;;so;N",
        f"3/1;3;Hemliga gatan 1;1001;721 87;Västerås;Norr;{moved_in};Demolund Demo;;;J",
        "4/1;4;Felgatan 1;1001;721 87;Västerås;Norr;11/12/26;Skisslund Skiss;;;N",
    ]
    path = folder / "tenancies.csv"
    path.write_text("\r\n".join([HEADER, *rows]), "cp1252")
    return path


class Desk(Device):
    """1280×800. `look` changes the browser context (locale …)."""

    def __init__(
        self,
        playwright: Playwright,
        server: Server,
        profile: Path,
        *,
        flags: Sequence[str] = FLAGS,
        **look: Any,
    ) -> None:
        super().__init__(playwright, server, profile, DESK | look, flags)

    def sign_in(self, name: str = "alice", password: str = PASSWORD) -> None:
        """Sign in, in the place of whoever was signed in."""
        self.context.clear_cookies()
        self.open("/sign-in")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", password)
        self.page.press("input[name=password]", "Enter")
        until(self.page, "location.pathname !== '/sign-in'")
        expect(self.page.locator("h1")).to_be_visible()

    def set_language(self, tag: str) -> None:
        """Show the desk in a language, by the form that its list of languages sends."""
        response = self.context.request.post(
            self.server.url + "/language",
            form={"language": tag, "next": "/"},
            headers={"Origin": self.server.url},
        )
        assert response.ok, response.status

    def import_tenancies(self, path: Path) -> None:
        """Check the file of `import_file` first, then store it."""
        self.open("/desk/import")
        self.page.set_input_files("#file", str(path))
        self.page.click("#import button[name=dry_run]")
        store = self.page.locator("button[form=import][value='0']")
        expect(store).to_be_visible()
        expect(self.page.locator("#report")).to_contain_text("Row 5")  # the one that is wrong
        store.click()
        expect(self.page.locator("#report a[href*='unassigned']")).to_be_visible()

    def assign_all(self, who: str, *, time: str) -> None:
        """Give every unassigned visit to the person of that display name, today."""
        self.open("/desk/visits?unassigned=1")
        for box in self.page.locator("#visits .tick").all():
            box.check()
        self._choose_person("#assign-first", who)
        self.page.fill("#assign-date", today().isoformat())
        self.page.fill("#assign-time", time)
        self.page.click("#assign button.button-primary")
        expect(self.page.locator(".tick")).to_have_count(0)

    def open_visit(self, visit: str) -> None:
        self.open(f"/desk/visits/{visit}")

    def change_assignment(self, visit: str, *, time: str = "", who: str = "") -> None:
        """Another time, or another visitor (display name)."""
        self.open_visit(visit)
        form = "form[action$='/assign']"
        if self.page.locator(form).is_hidden():
            self.page.locator(f"details:has({form}) > summary, #assign-details > summary").first.click()  # fmt: skip
        if time:
            self.page.fill(f"{form} input[name=time]", time)
        if who:
            self._choose_person(f"{form} select[name=first]", who)
        self.page.locator(f"{form} button").last.click()
        expect(self.page.locator("main")).to_contain_text(time or who)

    def _choose_person(self, select: str, who: str) -> None:
        option = self.page.locator(f"{select} option:has-text('{who}')").first
        self.page.select_option(select, value=option.get_attribute("value"))

    def return_visit(self, visit: str, item: str, text: str) -> None:
        """Return a closed visit with one point to correct."""
        self.open_visit(visit)
        self.page.locator("#points select[name=item]").first.select_option(value=item)
        self.page.locator("#points textarea").first.fill(text)
        self.page.locator("form[action$='/return'] button.button").last.click()
        until(self.page, "!document.querySelector(\"form[action$='/return']\")")

    def approve_visit(self, visit: str) -> None:
        self.open_visit(visit)
        self.page.locator("form[action$='/approve'] button").click()
        until(self.page, "!document.querySelector(\"form[action$='/approve']\")")
