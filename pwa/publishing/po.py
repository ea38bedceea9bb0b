"""One language of the guide as a gettext PO file, and back: for Weblate, Poedit or an agency.

Invariant: export then import changes nothing, in every language; and an import changes exactly
what its plan listed. `msgctxt` is the text's key, `msgid` the Swedish text, `msgstr` the
translation, `fuzzy` = nobody has reviewed it. A text that has lost a placeholder or whose original
has changed since the export is refused, row by row, with what to do; a missing row or an empty
`msgstr` leaves the text as it is.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, PoFileParser, write_po
from sqlite_utils import Database

from pwa.guide.fill import placeholders
from pwa.guide.format import Guide, State
from pwa.guide.languages import LANGUAGES, ORIGINAL
from pwa.messages import N_
from pwa.problems import Problem
from pwa.publishing.acts import COMMENT_CHARACTERS_MAX, Place, Who, note, place, record
from pwa.publishing.events import Event
from pwa.publishing.faults import Fault, faults
from pwa.publishing.versions import draft_guide

BYTES_MAX: Final = 8 * 1024 * 1024
REVIEWED: Final = "Reviewed by: "
COMMENT: Final = "Comment: "
_HEADER: Final = """\
# The guide of Tröskel. msgctxt is the key of a text, msgid the Swedish text.
# fuzzy: no native speaker has reviewed it. Take the mark away when one has.
# Keep every {placeholder} as it is; what it stands for is told above each text."""
_CONTEXT: Final[Mapping[str, str]] = {
    "recipient": "the name of whoever receives the data",
    "visit.apartment": "the apartment's number",
    "visit.date": "the day of the visit",
    "visit.time": "the time of the visit",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A text that an import changes. `line` is the file's, counted from 1."""

    line: int
    before: Place
    text: str
    state: State

    @property
    def reworded(self) -> bool:
        return self.text != self.before.text


@dataclass(frozen=True, slots=True)
class Remark:
    """A translator's comment on a text that is not known here yet."""

    before: Place
    comment: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not imported, and why."""

    line: int
    key: str
    reasons: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do. `empty` counts rows without a translation, `absent` texts of
    the guide that the file does not have; both stay as they are."""

    language: str
    sha256: str
    rows: tuple[Row, ...]
    remarks: tuple[Remark, ...]
    refused: tuple[Refused, ...]
    unchanged: int
    empty: int
    absent: int

    def as_json(self) -> dict[str, Any]:
        """The plan for programs; `refused` in the current language of the interface."""
        return {
            "language": self.language,
            "changed": sum(one.reworded for one in self.rows),
            "reviewed": sum(one.state == "reviewed" for one in self.rows),
            "comments": len(self.remarks),
            "unchanged": self.unchanged,
            "empty": self.empty,
            "absent": self.absent,
            "refused": [
                {"line": one.line, "key": one.key, "problem": " ".join(map(str, one.reasons))}
                for one in self.refused
            ],
        }


# --- out ------------------------------------------------------------------------------------


def export_po(
    guide: Guide, tag: str, history: Mapping[str, Sequence[Event]], now: datetime
) -> bytes:
    """`tag` of `guide` as a PO file (UTF-8); `history` are the acts on its texts by key, newest first.

    Raises Problem("not_found") for the original and for a language that is not there.
    """
    if tag == ORIGINAL or tag not in guide.languages:
        raise Problem("not_found")
    catalog = _Catalog(
        locale=None,
        project="troskel-guide",
        version=guide.version[:16],
        header_comment=_HEADER,
        fuzzy=False,
    )
    catalog.tag, catalog.written = tag, now.strftime("%Y-%m-%d %H:%M%z")
    for key in guide.text_keys:
        spot = place(guide, tag, key)
        catalog[key] = Message(
            spot.original,
            spot.text,
            context=key,
            flags=["fuzzy"] if spot.text and spot.state != "reviewed" else [],
            auto_comments=list(_about(guide, spot)),
            user_comments=list(_remarks_of(guide, spot, history.get(key, ()))),
        )
    out = io.BytesIO()
    write_po(out, catalog, width=78)
    return out.getvalue()


class _Catalog(Catalog):
    """Babel's catalogue keyed by our own keys (two texts may share their Swedish words), and
    with a language that Babel need not know."""

    tag = ""
    written = ""

    def __setitem__(self, key: Any, message: Message) -> None:
        self._messages[key] = message

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Project-Id-Version", f"{self.project} {self.version}"),
            ("POT-Creation-Date", self.written),
            ("PO-Revision-Date", self.written),
            ("Last-Translator", ""),
            ("Language-Team", LANGUAGES[self.tag].autonym),
            ("Language", self.tag.replace("-", "_")),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def _about(guide: Guide, spot: Place) -> Iterator[str]:
    owner = spot.key.partition(".")[0]
    item = guide.items.get(owner)
    swedish = guide.languages[ORIGINAL].texts
    if item is not None:
        section = guide.sections[item.section]
        yield f"Item {owner}: {swedish.get(f'{owner}.label', '')}"
        yield f"Section {section.number}: {swedish.get(f'{section.key}.title', '')}"
        if item.law is not None:
            yield f"Law: {item.law.source}, as of {item.law.as_of}"
    elif owner in guide.consents:
        yield f"Consent {owner}: {swedish.get(f'{owner}.title', '')}"
    elif owner in guide.sections:
        yield f"Section {guide.sections[owner].number}"
    for name in dict.fromkeys(placeholders(spot.original)):
        setting = guide.settings.get(name)
        yield f"{{{name}}}: {setting.english if setting else _CONTEXT[name]}"
    yield f"State: {spot.state or 'missing'}"


def _remarks_of(guide: Guide, spot: Place, acts: Sequence[Event]) -> Iterator[str]:
    review = guide.languages[spot.language].reviews.get(spot.key)
    if review is not None and spot.state == "reviewed":
        yield f"{REVIEWED}{review.by}, {review.at[:10]}"
    for one in reversed(acts):
        if one.comment:
            yield f"{COMMENT}{one.reviewer}, {one.at[:10]}: {one.comment}"


# --- in -------------------------------------------------------------------------------------


def plan_import(
    guide: Guide, tag: str, history: Mapping[str, Sequence[Event]], data: bytes
) -> Plan:
    """What importing the file `data` as `tag` would change in `guide`; `history` as in `export_po`.

    Raises Problem: `not_found`, `po_unreadable`, `po_language`.
    """
    if tag == ORIGINAL or tag not in guide.languages:
        raise Problem("not_found")
    found = _read(data, tag)
    rows: list[Row] = []
    remarks: list[Remark] = []
    refused: list[Refused] = []
    unchanged = empty = 0
    seen: set[str] = set()
    for message in found:
        reasons = list(_refusals(guide, message, seen))
        key = message.context or ""
        seen.add(key)
        if reasons:
            refused.append(Refused(message.lineno or 0, key, tuple(reasons)))
            continue
        if remark := _remark(guide, tag, message, history.get(key, ())):
            remarks.append(remark)
        if not message.string:
            empty += 1
            continue
        row = _row(guide, tag, message)
        if (row.text, row.state) == (row.before.text, row.before.state):
            unchanged += 1
        else:
            rows.append(row)
    return Plan(
        language=tag,
        sha256=hashlib.sha256(data).hexdigest(),
        rows=tuple(rows),
        remarks=tuple(remarks),
        refused=tuple(refused),
        unchanged=unchanged,
        empty=empty,
        absent=sum(key not in seen for key in guide.text_keys),
    )


def accept(db: Database, baseline: Guide, plan: Plan, who: Who, now: datetime) -> None:
    """Make drafts of the rows of `plan`; call it inside `writing()`.

    Raises Problem("guide_changed") when a text has changed since the plan was made: the transaction
    is then rolled back.
    """
    draft = draft_guide(db, baseline)
    for row in plan.rows:
        if place(draft, plan.language, row.before.key) != row.before:
            raise Problem("guide_changed")
        record(db, baseline, row.before, "import", (row.text, row.state), who, now)
    for remark in plan.remarks:
        note(db, remark.before, who, remark.comment, now)


class _Messages(Catalog):
    """The rows of a file as they stand in it: Babel would merge two with the same words."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Message] = []
        self.header: dict[str, str] = {}

    def __setitem__(self, key: Any, message: Message) -> None:
        if message.id == "" and message.context is None:
            lines = str(message.string).splitlines()
            self.header = dict(line.split(": ", 1) for line in lines if ": " in line)
        else:
            self.rows.append(message)


def _read(data: bytes, tag: str) -> list[Message]:
    catalog = _Messages()
    try:
        text = data.decode("utf-8-sig")
        # Not splitlines: some of the characters it splits at may stand in a text.
        PoFileParser(catalog, ignore_obsolete=True, abort_invalid=True).parse(text.split("\n"))
    except (PoFileError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise Problem("po_unreadable") from error
    if not catalog.rows:
        raise Problem("po_unreadable")
    named = catalog.header.get("Language", "").strip().replace("_", "-")
    if named and named.lower() != tag.lower():
        raise Problem("po_language", found=named, expected=tag)
    return catalog.rows


def _refusals(guide: Guide, message: Message, seen: set[str]) -> Iterator[Fault]:
    key = message.context or ""
    if key not in guide.languages[ORIGINAL].texts:
        yield Fault(N_("There is no text with this msgctxt. Leave the row out."))
    elif key in seen:
        yield Fault(N_("This msgctxt is in the file twice. Keep one of the rows."))
    elif message.id != guide.languages[ORIGINAL].texts[key]:
        yield Fault(
            N_("The Swedish text is another by now. Export again and translate the new one.")
        )
    elif not isinstance(message.string, str):
        yield Fault(N_("The row has plural forms. Write one msgstr."))
    elif message.string:
        yield from faults(key, guide.languages[ORIGINAL].texts[key], message.string)


def _row(guide: Guide, tag: str, message: Message) -> Row:
    before = place(guide, tag, str(message.context))
    state: State = "reviewed"
    if message.fuzzy:
        was = before.state or guide.languages[tag].state
        # fuzzy on a reviewed text takes the review away, and keeps the person's words.
        state = "machine" if was == "machine" else "translated"
    return Row(message.lineno or 0, before, str(message.string), state)


def _remark(guide: Guide, tag: str, message: Message, acts: Sequence[Event]) -> Remark | None:
    before = place(guide, tag, str(message.context))
    # Editors wrap comments in different ways: they are compared as one line, without our own.
    rest = _line(" ".join(message.user_comments))
    for ours in _remarks_of(guide, before, acts):
        rest = _line(rest.replace(_line(ours), " "))
    rest = rest[:COMMENT_CHARACTERS_MAX]
    known = {one.comment for one in acts}
    return Remark(before, rest) if rest and rest not in known else None


def _line(text: str) -> str:
    return " ".join(text.split())
