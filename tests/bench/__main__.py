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
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pwa.bundle import build
from pwa.bundle.assets import Assets
from pwa.homes import company
from pwa.ids import uuid4, uuid7
from pwa.phones.shell import LOADED_BY_SHELL
from pwa.visits.submitting import Draft, submit
from tests.bench import sync
from tests.bench.setting import OUT, ROOT, folder, make, say, services_of
from tests.browser.conftest import PHONE, Device, Server, until
from tests.cast.people import add_user
from tests.conftest import PASSWORD

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
    with folder() as data:
        app = make(data)
        shell = size(app.test_client().get("/field/").data)
        guide = services_of(app).guide
        packs = {tag: size(guide.pack_bytes(tag)) for tag in ("sv", "ar")}
        services_of(app).close()
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
    """Alice, Bob, and 200 visits that Bob's phone holds."""
    app = make(data)
    services = services_of(app)
    with app.app_context():
        alice = add_user(services, "alice", "supervisor", PASSWORD)
        bob = add_user(services, "bob", "visitor", PASSWORD, languages=["sv", "ar", "en"])
        with services.databases.writing() as db:
            facts = {
                name: one.default for name, one in services.guide.settings.items() if one.default
            }
            company.store_settings(db, facts)
        drafts = []
        for n in range(VISITS):
            tenancy, visit = uuid4(), uuid4()
            day = (date.today() + timedelta(days=n % 7)).isoformat()
            register = {
                **dict.fromkeys(("object", "property", "building", "lease_end", "email", "customer"), ""),
                "ref": f"{n}/1", "apartment": "1102", "street": f"Gatvägen {n}", "postcode": "72187",
                "city": "Västerås", "area": "Norr", "move_in": date.today().isoformat(),
                "tenants": ["Testsson Test"], "phones": [], "language": "ar",
            }  # fmt: skip
            now = int(time.time() * 1000)
            drafts += [
                Draft(uuid7(now), "tenancy.register", tenancy, register, type="tenancy"),
                Draft(uuid7(now), "visit.plan", visit, {"tenancy": tenancy, "kind": "welcome"}),
                Draft(
                    uuid7(now),
                    "visit.assign",
                    visit,
                    {"visitors": [bob.id], "date": day, "time": "10:00"},
                ),
                Draft(uuid7(now), "visit.language", visit, {"language": "ar"}),
            ]
        submit(services, alice, drafts)
    services.close()


def slow(device: Device) -> None:
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


def phone(run: Callable[[Device, Server], None]) -> None:
    with folder() as data, sync_playwright() as playwright:
        seed(data)
        server = Server(data / "data", data / "releases")
        server.start()
        device = Device(playwright, server, data / "phone", {**PHONE, "locale": "en-GB"})
        try:
            run(device, server)
        finally:
            device.close()
            server.stop()


def measure(device: Device, server: Server) -> None:
    device.open("/field/sign-in")
    device.page.locator("#sign-in input[name=name]").fill("bob")
    device.page.locator("#sign-in input[name=password]").fill(PASSWORD)
    device.page.locator("#sign-in button").first.click()
    until(device.page, f"document.querySelectorAll('.visit-card').length >= {SHOWN}")
    device.kept()
    server.stop()
    offline_start(device)
    taps(device.page, device)


def offline_start(device: Device) -> None:
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


def taps(page: Page, device: Device) -> None:
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
