"""Who read what of a tenant's: each opening of a visit and of the pictures of a home.

Invariant: the line in access_log is written before the answer is sent.
"""

from __future__ import annotations

from datetime import timedelta

from pwa.desk.parts import tables
from pwa.people.accounts import User
from pwa.services import Services

_ONE_READING = timedelta(minutes=1)


def log_reading(services: Services, user: User, visit: str) -> None:
    """Write down that `user` opens `visit`."""
    with services.databases.writing() as db:
        tables.add_reading(db, user.id, visit, services.now().isoformat(timespec="seconds"))


def log_picture(services: Services, user: User, visit: str) -> None:
    """Write down that `user` sees a photo of `visit`: one line for all that a page shows at once."""
    since = (services.now() - _ONE_READING).isoformat(timespec="seconds")
    with services.databases.reading() as db:
        known = tables.has_read_since(db, user.id, visit, since)
    if not known:
        log_reading(services, user, visit)
