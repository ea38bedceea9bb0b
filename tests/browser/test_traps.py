"""The eight traps of htmx 4 on a phone that answers itself (docs/design.md 3.4).

Each test puts a probe page into a copy of the app and does what a hurried thumb does. The probe's
`gate` holds a save open, so that "fast" means "before the save is done", not a number of
milliseconds.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from pwa.bundle import build
from tests.browser.conftest import PHONE, ROOT, Device, Server, until

pytestmark = pytest.mark.browser
PROBE = Path(__file__).parent / "probe"


def with_probe(root: Path) -> None:
    """Add the probe's pages to a copy of the app."""
    for name in ("probe.html", "answer.html"):
        shutil.copy(PROBE / name, root / "templates" / "field" / name)
    shutil.copy(PROBE / "probe.js", root / "static" / "field" / "pages" / "probe.js")
    routes = root / "static" / "field" / "routes.js"
    text = routes.read_text("utf-8").replace("[views,", "[probe, views,")
    routes.write_text("import * as probe from './pages/probe.js'\n" + text, "utf-8")
    build.compile_templates(root, say=lambda _: None)
    build.bundle(root, packages=ROOT, say=lambda _: None)


@pytest.fixture(scope="module")
def release(built: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with the probe in it."""
    copy = tmp_path_factory.mktemp("probe") / "release"
    for folder in ("pwa", "sync", "templates", "static"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    with_probe(copy)
    return copy


@pytest.fixture(scope="module")
def server(
    release: Path, _cast_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("probe-server")
    running = Server(Path(shutil.copytree(_cast_folder, folder / "data")), folder)
    running.root = release
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shared_phone(
    playwright: Playwright, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Device]:
    profile = tmp_path_factory.mktemp("probe-phone")
    device = Device(playwright, server, profile, {**PHONE, "locale": "en-GB"})
    yield device
    device.close()


@pytest.fixture
def phone(shared_phone: Device) -> Device:
    """One browser for all tests here, a new tab for each."""
    shared_phone.new_page()
    shared_phone.said.clear()
    return shared_phone


@pytest.fixture
def page(phone: Device) -> Iterator[Page]:
    """The probe's first page. What the page complains about fails the test."""
    phone.open("/field/probe")
    expect(phone.page.locator("h1")).to_have_text("One")
    yield phone.page
    assert [line for line in phone.said if "Content Security Policy" in line] == []


def close_gate(page: Page) -> None:
    # () => {}: an expression would give the promise back, and Playwright would wait for it.
    page.evaluate("() => { probe.gate = new Promise(open => { probe.open = open }) }")


def open_gate(page: Page) -> None:
    page.evaluate("probe.open()")


def settled(page: Page) -> None:
    """Wait until no request of htmx is on its way."""
    until(page, "document.querySelector('.htmx-request') === null")


# --- 1. fast taps


def test_fast_taps_on_different_answers_are_all_stored(page: Page) -> None:
    close_gate(page)
    for key in "abc":
        page.tap(f"#box-{key}")
    open_gate(page)
    for key in "abc":
        expect(page.locator(f"#stored-{key}")).to_have_text("yes")
    assert page.evaluate("probe.stored") == {"a": "yes", "b": "yes", "c": "yes"}


@pytest.mark.parametrize("taps", [2, 3, 4])
def test_fast_taps_on_one_answer_end_with_what_is_shown(page: Page, taps: int) -> None:
    close_gate(page)
    for _ in range(taps):
        page.tap("#box-a")
    open_gate(page)
    until(page, f"probe.operations.length === {taps}")
    wanted = "yes" if taps % 2 else "no"
    expect(page.locator("#stored-a")).to_have_text(wanted)
    settled(page)
    assert page.evaluate("probe.stored.a") == wanted
    assert page.is_checked("#box-a") == (wanted == "yes")


def test_a_control_shows_what_is_stored_not_what_was_tapped(page: Page) -> None:
    page.evaluate("probe.stores = 'no'")  # as when a later answer of another phone counts
    page.tap("#box-a")
    until(page, "probe.operations.length === 1")
    settled(page)
    expect(page.locator("#stored-a")).to_have_text("no")
    assert not page.is_checked("#box-a")


def test_an_answer_keeps_the_focus(page: Page) -> None:
    page.focus("#box-b")
    page.keyboard.press("Space")
    expect(page.locator("#stored-b")).to_have_text("yes")
    settled(page)
    assert page.evaluate("document.activeElement.id") == "box-b"


# --- 2. operation ids


def test_a_double_tap_on_save_is_one_operation(page: Page) -> None:
    page.fill("#text", "The tap drips")
    close_gate(page)
    page.locator("#save").dblclick()
    open_gate(page)
    expect(page.locator("h1")).to_have_text("Two")
    until(page, "probe.operations.length === 2")
    assert len(set(page.evaluate("probe.operations"))) == 1
    expect(page.locator("#notes li")).to_have_count(1)
    assert page.evaluate("history.length") == 3  # blank, One, Two


def test_each_tap_on_an_answer_is_an_operation_of_its_own(page: Page) -> None:
    page.tap("#box-a")
    expect(page.locator("#stored-a")).to_have_text("yes")
    page.tap("#box-a")
    expect(page.locator("#stored-a")).to_have_text("no")
    operations = page.evaluate("probe.operations")
    assert len(set(operations)) == 2
    assert all(len(one) == 36 for one in operations)


# --- 3. redirects


def test_a_saved_form_shows_the_next_page_under_its_own_address(page: Page) -> None:
    page.fill("#text", "x")
    page.tap("#save")
    expect(page.locator("h1")).to_have_text("Two")
    assert page.evaluate("location.pathname") == "/field/probe/two"
    expect(page.locator("#toast")).to_have_text("Noted")
    page.go_back()
    expect(page.locator("h1")).to_have_text("One")
    assert page.evaluate("location.pathname") == "/field/probe"
    page.go_forward()
    expect(page.locator("h1")).to_have_text("Two")
    assert "POST /field/probe/note" in page.evaluate("probe.requests")
    assert page.evaluate("probe.notes.size") == 1


def test_a_link_to_a_moved_page_shows_where_it_went(page: Page) -> None:
    page.tap("#to-moved")
    expect(page.locator("h1")).to_have_text("Two")
    assert page.evaluate("location.pathname") == "/field/probe/two"


# --- 4. a submit nobody waits for

NAKED = """() => {
  const form = document.createElement('form')
  form.method = 'post'; form.action = '/field/probe/note'
  form.innerHTML = '<input name=text value=secret><button>x</button>'
  document.body.append(form)
  form.querySelector('button').click()
}"""


def requests_of(page: Page, kind: str) -> list[str]:
    sent: list[str] = []
    page.on(
        "request", lambda r: sent.append(r.url) if kind in (r.method, r.resource_type) else None
    )
    return sent


def test_a_form_that_htmx_does_not_know_is_not_sent(page: Page) -> None:
    posts = requests_of(page, "POST")
    page.evaluate(NAKED)
    page.tap("#to-two")  # the page still works, and has had time to send
    expect(page.locator("h1")).to_have_text("Two")
    assert [url for url in posts if "/sync/" not in url] == []


def test_without_any_script_of_ours_the_policy_still_keeps_the_form_here(phone: Device) -> None:
    phone.open("/field/probe")  # the worker would bring phone.js back
    phone.page.evaluate(
        "async () => { for (const one of await navigator.serviceWorker.getRegistrations())"
        " await one.unregister() }"
    )
    phone.new_page()
    phone.page.route("**/build/phone.js", lambda route: route.abort())
    phone.page.goto(phone.server.url + "/field/probe")
    posts = requests_of(phone.page, "POST")
    phone.page.evaluate(
        "() => document.addEventListener('securitypolicyviolation',"
        " event => { window.kept = event.effectiveDirective })"
    )
    phone.page.evaluate(NAKED)
    until(phone.page, "window.kept === 'form-action'")
    assert posts == []
    assert phone.page.url.endswith("/field/probe")


def test_no_form_exists_before_htmx_can_answer_it(phone: Device) -> None:
    phone.open("/field/probe")
    html = phone.page.request.get(phone.server.url + "/field/probe").text()
    assert "<form" not in html
    assert phone.page.evaluate(
        "[...document.forms].every(f => f.hasAttribute('data-htmx-powered'))"
    )


# --- 5. files


def test_a_file_in_a_form_is_refused_instead_of_stored_as_its_name(page: Page) -> None:
    page.set_input_files(
        "#file", files=[{"name": "x.png", "mimeType": "image/png", "buffer": b"\x89PNG"}]
    )
    page.tap("#send-file")
    expect(page.locator("#toast")).to_be_visible()
    assert page.evaluate("probe.operations") == []
    assert page.evaluate("document.getElementById('file').files.length") == 1


# --- 6. language and direction


def test_language_and_direction_follow_the_page_there_and_back(page: Page) -> None:
    html = page.locator("html")
    expect(html).to_have_attribute("dir", "ltr")
    page.tap("#to-arabic")
    expect(page.locator("h1")).to_have_text("Three")
    expect(html).to_have_attribute("dir", "rtl")
    expect(html).to_have_attribute("lang", "ar")
    page.go_back()
    expect(page.locator("h1")).to_have_text("One")
    expect(html).to_have_attribute("dir", "ltr")
    expect(html).to_have_attribute("lang", "en")


# --- 7. ways in and out


def test_a_link_out_of_the_field_is_a_real_navigation(page: Page) -> None:
    page.tap("#to-health")
    page.wait_for_url("**/healthz")
    assert '"status"' in page.content()


def test_two_quick_taps_on_a_link_are_one_step_back(page: Page) -> None:
    page.evaluate(
        "document.getElementById('to-two').click(); document.getElementById('to-two').click()"
    )
    expect(page.locator("h1")).to_have_text("Two")
    settled(page)
    page.go_back()
    expect(page.locator("h1")).to_have_text("One")


def test_the_turned_screen_is_an_address_and_back_turns_it_again(page: Page) -> None:
    page.tap("#to-tenant")
    expect(page.locator("h1")).to_have_text("Turned")
    expect(page.locator("#nav")).to_be_hidden()
    expect(page.locator("#strip")).to_be_hidden()
    page.reload()
    until(page, "document.documentElement.dataset.ready === 'true'")
    expect(page.locator("h1")).to_have_text("Turned")
    page.go_back()
    expect(page.locator("h1")).to_have_text("One")
    expect(page.locator("#nav")).to_be_visible()


def test_a_new_page_starts_at_its_heading_and_back_returns_to_the_place(page: Page) -> None:
    page.evaluate("window.scrollTo(0, 300)")
    page.evaluate("document.getElementById('to-two').click()")
    expect(page.locator("h1")).to_have_text("Two")
    until(page, "window.scrollY === 0")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.go_back()
    expect(page.locator("h1")).to_have_text("One")
    until(page, "window.scrollY === 300")


def test_links_wait_for_a_save_that_is_not_done(page: Page) -> None:
    close_gate(page)
    page.fill("#text", "before the link")
    page.tap("#save")
    page.evaluate("document.getElementById('to-arabic').click()")
    assert page.locator("h1").inner_text() == "One"
    open_gate(page)
    until(page, "probe.notes.size === 1")


# --- 8. refusals


@pytest.mark.parametrize(
    ("how", "said"),
    [("Not now, the visit is closed.", "the visit is closed"), ("throw", "Not saved")],
)
def test_a_refused_tap_is_turned_back_and_said(page: Page, how: str, said: str) -> None:
    page.evaluate(f"probe.refuse = {how!r}")
    page.tap("#box-a")
    expect(page.locator("#toast")).to_contain_text(said)
    settled(page)
    assert not page.is_checked("#box-a")
    expect(page.locator("#stored-a")).to_have_text("no")


def test_a_refused_tap_is_turned_back_where_its_target_is_elsewhere(page: Page) -> None:
    page.evaluate("probe.refuse = 'Not now.'")
    page.tap("#box-far")
    expect(page.locator("#toast")).to_have_text("Not now.")
    assert not page.is_checked("#box-far")


@pytest.mark.parametrize("how", ["throw", "Write something first."])
def test_a_text_that_could_not_be_saved_stays(page: Page, how: str) -> None:
    page.evaluate(f"probe.refuse = {how!r}")
    page.fill("#text", "Three lines of what the tenant said")
    page.tap("#save")
    expect(page.locator("#toast")).to_be_visible()
    assert page.input_value("#text") == "Three lines of what the tenant said"
    page.evaluate("probe.refuse = ''")
    page.tap("#toast")
    page.tap("#save")
    expect(page.locator("#notes li")).to_have_text(["Three lines of what the tenant said"])


def test_a_page_that_fails_says_what_to_do_and_back_works(page: Page) -> None:
    page.tap("#to-broken")
    expect(page.locator("[role=alert]").first).to_contain_text("Nothing that was saved is lost")
    page.go_back()
    expect(page.locator("h1")).to_have_text("One")
    page.tap("#to-nowhere")
    expect(page.locator("h1")).to_have_text("Page not found on this phone")


def test_no_request_of_a_page_reaches_the_network(page: Page) -> None:
    sent = requests_of(page, "fetch")
    page.tap("#box-a")
    expect(page.locator("#stored-a")).to_have_text("yes")
    page.fill("#text", "x")
    page.tap("#save")
    expect(page.locator("h1")).to_have_text("Two")
    assert [url for url in sent if "/field/" in url and "/s/" not in url] == []
