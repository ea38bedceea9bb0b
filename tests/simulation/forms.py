"""What somebody enters on a phone: the forms of the field app, filled in by dice.

Invariant: a form depends on its seed and on what was saved before, nothing else; a kind that is
added takes seeds of its own (`PHOTO`), so that the steps kept as regressions still mean what they
meant.
"""

from __future__ import annotations

import base64
import hashlib
import io
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.simulation.company import FIELD, VISITS, uuid, visit_id

if TYPE_CHECKING:
    from tests.simulation.world import Device, Saved


PHOTO = 4  # seeds that leave this rest by 16 are photos
KINDS = (
    "visit.answer", "visit.answer", "visit.answer", "visit.tick", "visit.note", "visit.note", "visit.language",
    "visit.follow_up", "visit.attempt", "visit.consent", "visit.consent", "visit.withdraw", "visit.retract",
    "visit.close", "visit.reopen", "visit.open", "tally.count",
)  # fmt: skip
PURPOSES = ("K1", "K8")


@dataclass
class Forms:
    """Fills in forms; `saved` is what the phones said "Saved" of."""

    saved: Mapping[str, Saved]
    opened: int = 0

    def fill(self, device: Device, seed: int, chance: random.Random, tab: int) -> dict[str, Any]:
        """A tap as the phones' process takes it. `chance` is of `seed`, and goes on for the next tab."""
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
        own = [n for n in range(VISITS - 2) if FIELD[n % 3] == device.person]
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
                item, answer = f"i{chance.randrange(30, 34)}", chance.choice(("ok", "fault", ""))
                return {"item": item, "answer": answer, "guide": "g1", "language": language}
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
        signature = _signature(chance, blobs) if chance.random() < 0.6 else ""
        return {
            "purpose": chance.choice(PURPOSES), "decision": chance.choice(("yes", "no")), "text_key": "K8.text",
            "text_version": "1", "text_sha256": "0" * 64, "text_state": "machine", "language": language, "recipient": "",
            "given_by": "tenant", "method": "signature" if signature else "oral", "attested": not signature,
            "signature": signature, "interpreter": "ambassador", "expires": "2027-11-22",
        }  # fmt: skip


def _signature(chance: random.Random, blobs: list[dict[str, str]]) -> str:
    points = 2600 if chance.random() < 0.3 else 20  # one that rides along, one that does not
    path = "".join(f"L{chance.randrange(600)} {chance.randrange(120)}" for _ in range(points))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 120"><path d="M1 1{path}" fill="none" stroke="#000" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>'
    sha = hashlib.sha256(svg.encode()).hexdigest()
    blobs.append(
        {
            "sha256": sha,
            "type": "image/svg+xml",
            "bytes": base64.b64encode(svg.encode()).decode(),
        }
    )
    return sha


def _photo(chance: random.Random, blobs: list[dict[str, str]]) -> str:
    """The hash of a new picture: one that goes by itself, or (a third) one that goes in pieces."""
    size = 300_000 if chance.random() < 0.33 else 20_000
    octets = JPEG + chance.randbytes(8) + bytes(size)  # readers stop at the picture's own end
    sha = hashlib.sha256(octets).hexdigest()
    text = base64.b64encode(octets).decode()
    blobs.append({"sha256": sha, "type": "image/jpeg", "bytes": text})
    return sha


def _jpeg() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "gray").save(made, "JPEG")
    return made.getvalue()


JPEG = _jpeg()
