"""The entry with which a log continues after it was restored from a backup.

Invariant: no `seq` is ever given twice, even those of operations that the restore lost. `base` says
what an operation's author had seen; if lost numbers were given to other operations, one made before
the restore would seem to have seen them, and its "yes" could override a withdrawal that its author
was never shown (I5). Nothing else is changed: phones send the lost operations again (PROTOCOL.md
section 4).
"""

from __future__ import annotations

import hashlib
import json

from sync.storage import Batch, Entry, Storage, chained

KIND = "log.restored"
LEAP = 1_000_000
"""Numbers skipped: more operations than any company makes between two backups."""


def begin_anew(storage: Storage, at: str) -> int:
    """Write the entry and return its number, `LEAP` above the last one in the log.

    `at` is the server's time, ISO 8601 UTC.
    """
    with storage.transaction():
        head = storage.head()
        assert head is not None
        seq = head.seq + LEAP
        name = hashlib.sha256(f"{head.digest} {at}".encode()).hexdigest()
        # Shaped as a name-based UUID (RFC 9562, 5.5): this package uses no random source.
        id = f"{name[:8]}-{name[8:12]}-5{name[13:16]}-8{name[17:20]}-{name[20:32]}"
        envelope = {
            "id": id, "v": 1, "kind": KIND, "subject": {"type": "log", "id": ""}, "by": "",
            "device": "", "device_seq": 0, "at": at, "base": head.seq, "data": {},
        }  # fmt: skip
        octets = json.dumps(envelope, separators=(",", ":")).encode()
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
