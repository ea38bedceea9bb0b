"""Published versions of the guide: stored once, under their hash, for ever.

Invariant: every version that a phone has ever been told of is here, with the very bytes of its
packs; publications only grow, and their last one is the current guide. What is published is what
was looked at: the hash of the draft is named when publishing. It refuses to remove anything.

`guide_publications` says which version became current when (a version may come back),
`guide_packs` which content a version has in each language, `guide_contents` the packs without
their version, by hash, `guide_wordings` the number of each Swedish wording of a consent.
"""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from pwa.database.connections import Databases
from pwa.guide.format import Guide, canonical
from pwa.problems import Problem
from pwa.publishing import events
from pwa.publishing.overlay import Wording, fingerprint, lay_over


def current_guide(databases: Databases, baseline: Guide, now: datetime) -> Guide:
    """What phones are given: `baseline` with what has been published. A version that is new
    (the first start, a new release) is stored before anybody is told of it."""
    with databases.reading() as db:
        guide = _composed(db, baseline, _last(db)["last_event"])
        if _last(db)["version"] == guide.version:
            return guide
    with databases.writing() as db:
        guide = _composed(db, baseline, _last(db)["last_event"])
        _store(db, guide, "", _last(db)["last_event"], now)
    return guide


def draft_guide(db: Database, baseline: Guide) -> Guide:
    """The guide as it would be published now."""
    return _composed(db, baseline, events.ALL)


def publish(databases: Databases, baseline: Guide, by: str, seen: str, now: datetime) -> Guide:
    """Make the draft of version `seen` the current guide, for user `by`.

    Raises Problem: `guide_moved` when the draft is another by now, `guide_same` when nothing
    would change.
    """
    with databases.writing() as db:
        draft = draft_guide(db, baseline)
        if draft.version == _last(db)["version"]:
            raise Problem("guide_same")
        if draft.version != seen:
            raise Problem("guide_moved")
        _store(db, draft, by, events.last_id(db), now)
    return draft


def pack_bytes(db: Database, version: str, language: str) -> bytes | None:
    """The pack as it was published, or None when there is no such version or language in it."""
    found = db.execute(
        "SELECT content FROM guide_packs JOIN guide_contents USING (sha256)"
        " WHERE version = ? AND language = ?",
        [version, language],
    ).fetchone()
    if found is None:
        return None
    return canonical({"version": version} | json.loads(gzip.decompress(found[0])))


def publications(db: Database) -> list[dict[str, Any]]:
    """number, version, at, by ("" = a release) of each, the newest first."""
    return list(db.table("guide_publications").rows_where(order_by="number desc"))


def published_until(db: Database) -> int:
    """The id of the newest act that is published."""
    return int(_last(db)["last_event"])


def _last(db: Database) -> dict[str, Any]:
    for row in db.table("guide_publications").rows_where(order_by="number desc", limit=1):
        return dict(row)
    return {"version": "", "last_event": 0}


def _composed(db: Database, baseline: Guide, until: int) -> Guide:
    wordings = {
        str(row["consent"]): Wording(int(row["version"]), str(row["sha256"]))
        for row in db.table("guide_wordings").rows_where(order_by="version")
    }
    return lay_over(baseline, events.entries(db, until), wordings)


def _store(db: Database, guide: Guide, by: str, last_event: int, now: datetime) -> None:
    known = {row[0] for row in db.execute("SELECT sha256 FROM guide_contents").fetchall()}
    for tag in guide.languages:
        pack = guide.pack(tag)
        del pack["version"]
        content = canonical(pack)
        sha256 = fingerprint(content.decode())
        if sha256 not in known:
            # mtime 0: equal contents are equal rows, whenever they were written.
            row = {"sha256": sha256, "content": gzip.compress(content, mtime=0)}
            db.table("guide_contents").insert(row, pk="sha256")
        place = {"version": guide.version, "language": tag, "sha256": sha256}
        db.table("guide_packs").insert(place, pk=("version", "language"), ignore=True)
    for key, one in guide.consents.items():
        wording = {"consent": key, "version": one.version, "sha256": one.original_sha256}
        db.table("guide_wordings").insert(wording, pk=("consent", "version"), ignore=True)
    db.table("guide_publications").insert(
        {
            "version": guide.version,
            "at": now.isoformat(timespec="seconds"),
            "by": by,
            "last_event": last_event,
        }
    )
