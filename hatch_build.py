"""Build hook: makes the files a phone loads before they are packed into the wheel.

Invariant: a wheel never lacks them; the build fails instead. It refuses nothing
else: what is made, and how, is pwa/build.py's business.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PhoneFilesHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        # The isolated build has no Flask, which pwa/__init__.py imports: give the package its
        # path without running that file.
        package = ModuleType("pwa")
        package.__path__ = [str(root / "pwa")]
        sys.modules["pwa"] = package
        importlib.import_module("pwa.build").build(root)
