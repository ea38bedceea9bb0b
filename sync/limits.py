"""How much of anything the protocol takes: the numbers of PROTOCOL.md sections 1 and 8.

Invariant: a limit stands here and nowhere else in Python; a test compares the table in section 8.
A lower limit would hold operations that phones have already saved, so limits only rise.
"""

from __future__ import annotations

OPERATION_BYTES_MAX = 16 * 1024
BATCH_OPERATIONS_MAX = 500
BATCH_BYTES_MAX = 4 * 1024 * 1024
RIDING_BLOB_BYTES_MAX = 16 * 1024
BLOB_BYTES_MAX = 12 * 1024 * 1024
SNAPSHOTS_PER_PULL = 200

TEXT_CHARACTERS_MAX = 280  # a note, a comment
CELL_CHARACTERS_MAX = 200  # one field of a tenancy
PHONES_MAX = 4
PHONE_CHARACTERS_MAX = 60
TENANTS_MAX = 4
VISITORS_MAX = 2
POINTS_MAX = 20
LIST_MAX = 200
SEQ_MAX = 2**52  # phones number what they have not sent from here on (PROTOCOL.md section 5)
