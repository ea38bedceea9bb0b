"""Photos of faults on a real phone: taken with no network, kept through a dead battery, sent in pieces
over a line that breaks, and nothing in them but what can be seen."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Playwright, Route, expect

from pwa import create_app
from pwa.settings import Settings
from tests.browser.conftest import PHONE, Device, Server, until
from tests.cast.people import user_named
from tests.cast.pictures import POSITION, SECRETS, opened, photo
from tests.cast.world import World

pytestmark = pytest.mark.browser

STORED = """async () => {
  for (const {name} of await indexedDB.databases()) {
    const db = await new Promise(done => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result) })
    try {
      if (!db.objectStoreNames.contains('blobs')) continue
      const rows = await new Promise(done => { const r = db.transaction('blobs').objectStore('blobs').getAll(); r.onsuccess = () => done(r.result) })
      return rows.map(row => btoa(Array.from(new Uint8Array(row.bytes), byte => String.fromCharCode(byte)).join('')))
    } finally { db.close() }
  }
  return []
}"""


def world_of(data: Path, work: Callable[[World], str]) -> str:
    """Do something in the company's data while its server is down."""
    app = create_app(Settings(data=data))
    try:
        services = app.extensions["troskel"]
        return work(World(services, partial(user_named, services)))
    finally:
        app.extensions["troskel"].close()


def world_photos(server: Server, visit: str) -> list[str]:
    """The points of a visit of which the server has a photo."""
    server.stop()
    items: list[str] = []

    def look(world: World) -> str:
        items.extend(one["item"] for one in world.record(visit).get("photos", []))
        return ""

    world_of(server.data, look)
    server.start()
    return items


@pytest.fixture
def visit(server: Server) -> str:
    """A visit of Bob's."""
    server.stop()
    id = world_of(server.data, lambda world: world.visit(visitors=["bob"]))
    server.start()
    return id


@pytest.fixture
def plain(playwright: Playwright, server: Server, tmp_path: Path) -> Iterator[Device]:
    """A phone without a worker, so that a test can stand between it and the server."""
    look = {**PHONE, "locale": "en-GB", "service_workers": "block"}
    device = Device(playwright, server, tmp_path / "plain", look)
    yield device
    device.close()


def file_of(octets: bytes, name: str = "IMG_0001.jpg") -> dict[str, Any]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": octets}


def camera(width: int = 2400, height: int = 1800) -> bytes:
    """A picture with much to see, as large as a camera's."""
    return photo(width, height, orientation=6, noise=True)


def kitchen(device: Device, visit: str) -> Page:
    """The section with the leak (i37), answered with yes: from then on it may be photographed."""
    device.open(f"/field/visits/{visit}/s/s06")
    page = device.page
    if page.locator("#i37-yes").get_attribute("aria-pressed") != "true":
        page.locator("#i37-yes").click()
    expect(page.locator("#photo-i37")).to_have_count(1)
    return page


def take(page: Page, octets: bytes, item: str = "i37") -> None:
    before = page.locator(f"#item-{item} .photo-picture").count()
    page.set_input_files(f"#photo-{item}", file_of(octets))
    expect(page.locator(f"#item-{item} .photo-picture")).to_have_count(before + 1)


def stored(page: Page) -> list[bytes]:
    """The bytes of all pictures in the phone's own storage."""
    return [base64.b64decode(one) for one in page.evaluate(STORED)]


def arrived(server: Server) -> list[bytes]:
    return [path.read_bytes() for path in sorted((server.data / "blobs").glob("??/*"))]


def send(page: Page) -> None:
    page.locator("#nav a[href='/field/outbox']").click()
    page.locator("#send button").click()


def all_sent(page: Page) -> None:
    until(
        page, "document.querySelector('#strip:not([aria-busy])')?.textContent.includes('All sent')"
    )


def test_a_photo_taken_offline_survives_a_kill_and_arrives_with_nothing_hidden_in_it(
    server: Server, phone: Device, desk: Device, visit: str
) -> None:
    phone.sign_in("bob")
    phone.kept()
    phone.open(f"/field/visits/{visit}/s/s12")
    expect(phone.page.locator("#photo-i66")).to_have_count(1)
    expect(phone.page.locator("#item-i66")).to_contain_text("no people, no papers")
    server.stop()
    page = kitchen(phone, visit)
    expect(page.locator("#photo-i36")).to_have_count(0)
    original = camera()
    take(page, original)
    until(page, "document.querySelector('#item-i37 .photo-picture').naturalWidth === 1200")
    until(page, "document.querySelector('#item-i37 .photo-picture').naturalHeight === 1600")
    phone.kill()
    phone.reopen()
    page = kitchen(phone, visit)
    until(page, "document.querySelector('#item-i37 .photo-picture').naturalWidth === 1200")
    expect(page.locator("#strip")).to_contain_text("unsent")
    (kept,) = stored(page)
    assert len(kept) < len(original)
    assert [one for one in (*SECRETS, POSITION, b"Exif\x00") if one in original] != []
    assert [one for one in (*SECRETS, POSITION, b"Exif\x00") if one in kept] == []
    phone.open(f"/field/visits/{visit}/s/s12")
    expect(phone.page.locator("#item-i66")).to_contain_text("1 photo")
    server.start()
    phone.sign_in("bob")
    all_sent(phone.page)
    (octets,) = arrived(server)
    assert opened(octets).size == (1200, 1600)
    assert [one for one in (*SECRETS, POSITION, b"Exif\x00") if one in octets] == []
    desk.sign_in("alice")
    desk.page.goto(f"{server.url}/desk/visits/{visit}")
    until(desk.page, "document.querySelector('#photos + ul .photo-picture').naturalWidth === 1200")
    assert [one for one in phone.said if "Failed to load resource" not in one] == []


def test_an_upload_that_breaks_off_goes_on_where_it_stopped(
    server: Server, plain: Device, visit: str
) -> None:
    ranges: list[str] = []
    broken = {"line": True, "seen": False}

    def line(route: Route) -> None:
        if route.request.method == "PUT":
            if broken["line"] and len(ranges) == 2:
                broken["seen"] = True
                route.abort()
                return
            ranges.append(route.request.headers["content-range"])
        route.continue_()

    plain.sign_in("bob")
    plain.page.route("**/sync/blobs/*", line)
    page = kitchen(plain, visit)
    take(page, camera())
    (kept,) = stored(page)
    total = len(kept)
    assert total > 2 * 256 * 1024
    send(page)
    expect(page.locator("main")).to_contain_text("No contact with the server.")
    assert broken["seen"]
    part = server.data / "blobs" / ".parts" / hashlib.sha256(kept).hexdigest()
    assert part.stat().st_size == 2 * 256 * 1024
    assert arrived(server) == []
    server.kill()
    server.start()
    broken["line"] = False
    send(page)
    all_sent(page)
    starts = [int(one.split(" ")[1].split("-")[0]) for one in ranges]
    assert starts == list(range(0, total, 256 * 1024))
    assert len(arrived(server)) == 1


def test_a_struck_photo_leaves_the_phone_at_once_and_is_never_sent(
    server: Server, phone: Device, visit: str
) -> None:
    phone.sign_in("bob")
    phone.kept()
    kitchen(phone, visit)
    server.stop()
    page = kitchen(phone, visit)
    take(page, camera(400, 300))
    assert len(stored(page)) == 1
    phone.open(f"/field/visits/{visit}/read-back")
    phone.page.locator(".photo + form button").click()
    expect(phone.page.locator(".photo.is-struck")).to_have_count(1)
    expect(phone.page.locator(".photo-picture")).to_have_count(0)
    assert stored(phone.page) == []
    server.start()
    send(phone.page)
    all_sent(phone.page)
    assert arrived(server) == []
    take(kitchen(phone, visit), camera(400, 300))
    send(phone.page)
    all_sent(phone.page)
    assert len(arrived(server)) == 1


def test_a_picture_that_nobody_can_read_needs_someone_until_it_is_struck(
    server: Server, phone: Device, visit: str
) -> None:
    phone.sign_in("bob")
    page = kitchen(phone, visit)
    page.set_input_files("#photo-i37", file_of(b"<html><script>x</script>"))
    expect(page.locator("#toast")).to_contain_text("This picture cannot be used.")
    assert stored(page) == []
    # A picture that this phone cannot draw is kept as it came: the office may be able to.
    page.set_input_files("#photo-i37", file_of(b"\xff\xd8\xff" + bytes(400_000)))
    expect(page.locator("#item-i37 .photo-picture")).to_have_count(1)
    send(page)
    expect(page.locator("main")).to_contain_text("This picture cannot be read")
    assert len(stored(page)) == 1
    phone.open(f"/field/visits/{visit}/read-back")
    phone.page.locator(".photo + form button").click()
    expect(phone.page.locator(".photo.is-struck")).to_have_count(1)
    send(phone.page)
    all_sent(phone.page)


def test_a_full_phone_takes_no_photo_but_goes_on_with_everything_else(
    server: Server, phone: Device, visit: str
) -> None:
    phone.sign_in("bob")
    page = kitchen(phone, visit)
    # What Chromium tells of a quota is the same on every disk; other browsers tell the truth.
    tell = "left => { navigator.storage.estimate = async () => ({quota: 1e9 + left, usage: 1e9}) }"
    page.evaluate(tell, 80_000_000)
    page.set_input_files("#photo-i37", file_of(camera(400, 300)))
    expect(page.locator("#toast")).to_contain_text("Too little space on this phone for pictures.")
    assert stored(page) == []
    page.locator("#i35-fault").click()
    expect(page.locator("#i35-fault")).to_have_attribute("aria-pressed", "true")
    page.evaluate(tell, 80_000_001)
    take(page, camera(400, 300))


def test_a_photo_is_saved_in_its_own_visit_also_when_the_page_has_gone_on(
    server: Server, phone: Device, visit: str
) -> None:
    server.stop()
    other = world_of(server.data, lambda world: world.visit(visitors=["bob"]))
    server.start()
    phone.sign_in("bob")
    page = kitchen(phone, other)
    page = kitchen(phone, visit)
    # Taking in the file is held up until the other visit stands on the screen.
    page.evaluate("""() => {
      const read = Blob.prototype.arrayBuffer
      Blob.prototype.arrayBuffer = async function () {
        if (this instanceof File) await new Promise(go => { globalThis.goOn = go })
        return read.call(this)
      }
    }""")
    page.set_input_files("#photo-i37", file_of(photo()))
    until(page, "typeof globalThis.goOn === 'function'")
    page.evaluate(
        "address => htmx.ajax('GET', address, {target: '#main', select: '#main', swap: 'outerMorph'})",
        f"/field/visits/{other}/s/s06",
    )
    until(page, f"document.getElementById('photo-i37').dataset.photo.includes('{other}')")
    page.evaluate("""() => {
      const look = () => { globalThis.strayed ||= document.querySelector('#item-i37 .photo-picture') !== null }
      new MutationObserver(look).observe(document.body, {subtree: true, childList: true})
      globalThis.goOn()
    }""")
    until(page, "document.getElementById('strip').textContent.includes('unsent')")
    all_sent(page)
    assert not page.evaluate("Boolean(globalThis.strayed)")
    assert world_photos(server, other) == []
    assert world_photos(server, visit) == ["i37"]


def test_a_picture_without_a_background_gets_a_white_one(phone: Device, visit: str) -> None:
    phone.sign_in("bob")
    out = BytesIO()
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(out, "PNG")
    page = kitchen(phone, visit)
    take(page, out.getvalue())
    (kept,) = stored(page)
    red, green, blue = opened(kept).getpixel((30, 20))  # type: ignore[misc]
    assert min(red, green, blue) > 250
