"""A recording from the desk to the ear: added by somebody who speaks the language, heard at a door
without network, and a voice of a machine never in its place for a consent."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Device, Server, until
from tests.browser.test_photos import world_of
from tests.browser.test_story import PASSWORD

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
    server.stop()
    id = world_of(server.data, lambda world: world.visit(visitors=["bob"], language="ar"))
    server.start()
    return id


def put_at_the_desk(desk: Device, key: str, tmp_path: Path) -> None:
    page = desk.page
    page.goto(desk.server.url + "/desk/guide/ar/recordings")
    sound = tmp_path / "sound.webm"
    sound.write_bytes(base64.b64decode(page.evaluate(RECORD)))
    page.set_input_files(f"#file-{key}", str(sound))
    page.locator(f"#{key} form button").first.click()
    expect(page.locator(f"#{key} audio")).to_have_count(1)


def test_a_recording_is_heard_without_network(
    phone: Device, server: Server, desk: Device, visit: str, tmp_path: Path
) -> None:
    desk.page.goto(server.url + "/sign-in")
    desk.page.fill("input[name=name]", "bob")
    desk.page.fill("input[name=password]", PASSWORD)
    desk.page.press("input[name=password]", "Enter")
    until(desk.page, "location.pathname !== '/sign-in'")
    for key in ("i25", "K9"):
        put_at_the_desk(desk, key, tmp_path)

    phone.context.add_init_script(LISTEN)
    phone.sign_in("bob")
    phone.kept()
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
    # Neither a recording nor, on this machine, a voice: no button.
    phone.open(f"/field/visits/{visit}/tenant/item?item=i26")
    expect(phone.page.locator("#tenant-words")).to_be_visible()
    expect(phone.page.locator("#aloud")).to_be_hidden()


def test_a_consent_is_never_read_by_a_machine(phone: Device, visit: str) -> None:
    phone.context.add_init_script(
        "speechSynthesis.getVoices = () => [{lang: 'ar', localService: true, name: 'test'}]"
    )
    phone.sign_in("bob")
    phone.kept()
    phone.open(f"/field/visits/{visit}/tenant/item?item=i26")
    expect(phone.page.locator("#aloud")).to_be_visible()
    phone.open(f"/field/visits/{visit}/tenant/consent?purpose=K9")
    expect(phone.page.locator("#tenant-words")).to_be_visible()
    expect(phone.page.locator("#aloud")).to_be_hidden()
