"""The one story that must always work, as people live it: a file comes in, a visit is made with no
network, everything arrives once, it is returned, corrected and approved.

"No network" is the server's absence; the phone's browser is killed in the middle of the visit;
meanwhile the desk moves the appointment and gives another visit to somebody else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, Playwright, expect

from pwa.database.connections import Databases
from pwa.guide import load
from pwa.homes import company
from tests.browser.conftest import PHONE, Device, Server, until
from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser

HEADER = "Kontraktsnr;Objektsnr;Adress;Lägenhetsnr;Postnr;Ort;Område;Inflyttningsdatum;Namn;Telefon;Språk;Skyddad"
# The company's day, not the machine's: they differ for an hour or two each night.
DAY = datetime.now(ZoneInfo("Europe/Stockholm")).date()
TODAY = DAY.isoformat()
MOVED = (DAY - timedelta(days=5)).isoformat()
FIRST, SECOND = "Gatvägen 12 A", "Provgatan 3 B"


def import_file(folder: Path) -> Path:
    """Two homes, one parking space, one protected identity, one row that is wrong."""
    rows = [
        f"1/1;1;{FIRST};1102;721 87;Västerås;Norr;{MOVED};Testsson Test;070-123 45 67;ar;N",
        f"2/1;2;{SECOND};0903;721 87;Västerås;Norr;{MOVED};Provberg Prov;;so;N",
        f"3/1;3;Hemliga gatan 1;1001;721 87;Västerås;Norr;{MOVED};Demolund Demo;;;J",
        "4/1;4;Felgatan 1;1001;721 87;Västerås;Norr;11/12/26;Skisslund Skiss;;;N",
    ]
    path = folder / "tenancies.csv"
    path.write_text("\r\n".join([HEADER, *rows]), "cp1252")
    return path


def sign_in_at_the_desk(desk: Device, name: str = "alice") -> Page:
    desk.page.goto(desk.server.url + "/sign-in")
    desk.page.fill("input[name=name]", name)
    desk.page.fill("input[name=password]", PASSWORD)
    desk.page.press("input[name=password]", "Enter")
    expect(desk.page.locator("h1")).to_be_visible()
    until(desk.page, "location.pathname.startsWith('/desk/')")
    return desk.page


def import_at_the_desk(page: Page, url: str, path: Path) -> None:
    page.goto(url + "/desk/import")
    page.set_input_files("#file", str(path))
    page.click("#import button[name=dry_run]")
    store = page.locator("button[form=import][value='0']")
    expect(store).to_be_visible()
    expect(page.locator("#report")).to_contain_text("Row 5")  # the one that is wrong
    store.click()
    expect(page.locator("#report a[href*='unassigned']")).to_be_visible()


def assign(page: Page, url: str, who: str, *, time: str) -> None:
    """Give every unassigned visit to `who`, today."""
    page.goto(url + "/desk/visits?unassigned=1")
    for box in page.locator("#visits .tick").all():
        box.check()
    option = page.locator(f"#assign-first option:has-text('{who}')").first
    page.select_option("#assign-first", value=option.get_attribute("value"))
    page.fill("#assign-date", TODAY)
    page.fill("#assign-time", time)
    page.click("#assign button.button-primary")
    expect(page.locator(".tick")).to_have_count(0)


def visit_at(server: Server, street: str) -> str:
    """The id of the visit at an address, from the database."""
    row = ask(server, "SELECT id FROM visit_index WHERE street = ?", street)
    return str(row[0][0])


def ask(server: Server, sql: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(server.data / "troskel.db")) as db:
        return db.execute(sql, values).fetchall()


def open_visit(phone: Device, id: str) -> None:
    phone.page.locator(f"#visit-{id} .visit-open").click()
    until(phone.page, f"location.pathname === '/field/visits/{id}'")


def answer(page: Page, item: str, code: str) -> None:
    page.locator(f"#{item}-{code}").click()
    expect(page.locator(f"#{item}-{code}")).to_have_attribute("aria-pressed", "true")


def section(page: Page, visit: str, key: str) -> None:
    page.locator(f"main a[href$='/s/{key}']").first.click()
    until(page, f"location.pathname === '/field/visits/{visit}/s/{key}'")


def back_to(page: Page, visit: str) -> None:
    page.locator(f".crumbs a[href='/field/visits/{visit}']").click()
    until(page, f"location.pathname === '/field/visits/{visit}'")


def note(page: Page, visit: str, item: str, text: str) -> None:
    page.locator(f"#note-{item}").click()
    page.fill("#text", text)
    page.click("#note-save")
    expect(page.locator(f"#item-{item}")).to_contain_text(text)


def sign(page: Page) -> None:
    """Draw on the signature pad, with a mouse for a finger."""
    pad = page.locator("#signature-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 30)
    page.mouse.down()
    for step in range(1, 8):
        page.mouse.move(box["x"] + 20 + 25 * step, box["y"] + 30 + (20 if step % 2 else -10))
    page.mouse.up()
    until(page, "document.getElementById('signature-hash').value.length === 64")


def unsent(page: Page) -> int:
    """What the phone itself says is unsent: the number on its page."""
    page.locator("#nav a[href='/field/outbox']").click()
    until(page, "location.pathname === '/field/outbox'")
    return page.locator(".outbox-row").count()


def send(phone: Device) -> None:
    """Press Send until nothing is unsent; the button may be asked before the server listens."""
    unsent(phone.page)
    for _ in range(20):
        if phone.page.locator(".outbox-row").count() == 0:
            break
        if phone.page.locator("main a[href='/field/sign-in']").count():
            # Chromium writes cookies half a minute late: the kill took the session with it.
            sign_in_on(phone, "bob")
            unsent(phone.page)
            continue
        phone.page.locator("#send button").click()
        phone.page.wait_for_load_state()
        until(phone.page, "!document.querySelector('#send button')?.disabled")
    expect(phone.page.locator(".outbox-row")).to_have_count(0)


@pytest.fixture
def data_dir(data_dir: Path) -> Path:
    """The cast's folder with the company's own facts in it: consents need them."""
    databases = Databases(data_dir / "troskel.db")
    facts = {name: one.default for name, one in load().settings.items() if one.default}
    with databases.writing() as db:
        company.store_settings(db, facts)
    databases.close()
    return data_dir


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_story(
    playwright: Playwright, server: Server, desk: Device, tmp_path: Path, language: str
) -> None:
    locale = {"en": "en-GB", "ar": "ar"}[language]
    phone = Device(playwright, server, tmp_path / "phone", {**PHONE, "locale": locale})
    try:
        tell(server, desk, phone, tmp_path)
    finally:
        phone.close()


def tell(server: Server, desk: Device, phone: Device, tmp_path: Path) -> None:
    # Alice imports a file and gives both visits to Bob.
    page = sign_in_at_the_desk(desk)
    import_at_the_desk(page, server.url, import_file(tmp_path))
    assert ask(server, "SELECT count(*) FROM visit_index") == [(2,)]
    assign(page, server.url, "Bob Testsson", time="10:00")
    first, second = visit_at(server, FIRST), visit_at(server, SECOND)

    # Bob's phone gets them; then the network is gone.
    sign_in_on(phone, "bob")
    expect(phone.page.locator(f"#visit-{first}")).to_contain_text(FIRST)
    expect(phone.page.locator(f"#visit-{second}")).to_contain_text(SECOND)
    phone.kept()
    packs_kept(phone)
    server.stop()

    # He begins the visit in the tenant's language.
    open_visit(phone, first)
    phone.page.click("#choose-language")
    phone.page.click("#language-ar")
    expect(phone.page.locator("#choose-language")).to_contain_text("العربية")
    section(phone.page, first, "s02")
    phone.page.click("#tick")
    answer(phone.page, "i10", "yes")
    back_to(phone.page, first)
    section(phone.page, first, "s04")
    answer(phone.page, "i23", "silent")
    note(phone.page, first, "i26", "En cykel står i trapphuset")
    before = unsent(phone.page)
    assert before >= 5

    # The phone dies in the middle of it. Meanwhile Alice moves the appointment, and gives the
    # other visit to Charlie; then the network is gone again.
    phone.kill()
    server.start()
    move(page, server.url, first, time="14:30")
    move(page, server.url, second, who="Charlie Testsson")
    server.stop()

    # Bob starts the phone again, offline: everything is there, and he goes on.
    phone.reopen()
    phone.open("/field/")
    assert unsent(phone.page) == before
    phone.page.locator("#nav a[href='/field/']").click()
    open_visit(phone, first)
    section(phone.page, first, "s04")
    expect(phone.page.locator("#i23-silent")).to_have_attribute("aria-pressed", "true")
    expect(phone.page.locator("#item-i26")).to_contain_text("En cykel står i trapphuset")
    phone.page.click("#offer-i23")
    phone.page.click("#follow-up-save")
    until(phone.page, f"location.pathname === '/field/visits/{first}/s/s04'")
    back_to(phone.page, first)
    consent(phone.page, first)
    close(phone.page, first)

    # He also wrote something in the visit that is no longer his.
    phone.page.locator("#nav a[href='/field/']").click()
    open_visit(phone, second)
    phone.page.click("#to-note")
    phone.page.fill("#text", "Ringklockan är trasig")
    phone.page.click("#note-save")
    until(phone.page, f"location.pathname === '/field/visits/{second}'")

    # Back online: everything is sent, once.
    server.start()
    send(phone)
    log = ask(server, "SELECT id, count(*) FROM log GROUP BY id HAVING count(*) > 1")
    assert log == []
    assert ask(server, "SELECT count(*) FROM held WHERE state = 'open'") == [(0,)]

    # Alice sees every answer, note and consent once; the appointment she moved stands.
    page.goto(f"{server.url}/desk/visits/{first}")
    text = page.locator("main").inner_text()
    assert text.count("En cykel står i trapphuset") >= 1
    assert page.locator("main :text-is('En cykel står i trapphuset')").count() == 1
    assert "14:30" in text
    signature = page.locator("img[src*='/blobs/']").first
    signature.scroll_into_view_if_needed()
    until(
        page,
        "[...document.querySelectorAll(\"img[src*='/blobs/']\")].every(i => i.naturalWidth > 0)",
    )
    assert ask(server, "SELECT purpose, decision FROM consent_index WHERE visit = ?", first) == [
        ("K1", "yes")
    ]
    assert ask(server, "SELECT count(*) FROM log WHERE kind = 'visit.note'") == [(2,)]
    assert ask(server, "SELECT count(*) FROM log WHERE kind = 'visit.follow_up'") == [(1,)]
    page.goto(f"{server.url}/desk/visits/{second}")
    expect(page.locator("main")).to_contain_text("Ringklockan är trasig")

    # She returns one point; Bob sees it, corrects it, and closes once more; she approves.
    page.goto(f"{server.url}/desk/visits/{first}")
    item = page.locator("#points select[name=item]").first
    item.select_option(value="i23")
    page.locator("#points textarea").first.fill("Prova larmet en gång till")
    page.locator("form[action$='/return'] button.button").last.click()
    until(page, "!document.querySelector(\"form[action$='/return']\")")
    sync_until(phone, lambda: phone.page.locator(f".group-returned #visit-{first}").count() == 1)
    open_visit(phone, first)
    expect(phone.page.locator(".banner-warn").first).to_contain_text("Prova larmet en gång till")
    section(phone.page, first, "s04")
    answer(phone.page, "i23", "sounds")
    back_to(phone.page, first)
    close(phone.page, first)
    send(phone)
    page.goto(f"{server.url}/desk/visits/{first}")
    page.locator("form[action$='/approve'] button").click()
    until(page, "!document.querySelector(\"form[action$='/approve']\")")
    assert ask(server, "SELECT state FROM visit_index WHERE id = ?", first) == [("approved",)]
    # Nothing in the console but what the browser itself says of a server that is not there, or
    # of a session that is over.
    assert [one for one in phone.said if "Failed to load resource" not in one] == []


def sign_in_on(phone: Device, name: str) -> None:
    phone.open("/field/sign-in")
    phone.page.locator("#sign-in input[name=name]").fill(name)
    phone.page.locator("#sign-in input[name=password]").fill(PASSWORD)
    phone.page.locator("#sign-in button").first.click()
    until(phone.page, "location.pathname === '/field/'")


def packs_kept(phone: Device) -> None:
    """Wait until the guide's packs for the visits lie on the phone."""
    until(
        phone.page,
        "caches.keys().then(async names => { let n = 0; for (const name of names) if (name.includes('guide'))"
        " n += (await (await caches.open(name)).keys()).length; return n >= 3 })",
    )


def move(page: Page, url: str, visit: str, *, time: str = "", who: str = "") -> None:
    page.goto(f"{url}/desk/visits/{visit}")
    page.locator(
        "details:has(form[action$='/assign']) > summary, #assign-details > summary"
    ).first.click() if page.locator("form[action$='/assign']").is_hidden() else None
    if time:
        page.fill("form[action$='/assign'] input[name=time]", time)
    if who:
        option = page.locator(
            f"form[action$='/assign'] select[name=first] option:has-text('{who}')"
        ).first
        page.select_option(
            "form[action$='/assign'] select[name=first]", value=option.get_attribute("value")
        )
    page.locator("form[action$='/assign'] button").last.click()
    expect(page.locator("main")).to_contain_text(time or who)


def consent(page: Page, visit: str) -> None:
    page.click("#to-consents")
    page.click("#open-K1")
    page.fill("#recipient", "Ambassadörerna i Norr")
    expect(page.locator("#wording")).to_contain_text("Ambassadörerna i Norr")
    page.select_option("#interpreter", "ambassador")
    sign(page)
    page.click("#decide-yes")
    expect(page.locator("#decision")).to_be_visible()
    # What is shown back is what was stored.
    until(page, "document.querySelector('#decision img.signature')?.naturalWidth > 0")
    page.locator(".crumbs a").first.click()
    back_to(page, visit)


def close(page: Page, visit: str) -> None:
    page.click("#to-read-back")
    page.click("#close")
    until(page, f"location.pathname === '/field/visits/{visit}'")
    expect(page.locator("#reopen")).to_be_visible()


def sync_until(phone: Device, there: Callable[[], bool]) -> None:
    """Ask the server until what we wait for has come."""
    for _ in range(30):
        phone.page.locator("#nav a[href='/field/outbox']").click()
        until(phone.page, "location.pathname === '/field/outbox'")
        phone.page.locator("#send button").click()
        until(phone.page, "!document.querySelector('#send button')?.disabled")
        phone.page.locator("#nav a[href='/field/']").click()
        until(phone.page, "location.pathname === '/field/'")
        if there():
            return
    raise AssertionError("it never came")
