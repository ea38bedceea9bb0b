"""Build hook: makes the files a phone loads before they are packed into the wheel.

Invariant: a wheel never lacks them; the build fails instead. It refuses nothing
else: what is made, and how, is pwa/build.py's business.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PhoneFilesHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        try:
            importlib.import_module("pwa.build").build(root)
        finally:
            sys.path.remove(str(root))
