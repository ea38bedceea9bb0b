"""Changes that a test makes to a copy of the code before it is served as the next release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Change = Callable[[Path], None]
"""Changes the copy in a folder."""


def newer(root: Path) -> None:
    """Any change that makes another version."""
    css = root / "static" / "css" / "field.css"
    css.write_text(css.read_text("utf-8") + "/* newer */\n", "utf-8")


def remove(name: str) -> Change:
    """A file that the worker's list names is missing: the response is 404."""
    condition = "if version != self.version"
    return replace(
        "pwa/bundle/assets.py", condition, f"if name == {name!r} or version != self.version"
    )


def redirect(name: str) -> Change:
    """A proxy redirects one file to a sign-in page."""
    response = "    content = _assets().read(version, name)"
    return replace(
        "pwa/phones/shell.py",
        response,
        f"    if name == {name!r}:\n        from flask import redirect\n\n"
        f"        return redirect('/sign-in')\n{response}",
    )


def alter(name: str) -> Change:
    """A proxy changes the content of one file on the way."""
    line = "        return content if _sha256(content)"
    return replace(
        "pwa/bundle/assets.py",
        line,
        f"        if name == {name!r}:\n            return content + b' '\n{line}",
    )


def replace(file: str, old: str, new: str) -> Change:
    """`new` in place of `old`, which must occur once."""

    def change(root: Path) -> None:
        path = root / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{file} no longer has this text once: {old}"
        path.write_text(text.replace(old, new), "utf-8")

    return change
