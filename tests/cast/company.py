"""An application on a data folder, for tests that run without the fixtures of tests/conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from pwa import create_app, initialise
from pwa.database.connections import DATABASE
from pwa.homes import company
from pwa.services import EXTENSION, Services
from pwa.settings import Settings


def services_of(app: Flask) -> Services:
    """What the views get from `get_services()`."""
    services: Services = app.extensions[EXTENSION]
    return services


def make_app(data: Path) -> Flask:
    """The application on `data`, which is initialised where it has no database yet."""
    settings = Settings(data=data)
    if not (data / DATABASE).exists():
        initialise(settings)
    return create_app(settings)


@contextmanager
def open_app(data: Path) -> Iterator[Flask]:
    """`make_app`, closed at the end."""
    app = make_app(data)
    try:
        yield app
    finally:
        services_of(app).close()


def store_facts(services: Services) -> None:
    """Give the company's facts the guide's defaults: consents cannot be shown without them."""
    facts = {name: one.default for name, one in services.guide.settings.items() if one.default}
    with services.databases.writing() as db:
        company.store_settings(db, facts)
