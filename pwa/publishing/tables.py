"""SQL of this room: acts on texts, published versions of the guide, recordings.

Tables of the guide only grow; triggers refuse to change or delete a row (pwa/database/steps/0016).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict, cast

from sqlite_utils import Database

# --- acts on texts ---------------------------------------------------------------------------

_EVENT = (
    "language", "key", "at", "by", "reviewer", "action", "text", "state", "of", "base", "comment",
    "old_text", "old_state",
)  # fmt: skip
_EVENT_COLUMNS = ", ".join(f'"{name}"' for name in _EVENT)


def add_event(db: Database, row: Mapping[str, Any]) -> None:
    """One act; `row` has every column but `id`, which is given here."""
    marks = ", ".join(f":{name}" for name in _EVENT)
    db.execute(f"INSERT INTO guide_events ({_EVENT_COLUMNS}) VALUES ({marks})", dict(row))  # noqa: S608


def last_event_id(db: Database) -> int:
    """The id of the newest act, 0 before the first."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM guide_events").fetchone()[0])


def list_changing_events(db: Database, until: int) -> list[dict[str, Any]]:
    """Every act up to the id `until` that is more than a comment, the oldest first."""
    return list(
        db.query(
            f"SELECT id, {_EVENT_COLUMNS} FROM guide_events"  # noqa: S608
            " WHERE action <> 'comment' AND id <= :until ORDER BY id",
            {"until": until},
        )
    )


def list_events(db: Database, language: str) -> list[dict[str, Any]]:
    """Every act in one language, the newest first."""
    return list(
        db.query(
            f"SELECT id, {_EVENT_COLUMNS} FROM guide_events"  # noqa: S608
            " WHERE language = :language ORDER BY id DESC",
            {"language": language},
        )
    )


def add_original(db: Database, sha256: str, text: str) -> None:
    """A Swedish text that something was compared with; one that is known stays as it is."""
    db.execute(
        "INSERT INTO guide_originals (sha256, text) VALUES (:sha256, :text)"
        " ON CONFLICT (sha256) DO NOTHING",
        {"sha256": sha256, "text": text},
    )


def list_originals(db: Database) -> dict[str, str]:
    """fingerprint → Swedish text."""
    return dict(db.execute("SELECT sha256, text FROM guide_originals").fetchall())


# --- published versions -----------------------------------------------------------------------


class Publication(TypedDict):
    """`version` became current at `at`, by user id ("" = a release); `last_event`: the newest act in
    it."""

    number: int
    version: str
    at: str
    by: str
    last_event: int


_PUBLICATIONS = (
    "SELECT number, version, at, by, last_event FROM guide_publications ORDER BY number DESC"
)


def list_publications(db: Database) -> list[Publication]:
    """The newest first."""
    return [cast(Publication, row) for row in db.query(_PUBLICATIONS)]


def find_last_publication(db: Database) -> Publication | None:
    for row in db.query(f"{_PUBLICATIONS} LIMIT 1"):
        return cast(Publication, row)
    return None


def add_publication(db: Database, *, version: str, at: str, by: str, last_event: int) -> None:
    db.execute(
        "INSERT INTO guide_publications (version, at, by, last_event)"
        " VALUES (:version, :at, :by, :last_event)",
        {"version": version, "at": at, "by": by, "last_event": last_event},
    )


def list_wordings(db: Database) -> list[tuple[str, int, str]]:
    """(consent, number of its Swedish wording, hash), lower numbers first."""
    return db.execute(
        "SELECT consent, version, sha256 FROM guide_wordings ORDER BY version"
    ).fetchall()


def add_wording(db: Database, consent: str, version: int, sha256: str) -> None:
    """A number that is known keeps its hash."""
    db.execute(
        "INSERT INTO guide_wordings (consent, version, sha256) VALUES (:consent, :version, :sha256)"
        " ON CONFLICT (consent, version) DO NOTHING",
        {"consent": consent, "version": version, "sha256": sha256},
    )


def list_contents(db: Database) -> set[str]:
    """Hashes of the packs that are kept."""
    return {str(sha256) for (sha256,) in db.execute("SELECT sha256 FROM guide_contents")}


def add_content(db: Database, sha256: str, content: bytes) -> None:
    db.execute(
        "INSERT INTO guide_contents (sha256, content) VALUES (:sha256, :content)",
        {"sha256": sha256, "content": content},
    )


def add_pack(db: Database, version: str, language: str, sha256: str) -> None:
    """A version may be published again: its packs are the same then."""
    db.execute(
        "INSERT INTO guide_packs (version, language, sha256) VALUES (:version, :language, :sha256)"
        " ON CONFLICT (version, language) DO NOTHING",
        {"version": version, "language": language, "sha256": sha256},
    )


def find_content(db: Database, version: str, language: str) -> bytes | None:
    """A pack as it is kept (gzip, without its version)."""
    row = db.execute(
        "SELECT content FROM guide_packs JOIN guide_contents USING (sha256)"
        " WHERE version = :version AND language = :language",
        {"version": version, "language": language},
    ).fetchone()
    return bytes(row[0]) if row else None


# --- recordings ----------------------------------------------------------------------------------


class RecordingRow(NamedTuple):
    """A recording in force; `text_sha256` names the words it was made of, `bytes` is its size."""

    key: str
    sha256: str
    text_sha256: str
    seconds: int
    by: str
    at: str
    type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class NewRecording:
    """A recording to be put in force."""

    id: str
    language: str
    key: str
    sha256: str
    text_sha256: str
    seconds: int
    by: str
    at: str


def list_recordings(db: Database, language: str) -> list[RecordingRow]:
    """The recordings in force of one language."""
    rows = db.execute(
        "SELECT key, sha256, text_sha256, seconds, by, at, type, length(octets)"
        " FROM recordings JOIN recording_bytes USING (sha256)"
        " WHERE language = :language AND ended_at IS NULL",
        {"language": language},
    )
    return [RecordingRow(*row) for row in rows]


def list_recorded_languages(db: Database) -> list[str]:
    """The languages that have a recording in force."""
    rows = db.execute("SELECT DISTINCT language FROM recordings WHERE ended_at IS NULL")
    return [str(language) for (language,) in rows]


def recordings_stamp(db: Database) -> tuple[int, str | None]:
    """Another value after each change: how many have ended, and the id of the newest."""
    # SQLite only: rowid is the order of arrival; `at` could be equal for two.
    ended, newest = db.execute(
        "SELECT count(ended_at), (SELECT id FROM recordings ORDER BY rowid DESC LIMIT 1) FROM recordings"
    ).fetchone()
    return ended, newest


def find_recording_bytes(db: Database, sha256: str) -> tuple[str, bytes] | None:
    """(media type, bytes) of a recording that is in force somewhere, or None."""
    row = db.execute(
        "SELECT type, octets FROM recording_bytes WHERE sha256 = :sha256 AND EXISTS"
        " (SELECT 1 FROM recordings WHERE sha256 = recording_bytes.sha256 AND ended_at IS NULL)",
        {"sha256": sha256},
    ).fetchone()
    return (str(row[0]), bytes(row[1])) if row else None


def add_recording(db: Database, new: NewRecording, type: str, octets: bytes) -> None:
    """The row and, where nothing else has the same, the bytes."""
    db.execute(
        "INSERT INTO recording_bytes (sha256, type, octets) VALUES (:sha256, :type, :octets)"
        " ON CONFLICT (sha256) DO NOTHING",
        {"sha256": new.sha256, "type": type, "octets": octets},
    )
    db.execute(
        "INSERT INTO recordings (id, language, key, sha256, text_sha256, seconds, by, at, ended_by,"
        " ended_at) VALUES (:id, :language, :key, :sha256, :text_sha256, :seconds, :by, :at, NULL, NULL)",
        {name: getattr(new, name) for name in NewRecording.__slots__},
    )


def end_recordings(db: Database, language: str, key: str, *, by: str, at: str) -> None:
    """End what is in force for a text, and delete bytes that nothing in force uses any more."""
    ended = db.execute(
        "UPDATE recordings SET ended_by = :by, ended_at = :at"
        " WHERE language = :language AND key = :key AND ended_at IS NULL RETURNING sha256",
        {"language": language, "key": key, "by": by, "at": at},
    ).fetchall()
    for (sha256,) in ended:
        db.execute(
            "DELETE FROM recording_bytes WHERE sha256 = :sha256 AND NOT EXISTS"
            " (SELECT 1 FROM recordings WHERE sha256 = :sha256 AND ended_at IS NULL)",
            {"sha256": sha256},
        )
