"""Which release of Tröskel this is: the version in pyproject.toml, the one place where it stands."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

NAME = "troskel"


@cache
def release() -> str:
    """The version, such as "0.1.0"; "unknown" where neither a checkout nor a package says it.

    A checkout's own pyproject.toml counts first: another release may be installed beside it.
    """
    pyproject = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if pyproject.is_file():
        project = tomllib.loads(pyproject.read_text("utf-8")).get("project", {})
        if project.get("name") == NAME:
            return str(project["version"])
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "unknown"
