"""What an installation may set: one table of environment variables, TROSKEL_* and PORT.

Invariant: a `Settings` object is valid as a whole; every variable is in `TABLE`, with its default
and its meaning. Unknown TROSKEL_ names, impossible values and unsafe combinations are refused, all
in one error, so that one start shows all mistakes.
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
    """The settings are not valid. `problems` has one sentence for each mistake."""

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
        """Whether people use this server over https."""
        return bool(self.public_url)

    @property
    def trusted_hosts(self) -> list[str]:
        """The values a request's Host header may have, against DNS rebinding."""
        return [urlsplit(self.public_url).hostname or ""] if self.https else list(LOOPBACK)

    @property
    def url(self) -> str:
        """The address people use, without a slash at the end."""
        return self.public_url or f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of the table: the variable's name, its field of `Settings`, its parser, its meaning."""

    name: str
    field: str
    parse: Callable[[str], Any]
    meaning: str


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def _choice(*options: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in options:
            raise ValueError("must be one of: " + ", ".join(options))
        return text

    return parse


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


TABLE: tuple[Variable, ...] = (
    Variable("TROSKEL_DATA", "data", _path, "folder of the database, pictures and secret"),
    Variable("PORT", "port", _integer(0, 65535), "port to listen on; 0 takes a free one"),
    Variable("TROSKEL_HOST", "host", _host, "address to listen on; others than loopback need the public URL"),
    Variable("TROSKEL_PUBLIC_URL", "public_url", _public_url, "https address people use; empty: loopback http only"),
    Variable("TROSKEL_ZONE", "zone", _zone, "the company's time zone: what day it is"),
    Variable("TROSKEL_SESSION_HOURS", "session_hours", _integer(1, 168), "hours until a sign-in ends"),
    Variable("TROSKEL_WINDOW_BACK_DAYS", "window_back_days", _integer(0, 60), "days back that phones hold visits"),
    Variable("TROSKEL_WINDOW_AHEAD_DAYS", "window_ahead_days", _integer(0, 60), "days ahead that phones hold visits"),
    Variable("TROSKEL_VISIT_WITHIN_DAYS", "visit_within_days", _integer(1, 365), "days after moving in until a visit is overdue"),
    Variable("TROSKEL_NEW_TENANCY_DAYS", "new_tenancy_days", _integer(1, 3650), "older tenancies are registered without a visit"),
    Variable("TROSKEL_LANGUAGES", "languages", _languages, "languages of the guide, separated by commas"),
    Variable("TROSKEL_THREADS", "threads", _integer(1, 64), "threads that answer requests"),
    Variable("TROSKEL_PROXIES", "proxies", _integer(0, 5), "trusted proxies in front (X-Forwarded-*)"),
    Variable("TROSKEL_BACKUP", "backup", _choice(*get_args(BackupMode)), "own: troskel backup moves the backup mark; external: another tool backs up"),
    Variable("TROSKEL_KEEP_SENT_DAYS", "keep_sent_days", _integer(1, 14), "days phones keep sent work at most"),
)  # fmt: skip


def settings_from(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings in `environ` (default: the process's), with the command line's `overrides`.

    An empty variable means its default. Raises SettingsError with every mistake.
    """
    environ = os.environ if environ is None else environ
    known = {row.name for row in TABLE}
    problems = [
        f"{name} is not a setting; `troskel settings` lists them all."
        for name in sorted(environ)
        if name.startswith("TROSKEL_") and name not in known
    ]
    values: dict[str, Any] = {}
    for row in TABLE:
        text = environ.get(row.name, "").strip()
        if not text or row.field in overrides:
            continue
        try:
            values[row.field] = row.parse(text)
        except ValueError as problem:
            problems.append(f"{row.name} is {text!r}: {problem}.")
    try:
        settings = Settings(**{**values, **overrides})
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise SettingsError(problems)
    return settings


def settings_table(settings: Settings) -> str:
    """All variables as text, one per line: name, current value, meaning."""
    shown = [(row.name, _show(getattr(settings, row.field)), row.meaning) for row in TABLE]
    wide = [max(len(line[i]) for line in shown) for i in (0, 1)]
    return "\n".join(f"{a:<{wide[0]}}  {b:<{wide[1]}}  {c}" for a, b, c in shown)


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(str(one) for one in value)
    return str(value) if value != "" else "(empty)"
