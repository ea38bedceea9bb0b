"""What somebody enters on a phone: the forms of the field app, filled in at random from a seed.

Invariant: a form depends on its seed and on what was saved before, nothing else; a kind that is
added takes seeds of its own (`PHOTO`), so that the steps kept as regressions still mean what they
meant.
"""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.cast.samples import answer, consent, pen_strokes, sha256_of
from tests.simulation.company import FIELD_STAFF, VISITS, uuid, visit_id

if TYPE_CHECKING:
    from tests.simulation.phones import Device, Saved


PHOTO = 4  # seeds that leave this rest by 16 are photos
KINDS = (
    "visit.answer", "visit.answer", "visit.answer", "visit.tick", "visit.note", "visit.note", "visit.language",
    "visit.follow_up", "visit.attempt", "visit.consent", "visit.consent", "visit.withdraw", "visit.retract",
    "visit.close", "visit.reopen", "visit.open", "tally.count",
)  # fmt: skip
PURPOSES = ("K1", "K8")


@dataclass
class Forms:
    """Fills in forms; `saved`: the operations that phones showed as saved."""

    saved: Mapping[str, Saved]
    opened: int = 0

    def fill(self, device: Device, seed: int, chance: random.Random, tab: int) -> dict[str, Any]:
        """A tap as the phones' process expects it. `chance` is from `seed`, and continues for the next tab."""
        kind = chance.choice(KINDS)
        if seed % 16 == PHOTO:
            kind = "visit.photo"
        visit = self._visit_for(device, chance)
        blobs: list[dict[str, str]] = []
        data = self._data(device, kind, visit, chance, blobs)
        subject = {"type": "visit", "id": visit}
        if kind == "visit.open":
            self.opened += 1
            subject["id"] = uuid(5, self.opened)
        elif kind == "tally.count":
            subject = {"type": "tally", "id": uuid(6, chance.randrange(1 << 40))}
        id = uuid(7, chance.randrange(1 << 44), 7)
        return {
            "tab": tab,
            "drafts": [{"id": id, "kind": kind, "subject": subject, "data": data}],
            "blobs": blobs,
        }

    def _visit_for(self, device: Device, chance: random.Random) -> str:
        if chance.random() < 0.06:
            return visit_id(chance.randrange(VISITS + 2))  # anybody's, or nobody's
        if self.opened and chance.random() < 0.15:
            return uuid(5, chance.randrange(1, self.opened + 1))
        own = [n for n in range(VISITS - 2) if FIELD_STAFF[n % 3] == device.person]
        return visit_id(chance.choice(own))

    def _data(
        self, device: Device, kind: str, visit: str, chance: random.Random, blobs: list[dict[str, str]],
    ) -> dict[str, Any]:  # fmt: skip
        language = chance.choice(("ar", "so", "sv"))
        match kind:
            case "visit.open":
                tenancy = uuid(3, chance.randrange(VISITS)) if chance.random() < 0.5 else ""
                return {
                    "tenancy": tenancy,
                    "kind": "revisit" if tenancy else "contact",
                    "language": language,
                }
            case "visit.answer":
                item, value = f"i{chance.randrange(30, 34)}", chance.choice(("ok", "fault", ""))
                return answer(item, value) | {"language": language}
            case "visit.tick":
                return {
                    "section": "s03",
                    "answers": {"i16": "done", "i17": "done"},
                    "guide": "g1",
                    "language": language,
                }
            case "visit.note":
                return {"item": "", "text": f"Kran {chance.randrange(10**6)}"}
            case "visit.photo":
                return {"item": "i35", "photo": _photo(chance, blobs)}
            case "visit.language":
                return {"language": language}
            case "visit.follow_up":
                return {"item": "i39", "queue": "KT", "urgency": "now", "text": ""}
            case "visit.attempt":
                return {"outcome": chance.choice(("not_home", "declined")), "date": "", "time": ""}
            case "visit.withdraw":
                return {"purpose": chance.choice(PURPOSES), "channel": "visit"}
            case "visit.retract":
                own = [
                    id
                    for id, one in self.saved.items()
                    if one.kind in ("visit.note", "visit.follow_up")
                    or (
                        one.kind == "visit.photo"
                        and (one.device, one.visit) == (device.name, visit)
                    )
                ]
                return {"operation": chance.choice(own) if own else uuid(7, 1, 7)}
            case "visit.close":
                return {"let_go": [], "read_back": True}
            case "visit.reopen":
                return {}
            case "tally.count":
                return {
                    "day": "2026-11-23",
                    "area": "Norr",
                    "topic": "i69",
                    "value": str(chance.randrange(1, 6)),
                }
        return _consent(language, chance, blobs)


def _consent(language: str, chance: random.Random, blobs: list[dict[str, str]]) -> dict[str, Any]:
    signature = _signature(chance, blobs) if chance.random() < 0.6 else ""
    return consent(
        purpose=chance.choice(PURPOSES),
        decision=chance.choice(("yes", "no")),
        language=language,
        method="signature" if signature else "oral",
        attested=not signature,
        signature=signature,
    )


def _signature(chance: random.Random, blobs: list[dict[str, str]]) -> str:
    points = 2600 if chance.random() < 0.3 else 20  # too large to be sent with the push, or not
    path = "".join(f"L{chance.randrange(600)} {chance.randrange(120)}" for _ in range(points))
    return _blob(pen_strokes(f"M1 1{path}").encode(), "image/svg+xml", blobs)


def _photo(chance: random.Random, blobs: list[dict[str, str]]) -> str:
    """A new photo, one in three so large that it is uploaded in pieces; its hash."""
    size = 300_000 if chance.random() < 0.33 else 20_000
    octets = JPEG + chance.randbytes(8) + bytes(size)  # decoders stop at the picture's own end
    return _blob(octets, "image/jpeg", blobs)


def _blob(octets: bytes, type: str, blobs: list[dict[str, str]]) -> str:
    """Add a blob to those of the form; its hash."""
    sha = sha256_of(octets)
    blobs.append({"sha256": sha, "type": type, "bytes": base64.b64encode(octets).decode()})
    return sha


def _jpeg() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "gray").save(made, "JPEG")
    return made.getvalue()


JPEG = _jpeg()
