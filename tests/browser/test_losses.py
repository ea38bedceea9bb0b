"""A browser that lost what the phone had saved, told from the phone to the desk, in both stores of Chromium.

The database on disk is taken away, put back to an older copy, or damaged while the browser is closed; the
phone says so with how much was unsent, enrols again and works, and the supervisor reads it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import conftest
from tests.browser.conftest import Device, Server, until
from tests.browser.test_shell import make_a_visit, strip
from tests.browser.test_story import sign_in_at_the_desk

pytestmark = pytest.mark.browser

STORES = {"leveldb": [], "sqlite": ["--enable-features=IdbSqliteBackingStore"]}


@pytest.fixture(params=STORES, autouse=True)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which of Chromium's two stores the phone's database lies in."""
    monkeypatch.setattr(conftest, "FLAGS", [*conftest.FLAGS, *STORES[request.param]])
    return str(request.param)


def databases(phone: Device) -> Path:
    """Where the closed browser keeps them."""
    (found,) = phone.profile.glob("*/IndexedDB")
    assert any(found.iterdir())
    return found


def closed(phone: Device, harm: Callable[[Path], None]) -> None:
    """Close the browser, harm its databases, open it again."""
    phone.close()
    harm(databases(phone))
    phone.reopen()


def saved_offline(phone: Device, count: int) -> None:
    for n in range(count):
        make_a_visit(phone)
        strip(phone, f"Saved on this phone · {n + 1} unsent")
    until(phone.page, f"JSON.parse(localStorage['troskel-canary']).unsent === {count}")


def desk_page(desk: Device) -> Page:
    page = sign_in_at_the_desk(desk)
    page.goto(desk.server.url + "/desk/devices")
    return page


def works_again(phone: Device, server: Server) -> None:
    """One more visit goes through, under a number of its own."""
    with closing(sqlite3.connect(server.data / "troskel.db")) as db:
        before = db.execute("SELECT count(*) FROM log").fetchone()[0]
    make_a_visit(phone)
    phone.open("/field/outbox")
    phone.page.locator("#send button").click()
    expect(phone.page.locator(".outbox-what")).to_have_count(0)
    with closing(sqlite3.connect(server.data / "troskel.db")) as db:
        assert db.execute("SELECT count(*) FROM log").fetchone()[0] > before
        assert db.execute("SELECT count(*) FROM held").fetchone() == (0,)
        numbers = db.execute(
            "SELECT device, device_seq FROM log WHERE kind = 'visit.open'"
        ).fetchall()
    assert len(set(numbers)) == len(numbers)


def test_an_emptied_phone_says_so_enrols_again_and_the_supervisor_reads_how_much_was_unsent(
    phone: Device, server: Server, desk: Device
) -> None:
    phone.sign_in("bob")
    phone.kept()
    first = phone.page.evaluate("JSON.parse(localStorage['troskel-canary']).device")
    server.stop()
    saved_offline(phone, 2)
    closed(phone, shutil.rmtree)
    phone.open("/field/")
    strip(phone, "This phone has lost data")
    phone.open("/field/device")
    expect(phone.page.locator("main")).to_contain_text("2 items had not been sent.")
    server.start()
    phone.sign_in("bob")
    works_again(phone, server)
    assert phone.page.evaluate("JSON.parse(localStorage['troskel-canary']).device") != first
    page = desk_page(desk)
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("storage was emptied")
    expect(row).to_contain_text("2 items had not been sent.")
    page.click("text=Seen to")
    expect(page.locator("tbody tr")).not_to_contain_text("storage was emptied")


def test_a_phone_put_back_to_an_older_copy_says_so_and_gives_no_number_twice(
    phone: Device, server: Server, desk: Device, tmp_path: Path
) -> None:
    phone.sign_in("bob")
    phone.kept()
    make_a_visit(phone)
    strip(phone, "All sent")
    closed(phone, lambda folder: shutil.copytree(folder, tmp_path / "older"))
    server.stop()
    phone.open("/field/")
    saved_offline(phone, 3)

    def put_back(folder: Path) -> None:
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "older", folder)

    closed(phone, put_back)
    phone.open("/field/")
    strip(phone, "This phone has lost data")
    server.start()
    phone.sign_in("bob")
    works_again(phone, server)
    row = desk_page(desk).locator("tbody tr")
    expect(row).to_contain_text("put back to an older copy")
    expect(row).to_contain_text("3 items had not been sent.")


def test_a_damaged_database_is_told_and_the_phone_works_again(
    phone: Device, server: Server, desk: Device, store: str
) -> None:
    phone.sign_in("bob")
    phone.kept()
    server.stop()
    saved_offline(phone, 1)

    def damage(folder: Path) -> None:
        for path in folder.rglob("*"):
            # Every page of it, as a broken memory chip does; the names stay.
            if path.is_file() and path.name not in ("LOCK", "CURRENT"):
                path.write_bytes(b"\xff" * path.stat().st_size)

    closed(phone, damage)
    phone.open("/field/")
    strip(phone, "This phone has lost data")
    phone.open("/field/device")
    expect(phone.page.locator("main")).to_contain_text("1 item had not been sent.")
    server.start()
    phone.sign_in("bob")
    works_again(phone, server)
    row = desk_page(desk).locator("tbody tr")
    told = "storage did not open" if store == "sqlite" else "storage was emptied"
    expect(row).to_contain_text(told)
    expect(row).to_contain_text("1 item had not been sent.")
    names = phone.page.evaluate("indexedDB.databases().then(all => all.map(one => one.name))")
    assert names == (["troskel-2"] if store == "sqlite" else ["troskel"])
