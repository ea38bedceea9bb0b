"""What a phone loads, how long sync, a cold offline start, and a tap take.

Each figure is a JSON line in bench.jsonl: {"what", "value", "unit", "target", "note"}. Times are
medians (p95 where it says so) of real Chromium with the CPU slowed 4×; these machines are
shared, so read them as ratios to the `baseline` lines of the same run.
"""

from __future__ import annotations

import gzip
import statistics
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pwa.bundle import build
from pwa.bundle.assets import Assets
from pwa.ids import uuid4
from pwa.phones.shell import LOADED_BY_SHELL
from pwa.visits.submitting import Draft, submit
from tests.bench import sync
from tests.bench.setting import OUT, PLAIN_FIELDS, ROOT, folder, say
from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import Server
from tests.cast.company import open_app, services_of, store_facts
from tests.cast.drafts import planned_visit
from tests.cast.operations import operation_id
from tests.cast.people import add_people

VISITS = 200
SHOWN = 15  # cards at first, of each long group; the rest is one tap away
TAPS = 40
STARTS = 5
SLOWER = 4


def size(content: bytes) -> float:
    return len(gzip.compress(content, 9)) / 1000


def sizes() -> None:
    """Compressed bytes, as the server sends them (gzip level 9)."""
    assets = Assets(ROOT / "static")
    read = {name: path.read_bytes() for name, path in assets.files.items()}
    scripts = ["build/phone.js", "vendor/htmx.min.js"]  # Swedish is in phone.js
    js = sum(size(read[name]) for name in scripts) + size((ROOT / "static/sw.js").read_bytes())
    css = sum(size(read[name]) for name in LOADED_BY_SHELL)
    fonts = {f["url"].split("/")[-1]: f for f in assets.worker_files if f["url"].endswith(".woff2")}
    weight = {
        name: len(read[f"{f['url'].split('/')[-2]}/{name}"]) / 1000 for name, f in fonts.items()
    }
    with folder() as data, open_app(data / "data") as app:
        shell = size(app.test_client().get("/field/").data)
        guide = services_of(app).guide
        packs = {tag: size(guide.pack_bytes(tag)) for tag in ("sv", "ar")}
    say("JavaScript of the phone, one interface language", js, "kB", "<= 60 kB")
    for name in scripts:
        say(f"  {name}", size(read[name]), "kB")
    say("CSS of the phone", css, "kB", "<= 15 kB")
    say("fonts of every phone: names and signs",
        sum(weight[name] for name, one in fonts.items() if not one.get("optional")), "kB")  # fmt: skip
    for tag in ("ar", "ti"):
        own = sum(weight[name] for name, one in fonts.items() if tag in one.get("languages", ()))
        say(f"fonts of a phone with {tag}", own, "kB")
    say("shell page", shell, "kB", "<= 10 kB")
    say("guide, Swedish and Arabic", sum(packs.values()), "kB", "<= 60 kB")
    say(
        "everything for a first visit in two languages, no fonts",
        js + css + shell + sum(packs.values()),
        "kB",
        "<= 150 kB",
    )


def seed(data: Path) -> None:
    """Alice, Bob, and 200 visits in the coming week that Bob's phone stores."""
    with open_app(data) as app:
        users, services = add_people(app, ("alice", "bob")), services_of(app)
        store_facts(services)
        drafts = []
        for n in range(VISITS):
            visit, day = uuid4(), (date.today() + timedelta(days=n % 7)).isoformat()
            drafts += planned_visit(
                uuid4(),
                visit,
                [users["bob"].id],
                fields=PLAIN_FIELDS
                | {"ref": f"{n}/1", "street": f"Gatvägen {n}", "move_in": date.today().isoformat()},
                assignment={"date": day, "time": "10:00"},
            )
            drafts.append(Draft(operation_id(), "visit.language", visit, {"language": "ar"}))
        with app.app_context():
            submit(services, users["alice"], drafts)


def slow(device: Phone) -> None:
    session = device.context.new_cdp_session(device.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


LIST_READY = """async () => {
  while (document.querySelectorAll('.visit-card').length < %d) await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  return performance.now()
}"""

TAP = """async (id) => {
  const before = document.getElementById(id).getAttribute('aria-pressed')
  const start = performance.now()
  document.getElementById(id).click()
  while (document.getElementById(id).getAttribute('aria-pressed') === before) await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  return performance.now() - start
}"""


def phone(run: Callable[[Phone, Server], None]) -> None:
    with folder() as data, sync_playwright() as playwright:
        seed(data / "data")
        server = Server(data / "data", data / "releases")
        server.start()
        device = Phone(playwright, server, data / "phone")
        try:
            run(device, server)
        finally:
            device.close()
            server.stop()


def measure(device: Phone, server: Server) -> None:
    device.sign_in("bob")
    until(device.page, f"document.querySelectorAll('.visit-card').length >= {SHOWN}")
    device.wait_for_worker()
    server.stop()
    offline_start(device)
    taps(device.page)


def offline_start(device: Phone) -> None:
    """From navigation to a painted list of 200 visits: browser new, server gone."""
    figures = []
    for _ in range(STARTS):
        device.close()
        device.reopen()
        slow(device)
        device.page.goto(device.server.url + "/field/", wait_until="commit")
        figures.append(device.page.evaluate(LIST_READY % SHOWN))
    say(
        f"cold offline start to the day's list, {VISITS} visits stored, CPU {SLOWER}×",
        statistics.median(figures),
        "ms",
        "<= 1000 ms",
        f"{STARTS} starts, worst {max(figures):.0f}",
    )


def taps(page: Page) -> None:
    """From tap to the stored answer on the screen: strictly saved, then painted."""
    page.locator(".visit-open").first.click()
    page.locator("main a[href$='/s/s06']").click()
    page.locator("#i35-ok").wait_for()
    figures = [page.evaluate(TAP, "i35-ok") for _ in range(TAPS)]
    figures.sort()
    say(f"tap to saved and painted, CPU {SLOWER}×, median", statistics.median(figures), "ms")
    say(
        f"tap to saved and painted, CPU {SLOWER}×, p95",
        figures[int(TAPS * 0.95)],
        "ms",
        "<= 100 ms",
        f"{TAPS} taps",
    )
    plain = [
        page.evaluate(
            "async () => { const t = performance.now(); await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame); return performance.now() - t }"
        )
        for _ in range(TAPS)
    ]
    say("baseline: two frames without work", statistics.median(plain), "ms")


def main() -> int:
    OUT.write_text("", "utf-8")
    build.build(ROOT, say=lambda _: None)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"Tröskel {commit.stdout.strip()}, {date.today()}")
    sizes()
    sync.measure()
    phone(measure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
