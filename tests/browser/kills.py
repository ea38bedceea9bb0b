"""A real Chromium killed (SIGKILL, every process) while it saves and while it sends.

What the page showed as saved is told to us before the kill; after it the profile is opened again,
and each told tap must be in the phone's outbox or in the server's log, and in the end exactly once
in the log. Taps are numbered by the phone without gaps, so tap n shown means numbers up to n.

    python -m tests.browser.kills --kills N --backend leveldb|sqlite --seed S

    saving       no server; at any moment of a burst of taps
    sending      up to 0.12 s after a push with taps of the burst has begun
    undelivered  during such a push, which never reaches the server
    unanswered   during such a push, which the server has taken and whose answer is not there yet

Invariant: the kill comes from outside at a moment that the seed chooses; the page is not asked.
It refuses to count a kill that was not where its mode says: the requests and the log tell. Both
stores of Chromium are real: which one a profile uses is read from its files.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Playwright, Route, sync_playwright

from pwa import create_app, initialise
from pwa.bundle import build
from pwa.settings import Settings
from tests.browser import conftest
from tests.browser.conftest import PHONE, ROOT, Device, Server, until
from tests.cast.people import add_user
from tests.conftest import PASSWORD

FLAGS: dict[str, list[str]] = {
    "leveldb": ["--disable-features=IdbSqliteBackingStore"],
    "sqlite": ["--enable-features=IdbSqliteBackingStore"],
}
MODES = ("saving", "sending", "undelivered", "unanswered")
LATEST_SECONDS = {"saving": 1.2, "sending": 0.12, "undelivered": 0.12, "unanswered": 0.12}
PUSH_SECONDS = 30
# Taps the two answers of one item in turn, and tells each that is painted as pressed.
TAPS = """async () => {
  const wait = () => new Promise(requestAnimationFrame)
  const pressed = id => document.getElementById(id)?.getAttribute('aria-pressed') === 'true'
  for (let n = 0; ; n++) {
    const id = pressed('i35-ok') ? 'i35-fault' : 'i35-ok'
    document.getElementById(id).click()
    for (let frames = 0; !pressed(id) && frames < 600; frames++) await wait()
    if (!pressed(id)) return
    await window.toldSaved(n)
  }
}"""
OUTBOX = """() => new Promise((resolve, reject) => {
  const request = indexedDB.open('troskel')
  // No database any more: everything in it is lost. An empty one made here would hide that.
  request.onupgradeneeded = () => request.transaction.abort()
  request.onerror = () => (request.error?.name === 'AbortError' ? resolve([]) : reject(request.error))
  request.onsuccess = () => {
    const rows = request.result.transaction('outbox').objectStore('outbox').getAll()
    rows.onerror = () => reject(rows.error)
    rows.onsuccess = () => {
      request.result.close()
      resolve(rows.result.map(row => JSON.parse(new TextDecoder().decode(row.bytes))).map(({id, device_seq, kind}) => ({id, device_seq, kind})))
    }
  }
})"""


@dataclass
class Found:
    """What a row of kills came to."""

    met: Counter[str] = field(default_factory=Counter)
    """Kills by mode, each seen to have been there."""
    told: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return self.met.total()

    def count(self, what: str) -> int:
        return sum(kind == what for kind, _ in self.wrong)


class Line:
    """Between phone and server: passes everything on but a push with operations, once told to look."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._held: list[Route] = []
        self.looks = False
        self.under_way = False

    def push(self, route: Route) -> None:
        body = route.request.post_data_buffer or b""
        if route.request.header_value("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if not self.looks or not json.loads(body)["operations"]:
            route.continue_()
        elif self._mode == "sending":
            self.under_way = True
            route.continue_()
        else:
            self._held.append(route)
            if self._mode == "unanswered":
                assert route.fetch().status == 200
            self.under_way = True

    def let_go(self) -> None:
        """Of what was held for a browser that is dead."""
        for route in self._held:
            with contextlib.suppress(Error):
                route.abort()


class Rig:
    """A server, a phone with a visit on it, and what it told."""

    def __init__(self, playwright: Playwright, folder: Path, backend: str) -> None:
        self.backend = backend
        conftest.FLAGS = [*(f for f in conftest.FLAGS if "IdbSqlite" not in f), *FLAGS[backend]]
        data = folder / "data"
        settings = Settings(data=data)
        initialise(settings)
        app = create_app(settings)
        add_user(app.extensions["troskel"], "bob", "visitor", PASSWORD, languages=["sv", "ar"])
        app.extensions["troskel"].close()
        self.server = Server(data, folder / "releases")
        self.server.start()
        self.phone = Device(playwright, self.server, folder / "phone", {**PHONE, "locale": "en-GB"})
        self.phone.sign_in("bob")
        self.phone.kept()
        self.phone.open("/field/new")
        self.phone.page.locator("main form button:not([type=button])").click()
        until(self.phone.page, "location.pathname.startsWith('/field/visits/')")
        self.visit = self.phone.page.evaluate("location.pathname")
        # Chromium writes cookies late; a visitor would sign in again, which is not what is tried.
        self.cookies = self.phone.context.cookies()
        self.found = Found()

    def kill(self, mode: str, chance: random.Random) -> None:
        """Tap in a burst, kill at a moment, open again, and look."""
        phone = self.phone
        told = 0

        def tell(_: Any, n: int) -> None:
            nonlocal told
            told = n + 1

        line = Line(mode)
        phone.context.expose_binding("toldSaved", tell)
        phone.context.route("**/sync/push", line.push)
        phone.open(f"{self.visit}/s/s06")
        phone.page.locator("#i35-ok").wait_for()
        until(phone.page, "JSON.parse(localStorage['troskel-canary']).unsent === 0")
        if mode == "saving":
            self.server.stop()
        before = max((row["device_seq"] for row in self.everywhere()), default=0)
        logged = self._log_length()
        line.looks = True
        phone.page.evaluate(f"void ({TAPS})()")
        deadline = time.monotonic() + PUSH_SECONDS
        while told == 0 or (mode != "saving" and not line.under_way):
            assert time.monotonic() < deadline, f"no tap, or no push ({mode})"
            phone.page.wait_for_timeout(5)
        phone.page.wait_for_timeout(chance.uniform(0, LATEST_SECONDS[mode]) * 1000)
        phone.kill()
        line.let_go()
        if mode != "sending":
            has_more = self._log_length() > logged
            assert has_more == (mode == "unanswered"), (
                f"the kill was not where it should be ({mode})"
            )
        self.found.met[mode] += 1
        self.found.told += told
        self._open_again()
        have = {row["device_seq"] for row in self.everywhere()}
        missing = set(range(before + 1, before + told + 1)) - have
        for number in sorted(missing):
            self.found.wrong.append(("lost", f"tap {number} was shown as saved ({mode})"))
        if have != set(range(1, max(have) + 1)):
            self.found.wrong.append(("lost", f"numbers have a gap: {sorted(have)[-5:]}"))

    def _open_again(self) -> None:
        self.phone.reopen()
        self.phone.context.add_cookies(self.cookies)  # type: ignore[arg-type]
        self.phone.open("/field/")
        if self.server.process_group == 0:
            self.server.start()

    def everywhere(self) -> list[dict[str, Any]]:
        """Operations in the phone's outbox and in the server's log."""
        here: list[dict[str, Any]] = self.phone.page.evaluate(OUTBOX)
        return here + [
            {"id": id, "device_seq": number}
            for id, number in self.logged("SELECT id, device_seq FROM log WHERE device_seq > 0")
        ]

    def _log_length(self) -> int:
        return int(self.logged("SELECT count(*) FROM log")[0][0])

    def logged(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.server.data / "troskel.db")) as db:
            return db.execute(sql).fetchall()

    def finish(self) -> Found:
        """All of it arrives, once, and the phone counts nothing any more."""
        here = {row["id"] for row in self.phone.page.evaluate(OUTBOX)}
        self.phone.open("/field/outbox")
        if self.phone.page.locator("#send button").count():
            self.phone.page.locator("#send button").click()
        try:
            until(self.phone.page, "JSON.parse(localStorage['troskel-canary']).unsent === 0")
        except AssertionError:
            self.found.wrong.append(("hidden", "the outbox does not drain"))
        ids = [id for (id,) in self.logged("SELECT id FROM log")]
        if len(ids) != len(set(ids)):
            self.found.wrong.append(("doubled", "an id stands twice in the log"))
        for id in sorted(here - set(ids)):
            self.found.wrong.append(("lost", f"{id} was on the phone and never arrived"))
        numbers = self.logged("SELECT device_seq FROM log WHERE device_seq > 0")
        if len(numbers) != len(set(numbers)):
            self.found.wrong.append(("doubled", "a number of the phone stands twice in the log"))
        if self.logged("SELECT 1 FROM held"):
            self.found.wrong.append(("hidden", "something is held"))
        if self.store_on_disk() != self.backend:
            self.found.wrong.append(("hidden", f"the profile is {self.store_on_disk()}'s"))
        return self.found

    def store_on_disk(self) -> str:
        """Which of Chromium's stores the profile's files are of."""
        (folder,) = self.phone.profile.glob("*/IndexedDB")
        return "leveldb" if any(folder.glob("*.indexeddb.leveldb/CURRENT")) else "sqlite"

    def close(self) -> None:
        self.phone.close()
        self.server.stop()


@contextlib.contextmanager
def rig(playwright: Playwright, backend: str) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="troskel-kills-") as name:
        made = Rig(playwright, Path(name), backend)
        try:
            yield made
        finally:
            made.close()


def kill_often(playwright: Playwright, backend: str, kills: int, seed: int) -> Found:
    """`kills` kills of one profile, moments and modes by `seed`."""
    chance = random.Random(seed)
    with rig(playwright, backend) as made:
        for n in range(kills):
            made.kill(MODES[n % len(MODES)], chance)
            print(f"\r{backend}: {n + 1} of {kills} kills, {made.found.told} taps shown as saved ",
                  end="", file=sys.stderr, flush=True)  # fmt: skip
        return made.finish()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.browser.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--backend", choices=FLAGS, default="leveldb")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    build.build(ROOT, say=lambda _: None)
    with sync_playwright() as playwright:
        found = kill_often(playwright, given.backend, given.kills, given.seed)
    for what, why in found.wrong:
        print(f"{what}: {why}", file=sys.stderr)
    row = {"part": f"kills-{given.backend}", "fault": "F3", "tried": found.kills}
    row |= {what: found.count(what) for what in ("lost", "doubled", "hidden")}
    print(json.dumps(row))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
