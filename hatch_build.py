"""Build hook: makes the files a phone loads before they are packed into the wheel.

Invariant: a wheel never lacks them; the build fails instead. It refuses nothing else: what
is made, and how, is pwa/bundle/build.py's business.
"""

import importlib
import sys
import types
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGES = ("pwa", "sync")


class PhoneFilesHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        # The isolated build has Babel and Jinja2 but not Flask, which pwa/__init__.py
        # imports, and nothing of ours on its path: empty packages stand in.
        for name in PACKAGES:
            package = types.ModuleType(name)
            package.__path__ = [str(root / name)]
            sys.modules[name] = package
        try:
            importlib.import_module("pwa.bundle.build").build(root)
        finally:
            for name in [one for one in sys.modules if one.split(".")[0] in PACKAGES]:
                del sys.modules[name]
