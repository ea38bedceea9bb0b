"""Company facts put into a text; twin of static/field/guide/fill.js.

Invariant: no figure is ever invented. A sentence that names a setting without a value is replaced
by the fallback ("ask your landlord"), once per text. Pure, and equal to its twin
(sync/vectors/fill.json runs against both). Nothing is formatted here: a value is already the text
that a tenant reads, the codes of choices after `localise`.

Sentences are found in the template, before values are put in, so that a dot in a value ("8.00")
ends nothing. A sentence ends at . ! ? … or its Arabic or Ethiopic sister before a space, a line
break or the end; an abbreviation with a dot would end one too, so texts have none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{([a-z0-9_]+(?:\.[A-Za-z0-9_]+)*)\}")

# Body and the blanks after it. The twin has the same pattern; `\s` is avoided because Python
# and JavaScript mean different characters by it.
_SENTENCE = re.compile(
    r"([^\n]*?(?:[.!?…؟۔።፧]+[\"'»”’)\]]*(?=[ \n]|(?![\s\S]))|(?=\n)|(?![\s\S])))([ \n]*)"
)


def placeholders(text: str) -> list[str]:
    """The keys that `text` refers to, in order, repeated where it repeats them."""
    return PLACEHOLDER.findall(text)


def fill(text: str, settings: Mapping[str, str], fallback: str) -> str:
    """`text` with every `{key}` replaced by its value.

    A sentence with a key that is missing or "" becomes `fallback`; a second one disappears.
    """
    pieces: list[tuple[str, str]] = []
    fallback_used = False
    for found in _SENTENCE.finditer(text):
        body, blanks = found[1], found[2]
        if not body and not blanks:
            continue
        if all(settings.get(key) for key in placeholders(body)):
            filled = PLACEHOLDER.sub(lambda one: settings[one[1]], body)
            pieces.append((filled, blanks))
        elif not fallback_used:
            fallback_used = True
            pieces.append((fallback, blanks))
        elif pieces and "\n" in blanks:
            # The dropped sentence ended its paragraph: now the one before it ends it.
            pieces[-1] = (pieces[-1][0], blanks)
    return "".join(body + blanks for body, blanks in pieces).rstrip(" \n")


def localise(settings: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, str]:
    """`settings` with the codes of choices in the words of the language of `texts`.

    A code is looked up as `value.<key>.<code>`; several codes have "," between them. A value without
    such a text ("07:00–22:00") stays as it is.
    """
    comma = texts.get("list.separator", ", ")
    worded = {}
    for key, value in settings.items():
        names = [texts.get(f"value.{key}.{code}", "") for code in value.split(",")]
        worded[key] = comma.join(names) if all(names) else value
    return worded
