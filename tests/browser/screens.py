"""Every screen there is, and what a screen must not do in any language.

The world is the demo company (pwa/commands/demo.py). The phone's screens are those of one visit that came
back from review, with answers, a follow-up and consents in it; the desk's are its main pages.
Each screen is shown as a person would see it, in one language of the interface and, on the
phone, beside another language of the tenant.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from pwa.commands import demo
from pwa.guide.languages import LANGUAGES
from tests.browser.device import until
from tests.browser.phone import Phone
from tests.browser.server import Server
from tests.cast.company import open_app, services_of

OPEN_ALL = "() => { for (const one of document.querySelectorAll('main details')) one.open = true }"

GIVE = """() => {
  const place = document.querySelector('#give-guide')
  place.open = true
  place.scrollIntoView({block: 'center'})
}"""


@dataclass(frozen=True, slots=True)
class Screen:
    """`path` may hold {visit}, {person} and {language}; `act` runs in the page before it is seen;
    `who` is signed in, nobody where it is empty."""

    name: str
    path: str
    act: str = ""
    who: str = "bob"


PHONE_SCREENS = (
    Screen("sign-in", "/field/sign-in", who=""),
    Screen("visits", "/field/"),
    Screen("new-visit", "/field/new"),
    Screen("outbox", "/field/outbox"),
    Screen("settings", "/field/settings"),
    Screen("device", "/field/device"),
    Screen("not-here", "/field/nowhere"),
    Screen("visit", "/field/visits/{visit}"),
    Screen("give-guide", "/field/visits/{visit}", GIVE),
    Screen("language", "/field/visits/{visit}/language"),
    Screen("section", "/field/visits/{visit}/s/s04"),
    Screen("explained", "/field/visits/{visit}/s/s07", OPEN_ALL),
    Screen("note", "/field/visits/{visit}/note?item=i31"),
    Screen("follow-up", "/field/visits/{visit}/follow-up?item=i31"),
    Screen("attempt", "/field/visits/{visit}/attempt"),
    Screen("consents", "/field/visits/{visit}/consents"),
    Screen("consent", "/field/visits/{visit}/consents/K1", OPEN_ALL),
    Screen("read-back", "/field/visits/{visit}/read-back"),
    Screen("tenant-section", "/field/visits/{visit}/tenant/section?section=s04"),
    Screen("tenant-item", "/field/visits/{visit}/tenant/item?item=i31"),
    Screen("tenant-consent", "/field/visits/{visit}/tenant/consent?purpose=K1"),
    Screen("tenant-notice", "/field/visits/{visit}/tenant/notice?notice=privacy"),
)

DESK_SCREENS = (
    Screen("sign-in", "/sign-in", who=""),
    Screen("coverage", "/desk/", who="alice"),
    Screen("visits", "/desk/visits", who="alice"),
    Screen("visit", "/desk/visits/{visit}", who="alice"),
    Screen("card", "/desk/visits/{visit}/card", who="alice"),
    Screen("review", "/desk/review", who="alice"),
    Screen("follow-ups", "/desk/follow-ups", who="alice"),
    Screen("consents", "/desk/consents", who="alice"),
    Screen("held", "/desk/held", who="alice"),
    Screen("protected", "/desk/protected", who="alice"),
    Screen("devices", "/desk/devices", who="alice"),
    Screen("import", "/desk/import", who="alice"),
    Screen("boendeguide", "/desk/boendeguide", who="alice"),
    Screen("handed-over", "/g/{language}", who="alice"),
    Screen("company", "/desk/company", OPEN_ALL, who="root"),
    Screen("recordings", "/desk/guide/{language}/recordings", who="root"),
    Screen("guide", "/desk/guide", who="root"),
    Screen("guide-language", "/desk/guide/{language}", who="root"),
    Screen("people", "/desk/people", who="root"),
    Screen("person", "/desk/people/{person}", who="root"),
    Screen("sessions", "/sessions", who="root"),
)

WRONG = """() => {
  const wide = document.documentElement.clientWidth
  const found = []
  const say = (what, element) => found.push(`${what}: ${element.outerHTML.replace(/\\s+/g, ' ').slice(0, 160)}`)
  if (document.documentElement.scrollWidth > wide) found.push(`the page is ${document.documentElement.scrollWidth} wide`)
  const rolls = element => {
    for (let one = element; one; one = one.parentElement) if (/auto|scroll/.test(getComputedStyle(one).overflowX)) return true
    return false
  }
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('svg, .visually-hidden, .skip, select, textarea') || !element.checkVisibility()) continue
    const style = getComputedStyle(element)
    const box = element.getBoundingClientRect()
    const cuts = how => /hidden|clip/.test(how)
    if (cuts(style.overflowX) && element.scrollWidth > element.clientWidth + 1) say('cut at a side', element)
    if (cuts(style.overflowY) && element.scrollHeight > element.clientHeight + 1) say('cut above or below', element)
    const dir = DIRECTIONS[element.lang]
    if (dir && style.direction !== dir) say(`${element.lang} runs ${style.direction}`, element)
    if (rolls(element)) continue
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue
      const range = document.createRange()
      range.selectNodeContents(node)
      for (const line of range.getClientRects()) {
        if (line.left < -1 || line.right > wide + 1) { say('outside the screen', element); break }
        // A blank that is kept hangs over the end of its line.
        const slack = style.whiteSpace === 'pre-wrap' ? 8 : 1
        const inside = style.display === 'inline' || (line.left >= box.left - slack && line.right <= box.right + slack)
        if (!inside) { say('outside its box', element); break }
      }
    }
  }
  return found
}"""


def faults(page: Page) -> list[str]:
    """What is wrong with the page as it is laid out now: too wide, cut off, in the wrong direction."""
    directions = ", ".join(f'"{tag}": "{one.direction}"' for tag, one in LANGUAGES.items())
    found: list[str] = page.evaluate(WRONG.replace("DIRECTIONS", f"({{{directions}}})"))
    return found


@contextmanager
def demo_server(folder: Path) -> Iterator[Server]:
    """The demo company, served. `folder` takes its data."""
    releases = folder / "releases"
    releases.mkdir(parents=True)
    with open_app(folder / "data") as app, app.app_context():
        demo.fill(services_of(app))
    server = Server(folder / "data", releases)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def names_of(server: Server) -> dict[str, str]:
    """What the screens' paths name: a visit of Bob's that came back, and Bob."""
    with closing(sqlite3.connect(server.data / "troskel.db")) as db:
        (visit,) = db.execute("SELECT id FROM visit_index WHERE state = 'returned'").fetchone()
        (person,) = db.execute("SELECT id FROM users WHERE name = 'bob'").fetchone()
    return {"visit": str(visit), "person": str(person)}


def beside(language: str) -> str:
    """The tenant's language that `language` is shown beside. Every language is seen in both places,
    and the list of the left-to-right ones and the others makes most pairs run both ways."""
    tags = sorted(LANGUAGES, key=lambda tag: LANGUAGES[tag].direction)
    return tags[(tags.index(language) + len(tags) // 2) % len(tags)]


def set_language(phone: Phone, language: str) -> None:
    """Show the phone's interface in `language`."""
    if not phone.page.url.startswith(f"{phone.server.url}/field/"):
        phone.open("/field/sign-in")
    phone.set_language(language)
    phone.page.reload()
    phone.ready()


def go(phone: Phone, path: str) -> None:
    """Show a page of the phone as a tapped link does, without starting the app again."""
    phone.page.evaluate(
        """path => htmx.ajax('GET', path, {
             source: document.body, target: '#main', select: '#main', swap: 'outerSync show:none', push: path,
           })""",
        path,
    )
    until(phone.page, f"location.pathname + location.search === {path!r}")


def choose(phone: Phone, visit: str, language: str) -> None:
    """Make `language` the visit's, as the visitor does."""
    go(phone, f"/field/visits/{visit}/language")
    phone.page.locator(f"main button[value='{language}']").click()
    until(phone.page, f"location.pathname === '/field/visits/{visit}'")


def settle(page: Page, act: str = "") -> None:
    """Do what the screen asks for, and wait until no font or picture is on its way."""
    if act:
        page.evaluate(act)
    until(page, "document.fonts.ready.then(fonts => fonts.status === 'loaded')")
