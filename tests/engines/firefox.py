"""Firefox ESR through WebDriver BiDi, which it implements itself: no driver is needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.engines.engine import EngineError, kill_tree, value_of

PROGRAM = "firefox-esr"
ANSWER_S = 60
PREFERENCES = {
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


def absent() -> str:
    """What is missing, or ""."""
    return "" if shutil.which(PROGRAM) else f"{PROGRAM} is not installed"


class Firefox:
    """One Firefox with one page (tests/engines/engine.py)."""

    name = "firefox"
    _process: subprocess.Popen[str]
    _socket: ClientConnection

    def __init__(self, profile: Path) -> None:
        self.profile = profile
        profile.mkdir(parents=True, exist_ok=True)
        lines = [
            f"user_pref({json.dumps(key)}, {json.dumps(value)});"
            for key, value in PREFERENCES.items()
        ]
        (profile / "user.js").write_text("\n".join(lines))
        self._count = 0
        self._connection = ExitStack()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "--headless", "--no-remote", "--new-instance", "--profile", str(self.profile),
             "--remote-debugging-port", "0", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr
        lines = []
        for line in self._process.stderr:
            lines.append(line)
            found = re.search(r"WebDriver BiDi listening on ws://([\d.]+):(\d+)", line)
            if found:
                break
        else:
            raise EngineError("".join(lines))
        # Its error output must be read: it blocks when the pipe is full.
        self._draining = threading.Thread(
            target=self._drain, args=(self._process.stderr,), daemon=True
        )
        self._draining.start()
        self._socket = self._connection.enter_context(
            connect(
                f"ws://{found[1]}:{found[2]}/session",
                compression=None,
                max_size=None,  # a result may be a page's whole text
                open_timeout=ANSWER_S,
                ping_interval=None,  # a busy browser must not be taken for a dead one
                close_timeout=1,
                proxy=None,
            )
        )
        self._command("session.new", {"capabilities": {}})
        self._context = self._command("browsingContext.getTree", {})["contexts"][0]["context"]

    def go(self, url: str) -> None:
        self._command(
            "browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"}
        )

    def run(self, script: str) -> Any:
        found = self._command(
            "script.evaluate",
            {
                "expression": f"(async () => JSON.stringify((await ({script})) ?? null))()",
                "target": {"context": self._context}, "awaitPromise": True, "userActivation": True,
            },
        )  # fmt: skip
        if found["type"] != "success":
            raise EngineError(found["exceptionDetails"]["text"])
        return value_of(found["result"].get("value"))

    def kill(self) -> None:
        kill_tree(self._process)
        with suppress(WebSocketException, OSError):
            self._connection.close()
        self._draining.join(timeout=10)
        if self._process.stderr:
            self._process.stderr.close()
        for lock in ("lock", ".parentlock"):
            (self.profile / lock).unlink(missing_ok=True)

    def close(self) -> None:
        if self._process.poll() is None:
            with suppress(EngineError, OSError, WebSocketException):
                self._command("browser.close", {})
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=10)
        self.kill()

    def _command(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        message: dict[str, Any] = {}
        while message.get("id") != self._count:  # events come in between
            message = json.loads(self._socket.recv(timeout=ANSWER_S))
        if message["type"] == "error":
            raise EngineError(message["message"])
        result: dict[str, Any] = message["result"]
        return result

    @staticmethod
    def _drain(stream: Any) -> None:
        with suppress(ValueError):
            for _ in stream:
                pass
