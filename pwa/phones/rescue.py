"""A rescue copy: the file that a phone gives out when it cannot send, taken in.

Invariant: it goes through the same push as from any phone, each operation once and with its exact
bytes; but nobody is signed in as its author, so all that is new is held until a supervisor takes it
in (I6, I7), and the phone may still send it itself. It refuses, as a whole, a file that is none.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pwa.services import Services
from pwa.visits.submitting import principals
from sync.limits import BATCH_OPERATIONS_MAX
from sync.push import push
from sync.rights import Principal

NOBODY = Principal("", "")


class NoRescueCopy(ValueError):
    """The file is not what a phone gives out."""


@dataclass(frozen=True, slots=True)
class Rescued:
    """What became of a file: operations held now or earlier, known already as applied, and the
    pictures and signatures kept and refused."""

    held: int
    known: int
    blobs: int
    refused_blobs: int


def take_in(services: Services, octets: bytes) -> Rescued:
    """Take in the file's operations and blobs. Raises NoRescueCopy before anything is stored."""
    texts, blobs = _read(octets)
    kept = sum(_keep(services, one) for one in blobs)
    results = []
    for start in range(0, len(texts), BATCH_OPERATIONS_MAX):
        batch = texts[start : start + BATCH_OPERATIONS_MAX]
        now = services.now().isoformat(timespec="seconds")
        pushed = push(
            services.storage, batch, NOBODY, now, people=principals(services.databases.writer)
        )
        results += [one.result for one in pushed.results]
    held = results.count("held")
    return Rescued(held, len(results) - held, kept, len(blobs) - kept)


def _read(octets: bytes) -> tuple[list[str], list[Mapping[str, Any]]]:
    try:
        file = json.loads(octets)
        if file["troskel"] != "unsent":
            raise NoRescueCopy("it says that it is something else")
        texts = [one["text"] for one in file["operations"]]
        blobs = file.get("blobs", [])
        strings = [*texts, *(one[key] for one in blobs for key in ("sha256", "base64"))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoRescueCopy(str(error)) from error
    if not all(isinstance(text, str) for text in strings):
        raise NoRescueCopy("what should be text is not")
    return texts, blobs


def _keep(services: Services, blob: Mapping[str, Any]) -> bool:
    try:
        services.blobs.put(blob["sha256"], base64.b64decode(blob["base64"], validate=True))
    except ValueError:  # refused, or not base64
        return False  # the operation that names it must not wait for it
    return True
