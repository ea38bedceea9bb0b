"""What the server answers to a push, a pull and an upload (sync/PROTOCOL.md 3-5), apart from HTTP.

Invariant: a push's answer is built after its transaction has committed, so what it calls
applied is durable.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from sqlite_utils import Database

from pwa.blobs import named
from pwa.blobs.files import Blobs
from pwa.database.marks import backup_mark
from pwa.homes import company
from pwa.people.accounts import User, list_users
from pwa.phones import tables
from pwa.phones.shapes import HeldOut, PersonOut, PullAnswer, PushAnswer, ResultOut, TakenOut
from pwa.publishing import recordings
from pwa.services import Services
from sync.operations import digest_of
from sync.pull import Pulled, Window
from sync.push import Pushed, Result
from sync.shapes import Snapshot
from sync.storage import Held


def push_answer(
    db: Database, blobs: Blobs, pushed: Pushed, texts: Sequence[str], *, short: bool
) -> PushAnswer:
    """The answer to a push of `texts`. `short`: what was applied is acknowledged all together."""
    # By id: an operation that was sent twice in one push is applied and a duplicate, and listed.
    others = {one.id for one in pushed.results if one.result != "applied"}
    listed = [one for one in pushed.results if not short or one.id in others]
    taken = [one for one in pushed.results if short and one.id not in others]
    answer: PushAnswer = {
        "seq": pushed.seq,
        "backup": backup_mark(db),
        "results": [_result(one) for one in listed],
        "gaps": pushed.gaps,
        "reused": pushed.reused,
        "missing_blobs": named.missing(db, blobs, texts),
    }
    if taken:
        answer["taken"] = _taken(taken)
    return answer


def pull_answer(
    db: Database, services: Services, reader: User, pulled: Pulled, window: Window
) -> PullAnswer:
    """The answer to a pull of `reader`: what the protocol core found, and what phones need besides."""
    settings, guide = services.settings, services.guide
    _add_settings(db, pulled.snapshots)
    return {
        # A phone asks who is signed in, and then pulls: in between that can change.
        "reader": reader.id,
        "cursor": pulled.cursor,
        "more": pulled.more,
        "reset": pulled.reset,
        "backup": backup_mark(db),
        "keep_days": settings.keep_sent_days,
        "today": window.today.isoformat(),
        "snapshots": pulled.snapshots,
        "gone": pulled.gone,
        # Former colleagues too: their visits, and what waits on a shared phone, name them.
        "people": [_person(one) for one in list_users(db, active_only=False)],
        "held": _held(db, reader, pulled.held),
        "guide": guide.version,
        # Only languages the guide has: a phone would ask for the packs of others in vain.
        "languages": [tag for tag in settings.languages if tag in guide.languages],
        "recordings": services.recording_digests.get(
            recordings.state(db, guide), partial(recordings.digests, db, guide)
        ),
    }


def seq_of_upload(db: Database) -> int:
    """The number a backup must have passed to hold a blob that is complete now: the log's next one.
    A backup at the log's last number may have copied the blobs before this one came."""
    return tables.log_head(db) + 1


def _result(one: Result) -> ResultOut:
    return {
        "id": one.id,
        "sha256": one.sha256,
        "result": one.result,
        "seq": one.seq,
        "problem": one.problem,
    }


def _taken(applied: Sequence[Result]) -> TakenOut:
    runs: list[tuple[int, int]] = []
    for one in applied:
        first, count = runs[-1] if runs else (0, 0)
        if runs and one.seq == first + count:
            runs[-1] = (first, count + 1)
        else:
            runs.append((one.seq, 1))
    return {"seqs": runs, "sha256": digest_of("".join(one.sha256 for one in applied))}


def _add_settings(db: Database, snapshots: Sequence[Snapshot]) -> None:
    # Two hundred visits share a handful of buildings: each is looked up once.
    settings_of = cache(partial(company.settings_for, db))
    for snapshot in snapshots:
        home = snapshot["tenancy_fields"]
        snapshot["settings"] = settings_of(home.get("area", ""), home.get("building", ""))


def _person(user: User) -> PersonOut:
    return {
        "id": user.id,
        "name": user.display_name,
        "role": user.role,
        "languages": user.languages,
    }


def _held(db: Database, reader: User, held: Sequence[Held]) -> list[HeldOut]:
    comments = tables.comments_for(db, reader.id)
    return [
        {
            "id": one.id,
            "visit": one.visit,
            "problem": one.problem,
            "comment": comments.get(one.id, ""),
        }
        for one in held
    ]
