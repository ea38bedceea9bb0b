"""The interface's translations: its messages, its languages, and the files between them.

Messages are extracted from code and templates into one .po file per language
(`pwa/translations/<Babel locale>/LC_MESSAGES/messages.po`), compiled to .mo for Flask-Babel and
for the phone by pwa/bundle/phone_words.py. A language of the guide that has such a file is a language of
the interface; nothing else makes it one. A message that is concatenated from pieces is refused.
"""

import ast
import copy
import re
import tomllib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from pwa.guide.languages import LANGUAGES as GUIDE

ROOT = Path(__file__).resolve().parents[2]

KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "N_": None,  # pwa/messages.py
    "ngettext": (1, 2),
}

# Files of the guide whose rows carry a message for the desk: name → (kind of row, its field).
TABLES = {"settings.toml": ("setting", "label"), "forbidden.toml": ("rule", "why")}

_JINJA_OPTIONS = {"encoding": "utf-8", "newstyle_gettext": "true", "silent": "false"}
_VAIN_HEADERS = re.compile(
    rb'"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date'
    rb"|Last-Translator|Language-Team|Generated-By): .*\n"
)
_STRING = r"""('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`[^`$\\]*`)"""
SCRIPT_CALL = re.compile(
    rf"(?<![\w$])(_|gettext|ngettext)\(\s*(?:c, )?{_STRING}(?:\s*,\s*{_STRING})?\s*(\+)?"
)
"""A message in a script: function, text, second text, a plus sign that must not be there. A compiled
template passes its context first."""
_FILLED = re.compile(r"[\u2066-\u2068]?(%\(\w+\)[sd])\u2069?")

MessageId: TypeAlias = str | tuple[str, str]
Found: TypeAlias = tuple[str, MessageId]


def find_languages(root: Path) -> tuple[str, ...]:
    """Tags of the languages with a catalogue below `root`, the default first. English needs no
    file: it is what the msgids are written in."""
    return tuple(tag for tag in GUIDE if tag == "en" or po_path(root, tag).exists())


def phone_sources(root: Path) -> Iterator[Path]:
    """Every file whose messages a phone shows. The shell is Flask's and has none."""
    for folder in ("shared", "field"):
        for path in sorted((root / "templates" / folder).rglob("*.html")):
            if path.name != "shell.html":
                yield path
    yield from sorted((root / "static" / "field").rglob("*.js"))


def server_sources(root: Path) -> Iterator[Path]:
    """Every other file with messages."""
    yield from sorted((root / "pwa").rglob("*.py"))
    tables = (root / "pwa" / "guide" / name for name in TABLES)
    yield from (path for path in tables if path.exists())
    yield from sorted((root / "templates" / "desk").rglob("*.html"))
    yield from sorted((root / "static" / "desk").rglob("*.js"))


def find_messages(root: Path, sources: Iterable[Path]) -> Iterator[Found]:
    """(path relative to root, msgid or (singular, plural)) for each message in `sources`."""
    for path in sources:
        name = path.relative_to(root).as_posix()
        if path.suffix == ".html":
            with path.open("rb") as file:
                found = extract("jinja2.ext:babel_extract", file, KEYWORDS, (), _JINJA_OPTIONS)
                for _line, message, _comments, _context in found:
                    yield name, _msgid(message)
        elif path.suffix == ".toml":
            kind, field = TABLES[path.name]
            for row in tomllib.loads(path.read_text("utf-8"))[kind]:
                yield name, row[field]
        elif path.suffix == ".js":
            for message in _messages_of_script(path.read_text("utf-8"), name):
                yield name, message
        else:
            for _line, message, _comments, _context in extract_from_file(
                "python", str(path), KEYWORDS
            ):
                yield name, _msgid(message)


def update(root: Path) -> dict[str, int]:
    """Extract again and bring every .po up to date. Returns language → untranslated messages.

    No fuzzy guesses: one that nobody checks becomes a wrong sentence in a tenant's home.
    """
    template = Catalog(project="Tröskel", charset="utf-8")
    for name, msgid in find_messages(root, [*phone_sources(root), *server_sources(root)]):
        template.add(msgid, locations=[(name, 0)])
    missing: dict[str, int] = {}
    for language in find_languages(root):
        if language == "en":
            continue
        path = po_path(root, language)
        catalogue = read_catalogue(root, language)
        catalogue.update(template, no_fuzzy_matching=True, keep_user_comments=True)
        catalogue.obsolete.clear()
        _write_po_if_changed(path, catalogue)
        missing[language] = sum(1 for m in catalogue if m.id and not translated(m))
    return missing


def po_path(root: Path, language: str) -> Path:
    """Where the translations of `language`, a tag of the guide, lie. The folder has the name that
    Babel gives the locale, because Flask-Babel looks there."""
    return root / "pwa" / "translations" / GUIDE[language].babel / "LC_MESSAGES" / "messages.po"


def read_catalogue(root: Path, language: str) -> Catalog:
    """The .po of `language`; an empty catalogue for English. The plural rule is the header's:
    Babel's own default for Arabic has the last two forms the other way round."""
    if language == "en":
        return Catalog(locale="en")
    return read_po(BytesIO(po_path(root, language).read_bytes()), locale=GUIDE[language].babel)


def isolated(catalogue: Catalog) -> Catalog:
    """`catalogue`; one of a right-to-left language with every placeholder isolated.

    A Swedish street, a name or "/field/" in an Arabic sentence would pull the full stop beside it to
    the wrong side. FIRST STRONG ISOLATE around each value prevents that, whoever translates.
    """
    if catalogue.locale is None or catalogue.locale.text_direction != "rtl":
        return catalogue
    catalogue = copy.deepcopy(catalogue)
    for message in catalogue:
        if not message.id:
            continue
        if isinstance(message.string, str):
            message.string = _isolate(message.string)
        else:
            message.string = tuple(_isolate(str(form)) for form in message.string or ())
    return catalogue


def _isolate(text: str) -> str:
    return _FILLED.sub("\u2068\\1\u2069", text)


def compile_mo(catalogue: Catalog) -> bytes:
    """The .mo that Flask-Babel loads."""
    out = BytesIO()
    write_mo(out, isolated(catalogue))
    return out.getvalue()


def _messages_of_script(text: str, name: str) -> Iterator[MessageId]:
    """Every message of a script. Babel's own JavaScript lexer silently skips calls inside calls and
    inside `${}`, and a message that is not extracted is never translated; literal calls need none."""
    for found in SCRIPT_CALL.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found[4]:
            raise ValueError(f"{name}:{line}: a message must be one string, not a sum")
        if found[1] == "ngettext" and found[3] is None:
            raise ValueError(f"{name}:{line}: ngettext needs two strings")
        yield message_of(found)


def message_of(call: re.Match[str]) -> MessageId:
    """The message of one match of SCRIPT_CALL."""
    if call[1] == "ngettext":
        return (_literal(call[2]), _literal(call[3]))
    return _literal(call[2])


def _literal(source: str) -> str:
    return source[1:-1] if source[0] == "`" else str(ast.literal_eval(source))


def translated(message: Message) -> bool:
    """Whether every form of the message has a translation."""
    if message.fuzzy:
        return False
    forms = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(forms)


def _msgid(message: object) -> MessageId:
    if isinstance(message, tuple):
        return (str(message[0]), str(message[1]))
    return str(message)


def _write_po_if_changed(path: Path, catalogue: Catalog) -> None:
    """Write without dates, names and line numbers: a .po changes only when a message does."""
    catalogue.header_comment = (
        f"# The interface of Tröskel in {catalogue.locale_identifier}. The msgids are English.\n"
        "# `make messages` keeps this file up to date with the code; translate the msgstr lines."
    )
    out = BytesIO()
    write_po(out, catalogue, width=98, include_lineno=False, sort_output=True)
    text = _VAIN_HEADERS.sub(b"", out.getvalue()).strip() + b"\n"
    if not path.exists() or path.read_bytes() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


LANGUAGES = find_languages(ROOT)
"""Languages of this installation's interface."""
