"""What the phone shares with the server, written from the server's own constants: the protocol's kinds
of operations and limits, queues and urgencies.

Invariant: each of them stands in Python alone; static/build/constants.js is made from it, so the two
cannot differ. Kinds about a tenancy are left out: no phone makes or applies them. The version of a
kind is not here either: the phone's code says which form of the data it writes.
"""

import json
from collections.abc import Mapping

from sync import limits
from sync.kinds import KINDS
from sync.operations import MEDIA_TYPE, PROTOCOL
from sync.shapes import QUEUES, URGENCIES

VALUES: Mapping[str, object] = {
    "PROTOCOL": PROTOCOL,
    "MEDIA_TYPE": MEDIA_TYPE,
    "OPERATION_BYTES_MAX": limits.OPERATION_BYTES_MAX,
    "BATCH_OPERATIONS_MAX": limits.BATCH_OPERATIONS_MAX,
    "RIDING_BLOB_BYTES_MAX": limits.RIDING_BLOB_BYTES_MAX,
    "BLOB_BYTES_MAX": limits.BLOB_BYTES_MAX,
    "TEXT_CHARACTERS_MAX": limits.TEXT_CHARACTERS_MAX,
    "PENDING": limits.SEQ_MAX,
    "QUEUES": QUEUES,
    "URGENCIES": URGENCIES,
}
"""Name on the phone → value."""


def compile_module() -> str:
    """One ES module with VALUES, and KINDS: kind → whether a review looks at it, names of its data."""
    kinds = {
        name: {"content": kind.content, "fields": list(kind.fields)}
        for name, kind in KINDS.items()
        if kind.type != "tenancy"
    }
    lines = [f"export const {name} = {json.dumps(value)}" for name, value in VALUES.items()]
    return "\n".join(
        [
            "// Made by pwa/bundle/build.py from sync; change it there.",
            *lines,
            "/** @type {Record<string, {content: boolean, fields: string[]}>} */",
            f"export const KINDS = {json.dumps(kinds)}",
            "",
        ]
    )
