"""What a company may set, and nothing else: one table of TROSKEL_* variables.

Invariant: a `Settings` that exists is possible as a whole; every variable is in `TABLE`,
with its default and what it means. It refuses unknown TROSKEL_ names, impossible values and
unsafe combinations, and tells all of them at once, so that one start shows all mistakes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pwa.guide.languages import LANGUAGES

GUIDE_LANGUAGES = tuple(LANGUAGES)
LOOPBACK = ("127.0.0.1", "localhost")
BackupMode = Literal["own", "external"]


class SettingsError(Exception):
    """The start is stopped. `problems` holds one sentence for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one company's server. Paths are absolute; numbers are in the unit of
    their name."""

    data: Path = field(default_factory=lambda: Path("instance").resolve())
    port: int = 8000
    host: str = "127.0.0.1"
    public_url: str = ""
    zone: str = "Europe/Stockholm"
    session_hours: int = 24
    window_back_days: int = 14
    window_ahead_days: int = 7
    visit_within_days: int = 30
    new_tenancy_days: int = 365
    languages: tuple[str, ...] = GUIDE_LANGUAGES
    threads: int = 8
    proxies: int = 0
    backup: BackupMode = "own"
    keep_sent_days: int = 14

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.public_url:
            raise SettingsError(
                [
                    f"TROSKEL_HOST is {self.host}, which others can reach, but TROSKEL_PUBLIC_URL is "
                    "empty. Phones keep work only on https pages, and passwords must not travel in "
                    "the open: set TROSKEL_PUBLIC_URL to the https address people use, or leave "
                    "TROSKEL_HOST at 127.0.0.1."
                ]
            )

    @property
    def https(self) -> bool:
        """Whether people reach this server by https."""
        return bool(self.public_url)

    @property
    def trusted_hosts(self) -> list[str]:
        """The names a request's Host header may have (a guard against DNS rebinding)."""
        return [urlsplit(self.public_url).hostname or ""] if self.https else list(LOOPBACK)

    @property
    def url(self) -> str:
        """The address people use, without a slash at the end."""
        return self.public_url or f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the variable, the field of `Settings`, how it is read, what it is."""

    variable: str
    field: str
    read: Callable[[str], Any]
    meaning: str


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _choice(*options: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in options:
            raise ValueError("must be one of: " + ", ".join(options))
        return text

    return read


def _path(text: str) -> Path:
    if not text:
        raise ValueError("must not be empty")
    return Path(text).resolve()


def _host(text: str) -> str:
    if not text or "/" in text or ":" in text or any(c.isspace() for c in text):
        raise ValueError("must be an IPv4 address or a host name, without scheme and port")
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if not text:
        return ""
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise ValueError("must be empty or look like https://visits.example.se")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must have no path: cookies and the phone's scope need the whole host")
    return f"https://{parts.netloc.lower()}"


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as Europe/Stockholm") from None
    return text


def _languages(text: str) -> tuple[str, ...]:
    tags = tuple(tag.strip() for tag in text.split(","))
    unknown = [tag for tag in tags if tag not in GUIDE_LANGUAGES]
    if unknown:
        raise ValueError(
            f"unknown language {', '.join(unknown) or 'empty'}; known: {', '.join(GUIDE_LANGUAGES)}"
        )
    if "sv" not in tags:
        raise ValueError("must contain sv: Swedish is the original of the guide")
    return tuple(dict.fromkeys(tags))


TABLE: tuple[Row, ...] = (
    Row("TROSKEL_DATA", "data", _path, "folder of the database, pictures and secret"),
    Row("PORT", "port", _whole(0, 65535), "port to listen on; 0 takes a free one"),
    Row("TROSKEL_HOST", "host", _host, "address to listen on; others than loopback need the public URL"),
    Row("TROSKEL_PUBLIC_URL", "public_url", _public_url, "https address people use; empty: loopback http only"),
    Row("TROSKEL_ZONE", "zone", _zone, "the company's time zone: what day it is"),
    Row("TROSKEL_SESSION_HOURS", "session_hours", _whole(1, 168), "hours until a sign-in ends"),
    Row("TROSKEL_WINDOW_BACK_DAYS", "window_back_days", _whole(0, 60), "days back that phones hold visits"),
    Row("TROSKEL_WINDOW_AHEAD_DAYS", "window_ahead_days", _whole(0, 60), "days ahead that phones hold visits"),
    Row("TROSKEL_VISIT_WITHIN_DAYS", "visit_within_days", _whole(1, 365), "days after moving in until a visit is overdue"),
    Row("TROSKEL_NEW_TENANCY_DAYS", "new_tenancy_days", _whole(1, 3650), "older tenancies are registered without a visit"),
    Row("TROSKEL_LANGUAGES", "languages", _languages, "languages of the guide, separated by commas"),
    Row("TROSKEL_THREADS", "threads", _whole(1, 64), "threads that answer requests"),
    Row("TROSKEL_PROXIES", "proxies", _whole(0, 5), "trusted proxies in front (X-Forwarded-*)"),
    Row("TROSKEL_BACKUP", "backup", _choice(*get_args(BackupMode)), "own: troskel backup moves the backup mark; external: another tool backs up"),
    Row("TROSKEL_KEEP_SENT_DAYS", "keep_sent_days", _whole(1, 14), "days phones keep sent work at most"),
)  # fmt: skip


def settings_from(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings in `environ` (default: the process's), with the command line's `overrides`.

    An empty variable means its default. Raises SettingsError listing everything that is wrong.
    """
    environ = os.environ if environ is None else environ
    known = {row.variable for row in TABLE}
    problems = [
        f"{name} is not a setting; `troskel settings` lists them all."
        for name in sorted(environ)
        if name.startswith("TROSKEL_") and name not in known
    ]
    values: dict[str, Any] = {}
    for row in TABLE:
        text = environ.get(row.variable, "").strip()
        if not text or row.field in overrides:
            continue
        try:
            values[row.field] = row.read(text)
        except ValueError as problem:
            problems.append(f"{row.variable} is {text!r}: {problem}.")
    try:
        settings = Settings(**{**values, **overrides})
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise SettingsError(problems)
    return settings


def settings_table(settings: Settings) -> str:
    """All variables as text: name, value in force, meaning; one per line."""
    shown = [(row.variable, _show(getattr(settings, row.field)), row.meaning) for row in TABLE]
    wide = [max(len(line[i]) for line in shown) for i in (0, 1)]
    return "\n".join(f"{a:<{wide[0]}}  {b:<{wide[1]}}  {c}" for a, b, c in shown)


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(str(one) for one in value)
    return str(value) if value != "" else "(empty)"
