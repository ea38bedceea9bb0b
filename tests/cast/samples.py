"""Valid data of the kinds of operations, one of each, and the blobs they name.

Invariant: every mapping has all keys of its kind, so a test that changes one key with `|` still has
data that the server accepts.
"""

from __future__ import annotations

import hashlib
from typing import Any

FIELDS: dict[str, Any] = {
    "ref": "", "object": "705-022-04-0201", "apartment": "1102", "street": "Gatvägen 12 A",
    "postcode": "72187", "city": "Västerås", "property": "", "building": "", "area": "Norr",
    "move_in": "2026-11-10", "lease_end": "", "tenants": ["Testsson Test"],
    "phones": [{"original": "070-123 45 67", "e164": "+46701234567"}], "email": "",
    "language": "ar", "customer": "",
}  # fmt: skip
"""A tenancy (`tenancy.register`), without its reference."""

CONSENT: dict[str, Any] = {
    "purpose": "K8", "decision": "yes", "text_key": "K8.text", "text_version": "1",
    "text_sha256": "0" * 64, "text_state": "machine", "language": "ar", "recipient": "",
    "given_by": "tenant", "method": "oral", "attested": True, "signature": "",
    "interpreter": "ambassador", "expires": "2027-11-22",
}  # fmt: skip
"""A consent given orally (`visit.consent`)."""

SIGNATURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M1 1l7 7"/></svg>'
"""A signature as the phone's pad draws it, of one stroke."""


def consent(purpose: str = "K8", **changes: Any) -> dict[str, Any]:
    """A consent for `purpose`."""
    return CONSENT | {"purpose": purpose, "text_key": f"{purpose}.text"} | changes


def signed(sha256: str, purpose: str = "K8", **changes: Any) -> dict[str, Any]:
    """A consent given with the signature of that hash."""
    return consent(purpose, method="signature", signature=sha256) | changes


def answer(item: str = "i23", value: str = "ok") -> dict[str, Any]:
    """The answer to one question (`visit.answer`)."""
    return {"item": item, "answer": value, "guide": "g1", "language": "ar"}


def sha256_of(octets: bytes) -> str:
    """The hash by which operations name a blob."""
    return hashlib.sha256(octets).hexdigest()


def pen_strokes(path: str) -> str:
    """A signature of `path` in the form the phone's pad writes (static/field/views/signature.js)."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 120">'
        f'<path d="{path}" fill="none" stroke="#000" stroke-width="2.5" '
        'stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )
