"""A visitor's phone: what a person does on it, by the buttons and links that person sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Playwright, expect

from tests.browser.device import FLAGS, Device, until
from tests.browser.server import Server
from tests.cast.people import PASSWORD

PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True,
    "has_touch": True, "locale": "en-GB",
}  # fmt: skip
TRIES = 30  # of a synchronisation, until what is waited for has arrived


class Phone(Device):
    """360×740, touch. `look` changes the browser context (locale …)."""

    def __init__(
        self,
        playwright: Playwright,
        server: Server,
        profile: Path,
        *,
        flags: Sequence[str] = FLAGS,
        **look: Any,
    ) -> None:
        super().__init__(playwright, server, profile, PHONE | look, flags)

    def wait_for_path(self, path: str) -> None:
        until(self.page, f"location.pathname === {path!r}")

    # --- the app

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        """Sign in on the phone's own page, in whatever language it is."""
        self.open("/field/sign-in")
        self.page.locator("#sign-in input[name=name]").fill(name)
        self.page.locator("#sign-in input[name=password]").fill(password)
        self.page.locator("#sign-in button").first.click()
        self.wait_for_path("/field/")

    def wait_for_worker(self) -> None:
        """Until the worker has stored the app and answers for this page: it now works offline."""
        until(
            self.page,
            "navigator.serviceWorker.ready.then(r => r.active?.state === 'activated'"
            " && navigator.serviceWorker.controller !== null)",
        )

    def wait_for_guide(self) -> None:
        """Until the guide's packs for the visits are stored."""
        until(
            self.page,
            "caches.keys().then(async names => { let n = 0; for (const name of names) if (name.includes('guide'))"
            " n += (await (await caches.open(name)).keys()).length; return n >= 3 })",
        )

    def look_for_update(self) -> None:
        """Ask the server for a newer version now."""
        self.page.evaluate(
            "async () => { await (await navigator.serviceWorker.getRegistration('/field/')).update() }"
        )

    def version(self) -> str:
        """The version of the app that the page shows."""
        return str(self.page.evaluate("document.documentElement.dataset.version"))

    def set_language(self, tag: str) -> None:
        """Choose the interface's language; the next page is in it."""
        self.page.evaluate(f"localStorage.setItem('troskel.language', '{tag}')")

    def expect_status(self, text: str) -> None:
        """The status strip shows `text`, after it has counted everything: a tap's page comes first."""
        expect(self.page.locator("#strip:not([aria-busy])")).to_have_text(text + "›")

    def save_new_visit(self) -> None:
        """Save one operation: a visit opened on the phone."""
        self.open("/field/new")
        self.page.locator("main form button:not([type=button])").click()
        until(self.page, "location.pathname.startsWith('/field/visits/')")

    # --- synchronising

    def unsent(self) -> int:
        """How many things the phone itself lists as unsent."""
        self.page.locator("#nav a[href='/field/outbox']").click()
        self.wait_for_path("/field/outbox")
        return self.page.locator(".outbox-row").count()

    def send(self, name: str = "bob") -> None:
        """Press Send until nothing is unsent; sign in as `name` where that is asked for."""
        self.unsent()
        for _ in range(TRIES):
            if self.page.locator(".outbox-row").count() == 0:
                break
            if self.page.locator("main a[href='/field/sign-in']").count():
                # Chromium writes cookies half a minute late: a kill may take the session with it.
                self.sign_in(name)
                self.unsent()
                continue
            # The server may not listen yet.
            self.page.locator("#send button").click()
            self.page.wait_for_load_state()
            until(self.page, "!document.querySelector('#send button')?.disabled")
        expect(self.page.locator(".outbox-row")).to_have_count(0)

    def sync_until(self, arrived: Callable[[], bool]) -> None:
        """Synchronise until `arrived()` is true of the list of visits."""
        for _ in range(TRIES):
            self.unsent()
            self.page.locator("#send button").click()
            until(self.page, "!document.querySelector('#send button')?.disabled")
            self.show_visits()
            if arrived():
                return
        raise AssertionError("it never arrived")

    # --- visits

    def show_visits(self) -> None:
        self.page.locator("#nav a[href='/field/']").click()
        self.wait_for_path("/field/")

    def card(self, visit: str) -> Locator:
        """The visit on the list."""
        return self.page.locator(f"#visit-{visit}")

    def open_visit(self, visit: str) -> None:
        self.page.locator(f"#visit-{visit} .visit-open").click()
        self.wait_for_path(f"/field/visits/{visit}")

    def open_section(self, visit: str, key: str) -> None:
        self.page.locator(f"main a[href$='/s/{key}']").first.click()
        self.wait_for_path(f"/field/visits/{visit}/s/{key}")

    def back_to_visit(self, visit: str) -> None:
        self.page.locator(f".crumbs a[href='/field/visits/{visit}']").click()
        self.wait_for_path(f"/field/visits/{visit}")

    def choose_tenants_language(self, tag: str) -> None:
        self.page.click("#choose-language")
        self.page.click(f"#language-{tag}")

    def answer(self, item: str, code: str) -> None:
        self.page.locator(f"#{item}-{code}").click()
        self.expect_answer(item, code)

    def expect_answer(self, item: str, code: str) -> None:
        expect(self.page.locator(f"#{item}-{code}")).to_have_attribute("aria-pressed", "true")

    def write_note(self, item: str, text: str) -> None:
        """A note on a question."""
        self.page.locator(f"#note-{item}").click()
        self.page.fill("#text", text)
        self.page.click("#note-save")
        expect(self.page.locator(f"#item-{item}")).to_contain_text(text)

    def write_note_on_visit(self, visit: str, text: str) -> None:
        """A note on the visit as a whole."""
        self.page.click("#to-note")
        self.page.fill("#text", text)
        self.page.click("#note-save")
        self.wait_for_path(f"/field/visits/{visit}")

    def order_follow_up(self, visit: str, section: str, item: str) -> None:
        """Accept the follow-up that the answer to a question offers."""
        self.page.click(f"#offer-{item}")
        self.page.click("#follow-up-save")
        self.wait_for_path(f"/field/visits/{visit}/s/{section}")

    def record_consent(self, visit: str, purpose: str, recipient: str) -> None:
        """A signed yes, with an ambassador as interpreter; then back to the visit."""
        page = self.page
        page.click("#to-consents")
        page.click(f"#open-{purpose}")
        page.fill("#recipient", recipient)
        expect(page.locator("#wording")).to_contain_text(recipient)
        page.select_option("#interpreter", "ambassador")
        self._draw_signature()
        page.click("#decide-yes")
        expect(page.locator("#decision")).to_be_visible()
        # The signature shown is the stored one.
        until(page, "document.querySelector('#decision img.signature')?.naturalWidth > 0")
        page.locator(".crumbs a").first.click()
        self.back_to_visit(visit)

    def _draw_signature(self) -> None:
        pad = self.page.locator("#signature-pad")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box
        mouse = self.page.mouse
        mouse.move(box["x"] + 20, box["y"] + 30)
        mouse.down()
        for step in range(1, 8):
            mouse.move(box["x"] + 20 + 25 * step, box["y"] + 30 + (20 if step % 2 else -10))
        mouse.up()
        until(self.page, "document.getElementById('signature-hash').value.length === 64")

    def close_visit(self, visit: str) -> None:
        """Read back what was noted, and close."""
        self.page.click("#to-read-back")
        self.page.click("#close")
        self.wait_for_path(f"/field/visits/{visit}")
        expect(self.page.locator("#reopen")).to_be_visible()
