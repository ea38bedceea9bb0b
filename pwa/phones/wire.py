"""The sync API: push, pull and uploads of blobs (sync/PROTOCOL.md 3-6).

Invariant: an answer in our media type is sent only after a durable commit (I3); every other answer
is JSON with a problem code, never a redirect or a page. Bodies past the limits are refused before
they are read whole, and a gzip body is unpacked no further than the limit. Only roles that make
visits may pull. Everyone who is signed in may push, because somebody's role may have changed while
their phone was full of work: what the role does not cover is held (I6).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.http import parse_content_range_header

from pwa.blobs import named
from pwa.blobs.files import BlobRefused
from pwa.database.marks import server_id
from pwa.homes import company
from pwa.phones import answers, devices
from pwa.phones.shapes import UploadAnswer
from pwa.problems import Problem
from pwa.services import get_services
from pwa.visits.submitting import principal_of, principals
from pwa.web.access import SIGNED_IN, get_current_user, requires
from pwa.web.compression import compress, decompress
from sync.apply import RULE
from sync.limits import BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX, RIDING_BLOB_BYTES_MAX
from sync.operations import MEDIA_TYPE, PROTOCOL
from sync.pull import Window, pull
from sync.push import Phone, push

blueprint = Blueprint("sync_api", __name__, url_prefix="/sync")

CURSOR_CHARACTERS_MAX = 120


@blueprint.post("/push")
@requires(SIGNED_IN)
def push_view() -> Response:
    body = _read_body()
    texts, device, key = body.get("operations"), body.get("device"), body.get("key", "")
    if (
        not isinstance(texts, list)
        or not all(isinstance(text, str) for text in texts)
        or not (isinstance(device, str) and isinstance(key, str))
    ):
        raise Problem("malformed")
    if len(texts) > BATCH_OPERATIONS_MAX:
        raise Problem("too_large")
    services, user = get_services(), get_current_user()
    # A blob that is refused is not an error here: the operations beside it must not wait for a
    # broken signature. Its hash stays in `missing_blobs`, and the phone shows it.
    signatures = services.blobs.put_attached(_attached_blobs(body.get("blobs", [])))
    now = services.now().isoformat(timespec="seconds")
    with services.storage.transaction():
        services.blobs.signatures.keep(signatures)
        pushed = push(
            services.storage,
            texts,
            principal_of(user),
            now,
            people=principals(services.databases.writer),
            phone=Phone(device, key),
        )
        health = body.get("health")
        if isinstance(health, dict) and pushed.proven:
            devices.report(services.databases.writer, device, user.id, health, now)
    named.erase_struck(services.databases, services.blobs, texts)
    short = body.get("short") is True
    with services.databases.reading() as db:
        answer = answers.push_answer(db, services.blobs, pushed, texts, short=short)
    return _respond(answer)


@blueprint.get("/pull")
@requires("sync")
def pull_view() -> Response:
    services, user = get_services(), get_current_user()
    settings = services.settings
    window = Window(services.today(), settings.window_back_days, settings.window_ahead_days)
    with services.databases.reading() as db:
        view = company.fingerprint(db, user.role, RULE)
    pulled = pull(
        services.storage,
        request.args.get("cursor", "")[:CURSOR_CHARACTERS_MAX],
        principal_of(user),
        window,
        everyone=request.args.get("scope") == "all",
        view=view,
    )
    with services.databases.reading() as db:
        answer = answers.pull_answer(db, services, user, pulled, window)
    return _respond(answer)


@blueprint.route("/blobs/<sha256>", methods=["HEAD"])
@requires(SIGNED_IN)
def blob_offset_view(sha256: str) -> Response:
    services = get_services()
    try:
        with services.databases.reading() as db:
            offset = named.offset(db, services.blobs, sha256)
    except BlobRefused as refused:
        raise Problem(refused.code) from refused
    response = Response(status=200)
    response.headers["Upload-Offset"] = str(offset)
    return response


@blueprint.put("/blobs/<sha256>")
@requires(SIGNED_IN)
def blob_put_view(sha256: str) -> Response:
    services, octets = get_services(), request.get_data(cache=False)
    start, total = _piece(len(octets))
    try:
        offset = services.blobs.append(sha256, start, octets, total)
    except BlobRefused as refused:
        raise Problem(refused.code) from refused
    answer: UploadAnswer = {"offset": offset, "complete": offset == total, "seq": 0}
    if offset == total:
        named.erase_if_struck(services.databases, services.blobs, sha256)
        with services.databases.reading() as db:
            answer["seq"] = answers.seq_of_upload(db)
    response = _respond(answer)
    response.headers["Upload-Offset"] = str(offset)
    return response


# --- reading requests ----------------------------------------------------------------


def _read_body() -> dict[str, Any]:
    """The JSON object in the request, unpacked. Raises Problem: unsupported, too_large, malformed."""
    if request.mimetype != MEDIA_TYPE or request.headers.get("X-Troskel-Protocol") != str(PROTOCOL):
        raise Problem("unsupported")
    raw = request.stream.read(BATCH_BYTES_MAX + 1)
    if request.headers.get("Content-Encoding") == "gzip":
        try:
            raw = decompress(raw, BATCH_BYTES_MAX)
        except ValueError as error:
            raise Problem("malformed") from error
    if len(raw) > BATCH_BYTES_MAX:
        raise Problem("too_large")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Problem("malformed") from error
    if not isinstance(body, dict) or body.get("protocol") != PROTOCOL:
        raise Problem("malformed")
    return body


def _attached_blobs(blobs: Any) -> dict[str, bytes]:
    """Hash → bytes of the blobs in a push. Raises Problem: malformed, too_large."""
    if not isinstance(blobs, list):
        raise Problem("malformed")
    attached: dict[str, bytes] = {}
    for blob in blobs:
        if not isinstance(blob, dict) or not isinstance(blob.get("sha256"), str):
            raise Problem("malformed")
        if isinstance(blob.get("text"), str):
            octets = blob["text"].encode("utf-8", "surrogatepass")
        else:
            try:
                octets = base64.b64decode(str(blob.get("base64", "")), validate=True)
            except ValueError as error:
                raise Problem("malformed") from error
        if len(octets) > RIDING_BLOB_BYTES_MAX:
            raise Problem("too_large")
        attached[blob["sha256"]] = octets
    return attached


def _piece(length: int) -> tuple[int, int]:
    """(start, total) of the `length` bytes in the body, from Content-Range (RFC 9110, 14.4); all of
    the blob where there is no such header. Raises Problem("malformed")."""
    header = request.headers.get("Content-Range")
    if header is None:
        return 0, length
    piece = parse_content_range_header(header)
    if (
        piece is None
        or piece.units != "bytes"
        or piece.start is None
        or piece.stop is None
        or piece.length is None
        or piece.stop - piece.start != length
    ):
        raise Problem("malformed")
    return piece.start, piece.length


def _respond(answer: Mapping[str, Any]) -> Response:
    with get_services().databases.reading() as db:
        server = server_id(db)
    text = json.dumps(
        {"protocol": PROTOCOL, "server": server, **answer},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    response = Response(text.encode(), mimetype=MEDIA_TYPE)
    compress(response)
    response.vary.add("Cookie")
    return response
