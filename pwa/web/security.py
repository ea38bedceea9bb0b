"""What every answer carries, and which requests are not ours.

Invariant: a request that changes something comes from our own pages (Fetch Metadata, else
Origin; without either it is refused), and no answer to a signed-in person may be kept by a
cache. It refuses tokens in forms: they expire in a phone's queue (OWASP, Cross-Site Request
Forgery Prevention, "Fetch Metadata headers").
"""

from __future__ import annotations

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from pwa.problems import Problem
from pwa.settings import Settings
from sync.operations import MEDIA_TYPE

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HSTS = "max-age=31536000; includeSubDomains"


def csp(*, form_action: str = "'self'") -> str:
    """The Content-Security-Policy of a page: our own files, no inline script or style.

    The phone's shell takes `form_action="'none'"`: a form sent before htmx is ready must not
    reach a server.
    """
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
        "media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {form_action}"
    )


def is_ours(settings: Settings) -> bool:
    """Whether the current request was sent by a page of this server."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    own = settings.public_url or f"http://{request.host}"
    return request.headers.get("Origin") == own


def install(app: Flask, settings: Settings) -> None:
    """Put cookies, headers and the origin check on `app`."""
    app.config.update(
        SESSION_COOKIE_NAME="__Host-troskel" if settings.https else "troskel",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # The cookie ends when the session row does; sending it anew with every answer would
        # let a slow answer overwrite what a quicker one has just set.
        SESSION_REFRESH_EACH_REQUEST=False,
        TRUSTED_HOSTS=settings.trusted_hosts,
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
    )
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]

    @app.before_request
    def check_origin() -> None:
        if request.method not in SAFE_METHODS and not is_ours(settings):
            app.logger.warning("refused as not ours: %s %s", request.method, request.endpoint)
            raise Problem("origin")

    @app.after_request
    def headers(response: Response) -> Response:
        put = response.headers.setdefault
        put("X-Content-Type-Options", "nosniff")
        put("Cross-Origin-Resource-Policy", "same-origin")
        # These speak of documents; no browser makes one of our own media type, and a phone
        # would pay for them with every tap it sends.
        if response.mimetype != MEDIA_TYPE:
            put("Content-Security-Policy", csp())
            put("Referrer-Policy", "same-origin")
            put(
                "Permissions-Policy",
                "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
            )
            put("Cross-Origin-Opener-Policy", "same-origin")
        if settings.https:
            put("Strict-Transport-Security", HSTS)
        # Public files say themselves how long they keep; nothing personal is ever kept,
        # whatever a view has said.
        if g.get("troskel_personal") or "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response
