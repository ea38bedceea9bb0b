"""The web application: `create_app` is the one place where its parts are put together.

Invariant: importing any module opens no file, no database and no socket; that is done here,
for one data folder. It refuses a folder that `troskel init` has not made, so that a mistyped
path does not become an empty company.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from flask import Flask

from pwa import desk
from pwa.blobs.files import Blobs
from pwa.blobs.signatures import Signatures
from pwa.bundle.assets import Assets
from pwa.bundle.template_compiler import configure as configure_templates
from pwa.database import DatabaseError
from pwa.database.connections import DATABASE, Databases
from pwa.database.disk import open_private
from pwa.database.marks import make_server_id
from pwa.database.migrations import migrate
from pwa.guide import load as load_guide
from pwa.people.throttle import Throttle
from pwa.phones import shell, wire
from pwa.publishing.versions import current_guide
from pwa.services import EXTENSION, Services
from pwa.settings import Settings, settings_from
from pwa.visits.holding import retry_newer
from pwa.web import access, errors, i18n, navigation, security, sign_in
from sync.limits import BATCH_BYTES_MAX
from sync.sqlite import SqliteStorage

SECRET = "secret"
COOKIE_DAYS = 90
FORM_BYTES_MAX = 32 * 1024 * 1024  # an import file of 100,000 rows; sync has its own limits
__all__ = ["create_app", "initialise"]


def initialise(settings: Settings) -> bool:
    """Make the data folder, its secret and its database where they are not there yet.

    Returns whether the folder was new. Harmless when repeated.
    """
    data = settings.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = data / SECRET
    new = not secret.exists()
    if new:
        with open(secret, "x", opener=open_private) as file:
            file.write(secrets.token_hex(32))
    _refuse_half_restored(data)
    databases = Databases(data / DATABASE)
    try:
        migrate(databases, datetime.now(UTC))
    finally:
        databases.close()
    return new


def create_app(config: Settings | None = None) -> Flask:
    """The application for `config` (default: the environment).

    Raises DatabaseError when the data folder cannot be used, SettingsError for the environment.
    """
    settings = config or settings_from()
    folder = _resources()
    # static_folder None: public files have their own address, with a version (pwa/bundle/assets.py).
    app = Flask("pwa", template_folder=str(folder / "templates"), static_folder=None)
    app.config.update(
        SECRET_KEY=_secret(settings.data),
        # The cookie outlives the session row (TROSKEL_SESSION_HOURS), which alone says who is
        # signed in: it also remembers that this browser is known (pwa/people/throttle.py).
        PERMANENT_SESSION_LIFETIME=timedelta(days=COOKIE_DAYS),
        MAX_CONTENT_LENGTH=max(FORM_BYTES_MAX, BATCH_BYTES_MAX),
    )
    _refuse_half_restored(settings.data)
    baseline, assets = load_guide(), Assets(folder / "static")
    databases = Databases(settings.data / DATABASE)
    services = app.extensions[EXTENSION] = Services(
        settings=settings,
        databases=databases,
        storage=SqliteStorage(databases.writer, lock=databases.lock),
        baseline=baseline,
        guide=baseline,
        assets=assets,
        blobs=Blobs(settings.data / "blobs", Signatures(databases)),
        throttle=Throttle(),
    )
    try:
        migrate(databases, services.now())
        with databases.writing() as db:
            services.guide = current_guide(db, baseline, services.now())
            make_server_id(db)
    except BaseException:
        services.close()
        raise

    # The order is the order of the checks: is it ours, who is it, may they.
    security.install(app, settings)
    sign_in.install(app)
    access.install(app)
    i18n.install(app, settings.zone)
    errors.install(app)
    navigation.install(app)
    # One place for Jinja's options: shared templates behave here as they do on the phone.
    configure_templates(app.jinja_env)
    app.jinja_env.globals["asset"] = partial(_asset, assets)

    # Every page there is. A blueprint or `register(app)` that is not in this list does not exist.
    app.register_blueprint(sign_in.blueprint)
    app.register_blueprint(shell.blueprint)
    app.register_blueprint(wire.blueprint)
    desk.register(app)
    with app.app_context():
        retry_newer(services)
    return app


def _asset(assets: Assets, name: str) -> str:
    # Before `python -m pwa.bundle.build` some files are not there: a desk page without its style
    # sheet is better than no page. The phone's shell asks `assets.complete` instead.
    return assets.url(name) if name in assets.files else f"/s/{assets.version}/{name}"


def _resources() -> Path:
    """The folder with templates/ and static/: this package's own in a wheel, beside it in a
    checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here, here.parent):
        if (folder / "templates" / "desk").is_dir():
            return folder
    raise FileNotFoundError(f"templates/ is neither in {here} nor beside it")


def _secret(data: Path) -> str:
    try:
        return (data / SECRET).read_text("utf-8")
    except OSError:
        raise DatabaseError(
            f"{data} is not a Tröskel data folder. Make one with: troskel init --data {data}"
        ) from None


def _refuse_half_restored(data: Path) -> None:
    # Cut short between putting the old aside and the new in place: an empty company must not grow.
    aside = sorted(data.glob("replaced-*"))
    if aside and not (data / DATABASE).exists():
        raise DatabaseError(
            f"A restore into {data} was cut short. Restore once more with --force; what was there is in {aside[-1]}."
        )
