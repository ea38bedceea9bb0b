"""Reading what is a tenant's: written down first, and sent so that it can do no harm.

Invariant: whoever opens a visit or a picture of a home stands in access_log before the answer goes
out, and a blob is shown as a picture or saved as a file, never run. It refuses to decide who
may: the view has asked the visit or the follow-up before.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request

from pwa.blobs.files import BlobRefused, sniff
from pwa.desk.parts import tables
from pwa.people.accounts import User
from pwa.problems import Problem
from pwa.services import get_services

# Drawn or taken by a phone, shown as a picture only: even if somebody opened the file itself,
# nothing in it may run, load or reach our pages.
BLOB_CSP = "default-src 'none'; style-src 'none'; sandbox"
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/svg+xml": "svg"}
_ONE_READING = timedelta(minutes=1)


def log_reading(user: User, visit: str) -> None:
    """`user` opens `visit`."""
    services = get_services()
    with services.databases.writing() as db:
        tables.add_reading(db, user.id, visit, services.now().isoformat(timespec="seconds"))


def log_picture(user: User, visit: str) -> None:
    """`user` looks at a photo of `visit`: one line for what a page shows at once, not one for each."""
    services = get_services()
    since = (services.now() - _ONE_READING).isoformat(timespec="seconds")
    with services.databases.reading() as db:
        known = tables.has_read_since(db, user.id, visit, since)
    if not known:
        log_reading(user, visit)


def blob_response(sha256: str) -> Response:
    """What came as `sha256`, for the browser. Raises Problem("not_found") where it is not here."""
    octets = get_services().blobs.read(sha256)
    try:
        type = sniff(octets or b"")
    except BlobRefused:
        raise Problem("not_found") from None
    response = Response(octets, content_type=type)
    response.headers["Content-Security-Policy"] = BLOB_CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    as_picture = request.headers.get("Sec-Fetch-Dest") == "image"
    # The name is ours: neither an address nor a person stands in a download folder.
    file = f'attachment; filename="troskel-{sha256[:8]}.{_ENDINGS[type]}"'
    response.headers["Content-Disposition"] = "inline" if as_picture else file
    return response
