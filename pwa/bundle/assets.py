"""The public files: which they are, and the version they make together.

One version names the whole set: the hash of every public file, the shell and the worker. So a
page and all it loads always belong together, and each file may be cached for ever. A path that
was not there at the start, or a file of another version, is not found. Nothing here depends on
who asks, so nothing personal may be added.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pwa.bundle import fonts

PUBLIC = ("build", "vendor", "css", "icons", "desk")
"""Folders of static/ that anyone may read. sw.js is not among them: it has its own address;
field/ is bundled into build/phone.js."""

BUNDLED = frozenset(
    {
        "build/constants.js",
        "build/templates.js",
        "build/languages.js",
        "build/original.js",
        "vendor/idb.js",
        "vendor/signature_pad.min.js",
    }
)
"""Parts of build/phone.js: no page loads them by themselves."""

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
_COMPRESSED_ALREADY = frozenset({".png", ".woff2"})


class Assets:
    """The public files below `static_dir`, read once."""

    def __init__(self, static_dir: Path) -> None:
        self.static_dir = static_dir
        self.files: dict[str, Path] = dict(sorted(_find_public(static_dir)))
        self.sha256 = {name: _sha256(path.read_bytes()) for name, path in self.files.items()}
        # A phone runs the shell and the worker too: a change in one of them alone must make a new
        # version.
        unversioned = [static_dir / "sw.js", static_dir.parent / "templates/field/shell.html"]
        whole = hashlib.sha256()
        for name, digest in self.sha256.items():
            whole.update(f"{name} {digest}\n".encode())
        for path in unversioned:
            whole.update(path.read_bytes() if path.exists() else b"")
        self.version = whole.hexdigest()[:16]

    @property
    def complete(self) -> bool:
        """Whether `python -m pwa.bundle.build` has been run: without it no phone page starts."""
        return "build/phone.js" in self.files and "vendor/htmx.min.js" in self.files

    def url(self, name: str) -> str:
        """The address of a file, `url("css/base.css")`. KeyError for a file that is not there."""
        if name not in self.files:
            raise KeyError(f"no public file {name!r} in {self.static_dir}")
        return f"/s/{self.version}/{name}"

    @cached_property
    def worker_files(self) -> list[dict[str, Any]]:
        """`{url, sha256, type}` of each file a phone needs to work without network, and
        `optional` on those that only some languages need: phones store them on request. A font has
        its `languages`."""
        return [
            {
                "url": self.url(name),
                "sha256": digest,
                "type": content_type(name).split(";")[0],
                **({"optional": True} if _some_phones_need(name) else {}),
                **({"languages": tags} if (tags := fonts.languages_of(Path(name).name)) else {}),
            }
            for name, digest in self.sha256.items()
            if _phone_needs(name)
        ]

    def read(self, version: str, name: str) -> bytes | None:
        """The bytes of /s/<version>/<name>; None where that is no public file of this version."""
        path = self.files.get(name)
        if version != self.version or path is None:
            return None
        content = path.read_bytes()
        # A file edited while the server runs must not go out under the old version's name,
        # where caches would keep it for a year.
        return content if _sha256(content) == self.sha256[name] else None


def content_type(name: str) -> str:
    """The Content-Type of a public file."""
    return TYPES[Path(name).suffix]


def is_compressible(name: str) -> bool:
    """Whether gzip makes a public file smaller."""
    return Path(name).suffix not in _COMPRESSED_ALREADY


def _phone_needs(name: str) -> bool:
    folder = name.split("/")[0]
    if folder == "css":
        return name not in ("css/desk.css", "css/handout.css")
    if folder == "icons":
        return name.endswith(".svg")
    return folder in ("build", "vendor") and not name.endswith(".map")


def _some_phones_need(name: str) -> bool:
    # The messages of the original, the fallback of every language, are in phone.js.
    return bool(re.fullmatch(r"build/catalog\..+\.js", name) or fonts.languages_of(Path(name).name))


def _find_public(static_dir: Path) -> Iterator[tuple[str, Path]]:
    for folder in PUBLIC:
        for path in (static_dir / folder).rglob("*"):
            if path.is_file() and path.suffix in TYPES and not path.name.startswith("."):
                name = path.relative_to(static_dir).as_posix()
                if name not in BUNDLED:
                    yield name, path


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
