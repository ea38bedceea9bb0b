"""The interface's words as a phone gets them: numbered messages, one module for each language.

On the phone a message is a number: its place in the sorted list of all messages of the phone.
Bundled templates and modules have the number, a catalogue is the list of texts, and the English
msgids are not shipped. Invariant: every catalogue holds a text for every number, in English where
there is no translation, so that nobody ever sees a number or nothing at all. Numbers mean
something within one build only: pwa/bundle/build.py makes the bundle and the catalogues from one
list, and their address has the version of the whole set (pwa/bundle/assets.py), so the two cannot
be mixed. Refused: a plural header that is not a plain C expression of `n`, because it becomes
code; an empty message; a message in the code that the list lacks.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog

from pwa.bundle import catalogues
from pwa.bundle.catalogues import MessageId
from pwa.guide.languages import LANGUAGES as GUIDE
from pwa.guide.languages import ORIGINAL

_PLURAL_EXPRESSION = re.compile(r"[n0-9\s()?:%=!<>&|]+")


def find(root: Path) -> tuple[MessageId, ...]:
    """Every message of the phone below `root`; its place is its number."""
    sources = catalogues.phone_sources(root)
    found = sorted({msgid for _, msgid in catalogues.find_messages(root, sources)}, key=str)
    if "" in found:
        raise ValueError("a message of the phone is empty")
    return tuple(found)


def number(script: str, messages: Sequence[MessageId]) -> str:
    """`script` with each literal message replaced by its number: `_('Saved')` → `_(17)`,
    `ngettext('%(num)s visit', '%(num)s visits', n)` → `ngettext(18, 0, n)`.

    `script` is a module of static/field or what pwa/bundle/template_compiler made. Raises ValueError for a
    message that is not among `messages`.
    """
    numbers = {msgid: place for place, msgid in enumerate(messages)}

    def numbered(call: re.Match[str]) -> str:
        msgid = catalogues.message_of(call)
        if msgid not in numbers:
            raise ValueError(f"{msgid!r} is not among the phone's messages")
        start, end = call.start(2) - call.start(), call.end(2) - call.start()
        rest = call[0][end:]
        if isinstance(msgid, tuple):
            rest = ", 0" + call[0][call.end(3) - call.start() :]
        return f"{call[0][:start]}{numbers[msgid]}{rest}"

    return catalogues.SCRIPT_CALL.sub(numbered, script)


def compile_catalogue(catalogue: Catalog, language: str, messages: Sequence[MessageId]) -> str:
    """One ES module: `language`, `direction`, `gettext(number)`, `ngettext(number, 0, n)`.

    `gettext` returns text unchanged: `_(ngettext(…), {…})` fills in a text. The plural rule is the one
    in the .po header, the same that Python's gettext evaluates, so that both sides choose the same
    form. Raises ValueError for a header that is not plain arithmetic.
    """
    expression = str(catalogue.plural_expr)
    if not _PLURAL_EXPRESSION.fullmatch(expression):
        raise ValueError(f"{language}: not a plural expression: {expression!r}")
    translated = catalogues.isolated(catalogue)
    texts = [_text(translated, msgid) for msgid in messages]
    table = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    table = table.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return (
        "// @ts-nocheck\n"
        "// Made by pwa/bundle/build.py from pwa/translations; change it there.\n"
        f"export const language = {json.dumps(language)}\n"
        f"export const direction = {json.dumps(GUIDE[language].direction)}\n"
        f"const texts = {table}\n"
        f"const plural = n => Number({expression})\n"
        "export const gettext = id => typeof id === 'number' ? texts[id] : id\n"
        "export const ngettext = (id, _, n) => texts[id][plural(n)]\n"
    )


def _text(catalogue: Catalog, msgid: MessageId) -> str | list[str]:
    """The entry for `msgid` in a catalogue: a text, or as many as the language has plural forms."""
    message = catalogue.get(msgid)
    if message is None or not catalogues.translated(message):
        if isinstance(msgid, str):
            return msgid
        one, many = msgid
        return [one, *[many] * (catalogue.num_plurals - 1)]
    if isinstance(msgid, str):
        return str(message.string)
    return [str(form) for form in message.string or ()]


def compile_languages(languages: Iterable[str]) -> str:
    """One ES module: every language of the guide with its own name and direction, and the tags of the
    interface's languages; the original comes first."""
    names = {tag: [one.autonym, one.direction] for tag, one in GUIDE.items()}
    return (
        "// Made by pwa/bundle/build.py from the heads of pwa/guide/texts; change them there.\n"
        f"export const ORIGINAL = {json.dumps(ORIGINAL)}\n"
        "/** @type {Record<string, [string, 'ltr'|'rtl']>} */\n"
        f"export const LANGUAGES = {json.dumps(names, ensure_ascii=False)}\n"
        "/** @type {string[]} */\n"
        f"export const INTERFACE = {json.dumps(list(languages))}\n"
    )
