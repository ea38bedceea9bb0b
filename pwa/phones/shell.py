"""What a phone fetches once and keeps: the shell, the worker, the manifest, guide packs.

Everything here is public and the same for everyone: no cookie is read, no personal data is in
it, so that a worker can verify it by hash and keep it. Every GET below /field/ answers the same
shell; the page itself is made on the phone. There is no POST: field work reaches the server
through /sync only, and a form that slipped past the phone's router must find nobody here.
"""

import hashlib
import json

from flask import Blueprint, Response, abort, current_app

from pwa.bundle.assets import Assets, content_type, is_compressible
from pwa.publishing.versions import pack_bytes
from pwa.services import get_services
from pwa.web import access
from pwa.web.compression import compress
from pwa.web.security import csp

blueprint = Blueprint("field", __name__)

LOADED_BY_SHELL = ("build/fonts.css", "css/base.css", "css/field.css", "css/visit.css")

# form-action 'none': a native submit before htmx is ready would carry a tenant's data to a
# server that has no use for it, and the visitor would lose the form.
SHELL_CSP = csp(form_action="'none'")
WORKER_CSP = "default-src 'none'; script-src 'self'; connect-src 'self'"


FOR_EVER = "public, max-age=31536000, immutable"


@blueprint.get("/field/")
@blueprint.get("/field/<path:page>")
@access.public
def shell(page: str = "") -> Response:
    """The one page a phone ever loads. `page` is read by the phone's router, not here."""
    if not _assets().complete:
        return Response("The phone's files are not made yet: python -m pwa.bundle.build\n", 503)
    response = _public(_shell(), "text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = SHELL_CSP
    return response


@blueprint.get("/s/<version>/<path:name>")
@access.public
def asset(version: str, name: str) -> Response:
    """A public file of the current version."""
    content = _assets().read(version, name)
    if content is None:
        abort(404)
    response = _public(content, content_type(name), pack=is_compressible(name))
    response.headers["Cache-Control"] = FOR_EVER
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@blueprint.get("/sw.js")
@access.public
def worker() -> Response:
    """The worker, with the version and the list of files it keeps written into its head."""
    assets = _assets()
    shell_file = {
        "url": "/field/",
        "sha256": hashlib.sha256(_shell()).hexdigest(),
        "type": "text/html",
    }
    files = [shell_file, *assets.worker_files]
    head = f"const VERSION = {json.dumps(assets.version)}\nconst FILES = {json.dumps(files)}\n"
    source = (assets.static_dir / "sw.js").read_bytes()
    response = _public(head.encode() + source, "text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = WORKER_CSP
    return response


@blueprint.get("/manifest.webmanifest")
@access.public
def manifest() -> Response:
    """What an installed Tröskel is called and looks like."""
    url = _assets().url
    icons = [
        {"src": url("icons/icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": url("icons/icon-512.png"), "sizes": "512x512", "type": "image/png"},
        {
            "src": url("icons/icon-maskable-512.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    content = {
        "id": "/field/",
        "name": "Tröskel",
        "short_name": "Tröskel",
        "description": "Hemkunskap: välkomstbesök hos nya hyresgäster",
        "lang": "sv",
        "dir": "ltr",
        "start_url": "/field/",
        "scope": "/field/",
        "display": "standalone",
        "background_color": "#fbf8f4",
        "theme_color": "#8a2c0d",
        "icons": icons,
        "shortcuts": [
            {"name": "Nytt besök", "url": "/field/new"},
            {"name": "På telefonen", "url": "/field/outbox"},
        ],
    }
    body = json.dumps(content, ensure_ascii=False).encode()
    response = _public(body, "application/manifest+json")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/guide/<version>/<language>.json")
@access.public
def guide_pack(version: str, language: str) -> Response:
    """One language of a version that was ever published: never changes, so it may be kept."""
    with get_services().databases.reading() as db:
        pack = pack_bytes(db, version, language)
    if pack is None:
        abort(404)
    response = _public(pack, "application/json")
    response.headers["Cache-Control"] = FOR_EVER
    return response


@blueprint.get("/healthz")
@access.public
def healthz() -> Response:
    """200 when the database answers; for the load balancer and the watch."""
    with get_services().databases.reading() as database:
        database.execute("select 1").fetchone()
    body = json.dumps({"status": "ok", "version": _assets().version})
    response = Response(body, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _public(content: bytes, content_type: str, *, pack: bool = True) -> Response:
    """An answer that is the same for everyone."""
    response = Response(content, content_type=content_type)
    response.headers["X-Content-Type-Options"] = "nosniff"
    if pack:
        compress(response, public=True)
    return response


def _assets() -> Assets:
    assets: Assets = get_services().assets
    return assets


def _shell() -> bytes:
    """The shell's bytes. Rendered without Flask's context: what depended on who asks would
    break the hash that the worker checks."""
    url = _assets().url
    return (
        current_app.jinja_env.get_template("field/shell.html")
        .render(
            version=_assets().version,
            styles=[url(name) for name in LOADED_BY_SHELL if name in _assets().files],
            url=url,
        )
        .encode()
    )
