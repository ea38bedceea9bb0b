"""A photo or signature as an answer to a browser.

Invariant: it is shown as a picture or saved as a file, and never run. Whether the reader may see it
is the view's question, asked before.
"""

from __future__ import annotations

from flask import Response, request

from pwa.blobs.files import BlobRefused, Blobs, sniff
from pwa.problems import Problem

# Drawn or taken by a phone, shown as a picture only: even if somebody opened the file itself,
# nothing in it may run, load or reach our pages.
BLOB_CSP = "default-src 'none'; style-src 'none'; sandbox"
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/svg+xml": "svg"}


def blob_response(blobs: Blobs, sha256: str) -> Response:
    """The blob of that hash. Raises Problem("not_found") where it has not arrived."""
    octets = blobs.read(sha256)
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
