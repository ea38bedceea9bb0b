"""A real Chromium with a profile on disk: killed and started again as in the field.

Invariant: a killed browser comes back with the profile it had on disk. Only processes that were
started here are killed: a browser is found by its profile folder, which no other one has.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from tests.browser.server import Server

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_S = 60
"""A busy machine is slow; waiting longer costs nothing where nothing is wrong."""
expect.set_options(timeout=PATIENCE_S * 1000)


def until(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression is true in the page; a failure shows the page's text.

    Not `wait_for_function`: that one polls with eval, which the app's own policy forbids.
    """
    # A promise that never settles must not hang the run: `evaluate` itself has no time limit.
    question = f"""async () => Boolean(await Promise.race(
        [{expression}, new Promise(go => setTimeout(go, 1000, false))]))"""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        # During a navigation the page is gone: ask the next one.
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
    """A browser with a profile on disk, and its one page.

    `look`: arguments of Playwright's browser context (viewport, locale …); `flags`: Chromium's.
    """

    def __init__(
        self,
        playwright: Playwright,
        server: Server,
        profile: Path,
        look: Mapping[str, Any],
        flags: Sequence[str] = FLAGS,
    ) -> None:
        self._playwright = playwright
        self._flags = flags
        self._look = look
        self.server = server
        self.profile = profile
        self.console: list[str] = []
        """Warnings and errors that the page wrote to the console, and its uncaught errors."""
        self.reopen()

    context: BrowserContext
    page: Page

    def reopen(self) -> None:
        """Start the browser with the profile as it lies on disk."""
        self.context = self._playwright.chromium.launch_persistent_context(
            str(self.profile),
            executable_path=CHROMIUM,
            headless=True,
            args=self._flags,
            **self._look,
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
            lambda m: self.console.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.console.append(str(error)))

    def open(self, path: str) -> None:
        """Go to a path of the server as a person does, by its address."""
        self.page.goto(self.server.url + path)
        if path.startswith("/field/"):
            self.ready()

    def ready(self) -> None:
        """Wait until the phone's first page is there."""
        until(self.page, "document.documentElement.dataset.ready === 'true'")

    def faults(self) -> list[str]:
        """Lines of `console` but what the browser itself writes of a server that is not there, or of a
        session that is over."""
        return [line for line in self.console if "Failed to load resource" not in line]

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
