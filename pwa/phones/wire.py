"""The wire: push, pull and blobs. Parse, authorise, call sync, answer (sync/PROTOCOL.md 3–6).

Invariant: an answer in our media type is given only after a durable commit (I3), and every
other answer is JSON with a problem code, never a redirect or a page. It refuses bodies past
the limits before reading them whole; a gzip body is unpacked no further than the limit. News are for
roles that visit; sending is open to whoever is signed in, for somebody's role may have changed
while a phone was full of work: what the role does not cover is held (I6).
"""

from __future__ import annotations

import base64
import json
import re
from functools import cache, partial
from typing import Any

from flask import Blueprint, Response, request
from flask_login import current_user

from pwa.blobs import named
from pwa.blobs.files import BlobRefused
from pwa.database.marks import backup_mark, server_id
from pwa.homes import company
from pwa.people.accounts import User, list_users
from pwa.phones import devices
from pwa.problems import Problem
from pwa.publishing import recordings
from pwa.services import Services, get_services
from pwa.visits.submitting import principal_of, principals
from pwa.web.access import SIGNED_IN, requires
from pwa.web.compression import compress, decompress
from sync.apply import RULE
from sync.limits import BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX, RIDING_BLOB_BYTES_MAX
from sync.operations import MEDIA_TYPE, PROTOCOL, digest_of
from sync.pull import Window, pull
from sync.push import Phone, Pushed, Result, push

blueprint = Blueprint("sync_api", __name__, url_prefix="/sync")

_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})\Z")


@blueprint.post("/push")
@requires(SIGNED_IN)
def push_view() -> Response:
    body = _body()
    services = get_services()
    texts = body.get("operations")
    device, key = body.get("device"), body.get("key", "")
    if (
        not isinstance(texts, list)
        or not all(isinstance(text, str) for text in texts)
        or not (isinstance(device, str) and isinstance(key, str))
    ):
        raise Problem("malformed")
    if len(texts) > BATCH_OPERATIONS_MAX:
        raise Problem("too_large")
    # What is refused is not told here: the operation beside it must not wait for a broken
    # signature. Its hash stays in `missing_blobs`, and the phone shows it.
    signatures = services.blobs.put_riding(_riding_blobs(body.get("blobs", [])))
    now = services.now().isoformat(timespec="seconds")
    with services.storage.transaction():
        services.blobs.signatures.keep(signatures)
        phone = Phone(device, key)
        pushed = push(
            services.storage,
            texts,
            principal_of(_user()),
            now,
            people=principals(services.databases.writer),
            phone=phone,
        )
        health = body.get("health")
        if isinstance(health, dict) and pushed.proven:
            devices.report(services.databases.writer, device, _user().id, health, now)
    named.erase_struck(services.databases, services.blobs, texts)
    return _answer(_push_answer(services, pushed, texts, short=body.get("short") is True))


def _push_answer(
    services: Services, pushed: Pushed, texts: list[str], *, short: bool
) -> dict[str, Any]:
    with services.databases.reading() as db:
        backup = backup_mark(db)
    others = {one.id for one in pushed.results if one.result != "applied"}
    taken = [one for one in pushed.results if short and one.id not in others]
    return {
        "seq": pushed.seq,
        "backup": backup,
        **({"taken": _taken(taken)} if taken else {}),
        "results": [
            {
                "id": one.id,
                "sha256": one.sha256,
                "result": one.result,
                "seq": one.seq,
                "problem": one.problem,
            }
            for one in pushed.results
            if not short or one.id in others
        ],
        "gaps": pushed.gaps,
        "reused": pushed.reused,
        "missing_blobs": named.missing(services.databases, services.blobs, texts),
    }


def _taken(results: list[Result]) -> dict[str, Any]:
    """What was applied, in the order it was sent: runs of numbers, and one hash over the hashes."""
    runs: list[list[int]] = []
    for one in results:
        if runs and one.seq == sum(runs[-1]):
            runs[-1][1] += 1
        else:
            runs.append([one.seq, 1])
    proof = digest_of("".join(one.sha256 for one in results))
    return {"seqs": runs, "sha256": proof}


def _riding_blobs(blobs: Any) -> dict[str, bytes]:
    """Hash → bytes, as the body says. Raises Problem: malformed, too_large."""
    if not isinstance(blobs, list):
        raise Problem("malformed")
    riding: dict[str, bytes] = {}
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
        riding[blob["sha256"]] = octets
    return riding


@blueprint.get("/pull")
@requires("sync")
def pull_view() -> Response:
    services = get_services()
    user = _user()
    settings = services.settings
    window = Window(services.today(), settings.window_back_days, settings.window_ahead_days)
    with services.databases.reading() as db:
        view = company.fingerprint(db, user.role, RULE)
    pulled = pull(
        services.storage,
        request.args.get("cursor", "")[:120],
        principal_of(user),
        window,
        everyone=request.args.get("scope") == "all",
        view=view,
    )
    with services.databases.reading() as db:
        backup = backup_mark(db)
        # Two hundred visits share a handful of buildings: each is looked up once.
        settings_of = cache(partial(company.settings_for, db))
        recorded = recordings.digests(db, services.guide)
        for snapshot in pulled.snapshots:
            file = snapshot["tenancy_fields"]
            snapshot["settings"] = settings_of(file.get("area", ""), file.get("building", ""))
        people = list_users(db, active_only=False)
        comments = dict(
            db.execute("SELECT id, comment FROM held WHERE state = 'open' AND by = ?", [user.id])
        )
    return _answer(
        {
            # A phone asks who is signed in, and then for news: in between that can change.
            "reader": user.id,
            "cursor": pulled.cursor,
            "more": pulled.more,
            "reset": pulled.reset,
            "backup": backup,
            "keep_days": settings.keep_sent_days,
            "today": window.today.isoformat(),
            "snapshots": pulled.snapshots,
            "gone": pulled.gone,
            # Who has left too: their visits and what waits on a shared phone still say whose they are.
            "people": [
                {
                    "id": one.id,
                    "name": one.display_name,
                    "role": one.role,
                    "languages": list(one.languages),
                }
                for one in people
            ],
            "held": [
                {
                    "id": one.id,
                    "visit": one.visit,
                    "problem": one.problem,
                    "comment": comments.get(one.id, ""),
                }
                for one in pulled.held
            ],
            "guide": services.guide.version,
            # Only languages the guide has: a phone keeps a pack of each, and would ask in vain.
            "languages": [tag for tag in settings.languages if tag in services.guide.languages],
            "recordings": recorded,
        }
    )


@blueprint.route("/blobs/<sha256>", methods=["HEAD"])
@requires(SIGNED_IN)
def blob_offset_view(sha256: str) -> Response:
    try:
        offset = named.offset(get_services().databases, get_services().blobs, sha256)
    except BlobRefused as refused:
        raise Problem(refused.code) from refused
    answer = Response(status=200)
    answer.headers["Upload-Offset"] = str(offset)
    return answer


@blueprint.put("/blobs/<sha256>")
@requires(SIGNED_IN)
def blob_put_view(sha256: str) -> Response:
    found = _RANGE.match(request.headers.get("Content-Range", ""))
    octets = request.get_data(cache=False)
    start, end, total = (int(part) for part in found.groups()) if found else (0, -1, len(octets))
    if found and end - start + 1 != len(octets):
        raise Problem("malformed")
    services = get_services()
    try:
        offset = services.blobs.append(sha256, start, octets, total)
    except BlobRefused as refused:
        raise Problem(refused.code) from refused
    if offset == total:
        named.erase_if_struck(services.databases, services.blobs, sha256)
    with services.databases.reading() as db:
        (head,) = db.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()
    # A backup that has passed the number after the head was made when the blob was on disk.
    seq = head + 1 if offset == total else 0
    answer = _answer({"offset": offset, "complete": offset == total, "seq": seq})
    answer.headers["Upload-Offset"] = str(offset)
    return answer


def _user() -> User:
    user: User = current_user._get_current_object()
    return user


def _body() -> dict[str, Any]:
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


def _answer(body: dict[str, Any]) -> Response:
    with get_services().databases.reading() as db:
        server = server_id(db)
    text = json.dumps(
        {"protocol": PROTOCOL, "server": server, **body},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    answer = Response(text, mimetype=MEDIA_TYPE)
    compress(answer)
    answer.vary.add("Cookie")
    return answer
