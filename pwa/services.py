"""What a request may use: settings, database, storage, guide, assets, and the time.

Invariant: one `Services` for each application, made in `create_app` and nowhere else; every
clock the application reads is `now()` or `today()`. It refuses to be a bag for request data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast
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


@dataclass(slots=True)
class Services:
    """The parts of one running application.

    `baseline` is the guide of this release's files, `guide` the one in force (pwa/publishing).
    """

    settings: Settings
    databases: Databases
    storage: Storage
    baseline: Guide
    guide: Guide
    assets: Assets
    blobs: Blobs
    throttle: Throttle

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """What day it is in the company's zone."""
        return self.now().astimezone(ZoneInfo(self.settings.zone)).date()

    def close(self) -> None:
        """Close the database; nothing works afterwards."""
        self.databases.close()


def get_services() -> Services:
    """The services of the current application."""
    extensions: dict[str, Any] = current_app.extensions
    return cast(Services, extensions[EXTENSION])
