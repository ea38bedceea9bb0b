"""A phone that speaks the real wire, for tests of what the server does with what it sends.

Invariant: it forgets nothing. `sent` holds the exact bytes of everything it ever offered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

from pwa.ids import uuid4
from sync.operations import MEDIA_TYPE, encode
from tests.cast.world import NOW, operation

HEADERS = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}


@dataclass
class WirePhone:
    """A device of the user `by`; `client` is whoever is signed in on it now."""

    client: FlaskClient
    by: str
    device: str = field(default_factory=uuid4)
    taken: int = 0
    sent: list[str] = field(default_factory=list)

    def make(self, kind: str, visit: str, data: Mapping[str, Any], **over: Any) -> str:
        self.taken += 1
        envelope = {
            "id": operation(), "v": 1, "kind": kind, "subject": {"type": "visit", "id": visit},
            "by": self.by, "device": self.device, "device_seq": self.taken,
            "at": NOW.isoformat(timespec="seconds"), "base": 0, "data": data,
        }  # fmt: skip
        return encode(envelope | over)

    def note(self, visit: str, text: str = "Kranen droppar", **over: Any) -> str:
        return self.make("visit.note", visit, {"item": "", "text": text}, **over)

    def offer(self, *texts: str, **more: Any) -> list[dict[str, Any]]:
        """Push these bytes; the results."""
        self.sent += texts
        body = {"protocol": 1, "device": self.device, "operations": texts, "blobs": []} | more
        answer = self.client.post("/sync/push", data=json.dumps(body), headers=HEADERS)
        assert answer.status_code == 200, answer.data
        results: list[dict[str, Any]] = json.loads(answer.data)["results"]
        return results

    def told(self, *texts: str, **more: Any) -> list[tuple[str, str]]:
        """Push; (result, problem) of each."""
        return [(one["result"], one["problem"]) for one in self.offer(*texts, **more)]

    def news(self) -> dict[str, Any]:
        answer = self.client.get("/sync/pull")
        assert answer.status_code == 200
        body: dict[str, Any] = json.loads(answer.data)
        return body
