"""What a request may use: settings, database, storage, guide, assets, and the clock.

Invariant: one `Services` for each application, made in `create_app` and nowhere else; the
application reads the time through `now()` or `today()` only. Nothing here belongs to one request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from zoneinfo import ZoneInfo

from flask import current_app

from pwa.blobs.files import Blobs
from pwa.database.connections import Databases
from pwa.people.throttle import Throttle
from pwa.settings import Settings

if TYPE_CHECKING:
    from pwa.bundle.assets import Assets
    from pwa.guide import Guide
    from sync.storage import Storage

EXTENSION = "troskel"
Answer = TypeVar("Answer")


class LastAnswer(Generic[Answer]):
    """The last answer to a question, for as long as what it depends on stays the same."""

    def __init__(self) -> None:
        self._last: tuple[object, Answer] | None = None

    def get(self, state: object, compute: Callable[[], Answer]) -> Answer:
        """The answer for `state`, computed unless it was for the last one."""
        last = self._last  # read once: another thread may replace it
        if last is None or last[0] != state:
            last = self._last = (state, compute())
        return last[1]


@dataclass(slots=True)
class Services:
    """The parts of one running application.

    `baseline` is the guide of this release's files, `guide` the one in force (pwa/publishing);
    `recording_digests` is what pulls say of recordings (`digests` in pwa/publishing/recordings.py).
    """

    settings: Settings
    databases: Databases
    storage: Storage
    baseline: Guide
    guide: Guide
    assets: Assets
    blobs: Blobs
    throttle: Throttle
    recording_digests: LastAnswer[dict[str, str]] = field(default_factory=LastAnswer)

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The date in the company's time zone."""
        return self.now().astimezone(ZoneInfo(self.settings.zone)).date()

    def close(self) -> None:
        """Close the database; nothing works afterwards."""
        self.databases.close()


def get_services() -> Services:
    """The services of the current application."""
    extensions: dict[str, Any] = current_app.extensions
    return cast(Services, extensions[EXTENSION])
