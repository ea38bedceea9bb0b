"""The entry a log goes on with after it was put back to an earlier state.

Invariant: no number is ever given twice, whatever was lost in between. An operation says with
`base` what its author had seen; one that was made before the restore and comes after it would
otherwise seem to have seen strangers that got the lost numbers, and its "yes" would stand over a
withdrawal nobody had shown its author. It refuses to change anything else: phones offer the
rest again (PROTOCOL.md section 4).
"""

from __future__ import annotations

import hashlib
import json

from sync.storage import Batch, Entry, Storage, chained

KIND = "log.restored"
LEAP = 1_000_000
"""More operations than any company makes between two backups."""


def begin_anew(storage: Storage, at: str) -> int:
    """Write the entry and return its number, `LEAP` above the last one that is there.

    `at` ISO 8601 UTC.
    """
    with storage.transaction():
        head = storage.head()
        assert head is not None
        seq = head.seq + LEAP
        name = hashlib.sha256(f"{head.digest} {at}".encode()).hexdigest()
        # Shaped as a name-based UUID (RFC 9562, 5.5): this package knows no chance.
        id = f"{name[:8]}-{name[8:12]}-5{name[13:16]}-8{name[17:20]}-{name[20:32]}"
        told = {
            "id": id, "v": 1, "kind": KIND, "subject": {"type": "log", "id": ""}, "by": "",
            "device": "", "device_seq": 0, "at": at, "base": head.seq, "data": {},
        }  # fmt: skip
        octets = json.dumps(told, separators=(",", ":")).encode()
        sha = hashlib.sha256(octets).hexdigest()
        storage.write(
            Batch(
                log=[
                    Entry(
                        seq=seq,
                        id=id,
                        sha256=sha,
                        digest=chained(head.digest, sha),
                        octets=octets,
                        kind=KIND,
                        type="log",
                        subject="",
                        by="",
                        device="",
                        device_seq=0,
                        at=at,
                        base=head.seq,
                        received_at=at,
                    )
                ]
            )
        )
    return seq
