"""A real server and real browsers: stopped, killed and started again as in the field.

Invariant: "no network" means that the server is not there, never a switch in the browser; a
killed browser comes back with the profile it had on disk. It refuses to touch processes it did
not start: a browser is found by its profile folder, which nobody else has.

    server   .url .start() .stop() .kill() .restart() .release(change)
    phone    360×740, touch;  .page .open(path) .sign_in(name) .ready() .kill() .reopen()
    desk     1280×800;        the same
"""

from __future__ import annotations

import fcntl
import itertools
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect, sync_playwright

from pwa.bundle import build
from tests.conftest import PASSWORD

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PATIENCE_S = 60
"""A busy machine is slow; waiting longer costs nothing where all is well."""
expect.set_options(timeout=PATIENCE_S * 1000)


def free_port() -> int:
    """A port that nobody else of this run takes while our server is stopped: each worker has its own
    range, below those the system gives out."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 11_000 + worker % 8 * 2_500  # Chromium refuses 10080
    for port in itertools.chain(
        range(first + next(_ports), first + 2_500), range(first, first + 2_500)
    ):
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


# Another run on this machine begins elsewhere in the range.
_ports = itertools.cycle((os.getpid() + step) % 2_500 for step in range(0, 2_500, 7))


class Server:
    """The `troskel serve` command on a port of its own, which it keeps when it starts again."""

    def __init__(self, data: Path, releases: Path) -> None:
        self.data = data
        self.root = ROOT
        self._releases = releases
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start and wait until it listens."""
        command = "from pwa.commands.cli import main; main()"
        arguments = ["serve", "--data", str(self.data), "--port", str(self.port)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(self.root), "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout
        said = []
        for line in self._process.stdout:
            said.append(line)
            if line.startswith("Tröskel is at"):
                self._drain = subprocess.Popen(
                    ["cat"], stdin=self._process.stdout, stdout=subprocess.DEVNULL
                )
                return
        raise AssertionError("the server did not start:\n" + "".join(said))

    @property
    def process_group(self) -> int:
        """The number that the server and its worker share; 0 when it does not run."""
        return self._process.pid if self._process else 0

    def stop(self) -> None:
        """As the owner stops it: SIGTERM, and wait."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut stops it: SIGKILL for parent and worker."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def release(self, change: Callable[[Path], None]) -> None:
        """Stop, put a copy of the code with `change` made to it in place, start: an update."""
        self.stop()
        copy = self._releases / f"release-{len(list(self._releases.iterdir()))}"
        for folder in ("pwa", "sync", "templates", "static"):
            shutil.copytree(
                self.root / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        change(copy)
        self.root = copy
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
        self._process.wait(timeout=30)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # a worker must not outlive its parent
        self._drain.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None


def until(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression is true in the page; a failure shows what the page says.

    Not `wait_for_function`: that one polls with eval, which the app's own policy forbids.
    """
    # A promise that never settles must not hang the run: `evaluate` itself waits for ever.
    question = f"""async () => Boolean(await Promise.race(
        [{expression}, new Promise(go => setTimeout(go, 1000, false))]))"""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        # A navigation takes the page away under the question: ask the next one.
        with suppress(Error):
            if page.evaluate(question):
                return
        page.wait_for_timeout(20)
    raise AssertionError(f"never became true: {expression}\n{state_of(page)}")


def state_of(page: Page) -> str:
    """Where a page is, its text and what it wrote to the console, for a failure's message."""
    lines = [f"at {page.url}"]
    with suppress(Error):
        lines += [f"console {one.type}: {one.text}" for one in page.console_messages()]
        lines += [f"uncaught: {error}" for error in page.page_errors()]
        lines.append(page.locator("body").inner_text(timeout=5_000))
    return "\n".join(lines)


class Device:
    """A browser with a profile on disk, and its one page."""

    def __init__(self, playwright: Playwright, server: Server, profile: Path, look: dict[str, Any]):
        self._playwright = playwright
        self._look = look
        self.server = server
        self.profile = profile
        self.said: list[str] = []
        """What the page wrote to the console as warnings and errors, and its uncaught errors."""
        self.reopen()

    context: BrowserContext
    page: Page

    def reopen(self) -> None:
        """Start the browser with the profile as it lies on disk."""
        self.context = self._playwright.chromium.launch_persistent_context(
            str(self.profile), executable_path=CHROMIUM, headless=True, args=FLAGS, **self._look
        )
        self.context.set_default_timeout(PATIENCE_S * 1000)
        self._take(self.context.pages[0])

    def new_page(self) -> None:
        """A fresh tab with a history of its own, in place of the one before."""
        before = self.page
        self._take(self.context.new_page())
        before.close()

    def _take(self, page: Page) -> None:
        self.page = page
        page.on(
            "console",
            lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def open(self, path: str) -> None:
        """Go to a path of the server as a person does, by its address."""
        self.page.goto(self.server.url + path)
        if path.startswith("/field/"):
            self.ready()

    def ready(self) -> None:
        """Wait until the phone's first page is there."""
        until(self.page, "document.documentElement.dataset.ready === 'true'")

    def kept(self) -> None:
        """Wait until the worker has everything and answers for this page."""
        until(
            self.page,
            "navigator.serviceWorker.ready.then(r => r.active?.state === 'activated'"
            " && navigator.serviceWorker.controller !== null)",
        )

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        """Sign in on the phone's own page."""
        self.open("/field/sign-in")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.locator("#sign-in button").click()
        until(self.page, "location.pathname === '/field/'")

    def kill(self) -> None:
        """SIGKILL for every process of this browser, as when the battery is empty."""
        pids = list(self._processes())
        assert pids, "no browser to kill"
        ends = []
        for pid in pids:
            with suppress(ProcessLookupError):
                ends.append(os.pidfd_open(pid))
                os.kill(pid, signal.SIGKILL)
        with suppress(Error):
            self.context.close()
        # A killed process that waits for the disk is not dead yet; a browser opened beside it would
        # be two browsers on one profile, which no telephone ever is.
        for end in ends:
            select.select([end], [], [], 60)
            os.close(end)
        for lock in self.profile.glob("Singleton*"):
            lock.unlink()

    def close(self) -> None:
        with suppress(Error):
            self.context.close()

    def _processes(self) -> Iterator[int]:
        mark = f"--user-data-dir={self.profile}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    if mark in (entry / "cmdline").read_bytes().split(b"\0"):
                        yield int(entry.name)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The phone's files, made once, however many processes share the run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all of them
    with (folder / "built").open("a") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        if mark.tell() == 0:
            build.build(ROOT, say=lambda _: None)
            mark.write("yes")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def server(built: None, data_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """A running server with the cast (tests/conftest.py) in its data folder."""
    releases = tmp_path / "releases"
    releases.mkdir()
    running = Server(data_dir, releases)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def phone(playwright: Playwright, server: Server, tmp_path: Path) -> Iterator[Device]:
    device = Device(playwright, server, tmp_path / "phone", {**PHONE, "locale": "en-GB"})
    yield device
    device.close()


@pytest.fixture
def desk(playwright: Playwright, server: Server, tmp_path: Path) -> Iterator[Device]:
    device = Device(playwright, server, tmp_path / "desk", {**DESK, "locale": "en-GB"})
    yield device
    device.close()
