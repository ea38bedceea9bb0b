"""Security headers of every answer, and the check that a request comes from our own pages.

Invariant: a request that changes something comes from one of our own pages (Fetch Metadata, else
Origin; with neither it is refused), and no answer to a signed-in person may be cached. There are no
CSRF tokens in forms, because they would expire in a phone's queue (OWASP, Cross-Site Request Forgery
Prevention, "Fetch Metadata headers").
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

    The phone's shell takes `form_action="'none'"`: a form that is submitted before htmx is ready must
    not reach a server.
    """
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
        "media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {form_action}"
    )


def is_same_origin(settings: Settings) -> bool:
    """Whether a page of this server sent the current request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    own = settings.public_url or f"http://{request.host}"
    return request.headers.get("Origin") == own


def install(app: Flask, settings: Settings) -> None:
    """Configure cookies of `app`, and add the headers and the origin check."""
    app.config.update(
        SESSION_COOKIE_NAME="__Host-troskel" if settings.https else "troskel",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        # A session has a fixed end, so there is nothing to refresh; and a slow answer that sends the
        # cookie again could overwrite what a quicker one has just set.
        SESSION_REFRESH_EACH_REQUEST=False,
        TRUSTED_HOSTS=settings.trusted_hosts,
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
    )
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]

    @app.before_request
    def check_origin() -> None:
        if request.method not in SAFE_METHODS and not is_same_origin(settings):
            app.logger.warning("refused as not ours: %s %s", request.method, request.endpoint)
            raise Problem("origin")

    @app.after_request
    def headers(response: Response) -> Response:
        put = response.headers.setdefault
        put("X-Content-Type-Options", "nosniff")
        put("Cross-Origin-Resource-Policy", "same-origin")
        # These are about documents. No browser makes one of our own media type, and a phone would
        # pay for the bytes with every tap it sends.
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
        # Views of public files set how long those may be cached; what is personal is never cached,
        # whatever a view has set.
        if g.get("troskel_personal") or "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response
