"""The offline visit: saved, killed, opened again, sent; the same in every engine.

Signed in and kept by the worker; the server stops; a visit is opened with an answer, a note and a
signed consent; the browser is killed (SIGKILL); opened again with no server all of it is there;
the server is back, and everything arrives once.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from pwa import create_app, initialise
from pwa.homes import company
from pwa.ids import uuid4, uuid7
from pwa.services import Services
from pwa.settings import Settings
from pwa.visits.submitting import Draft, submit
from tests.browser.conftest import Server
from tests.cast.people import add_user
from tests.conftest import PASSWORD
from tests.engines.engine import Engine, wait

NOTE = "Kranen droppar"
DRAW = """(() => {
  const pad = document.getElementById('signature-pad')
  pad.scrollIntoView()
  const {left, top} = pad.getBoundingClientRect()
  const fire = (type, x, y, buttons) => pad.dispatchEvent(new PointerEvent(type, {clientX: left + x, clientY: top + y, buttons,
    button: type === 'pointermove' ? -1 : 0, isPrimary: true, pointerId: 1, pointerType: 'touch', bubbles: true, cancelable: true}))
  fire('pointerdown', 20, 30, 1)
  for (let step = 1; step < 8; step++) fire('pointermove', 20 + 25 * step, 30 + (step % 2 ? 20 : -10), 1)
  fire('pointerup', 195, 50, 0)
  return true
})()"""


VISIT = "6f1c0000-0000-4000-8000-000000000001"
KEPT = """caches.open('troskel-guides').then(cache => cache.keys()).then(keys =>
  ['sv', 'ar'].every(tag => keys.some(one => one.url.endsWith(`/${tag}.json`))))"""


def company_at(folder: Path) -> Server:
    """A company with its facts set, and a visit in Arabic that is Bob's; not started."""
    data = folder / "data"
    settings = Settings(data=data)
    initialise(settings)
    app = create_app(settings)
    services: Services = app.extensions["troskel"]
    with app.app_context():
        bob = add_user(services, "bob", "visitor", PASSWORD, languages=["sv", "ar"])
        alice = add_user(services, "alice", "supervisor", PASSWORD)
        facts = {name: one.default for name, one in services.guide.settings.items() if one.default}
        with services.databases.writing() as db:
            company.store_settings(db, facts)
        submit(services, alice, _planned(bob.id))
    services.close()
    return Server(data, folder / "releases")


def _planned(visitor: str) -> list[Draft]:
    names = ("object", "property", "building", "lease_end", "email", "customer")
    register = dict.fromkeys(names, "") | {
        "ref": "1/1", "apartment": "1102", "street": "Testgatan 1", "postcode": "72187", "city": "Västerås",
        "area": "Norr", "move_in": "2026-11-10", "tenants": ["Testsson Test"], "phones": [], "language": "ar",
    }  # fmt: skip
    tenancy = uuid4()
    return [
        Draft(uuid7(1), "tenancy.register", tenancy, register, type="tenancy"),
        Draft(uuid7(2), "visit.plan", VISIT, {"tenancy": tenancy, "kind": "welcome"}),
        Draft(uuid7(3), "visit.assign", VISIT, {"visitors": [visitor]}),
        Draft(uuid7(4), "visit.language", VISIT, {"language": "ar"}),
    ]


def tell(engine: Engine, server: Server) -> list[tuple[str, str]]:
    """The story; what was (lost|doubled|hidden, why)."""
    wrong: list[tuple[str, str]] = []
    engine.start()
    try:
        _sign_in(engine, server)
        wait(
            engine,
            "navigator.serviceWorker.ready.then(r => r.active?.state === 'activated' && navigator.serviceWorker.controller !== null)",
        )
        wait(engine, KEPT)
        wait(engine, f"Boolean(document.getElementById('visit-{VISIT}'))")
        server.stop()
        visit = f"/field/visits/{VISIT}"
        _make_a_visit(engine, server, visit)
        saved = wait(engine, "JSON.parse(localStorage['troskel-canary']).unsent")
        engine.kill()
        engine.start()
        _go(engine, server, f"{visit}/s/s06")
        wait(engine, "document.getElementById('i35-ok').getAttribute('aria-pressed') === 'true'")
        if NOTE not in engine.run("document.querySelector('main').textContent"):
            wrong.append(("lost", "the note is not there after the kill"))
        if engine.run("JSON.parse(localStorage['troskel-canary']).unsent") != saved:
            wrong.append(("hidden", "the phone counts something else after the kill"))
        server.start()
        # A cookie may have died with the browser: "Sign in to send", and nothing else is asked.
        _sign_in(engine, server)
        wait(engine, "JSON.parse(localStorage['troskel-canary']).unsent === 0")
        wrong += _at_the_server(server, int(saved))
    finally:
        engine.close()
    return wrong


def _go(engine: Engine, server: Server, path: str) -> None:
    engine.go(server.url + path)
    wait(engine, "document.documentElement.dataset.ready === 'true'")


def _sign_in(engine: Engine, server: Server) -> None:
    _go(engine, server, "/field/sign-in")
    wait(engine, "Boolean(document.querySelector('#sign-in input[name=password]'))")
    engine.run(f"""(() => {{
      document.querySelector('#sign-in input[name=name]').value = 'bob'
      document.querySelector('#sign-in input[name=password]').value = {json.dumps(PASSWORD)}
      document.querySelector('#sign-in button').click()
    }})()""")
    wait(engine, "location.pathname === '/field/'")


def _make_a_visit(engine: Engine, server: Server, visit: str) -> None:
    _go(engine, server, f"{visit}/s/s06")
    _click(engine, "#i35-ok")
    wait(engine, "document.getElementById('i35-ok').getAttribute('aria-pressed') === 'true'")
    _click(engine, "#note-i35")
    wait(engine, "Boolean(document.getElementById('text'))")
    engine.run(f"(() => {{ document.getElementById('text').value = {json.dumps(NOTE)} }})()")
    _click(engine, "#note-save")
    wait(engine, f"document.querySelector('#item-i35')?.textContent.includes({json.dumps(NOTE)})")
    _go(engine, server, visit)
    _click(engine, "#to-consents")
    wait(engine, "Boolean(document.getElementById('open-K8'))")
    _click(engine, "#open-K8")
    wait(
        engine,
        "Boolean(document.getElementById('signature-pad')?.width > 0 && document.getElementById('interpreter'))",
    )
    engine.run("""(() => {
      const list = document.getElementById('interpreter')
      list.value = 'ambassador'
      list.dispatchEvent(new Event('change', {bubbles: true}))
    })()""")
    engine.run(DRAW)
    wait(engine, "document.getElementById('signature-hash').value.length === 64")
    _click(engine, "#decide-yes")
    wait(engine, "document.querySelector('#decision img.signature')?.naturalWidth > 0")


def _click(engine: Engine, selector: str) -> None:
    wait(engine, f"Boolean(document.querySelector({json.dumps(selector)}))")
    engine.run(f"(() => {{ document.querySelector({json.dumps(selector)}).click() }})()")


def _at_the_server(server: Server, saved: int) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(server.data / "troskel.db")) as db:
        rows: list[Any] = db.execute(
            "SELECT id, kind, device_seq FROM log WHERE device NOT LIKE 'desk-%'"
        ).fetchall()
        held = db.execute("SELECT count(*) FROM held").fetchone()[0]
        kept = {name for (name,) in db.execute("SELECT sha256 FROM signatures")}
    # One that rode along is a row, one that was sent by itself a file.
    kept |= {path.name for path in (server.data / "blobs").glob("??/*")}
    wrong = []
    kinds = sorted(kind for _, kind, _ in rows)
    if not {"visit.answer", "visit.note", "visit.consent"} <= set(kinds) or len(rows) < saved:
        wrong.append(("lost", f"{saved} were saved, the log has {kinds}"))
    if len({id for id, _, _ in rows}) < len(rows) or len({n for _, _, n in rows}) < len(rows):
        wrong.append(("doubled", f"the log has {rows}"))
    if held:
        wrong.append(("hidden", f"{held} held"))
    if len(kept) != 1:
        wrong.append(("lost", f"{len(kept)} signatures of 1"))
    return wrong
