"""The server: gunicorn with one worker process and several threads.

Invariant: one server for a data folder (`server.lock`, held by the parent process while it runs),
one process that writes (pwa/database/connections.py), and no query string, name or address in the
access log. Demo sign-ins are served on loopback only, whatever the settings say.
"""

from __future__ import annotations

import importlib
from typing import Any
from urllib.parse import quote

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from pwa import create_app, initialise
from pwa.database import DatabaseError
from pwa.database.locks import hold_server_lock
from pwa.database.marks import is_demo, mark_as_demo
from pwa.people import accounts
from pwa.services import EXTENSION, Services
from pwa.settings import LOOPBACK, Settings

START_WAIT_SECONDS = 3.0
ACCESS_LOG = "%(t)s %(m)s %(U)s %(s)s %(B)s %(M)sms"


class _Log(Logger):  # type: ignore[misc]
    """Gunicorn's log; a line end in an address (`%0A`) begins no line of its own in it."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> Any:
        path = quote(environ["PATH_INFO"].encode("latin-1"))
        return super().atoms(resp, req, environ, request_time) | {"U": path}


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with our settings; the application is made in the worker, after the fork."""

    def __init__(self, settings: Settings, greeting: str) -> None:
        self._settings = settings
        self._greeting = greeting
        super().__init__()

    def load_config(self) -> None:
        for name, value in {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": 1,  # more would be more writers, see pwa/database/connections.py
            "worker_class": "gthread",
            "threads": self._settings.threads,
            "timeout": 120,
            "graceful_timeout": 20,
            "keepalive": 20,
            "accesslog": "-",
            "access_log_format": ACCESS_LOG,
            "logger_class": _Log,
            "errorlog": "-",
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": self._say_ready,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return create_app(self._settings)

    def _say_ready(self, arbiter: Any) -> None:
        # Port 0 is known only now.
        host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
        url = self._settings.public_url or f"http://{host}:{port}"
        click.echo(f"Tröskel is at {url}\n{self._greeting}".rstrip())


def serve(settings: Settings, *, demo: bool) -> None:
    """Serve until told to stop (SIGTERM, SIGINT). With `demo`, fill an empty database first.

    Raises DatabaseError when the folder cannot be served, or demo data must not be.
    """
    if demo:
        if settings.host not in LOOPBACK or settings.public_url:
            raise DatabaseError(
                "Demo sign-ins have a password that everyone knows: --demo is for loopback only."
            )
        initialise(settings)
    lock = hold_server_lock(settings.data, START_WAIT_SECONDS)
    try:
        # Made once here so that everything that is wrong is reported in words, not by the worker.
        app = create_app(settings)
        services: Services = app.extensions[EXTENSION]
        with app.app_context():
            greeting = _fill_demo(services) if demo else ""
            _refuse_open_demo(services)
        services.close()
        _Server(settings, greeting).run()
    finally:
        lock.release()


def _fill_demo(services: Services) -> str:
    with services.databases.reading() as db:
        empty = not accounts.list_users(db, active_only=False)
        filled = is_demo(db)
    if empty:
        with services.databases.writing() as db:
            mark_as_demo(db)
        importlib.import_module("pwa.commands.demo").fill(services)
    elif not filled:
        return "This folder holds no demo data, so nothing was filled in."
    with services.databases.reading() as db:
        users = accounts.list_users(db)
    people = "\n".join(f"  {user.name:<8} {user.role}" for user in users)
    return f'Demo sign-ins, password "demo":\n{people}'


def _refuse_open_demo(services: Services) -> None:
    with services.databases.reading() as db:
        demo = is_demo(db)
    if demo and (services.settings.https or services.settings.host not in LOOPBACK):
        raise DatabaseError(
            f"{services.settings.data} holds demo sign-ins with a password that everyone knows: it "
            "may be served on loopback only. Use another folder for real people."
        )
