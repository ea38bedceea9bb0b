"""Published versions of the guide: stored once, under their hash, for ever.

Invariant: every version that a phone was ever given is here, with the exact bytes of its packs;
publications are only added, and the last one is the current guide. Publishing names the hash of the
draft that the person looked at, so that exactly this one is published.

`guide_publications` says which version became current when (a version may come back),
`guide_packs` which content a version has in each language, `guide_contents` the packs without
their version, by hash, `guide_wordings` the number of each Swedish wording of a consent.
"""

from __future__ import annotations

import gzip
import json
from datetime import datetime

from sqlite_utils import Database

from pwa.guide.format import Guide, canonical
from pwa.problems import Problem
from pwa.publishing import events, tables
from pwa.publishing.overlay import Wording, fingerprint, lay_over
from pwa.publishing.tables import Publication


def current_guide(db: Database, baseline: Guide, now: datetime) -> Guide:
    """What phones are given: `baseline` with what has been published. A version that is new
    (the first start, a new release) is stored before any phone can ask for it, so `db` is a writing
    one."""
    last = _last(db)
    guide = _composed(db, baseline, last["last_event"])
    if last["version"] != guide.version:
        _store(db, guide, "", last["last_event"], now)
    return guide


def draft_guide(db: Database, baseline: Guide) -> Guide:
    """The guide as it would be published now."""
    return _composed(db, baseline, events.ALL)


def publish(db: Database, baseline: Guide, by: str, seen: str, now: datetime) -> Guide:
    """Make the draft of version `seen` the current guide, for user `by`; call it inside `writing()`.

    Raises Problem: `guide_moved` when the draft has changed since, `guide_same` when nothing
    would change.
    """
    draft = draft_guide(db, baseline)
    if draft.version == _last(db)["version"]:
        raise Problem("guide_same")
    if draft.version != seen:
        raise Problem("guide_moved")
    _store(db, draft, by, events.last_id(db), now)
    return draft


def pack_bytes(db: Database, version: str, language: str) -> bytes | None:
    """The pack as it was published, or None when there is no such version or language in it."""
    content = tables.find_content(db, version, language)
    if content is None:
        return None
    return canonical({"version": version} | json.loads(gzip.decompress(content)))


def publications(db: Database) -> list[Publication]:
    """Every publication, the newest first."""
    return tables.list_publications(db)


def published_until(db: Database) -> int:
    """The id of the newest act that is published."""
    return int(_last(db)["last_event"])


def _last(db: Database) -> Publication:
    nothing = Publication(number=0, version="", at="", by="", last_event=0)
    return tables.find_last_publication(db) or nothing


def _composed(db: Database, baseline: Guide, until: int) -> Guide:
    wordings = {
        consent: Wording(version, sha256) for consent, version, sha256 in tables.list_wordings(db)
    }
    return lay_over(baseline, events.entries(db, until), wordings)


def _store(db: Database, guide: Guide, by: str, last_event: int, now: datetime) -> None:
    known = tables.list_contents(db)
    for tag in guide.languages:
        pack = guide.pack(tag)
        del pack["version"]
        content = canonical(pack)
        sha256 = fingerprint(content.decode())
        if sha256 not in known:
            # mtime 0: equal contents are equal rows, whenever they were written.
            tables.add_content(db, sha256, gzip.compress(content, mtime=0))
        tables.add_pack(db, guide.version, tag, sha256)
    for key, one in guide.consents.items():
        tables.add_wording(db, key, one.version, one.original_sha256)
    at = now.isoformat(timespec="seconds")
    tables.add_publication(db, version=guide.version, at=at, by=by, last_event=last_event)
