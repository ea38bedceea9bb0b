"""Reads the guide's files, strictly.

Invariant: a Guide that is returned obeys every rule of the format; the first violation is refused
with file, key and reason (GuideError). Missing texts are no error here: check.py lists them, and
Swedish is shown instead. Keys that the format does not know are refused, so that a misspelt field
does not silently become a default.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from pwa.guide.format import (
    EVENTS,
    EXPLAIN_ANSWERS,
    PICTOGRAMS,
    STATES,
    Consent,
    FollowUp,
    Guide,
    Item,
    Kind,
    Language,
    Law,
    Notice,
    Privacy,
    Recipient,
    Review,
    Section,
    SetBy,
    Tag,
)
from pwa.guide.languages import HEAD, LANGUAGES, ORIGINAL
from pwa.guide.setting import Level, Setting, Type
from sync.shapes import QUEUES, URGENCIES

BASELINE: Final = Path(__file__).parent

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_ABSENT: Final = object()


class GuideError(ValueError):
    """A file of the guide breaks the format: which file, which key, and why."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}")
        self.file, self.key, self.reason = file, key, reason


class _Table:
    """A TOML table whose fields are taken one by one; `end` refuses what is left."""

    def __init__(self, file: str, key: str, values: Any) -> None:
        self.file, self.key = file, key
        if not isinstance(values, dict):
            raise GuideError(file, key, "must be a table")
        self.left = dict(values)

    def fail(self, name: str, reason: str) -> GuideError:
        return GuideError(self.file, f"{self.key}.{name}" if self.key else name, reason)

    def take(self, name: str, kind: type, default: Any = _ABSENT) -> Any:
        value = self.left.pop(name, default)
        if value is _ABSENT:
            raise self.fail(name, "is missing")
        # bool is an int to Python, and "version = true" is a mistake.
        if type(value) is not kind:
            raise self.fail(name, f"must be {kind.__name__}")
        return value

    def string(self, name: str, default: Any = _ABSENT, among: Sequence[str] = ()) -> Any:
        value = self.take(name, str, default)
        if among and value not in among and value != default:
            raise self.fail(name, f"{value!r} is none of {', '.join(among)}")
        return value

    def flag(self, name: str, default: Any = False) -> bool:
        return bool(self.take(name, bool, default))

    def number(self, name: str, default: Any = _ABSENT) -> int:
        return int(self.take(name, int, default))

    def date(self, name: str) -> str:
        value = str(self.string(name))
        if not _DATE.fullmatch(value):
            raise self.fail(name, f"{value!r} is no date (2026-12-01)")
        return value

    def strings(self, name: str, default: Any = _ABSENT, among: Sequence[str] = ()) -> Any:
        value = self.take(name, list, default)
        for one in value:
            if not isinstance(one, str) or not (one in among if among else _KEY.fullmatch(one)):
                raise self.fail(name, f"{one!r} is not allowed here")
        if len(set(value)) != len(value):
            raise self.fail(name, "says something twice")
        return tuple(value)

    def table(self, name: str, default: Any = _ABSENT) -> _Table:
        path = f"{self.key}.{name}" if self.key else name
        return _Table(self.file, path, self.take(name, dict, default))

    def tables(self, name: str) -> list[_Table]:
        found = []
        for number, one in enumerate(self.take(name, list, []), start=1):
            key = one.get("key", "") if isinstance(one, dict) else ""
            found.append(_Table(self.file, str(key or f"{name}[{number}]"), one))
        return found

    def end(self) -> None:
        for name in self.left:
            raise self.fail(name, "is unknown")


def load(directory: Path = BASELINE) -> Guide:
    """The guide in `directory` (structure.toml, settings.toml, texts/*.toml); GuideError else."""
    settings = _keyed(
        [_setting(one) for one in _file(directory, "settings.toml", "setting")], "settings.toml"
    )
    root = _Table("structure.toml", "", _toml(directory, "structure.toml"))
    law_as_of = root.date("law_as_of")
    common = root.strings("common")
    sections = _keyed([_section(one) for one in root.tables("section")])
    consents = _keyed([_consent(one) for one in root.tables("consent")])
    notices = _keyed([_notice(one) for one in root.tables("notice")])
    items = _keyed([_item(one, sections) for one in root.tables("item")])
    root.end()
    _check_references(items, consents, notices, settings)
    languages = {}
    for path in sorted((directory / "texts").glob("*.toml")):
        languages[path.stem] = _language(directory, f"texts/{path.name}", path.stem)
    if ORIGINAL not in languages:
        raise GuideError(f"texts/{ORIGINAL}.toml", "texts", "is missing: it is the original")
    return Guide(law_as_of, common, sections, items, consents, notices, settings, languages)


def _toml(directory: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads((directory / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GuideError(name, "file", f"cannot be read ({error})") from error


def _file(directory: Path, name: str, tables: str) -> list[_Table]:
    root = _Table(name, "", _toml(directory, name))
    found = root.tables(tables)
    root.end()
    return found


def _keyed(rows: Sequence[Any], file: str = "structure.toml") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        if row.key in found:
            raise GuideError(file, row.key, "stands twice")
        found[row.key] = row
    return found


def _setting(table: _Table) -> Setting:
    type = table.string("type", among=get_args(Type))
    default = table.string("default")
    if type == "languages" and default == "all":
        default = ",".join(LANGUAGES)
    setting = Setting(
        key=table.string("key"),
        type=type,
        levels=table.strings("levels", among=get_args(Level)),
        default=default,
        choices=table.strings("choices", []),
        label=table.string("label"),
    )
    table.end()
    if bool(setting.choices) != (setting.type in ("choice", "choices")):
        raise table.fail("choices", "belong to a choice, and a choice has some")
    if not setting.accepts(setting.default):
        raise table.fail("default", f"{setting.default!r} is no {setting.type}")
    return setting


def _section(table: _Table) -> Section:
    section = Section(
        table.string("key"), table.string("number"), table.strings("tags", among=get_args(Tag))
    )
    table.end()
    return section


def _item(table: _Table, sections: Mapping[str, Section]) -> Item:
    key = table.string("key")
    section = table.string("section", among=tuple(sections))
    kind = table.string("kind", among=get_args(Kind))
    privacy = table.string("privacy", "none", among=get_args(Privacy))
    explains = kind == "explain"
    item = Item(
        key=key,
        section=section,
        kind=kind,
        answers=tuple(
            code
            for one in table.strings("answers", list(EXPLAIN_ANSWERS) if explains else _ABSENT)
            for code in (LANGUAGES if one == "languages" else (one,))
        ),
        tags=table.strings("tags", list(sections[section].tags), among=get_args(Tag)),
        must=table.flag("must"),
        tick=table.string("tick", "done" if explains else ""),
        follow_ups=_follow_ups(table.table("follow_ups", {})),
        privacy=privacy,
        free_text=table.flag("free_text", privacy in ("none", "personal")),
        set_by=table.string("set_by", "visitor", among=get_args(SetBy)),
        settings=table.strings("settings", []),
        law=_law(table.table("law")) if "law" in table.left else None,
        photo=table.flag("photo"),
        tally=table.flag("tally"),
        reminder=table.flag("reminder"),
        consents=table.strings("consents", []),
        notice=table.string("notice", ""),
        pictogram=table.string("pictogram", among=sorted(PICTOGRAMS)),
    )
    table.end()
    _check_item(table, item)
    return item


def _check_item(table: _Table, item: Item) -> None:
    if not item.answers or not all(_CODE.fullmatch(one) for one in item.answers):
        raise table.fail("answers", "must be codes, at least one")
    if item.kind == "ask" and "prefer_not" not in item.answers:
        raise table.fail("answers", "a question can always go unanswered: prefer_not is missing")
    if item.kind == "check" and "not_seen" not in item.answers:
        raise table.fail("answers", "a check can always be passed over: not_seen is missing")
    if item.kind == "explain" and not set(EXPLAIN_ANSWERS) <= set(item.answers):
        raise table.fail("answers", f"must have {', '.join(EXPLAIN_ANSWERS)}")
    if item.tick and (item.tick not in item.answers or item.kind in ("check", "ask")):
        raise table.fail("tick", "must be an answer of an item to explain or do")
    for code in item.follow_ups:
        if code not in item.answers:
            raise table.fail(f"follow_ups.{code}", "is no answer of this item")
    if item.free_text and (item.privacy in ("sensitive", "never") or item.tally):
        raise table.fail("free_text", "a sensitive or counted item has a choice list only")
    if item.privacy == "never" and (item.kind != "explain" or item.photo):
        raise table.fail("privacy", "what must never be asked can only be explained")
    if item.tally and (item.follow_ups or item.must):
        raise table.fail("tally", "a counter is linked to no visit: no follow-up, no must")


def _follow_ups(table: _Table) -> dict[str, FollowUp]:
    found = {}
    for code in list(table.left):
        one = table.table(code)
        found[code] = FollowUp(
            one.string("queue", among=QUEUES),
            one.string("urgency", among=URGENCIES),
            one.string("alternative", "", among=QUEUES),
        )
        one.end()
    return found


def _law(table: _Table) -> Law:
    law = Law(table.date("as_of"), table.string("source"), table.flag("verify", _ABSENT))
    table.end()
    return law


def _consent(table: _Table) -> Consent:
    expires = table.table("expires")
    consent = Consent(
        key=table.string("key"),
        purpose=table.string("purpose"),
        recipient=table.string("recipient", among=get_args(Recipient)),
        version=table.number("version"),
        original_sha256=table.string("original_sha256"),
        expires_months=expires.number("months", 0),
        expires_weeks=expires.number("weeks", 0),
        expires_event=expires.string("event", "", among=EVENTS),
        sensitive=table.flag("sensitive"),
        adults_only=table.flag("adults_only"),
    )
    expires.end()
    table.end()
    if not (consent.expires_months or consent.expires_weeks or consent.expires_event):
        raise table.fail("expires", "a consent must end some time")
    return consent


def _notice(table: _Table) -> Notice:
    notice = Notice(table.string("key"), ("title", "text", *table.strings("parts", [])))
    table.end()
    return notice


def _check_references(
    items: Mapping[str, Item],
    consents: Mapping[str, Consent],
    notices: Mapping[str, Notice],
    settings: Mapping[str, Setting],
) -> None:
    for item in items.values():
        for name, wanted, known in (
            ("consents", item.consents, consents),
            ("notice", (item.notice,) if item.notice else (), notices),
            ("settings", item.settings, settings),
        ):
            for one in wanted:
                if one not in known:
                    raise GuideError("structure.toml", f"{item.key}.{name}", f"{one!r} is unknown")


def _language(directory: Path, file: str, tag: str) -> Language:
    table = _Table(file, "", _toml(directory, file))
    if table.string("language") != tag or tag not in LANGUAGES:
        raise table.fail("language", f"must be {tag!r}, a language of languages.py")
    for name, kind in HEAD.items():
        table.take(name, kind)  # languages.py has read them, and refused what is not allowed
    state = table.string("state", among=STATES)
    if (state == "original") != (tag == ORIGINAL):
        raise table.fail("state", "Swedish is the original, and no other is")
    texts = table.table("texts")
    words = {key: str(texts.string(key)) for key in list(texts.left)}
    for key, text in words.items():
        if not _KEY.fullmatch(key) or (text.strip(" \n") == "" and key != "list.separator"):
            raise texts.fail(key, "is no key, or has no text")
    reviews = table.table("states", {})
    found = {key: _review(reviews.table(key), words, key) for key in list(reviews.left)}
    table.end()
    return Language(tag, state, words, found)


def _review(table: _Table, words: Mapping[str, str], key: str) -> Review:
    if key not in words:
        raise table.fail("state", "stands for a text that is not in this file")
    review = Review(
        table.string("state", among=("translated", "machine", "reviewed")),
        table.string("by"),
        table.date("at"),
        table.string("of"),
    )
    table.end()
    return review
