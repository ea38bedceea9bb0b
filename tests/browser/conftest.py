"""A running server, a phone and a desk for each test.

server   .url .start() .stop() .kill() .restart() .release(change) .query(sql)
phone    360×740, touch: .page .open(path) .sign_in(name) .kill() .reopen() and a visitor's work
desk     1280×800: the same, and a supervisor's work
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from pwa.bundle import build
from tests.browser.desk import Desk
from tests.browser.device import FLAGS
from tests.browser.phone import Phone
from tests.browser.server import ROOT, Server


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
def flags() -> Sequence[str]:
    """Chromium's flags on the phone; a test module may override this fixture."""
    return FLAGS


@pytest.fixture
def phone(
    playwright: Playwright, server: Server, flags: Sequence[str], tmp_path: Path
) -> Iterator[Phone]:
    device = Phone(playwright, server, tmp_path / "phone", flags=flags)
    yield device
    device.close()


@pytest.fixture
def desk(playwright: Playwright, server: Server, tmp_path: Path) -> Iterator[Desk]:
    device = Desk(playwright, server, tmp_path / "desk")
    yield device
    device.close()
