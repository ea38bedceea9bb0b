"""What every command of `troskel` uses: its data folder, the running services, messages in words.

Invariant: a command uses the same services as the server, opened and closed here, and may run beside
it; a refusal is shown in the terminal's language.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from flask_babel import force_locale

from pwa import create_app
from pwa.people import accounts
from pwa.problems import Problem
from pwa.services import EXTENSION, Services
from pwa.settings import Settings, settings_from
from pwa.web import i18n

Command = TypeVar("Command", bound=Callable[..., Any])


def with_data(command: Command) -> Command:
    """The --data option, which every subcommand has."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the database (else TROSKEL_DATA, else ./instance).",
    )(command)


def settings_here(data: Path | None, **overrides: Any) -> Settings:
    """The settings in force, with `--data` (None: not given) and `overrides` on top. SettingsError."""
    if data is not None:
        overrides["data"] = data.resolve()
    return settings_from(**overrides)


@contextmanager
def running(data: Path | None) -> Iterator[Services]:
    """The application's services without a server, in the terminal's language. A Problem raised in the
    block becomes click's own error, in words."""
    app = create_app(settings_here(data))
    services: Services = app.extensions[EXTENSION]
    try:
        with app.app_context(), force_locale(i18n.locale_of(_terminal_language())):
            try:
                yield services
            except Problem as problem:
                raise click.ClickException(in_words(problem)) from None
    finally:
        services.close()


def _terminal_language() -> str:
    named = next(
        (os.environ[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(n)), ""
    )
    language = named.split("_")[0].split(".")[0].lower()
    return language if language in accounts.INTERFACE_LANGUAGES else "en"


def in_words(problem: Problem) -> str:
    """What went wrong and what to do, in the language in force."""
    return f"{problem.title}. {problem.remedy}"


def end_with(code: int) -> None:
    """Leave the command with exit code `code`."""
    if code:
        raise click.exceptions.Exit(code)
