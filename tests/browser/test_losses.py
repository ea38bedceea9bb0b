"""A browser that lost what the phone had saved: the phone and the desk report it, in both of Chromium's stores.

The database on disk is deleted, restored to an older copy, or damaged while the browser is closed; the
phone reports how much was unsent, enrols again and works, and the supervisor reads it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import Desk
from tests.browser.device import FLAGS, until
from tests.browser.phone import Phone
from tests.browser.server import Server

pytestmark = pytest.mark.browser

STORES: dict[str, list[str]] = {
    "leveldb": [],
    "sqlite": ["--enable-features=IdbSqliteBackingStore"],
}


@pytest.fixture(params=STORES, autouse=True)
def store(request: pytest.FixtureRequest) -> str:
    """Which of Chromium's two stores the phone's database is in."""
    return str(request.param)


@pytest.fixture
def flags(store: str) -> Sequence[str]:
    return [*FLAGS, *STORES[store]]


def databases(phone: Phone) -> Path:
    """The folder of the browser's databases."""
    (found,) = phone.profile.glob("*/IndexedDB")
    assert any(found.iterdir())
    return found


def while_closed(phone: Phone, harm: Callable[[Path], object]) -> None:
    """Close the browser, harm its databases, open it again."""
    phone.close()
    harm(databases(phone))
    phone.reopen()


def saved_offline(phone: Phone, count: int) -> None:
    for n in range(count):
        phone.save_new_visit()
        phone.expect_status(f"Saved on this phone · {n + 1} unsent")
    until(phone.page, f"JSON.parse(localStorage['troskel-canary']).unsent === {count}")


def devices_page(desk: Desk) -> Page:
    desk.sign_in()
    desk.open("/desk/devices")
    return desk.page


def works_again(phone: Phone, server: Server) -> None:
    """One more visit goes through, under a number of its own."""
    ((before,),) = server.query("SELECT count(*) FROM log")
    phone.save_new_visit()
    phone.open("/field/outbox")
    phone.page.locator("#send button").click()
    expect(phone.page.locator(".outbox-what")).to_have_count(0)
    ((after,),) = server.query("SELECT count(*) FROM log")
    assert after > before
    assert server.query("SELECT count(*) FROM held") == [(0,)]
    numbers = server.query("SELECT device, device_seq FROM log WHERE kind = 'visit.open'")
    assert len(set(numbers)) == len(numbers)


def test_an_emptied_phone_reports_it_enrols_again_and_the_supervisor_reads_how_much_was_unsent(
    phone: Phone, server: Server, desk: Desk
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    first = phone.page.evaluate("JSON.parse(localStorage['troskel-canary']).device")
    server.stop()
    saved_offline(phone, 2)
    while_closed(phone, shutil.rmtree)
    phone.open("/field/")
    phone.expect_status("This phone has lost data")
    phone.open("/field/device")
    expect(phone.page.locator("main")).to_contain_text("2 items had not been sent.")
    server.start()
    phone.sign_in("bob")
    works_again(phone, server)
    assert phone.page.evaluate("JSON.parse(localStorage['troskel-canary']).device") != first
    page = devices_page(desk)
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("storage was emptied")
    expect(row).to_contain_text("2 items had not been sent.")
    page.click("text=Seen to")
    expect(page.locator("tbody tr")).not_to_contain_text("storage was emptied")


def test_a_phone_restored_to_an_older_copy_reports_it_and_uses_no_number_twice(
    phone: Phone, server: Server, desk: Desk, tmp_path: Path
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    phone.save_new_visit()
    phone.expect_status("All sent")
    while_closed(phone, lambda folder: shutil.copytree(folder, tmp_path / "older"))
    server.stop()
    phone.open("/field/")
    saved_offline(phone, 3)

    def restore(folder: Path) -> None:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "older", folder)

    while_closed(phone, restore)
    phone.open("/field/")
    phone.expect_status("This phone has lost data")
    server.start()
    phone.sign_in("bob")
    works_again(phone, server)
    row = devices_page(desk).locator("tbody tr")
    expect(row).to_contain_text("put back to an older copy")
    expect(row).to_contain_text("3 items had not been sent.")


def test_a_damaged_database_is_reported_and_the_phone_works_again(
    phone: Phone, server: Server, desk: Desk, store: str
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    server.stop()
    saved_offline(phone, 1)

    def damage(folder: Path) -> None:
        for path in folder.rglob("*"):
            # Every page of it, as a broken memory chip does; the file names stay.
            if path.is_file() and path.name not in ("LOCK", "CURRENT"):
                path.write_bytes(b"\xff" * path.stat().st_size)

    while_closed(phone, damage)
    phone.open("/field/")
    phone.expect_status("This phone has lost data")
    phone.open("/field/device")
    expect(phone.page.locator("main")).to_contain_text("1 item had not been sent.")
    server.start()
    phone.sign_in("bob")
    works_again(phone, server)
    row = devices_page(desk).locator("tbody tr")
    reported = "storage did not open" if store == "sqlite" else "storage was emptied"
    expect(row).to_contain_text(reported)
    expect(row).to_contain_text("1 item had not been sent.")
    names = phone.page.evaluate("indexedDB.databases().then(all => all.map(one => one.name))")
    assert names == (["troskel-2"] if store == "sqlite" else ["troskel"])
