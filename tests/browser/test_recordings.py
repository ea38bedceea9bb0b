"""A recording added at the desk by somebody who speaks the language plays at a door without network;
a consent is never read by a synthetic voice."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import Server

pytestmark = pytest.mark.browser

# A real recording of a real sound, by the browser's own Opus encoder.
RECORD = """async () => {
  const audio = new AudioContext()
  const into = audio.createMediaStreamDestination()
  const tone = audio.createOscillator()
  tone.connect(into)
  tone.start()
  await audio.resume()
  const recorder = new MediaRecorder(into.stream, {mimeType: 'audio/webm;codecs=opus'})
  const pieces = []
  recorder.ondataavailable = event => pieces.push(event.data)
  const stopped = new Promise(done => { recorder.onstop = done })
  const begun = new Promise(done => { recorder.onstart = done })
  recorder.start()
  await begun
  await new Promise(done => setTimeout(done, 400))
  recorder.stop()
  await stopped
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer())
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
}"""
LISTEN = """
const play = HTMLMediaElement.prototype.play
HTMLMediaElement.prototype.play = function () { globalThis.heard = this; return play.call(this) }
"""


@pytest.fixture
def visit(server: Server) -> str:
    """A visit of Bob's to somebody who speaks Arabic."""
    with server.world() as world:
        return world.visit(visitors=["bob"], language="ar")


def put_at_the_desk(desk: Desk, key: str, tmp_path: Path) -> None:
    page = desk.page
    page.goto(desk.server.url + "/desk/guide/ar/recordings")
    sound = tmp_path / "sound.webm"
    sound.write_bytes(base64.b64decode(page.evaluate(RECORD)))
    page.set_input_files(f"#file-{key}", str(sound))
    page.locator(f"#{key} form button").first.click()
    expect(page.locator(f"#{key} audio")).to_have_count(1)


def test_a_recording_plays_without_network(
    phone: Phone, server: Server, desk: Desk, visit: str, tmp_path: Path
) -> None:
    desk.sign_in("bob")
    for key in ("i25", "K9"):
        put_at_the_desk(desk, key, tmp_path)

    phone.context.add_init_script(LISTEN)
    phone.sign_in("bob")
    phone.wait_for_worker()
    phone.open("/field/outbox")
    phone.page.locator("#send button").click()
    until(
        phone.page,
        "caches.open('troskel-recordings').then(c => c.keys()).then(all => all.length === 3)",
    )
    server.stop()
    for address in ("item?item=i25", "consent?purpose=K9"):
        phone.open(f"/field/visits/{visit}/tenant/{address}")
        expect(phone.page.locator("#aloud")).to_be_visible()
        phone.page.tap("#aloud")
        until(phone.page, "globalThis.heard?.currentTime > 0 && globalThis.heard.error === null")
        phone.page.evaluate("delete globalThis.heard")
    # No recording and, on this machine, no synthetic voice: no button.
    phone.open(f"/field/visits/{visit}/tenant/item?item=i26")
    expect(phone.page.locator("#tenant-words")).to_be_visible()
    expect(phone.page.locator("#aloud")).to_be_hidden()


def test_a_consent_is_never_read_by_a_machine(phone: Phone, visit: str) -> None:
    phone.context.add_init_script(
        "speechSynthesis.getVoices = () => [{lang: 'ar', localService: true, name: 'test'}]"
    )
    phone.sign_in("bob")
    phone.wait_for_worker()
    phone.open(f"/field/visits/{visit}/tenant/item?item=i26")
    expect(phone.page.locator("#aloud")).to_be_visible()
    phone.open(f"/field/visits/{visit}/tenant/consent?purpose=K9")
    expect(phone.page.locator("#tenant-words")).to_be_visible()
    expect(phone.page.locator("#aloud")).to_be_hidden()
