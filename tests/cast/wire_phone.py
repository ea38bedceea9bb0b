"""A phone that speaks the real wire, for tests of what the server does with what it sends.

Invariant: `sent` holds the exact bytes of everything it ever pushed, so a test can push them again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

from pwa.ids import uuid4
from sync.operations import MEDIA_TYPE
from tests.cast.operations import OperationMaker

HEADERS = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}


def push_body(device: str, texts: Sequence[str], **more: Any) -> dict[str, Any]:
    """The body of a push of these operations (sync/PROTOCOL.md 3); `more` replaces or adds keys."""
    return {"protocol": 1, "device": device, "operations": list(texts), "blobs": []} | more


@dataclass
class WirePhone:
    """A device of the user `by`; `client` is signed in as whoever holds it now."""

    client: FlaskClient
    by: str
    device: str = field(default_factory=uuid4)
    sent: list[str] = field(default_factory=list)
    maker: OperationMaker = field(init=False)

    def __post_init__(self) -> None:
        self.maker = OperationMaker(self.by, self.device)

    def make(self, kind: str, visit: str, data: Mapping[str, Any], /, **changes: Any) -> str:
        """The bytes of the device's next operation; `changes` replaces envelope keys."""
        return self.maker.make(kind, visit, data, **changes)

    def note(self, visit: str, text: str = "Kranen droppar", **changes: Any) -> str:
        return self.make("visit.note", visit, {"item": "", "text": text}, **changes)

    def offer(self, *texts: str, **more: Any) -> list[dict[str, Any]]:
        """Push these bytes; the results."""
        self.sent += texts
        body = json.dumps(push_body(self.device, texts, **more))
        answer = self.client.post("/sync/push", data=body, headers=HEADERS)
        assert answer.status_code == 200, answer.data
        results: list[dict[str, Any]] = json.loads(answer.data)["results"]
        return results

    def told(self, *texts: str, **more: Any) -> list[tuple[str, str]]:
        """Push; (result, problem) of each."""
        return [(one["result"], one["problem"]) for one in self.offer(*texts, **more)]

    def news(self) -> dict[str, Any]:
        """The answer to a pull from the beginning."""
        answer = self.client.get("/sync/pull")
        assert answer.status_code == 200
        body: dict[str, Any] = json.loads(answer.data)
        return body
