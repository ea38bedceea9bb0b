"""Photos of faults on a real phone: taken with no network, there after a dead battery, sent in pieces
over a line that breaks, and without metadata."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, Playwright, Route, expect

from tests.browser.desk import Desk
from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import Server
from tests.cast.pictures import POSITION, SECRETS, opened, photo, pixel

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


def photographed(server: Server, visit: str) -> list[str]:
    """The points of a visit of which the server has a photo."""
    with server.world() as world:
        return [one["item"] for one in world.record(visit).get("photos", [])]


@pytest.fixture
def visit(server: Server) -> str:
    """A visit of Bob's."""
    with server.world() as world:
        return world.visit(visitors=["bob"])


@pytest.fixture
def plain(playwright: Playwright, server: Server, tmp_path: Path) -> Iterator[Phone]:
    """A phone without a worker, so that a test can stand between it and the server."""
    device = Phone(playwright, server, tmp_path / "plain", service_workers="block")
    yield device
    device.close()


def file_of(octets: bytes, name: str = "IMG_0001.jpg") -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": octets}


def camera(width: int = 2400, height: int = 1800) -> bytes:
    """A picture with much to see, as large as a camera's."""
    return photo(width, height, orientation=6, noise=True)


def kitchen(device: Phone, visit: str) -> Page:
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
    server: Server, phone: Phone, desk: Desk, visit: str
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
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
    assert phone.faults() == []


def test_an_interrupted_upload_continues_where_it_stopped(
    server: Server, plain: Phone, visit: str
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


def test_a_retracted_photo_is_deleted_on_the_phone_at_once_and_never_sent(
    server: Server, phone: Phone, visit: str
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
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


def test_an_unreadable_picture_needs_someone_until_it_is_retracted(
    server: Server, phone: Phone, visit: str
) -> None:
    phone.sign_in("bob")
    page = kitchen(phone, visit)
    page.set_input_files("#photo-i37", file_of(b"<html><script>x</script>"))
    expect(page.locator("#toast")).to_contain_text("This picture cannot be used.")
    assert stored(page) == []
    # A picture that this phone cannot draw is stored as it is: the office may be able to.
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


def test_a_full_phone_saves_no_photo_but_everything_else(
    server: Server, phone: Phone, visit: str
) -> None:
    phone.sign_in("bob")
    page = kitchen(phone, visit)
    # Chromium reports the same quota on every disk; other browsers report the real one.
    tell = "left => { navigator.storage.estimate = async () => ({quota: 1e9 + left, usage: 1e9}) }"
    page.evaluate(tell, 80_000_000)
    page.set_input_files("#photo-i37", file_of(camera(400, 300)))
    expect(page.locator("#toast")).to_contain_text("Too little space on this phone for pictures.")
    assert stored(page) == []
    page.locator("#i35-fault").click()
    expect(page.locator("#i35-fault")).to_have_attribute("aria-pressed", "true")
    page.evaluate(tell, 80_000_001)
    take(page, camera(400, 300))


def test_a_photo_is_saved_in_its_own_visit_although_the_page_has_changed(
    server: Server, phone: Phone, visit: str
) -> None:
    with server.world() as world:
        other = world.visit(visitors=["bob"])
    phone.sign_in("bob")
    page = kitchen(phone, other)
    page = kitchen(phone, visit)
    # Reading the file waits until the other visit is on the screen.
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
    assert photographed(server, other) == []
    assert photographed(server, visit) == ["i37"]


def test_a_transparent_picture_gets_a_white_background(phone: Phone, visit: str) -> None:
    phone.sign_in("bob")
    out = BytesIO()
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(out, "PNG")
    page = kitchen(phone, visit)
    take(page, out.getvalue())
    (kept,) = stored(page)
    red, green, blue = pixel(opened(kept), (30, 20))
    assert min(red, green, blue) > 250
