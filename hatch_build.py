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


class PhoneFilesHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        # The isolated build has Babel and Jinja2 but not Flask, which pwa/__init__.py
        # imports: an empty package with the same path stands in for it.
        package = types.ModuleType("pwa")
        package.__path__ = [str(root / "pwa")]
        sys.modules["pwa"] = package
        sys.path.insert(0, str(root))  # for sync, which the guide takes its codes from
        try:
            importlib.import_module("pwa.bundle.build").build(root)
        finally:
            sys.path.remove(str(root))
            for name in [one for one in sys.modules if one.split(".")[0] in ("pwa", "sync")]:
                del sys.modules[name]
