"""A phone's side of the sync bench: the pushes of whole visits, and a connection that counts bytes.

Bodies are what a phone sends, gzip included, and are made before the clock starts; bytes are whole
HTTP messages, headers included.
"""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pwa.ids import uuid7
from sync.operations import MEDIA_TYPE
from tests.browser.server import Server
from tests.cast.operations import OperationMaker
from tests.cast.people import PASSWORD
from tests.cast.samples import answer, pen_strokes, sha256_of, signed
from tests.cast.wire_phone import push_body

BATCH = 500  # operations in a push (PROTOCOL.md 8)
FIRST_MS = 1_790_000_000_001  # of the operations' ids
HEADERS = {"Content-Type": MEDIA_TYPE, "X-Troskel-Protocol": "1", "Accept": MEDIA_TYPE,
           "Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}  # fmt: skip


@dataclass
class Wire:
    """One signed-in client on one open connection; counts the bytes sent and received."""

    server: Server
    name: str
    sent: int = 0
    received: int = 0
    requests: int = 0
    cookie: str = ""
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        form = urlencode({"name": self.name, "password": PASSWORD})
        head = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Sec-Fetch-Site": "same-origin",
        }
        self._connection.request("POST", "/sign-in", form, head)
        response = self._connection.getresponse()
        response.read()
        assert response.status == 303, response.status
        self.cookie = (response.getheader("Set-Cookie") or "").partition(";")[0]

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
        """The JSON of a response with status 200."""
        head = HEADERS | {"Cookie": self.cookie} | headers
        self._connection.request(method, path, body or None, head)
        response = self._connection.getresponse()
        raw = response.read()
        assert response.status == 200, (response.status, raw[:200])
        self.requests += 1
        self.sent += len(body) + len(f"{method} {path} HTTP/1.1\r\n") + _length(head.items())
        self.received += len(raw) + _length(response.getheaders())
        if response.getheader("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        found: dict[str, Any] = json.loads(raw)
        return found

    def push(self, packed: bytes) -> None:
        body = self.request("POST", "/sync/push", packed, **{"Content-Encoding": "gzip"})
        assert not body["results"], body["results"][0]
        assert not body["missing_blobs"]

    def pull(self, query: str) -> int:
        """Pull until there is no more; how many visits came."""
        cursor, visits = "", 0
        while True:
            body = self.request("GET", f"/sync/pull?{query}cursor={cursor}")
            cursor, visits = body["cursor"], visits + len(body["snapshots"])
            if not body["more"]:
                return visits

    @property
    def bytes(self) -> int:
        return self.sent + self.received

    def reset(self) -> None:
        self.sent = self.received = self.requests = 0


def _length(headers: Iterable[tuple[str, str]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)


@dataclass
class Visitor:
    """A phone's side of the work: makes the pushes of whole visits."""

    user: str
    seed: int
    maker: OperationMaker = field(init=False)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        ids = itertools.count(FIRST_MS)
        self.maker = OperationMaker(
            self.user, at="2026-11-22T14:05:11+01:00", base=1, new_id=lambda: uuid7(next(ids))
        )
        self.chance = random.Random(self.seed)

    def operation(self, kind: str, visit: str, data: dict[str, Any]) -> str:
        return self.maker.make(kind, visit, data)

    def visit(self, id: str) -> tuple[list[str], list[dict[str, str]]]:
        """The 68 operations of one visit, and its three signatures."""
        texts = [self.answer(id, f"i{item:02}", "ok") for item in range(1, 61)]
        for n in range(3):
            words = [f"{self.chance.randrange(16**6):06x}" for _ in range(40)]
            note = {"item": f"i{n + 30}", "text": " ".join(words)[:200]}
            texts.append(self.operation("visit.note", id, note))
        for queue in ("FV", "KT"):
            order = {"queue": queue, "urgency": "three_days", "text": "Kranen droppar."}
            texts.append(self.operation("visit.follow_up", id, {"item": "i16", **order}))
        blobs = []
        for purpose in ("K1", "K8", "K9"):
            svg = self.signature()
            sha = sha256_of(svg.encode())
            blobs.append({"sha256": sha, "type": "image/svg+xml", "text": svg})
            texts.append(self.operation("visit.consent", id, signed(sha, purpose)))
        return texts, blobs

    def answer(self, visit: str, item: str, value: str) -> str:
        return self.operation("visit.answer", visit, answer(item, value) | {"guide": "0" * 64})

    def signature(self) -> str:
        """6 kB of pen strokes."""
        x, y, path = 20, 60, "M20 60"
        while len(path) < 5800:
            to_x, to_y = x + self.chance.randint(-3, 5), y + self.chance.randint(-5, 5)
            path += f"Q{x} {y} {(x + to_x + 1) // 2} {(y + to_y + 1) // 2}"
            x, y = to_x, to_y
        return pen_strokes(f"{path}L{x} {y}")

    def pushes(self, visits: list[str]) -> list[bytes]:
        """The packed bodies that send these visits."""
        made = [self.visit(id) for id in visits]
        texts = [text for some, _ in made for text in some]
        signatures = {blob["sha256"]: blob for _, blobs in made for blob in blobs}
        bodies = []
        for at in range(0, len(texts), BATCH):
            part = texts[at : at + BATCH]
            named = {json.loads(text)["data"].get("signature", "") for text in part}
            bodies.append(self.body(part, [signatures[sha] for sha in sorted(named) if sha]))
        return bodies

    def body(self, texts: list[str], blobs: Sequence[dict[str, str]] = ()) -> bytes:
        """A push of these operations, packed as a phone packs it."""
        body = push_body(self.maker.device, texts, short=True, blobs=list(blobs), health={})
        return gzip.compress(json.dumps(body, ensure_ascii=False).encode(), 6)
