"""WebKitGTK through WebKitWebDriver (W3C WebDriver over HTTP), with a browser that keeps its profile."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.engines.engine import EngineError, call_of, kill_tree, value_of

DRIVER = "WebKitWebDriver"
BROWSER = Path(__file__).with_name("webkit_browser.py")
IMPORTS = "import gi; gi.require_version('WebKit2', '4.1'); gi.require_version('Gtk', '3.0')"


def absent() -> str:
    """What is missing on this machine, or ""."""
    for program in (DRIVER, "Xvfb"):
        if not shutil.which(program):
            return f"{program} is not installed"
    found = subprocess.run(["/usr/bin/python3", "-c", IMPORTS], capture_output=True, check=False)
    return (
        "" if found.returncode == 0 else "the system's Python has no WebKit2 (gir1.2-webkit2-4.1)"
    )


class WebKit:
    """One WebKitGTK with one page (tests/engines/engine.py)."""

    name = "webkit"

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        profile.mkdir(parents=True, exist_ok=True)
        self._session = ""

    def start(self) -> None:
        reading, writing = os.pipe()
        self._display = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp"], pass_fds=[writing],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(writing)
        with os.fdopen(reading) as out:
            display = out.readline().strip()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        self._driver = subprocess.Popen(
            [DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"DISPLAY": f":{display}", "WEBKIT_DISABLE_COMPOSITING_MODE": "1"},
        )  # fmt: skip
        options = {"binary": str(BROWSER), "args": [f"--profile={self.profile}"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        until = time.monotonic() + 30
        while True:
            try:
                self._session = self._command("POST", "/session", wanted)["sessionId"]
                break
            except (EngineError, OSError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        self._command(
            "POST", f"/session/{self._session}/timeouts", {"script": 30_000, "pageLoad": 30_000}
        )

    def go(self, url: str) -> None:
        self._command("POST", f"/session/{self._session}/url", {"url": url})

    def run(self, script: str) -> Any:
        body = f"const done = arguments[arguments.length - 1];(async () => {{ {call_of(script)} }})().then(done, e => done({{failed: String(e)}}))"
        found = self._command(
            "POST", f"/session/{self._session}/execute/async", {"script": body, "args": []}
        )
        if isinstance(found, dict):
            raise EngineError(str(found))
        return value_of(found)

    def kill(self) -> None:
        # The driver's child is the browser, and the browser's are its network and page processes.
        kill_tree(self._driver)
        kill_tree(self._display)

    def close(self) -> None:
        with suppress(EngineError, OSError):
            self._command("DELETE", f"/session/{self._session}")
        self.kill()

    def _command(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self._url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise EngineError(error.read().decode("utf-8", "replace")) from None
