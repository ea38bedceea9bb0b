"""Jinja's own syntax tree → one plain JavaScript module, for templates both sides render.

Invariant: what compiles renders to the same bytes in both languages; whatever could differ
is refused at build time with file and line, all refusals at once. No eval, no Jinja and no
Node on the phone; the runtime is static/field/page/template_runtime.js.
What depends on values is checked on the phone, which throws: null, floats, undefined names,
letters counted or ordered, lists compared, + of anything but whole numbers. Where Jinja would
print `None` or `[]`, the phone throws; no value renders differently.

    supported                           refused (what to write instead)
    {{ output }}, always escaped        |safe, |default, |upper … (do it in the view model)
    if / elif / else                    `is` tests (undefined is an error, values are never None)
    for x in list, for a, b in list     `recursive`, loop filters (loops over dicts throw)
    loop.index index0 first last length loop.cycle …, loop outside its loop (in a block, an include)
    set x = …                           set blocks, namespace; the names loop, _, ngettext, kwargs …
    include "static name"               without context, ignore missing, computed names
    extends / block                     super(), self, scoped and required blocks
    macro, import, from … import        call blocks, varargs, kwargs
    a.b  a["b"]  a[0]                   names that dict, list or str own (a.items: a method here,
                                        a value there)
    == != < > <= >=  in  and or not     chained comparisons
    x if y else z                       without else
    "text" 12 true [..] {..}            none, floats, slices
    ~   + and - of integers             * / // % **
    |length of lists, |join, |escape    every other filter
    _("…", name=x)  ngettext(…)         {% trans %}, messages that are not literal, parameters not
                                        given, every other global
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError

from pwa.bundle.template_compiler.expressions import quoted
from pwa.bundle.template_compiler.refused import AllRefused, Refused
from pwa.bundle.template_compiler.statements import Statements

__all__ = [
    "OPTIONS", "AllRefused", "Refused", "compile_templates", "configure", "shared_environment",
]  # fmt: skip

OPTIONS: dict[str, Any] = {
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": False,
    "undefined": StrictUndefined,
}
"""What both renderers' environments share; the lexer's part decides which blanks remain."""


def configure(env: Environment) -> None:
    """Give an environment the options under which both renderers agree (Flask's is one)."""
    for name, value in OPTIONS.items():
        setattr(env, name, value)


def shared_environment(root: Path) -> Environment:
    """The environment shared templates are written for; `root` is the templates folder.

    Stricter than Flask's in one point: printing anything but text, whole numbers and booleans raises
    TypeError here, because the phone throws there.
    """
    env = Environment(
        loader=FileSystemLoader(root),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        finalize=_finalize,
        **OPTIONS,
    )
    install = cast(Callable[..., None], env.install_null_translations)  # type: ignore[attr-defined]
    install(newstyle=True)
    return env


def _finalize(value: Any) -> Any:
    if not isinstance(value, str | int):
        raise TypeError(f"a template may not print {type(value).__name__}")
    return value


def compile_templates(
    root: Path, names: Sequence[str], *, runtime: str = "./template_runtime.js"
) -> str:
    """The ES module for the templates `names` below `root`; exports `render(name, context, i18n)`.

    Raises AllRefused (a Refused) with everything that cannot be compiled.
    """
    # Without the i18n extension {% trans %} is an unknown tag, and is refused with its line.
    env = Environment(autoescape=True, **OPTIONS)
    refusals: list[Refused] = []
    parts: list[str] = []
    for name in names:
        source = (root / name).read_text("utf-8")
        try:
            tree = env.parse(source, name)
        except TemplateSyntaxError as error:
            refusals.append(Refused(name, error.lineno, error.message or "syntax error"))
            continue
        before = len(refusals)
        parts.append(Statements(name, set(names), refusals).emit(tree))
        if len(refusals) == before:
            try:
                env.compile(source, name, raw=True)  # e.g. a block defined twice
            except TemplateSyntaxError as error:
                refusals.append(Refused(name, error.lineno, error.message or "not compiled"))
    if refusals:
        raise AllRefused(refusals)
    return (
        "// @ts-nocheck\n"
        "// Made by pwa/bundle/template_compiler from templates/; do not edit.\n"
        f"import * as r from {quoted(runtime)}\n\n"
        "const T = {}\n" + "".join(parts) + "\n"
        "/** HTML of a template. @param {string} name @param {object} context @param {object} i18n */\n"
        "export const render = (name, context, i18n) => r.render(T, name, context, i18n)\n"
    )
