"""How each phone is, the worst first: its last report, and what it needs somebody for.

Invariant: counts and times only, nothing of a visit; a loss that a phone reported counts until
somebody has pressed "seen to".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from pwa.desk.parts import staff
from pwa.phones import devices

SILENT_HOURS = 48  # a phone with unsent work that has had no contact for so long
STUCK_HOURS = 72  # unsent work so old on a phone that has contact: it is not the network
FREE_BYTES_MIN = 200_000_000
# What may be the matter, the worst first; the first four call for somebody today.
NEEDS = ("lost", "silent", "stuck", "space", "version", "persist")
URGENT = frozenset(NEEDS[:4])


@dataclass(frozen=True, slots=True)
class Phone:
    """A device as the desk shows it: its last report, its person's name, what it needs."""

    row: devices.DeviceRow
    person: str
    needs: tuple[str, ...]

    @property
    def urgent(self) -> bool:
        return bool(URGENT.intersection(self.needs))


def list_phones(db: Database, now: datetime, version: str) -> list[Phone]:
    """The phones, those that need someone first. `version` is the one this server gives out."""
    names, rows = staff.names(db), devices.list_devices(db)
    phones = [Phone(row, names.get(row.user, ""), needs_of(row, now, version)) for row in rows]
    return sorted(phones, key=_badness)


def needs_of(row: devices.DeviceRow, now: datetime, version: str) -> tuple[str, ...]:
    """Codes of NEEDS that fit, the worst first."""
    silent = row.seen_at < (now - timedelta(hours=SILENT_HOURS)).isoformat()
    found = {
        "lost": row.lost_at != "",
        "silent": row.unsent > 0 and silent,
        "stuck": row.unsent > 0 and not silent and _is_older(row.oldest_unsent_at, now),
        "space": row.tight or 0 < row.quota < row.usage + FREE_BYTES_MIN,
        "version": row.version not in ("", version),
        "persist": not row.persisted,
    }
    return tuple(code for code in NEEDS if found[code])


def _is_older(at: str, now: datetime) -> bool:
    try:
        return now - datetime.fromisoformat(at) > timedelta(hours=STUCK_HOURS)
    except (ValueError, TypeError):
        return False  # the phone's own report: it may be no time at all


def _badness(phone: Phone) -> tuple[int, int, str]:
    worst = NEEDS.index(phone.needs[0]) if phone.needs else len(NEEDS)
    return worst, -phone.row.unsent, phone.row.seen_at
