"""A new release reaches phones that hold unsent work: nothing is lost, no two versions are mixed.

Two real builds: the second one's bundle, styles and worker differ. "Offline" is the server's absence;
work stays unsent with a network as it does in the field, by a session that has ended.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pwa.bundle import build
from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import ROOT, Server

pytestmark = pytest.mark.browser

PENDING = 500
TAKE = """async ([visit, first, last]) => {
  for (let n = first; n <= last; n++) {
    await htmx.ajax('POST', `/field/visits/${visit}/note`, {values: {item: '', text: `note ${n}`}, swap: 'none', target: '#toast'})
  }
}"""
FILL = """async ([count]) => {
  const db = await new Promise((resolve, reject) => {
    const open = indexedDB.open('troskel')
    open.onsuccess = () => resolve(open.result)
    open.onerror = reject
  })
  const all = store => new Promise(resolve => { db.transaction(store).objectStore(store).getAll().onsuccess = e => resolve(e.target.result) })
  const [text, json] = [bytes => new TextDecoder().decode(bytes), value => new TextEncoder().encode(JSON.stringify(value)).buffer]
  const meta = Object.fromEntries((await all('meta')).map(row => [row.id, row]))
  const device = JSON.parse(text(meta.device.bytes))
  const row = (await all('outbox')).find(one => text(one.bytes).includes('visit.note'))
  const rows = []
  for (let n = 2; n <= count; n++) {
    const made = JSON.parse(text(row.bytes))
    made.id = row.id.slice(0, -12) + String(n).padStart(12, '0')
    made.device_seq = ++device.device_seq
    made.data.text = `note ${n}`
    const bytes = json(made)
    const hash = [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map(byte => byte.toString(16).padStart(2, '0')).join('')
    rows.push({...row, id: made.id, sha256: hash, bytes})
  }
  const tx = db.transaction(['meta', 'outbox'], 'readwrite', {durability: 'strict'})
  for (const one of rows) tx.objectStore('outbox').add(one)
  tx.objectStore('meta').put({id: 'device', bytes: json(device)})
  tx.objectStore('meta').put({id: 'change', value: meta.change.value + 1})
  await new Promise((resolve, reject) => { tx.oncomplete = resolve; tx.onabort = reject })
  db.close()
}"""
"""As many notes as a long time without a network leaves, copied from one that was tapped."""
SEEN = """async () => {
  const {port1, port2} = new MessageChannel()
  const worker = await new Promise(resolve => {
    port1.onmessage = event => resolve(event.data)
    navigator.serviceWorker.controller.postMessage('version', [port2])
  })
  const loaded = performance.getEntriesByType('resource').map(one => new URL(one.name).pathname.split('/'))
  const files = loaded.filter(parts => parts[1] === 's').map(parts => parts[2])
  return {page: document.documentElement.dataset.version, worker, files: [...new Set(files)],
          build: document.documentElement.dataset.build ?? 'first'}
}"""


def second(root: Path) -> None:
    """The next release: another bundle, another style sheet, another worker."""
    boot = root / "static" / "field" / "boot.js"
    code = boot.read_text("utf-8") + "document.documentElement.dataset.build = 'second'\n"
    boot.write_text(code, "utf-8")
    for name in ("static/css/field.css", "static/sw.js"):
        path = root / name
        path.write_text(path.read_text("utf-8") + "/* second */\n", "utf-8")
    build.bundle(root, packages=ROOT, say=lambda _: None)


def expect_unsent(phone: Phone, count: int) -> None:
    phone.open("/field/outbox")
    expect(phone.page.locator(".big-number")).to_have_text(str(count))


def arrived(server: Server) -> list[str]:
    """The notes in the server's log, in its order; nothing is held."""
    assert server.query("SELECT count(*) FROM held") == [(0,)]
    rows = server.query("SELECT bytes FROM log WHERE kind = 'visit.note' ORDER BY seq")
    return [json.loads(row[0])["data"]["text"] for row in rows]


def test_a_new_release_loses_none_of_500_pending_operations_and_mixes_no_versions(
    phone: Phone, server: Server
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    first = phone.page.evaluate(SEEN)
    assert (first["build"], first["worker"], first["files"]) == (
        "first", first["page"], [first["page"]],
    )  # fmt: skip
    server.stop()
    phone.save_new_visit()
    visit = phone.page.evaluate("location.pathname.split('/')[3]")
    phone.page.evaluate(TAKE, [visit, 1, 1])
    phone.expect_status("Saved on this phone · 2 unsent")
    phone.page.evaluate(FILL, [PENDING - 11])

    # Online again with the new release, but signed out: the update comes, the work stays here.
    server.end_sessions()
    server.release(second)
    phone.look_for_update()
    banner = phone.page.locator("#banner button")
    expect(banner).to_be_visible()
    assert phone.page.evaluate(SEEN) == first, "the old page must continue with its own worker"
    phone.page.evaluate(TAKE, [visit, PENDING - 10, PENDING - 1])
    phone.expect_status(f"Sign in to send · {PENDING} unsent")

    banner.click()
    until(phone.page, "document.documentElement.dataset.build === 'second'")
    phone.ready()
    now = phone.page.evaluate(SEEN)
    assert now["page"] != first["page"]
    assert (now["worker"], now["files"]) == (now["page"], [now["page"]])
    expect_unsent(phone, PENDING)

    # Killed, and started without a network: the new release, and all of it still there.
    phone.kill()
    server.stop()
    phone.reopen()
    expect_unsent(phone, PENDING)
    assert phone.page.evaluate(SEEN)["page"] == now["page"]
    server.start()
    phone.sign_in("bob")
    phone.expect_status("All sent")
    assert arrived(server) == [f"note {n}" for n in range(1, PENDING)]


def test_a_page_of_the_release_before_pushes_to_the_new_server(
    phone: Phone, server: Server
) -> None:
    phone.sign_in("bob")
    phone.wait_for_worker()
    server.stop()
    phone.save_new_visit()
    visit = phone.page.evaluate("location.pathname.split('/')[3]")
    phone.page.evaluate(TAKE, [visit, 1, 20])
    phone.expect_status("Saved on this phone · 21 unsent")
    server.release(second)
    phone.open("/field/outbox")
    assert phone.page.evaluate("document.documentElement.dataset.build") is None
    phone.page.locator("#send button").click()
    phone.expect_status("All sent")
    assert arrived(server) == [f"note {n}" for n in range(1, 21)]
