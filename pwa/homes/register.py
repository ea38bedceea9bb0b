"""What the register of tenancies says of one home: the data of `tenancy.register`, and its hash.

Invariant: the data holds what a visit needs, and no more; two rows with the same data have the
same fingerprint, so a file that is imported twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pwa.homes.files import TenancyRow


def register_data(row: TenancyRow) -> dict[str, Any]:
    """The data of the operation `tenancy.register` (sync/kinds.py) for a row of a file."""
    return {
        "ref": row.tenancy_ref,
        "object": row.object_ref,
        "apartment": row.apartment_number,
        "street": row.street,
        "postcode": row.postcode,
        "city": row.city,
        "property": row.property,
        "building": row.building,
        "area": row.area,
        "move_in": row.move_in.isoformat(),
        "lease_end": row.lease_end.isoformat() if row.lease_end else "",
        "tenants": list(row.tenants),
        "phones": [{"original": one["original"], "e164": one["e164"] or ""} for one in row.phones],
        "email": row.email,
        "language": row.language,
        "customer": row.customer_ref,
    }


def fingerprint(data: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the data of `tenancy.register`: another one means that a cell has changed."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
