"""Jinja's own syntax tree → one plain JavaScript module, for templates both sides render.

Invariant: what compiles renders to the same bytes in both languages; whatever could differ
is refused at build time with file and line, all refusals at once. No eval, no Jinja and no
Node on the phone; the runtime is static/field/template_runtime.js.

    supported                           refused (what to write instead)
    {{ output }}, always escaped        |safe, |default, |upper … (do it in the view model)
    if / elif / else                    `is` tests (undefined is an error, values are never None)
    for x in list, for a, b in list     loops over dicts, `recursive`, loop filters
    loop.index index0 first last length loop.cycle, loop.changed …
    set x = …                           set blocks, namespace
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
    _("…", name=x)  ngettext(…)         {% trans %}, every other global
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError, nodes
from markupsafe import Markup

OPTIONS: dict[str, Any] = {
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": False,
    "undefined": StrictUndefined,
}
FILTERS = {"length": "length", "join": "join", "escape": "escape", "e": "escape"}
LOOP = ("index", "index0", "first", "last", "length")
OWNED = {
    name
    for kind in (dict, list, str)
    for name in dir(kind)
    if not name.startswith("__")
}  # fmt: skip
OPERATORS = {"eq": "eq", "ne": "ne", "lt": "lt", "lteq": "le", "gt": "gt", "gteq": "ge"}
GLOBALS = {
    "range", "dict", "lipsum", "cycler", "joiner", "namespace", "url_for", "config", "request",
    "g", "session", "get_flashed_messages", "current_user", "gettext", "self", "super", "caller",
}  # fmt: skip


class Refused(ValueError):
    """Something the phone could render differently. str() is "templates/x.html:12: reason"."""

    def __init__(self, template: str, line: int, reason: str) -> None:
        super().__init__(f"templates/{template}:{line}: {reason}")
        self.template = template
        self.line = line
        self.reason = reason


class AllRefused(Refused):
    """Every refusal of a build, in `refusals`; str() is one line for each."""

    def __init__(self, refusals: Sequence[Refused]) -> None:
        first = refusals[0]
        super().__init__(first.template, first.line, first.reason)
        self.refusals = list(refusals)
        self.args = ("\n".join(str(one) for one in refusals),)


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
    if not isinstance(value, str | int | Markup):
        raise TypeError(f"a template may not print {type(value).__name__}")
    return value


def compile_templates(
    root: Path, names: Sequence[str], *, runtime: str = "./template_runtime.js"
) -> str:
    """The ES module for the templates `names` below `root`; exports `render(name, context, i18n)`.

    Raises AllRefused (a Refused) with everything that cannot be compiled.
    """
    env = shared_environment(root)
    refusals: list[Refused] = []
    parts = []
    for name in names:
        source = (root / name).read_text("utf-8")
        try:
            tree = env.parse(source, name)
        except TemplateSyntaxError as error:
            refusals.append(Refused(name, error.lineno, error.message or "syntax error"))
            continue
        emitter = _Template(name, set(names), refusals)
        parts.append(emitter.emit(tree))
    if refusals:
        raise AllRefused(refusals)
    return (
        "// Made by pwa/template_compiler.py from templates/; do not edit.\n"
        f"import * as r from {json.dumps(runtime)}\n\n"
        "const T = {}\n" + "".join(parts) + "\n"
        "/** HTML of a template. @param {string} name @param {object} context @param {object} i18n */\n"
        "export const render = (name, context, i18n) => r.render(T, name, context, i18n)\n"
    )


class _Template:
    """One template being emitted; expressions come back as JavaScript source."""

    def __init__(self, name: str, names: set[str], refusals: list[Refused]) -> None:
        self.name = name
        self.names = names
        self.refusals = refusals
        self.loops = 0  # how many for loops we are in: is `loop` known?

    def refuse(self, node: nodes.Node, reason: str) -> Refused:
        # Nodes that Jinja makes up (the scope of an autoescape block) have no line; their parts do.
        line = node.lineno or next(
            (one.lineno for one in node.find_all(nodes.Node) if one.lineno), 1
        )
        return Refused(self.name, line, reason)

    # --- the template as a whole ------------------------------------------------------

    def emit(self, tree: nodes.Template) -> str:
        extends = list(tree.find_all(nodes.Extends))
        parent = "null"
        body: list[nodes.Node] = list(tree.body)
        if extends:
            if extends[0] not in tree.body or len(extends) > 1:
                self.refusals.append(self.refuse(extends[0], "extends belongs at the top, once"))
            parent = json.dumps(self.attempt(lambda: self.static_name(extends[0].template)) or "")
            body = [node for node in body if not isinstance(node, nodes.Extends)]
            self.only_definitions(body)
        blocks = [
            f"    {json.dumps(block.name)}(K, B) {{\n      const c = r.scope(K)\n      let o = ''\n"
            f"{self.statements(block.body, 3)}      return o\n    }},\n"
            for block in self.blocks(tree)
        ]
        return (
            f"T[{json.dumps(self.name)}] = {{\n  parent: {parent},\n"
            f"  blocks: {{\n{''.join(blocks)}  }},\n"
            f"  root(K, B) {{\n    const c = K\n    let o = ''\n{self.statements(body, 2)}    return o\n  }},\n}}\n"
        )

    def blocks(self, tree: nodes.Template) -> Iterable[nodes.Block]:
        for block in tree.find_all(nodes.Block):
            if block.scoped or block.required:
                self.refusals.append(self.refuse(block, "scoped and required blocks are refused"))
            yield block

    def only_definitions(self, body: Iterable[nodes.Node]) -> None:
        """Below `extends` Jinja runs definitions and swallows output; output there is a mistake."""
        allowed = (nodes.Block, nodes.Assign, nodes.Import, nodes.FromImport, nodes.Macro)
        for node in body:
            blank = isinstance(node, nodes.Output) and all(
                isinstance(one, nodes.TemplateData) and not one.data.strip() for one in node.nodes
            )
            if not isinstance(node, allowed) and not blank:
                self.refusals.append(self.refuse(node, "output outside a block is never shown"))

    # --- statements -------------------------------------------------------------------

    def attempt(self, make: Callable[[], str]) -> str:
        try:
            return make()
        except Refused as refused:
            self.refusals.append(refused)
            return ""

    def statements(self, body: Iterable[nodes.Node], depth: int) -> str:
        return "".join(self.attempt(lambda node=node: self.statement(node, depth)) for node in body)  # type: ignore[misc]

    def statement(self, node: nodes.Node, depth: int) -> str:
        pad = "  " * depth
        match node:
            case nodes.Output():
                return self.output(node, pad)
            case nodes.If():
                return self.branch(node, depth)
            case nodes.For():
                return self.loop(node, depth)
            case nodes.Assign():
                if not isinstance(node.target, nodes.Name):
                    raise self.refuse(node, "set takes one plain name")
                return f"{pad}c[{json.dumps(node.target.name)}] = {self.value(node.node)}\n"
            case nodes.Block():
                return f"{pad}o += B[{json.dumps(node.name)}](K, B)\n"
            case nodes.Include():
                if not node.with_context or node.ignore_missing:
                    raise self.refuse(node, "include without context or ignore missing is refused")
                return f"{pad}o += r.include(T, {json.dumps(self.static_name(node.template))}, c)\n"
            case nodes.Import():
                self.no_context(node, node.with_context)
                return (
                    f"{pad}c[{json.dumps(node.target)}] = "
                    f"r.module(T, {json.dumps(self.static_name(node.template))}, c)\n"
                )
            case nodes.FromImport():
                self.no_context(node, node.with_context)
                source = json.dumps(self.static_name(node.template))
                pairs = [one if isinstance(one, tuple) else (one, one) for one in node.names]
                return "".join(
                    f"{pad}c[{json.dumps(alias)}] = r.imported(T, {source}, {json.dumps(name)}, c)\n"
                    for name, alias in pairs
                )
            case nodes.Macro():
                return self.macro(node, depth)
        raise self.refuse(node, f"{type(node).__name__} statements are refused")

    def no_context(self, node: nodes.Node, with_context: bool) -> None:
        if with_context:
            raise self.refuse(node, "import with context is refused: pass values as arguments")

    def static_name(self, node: nodes.Expr) -> str:
        if not isinstance(node, nodes.Const) or not isinstance(node.value, str):
            raise self.refuse(node, "the template's name must stand here as text")
        if node.value not in self.names:
            raise self.refuse(node, f"{node.value} is not among the phone's templates")
        return node.value

    def output(self, node: nodes.Output, pad: str) -> str:
        # A refused part does not hide the next one's refusal.
        pieces: list[str] = []
        for one in node.nodes:
            if isinstance(one, nodes.TemplateData):
                pieces.append(json.dumps(one.data, ensure_ascii=False))
            else:
                pieces.append(self.attempt(lambda one=one: f"r.out({self.value(one)})"))  # type: ignore[misc]
        return f"{pad}o += {' + '.join(piece for piece in pieces if piece) or repr('')}\n"

    def branch(self, node: nodes.If, depth: int) -> str:
        pad = "  " * depth
        text = ""
        for number, one in enumerate([node, *node.elif_]):
            word = "if" if number == 0 else " else if"
            test = self.attempt(lambda one=one: f"r.truth({self.value(one.test)})")  # type: ignore[misc]
            text += f"{pad if number == 0 else ''}{word} ({test}) {{\n{self.statements(one.body, depth + 1)}{pad}}}"
        if node.else_:
            text += f" else {{\n{self.statements(node.else_, depth + 1)}{pad}}}"
        return text + "\n"

    def loop(self, node: nodes.For, depth: int) -> str:
        if node.recursive or node.test is not None:
            raise self.refuse(
                node, "recursive and filtered loops are refused: filter in the view model"
            )
        pad = "  " * depth
        items = self.value(node.iter)
        if isinstance(node.target, nodes.Name):
            targets = json.dumps(node.target.name)
        elif isinstance(node.target, nodes.Tuple) and all(
            isinstance(one, nodes.Name) for one in node.target.items
        ):
            targets = json.dumps([cast(nodes.Name, one).name for one in node.target.items])
        else:
            raise self.refuse(node, "a loop takes plain names")
        self.loops += 1
        body = self.statements(node.body, depth + 2)
        self.loops -= 1
        text = f"{pad}o += r.loop({items}, c, {targets}, (c) => {{\n{pad}  let o = ''\n{body}{pad}  return o\n{pad}}}"
        if node.else_:
            text += f", (c) => {{\n{pad}  let o = ''\n{self.statements(node.else_, depth + 1)}{pad}  return o\n{pad}}}"
        return text + ")\n"

    def macro(self, node: nodes.Macro, depth: int) -> str:
        pad = "  " * depth
        names = [argument.name for argument in node.args]
        first = len(names) - len(node.defaults)
        defaults = ", ".join(
            f"{json.dumps(names[first + place])}: (c) => {self.value(default)}"
            for place, default in enumerate(node.defaults)
        )
        loops, self.loops = self.loops, 0
        body = self.statements(node.body, depth + 1)
        self.loops = loops
        return (
            f"{pad}c[{json.dumps(node.name)}] = r.macro(c, {json.dumps(node.name)}, {json.dumps(names)}, "
            f"{{{defaults}}}, (c) => {{\n{pad}  let o = ''\n{body}{pad}  return o\n{pad}}})\n"
        )

    # --- expressions ------------------------------------------------------------------

    def value(self, node: nodes.Node) -> str:
        match node:
            case nodes.Const():
                return self.constant(node)
            case nodes.TemplateData():
                return json.dumps(node.data, ensure_ascii=False)
            case nodes.Name():
                return self.free_name(node)
            case nodes.Getattr():
                return self.attribute(node)
            case nodes.Getitem():
                return self.item(node)
            case nodes.List():
                return f"[{', '.join(self.value(one) for one in node.items)}]"
            case nodes.Dict():
                return self.dictionary(node)
            case nodes.CondExpr():
                if node.expr2 is None:
                    raise self.refuse(node, "an inline if needs an else")
                return f"(r.truth({self.value(node.test)}) ? {self.value(node.expr1)} : {self.value(node.expr2)})"
            case nodes.And() | nodes.Or():
                word = "and" if isinstance(node, nodes.And) else "or"
                return f"r.{word}({self.value(node.left)}, () => {self.value(node.right)})"
            case nodes.Not():
                return f"!r.truth({self.value(node.node)})"
            case nodes.Compare():
                return self.comparison(node)
            case nodes.Concat():
                return f"r.concat([{', '.join(self.value(one) for one in node.nodes)}])"
            case nodes.Add() | nodes.Sub():
                word = "add" if isinstance(node, nodes.Add) else "sub"
                return f"r.{word}({self.value(node.left)}, {self.value(node.right)})"
            case nodes.Filter():
                return self.filter(node)
            case nodes.Call():
                return self.call(node)
            case nodes.Test():
                raise self.refuse(
                    node,
                    f"the test `is {node.name}` is refused: values are never undefined or None",
                )
        raise self.refuse(node, f"{type(node).__name__} expressions are refused")

    def constant(self, node: nodes.Const) -> str:
        if not isinstance(node.value, str | int):
            raise self.refuse(
                node, f"{node.value!r} is refused: only text, whole numbers, true and false"
            )
        if isinstance(node.value, int) and abs(node.value) >= 2**53:
            raise self.refuse(node, "the number is larger than JavaScript counts exactly")
        return json.dumps(node.value, ensure_ascii=False)

    def free_name(self, node: nodes.Name) -> str:
        if node.name == "loop" and self.loops:
            raise self.refuse(node, "loop is used by its attributes only")
        if node.name in GLOBALS or node.name in ("_", "ngettext"):
            raise self.refuse(node, f"{node.name} is refused as a value")
        return f"r.get(c, {json.dumps(node.name)})"

    def attribute(self, node: nodes.Getattr) -> str:
        if isinstance(node.node, nodes.Name) and node.node.name == "loop" and self.loops:
            if node.attr not in LOOP:
                raise self.refuse(node, f"loop.{node.attr} is refused")
            return f"c.loop.{node.attr}"
        return f"r.attr({self.value(node.node)}, {self.safe_key(node, node.attr)})"

    def safe_key(self, node: nodes.Node, name: str) -> str:
        if name in OWNED or name.startswith("__"):
            raise self.refuse(
                node, f".{name} is a method in Jinja and a value on the phone: rename it"
            )
        return json.dumps(name, ensure_ascii=False)

    def item(self, node: nodes.Getitem) -> str:
        if isinstance(node.arg, nodes.Slice):
            raise self.refuse(node, "slices are refused")
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            # a["items"] asks the dict first in Jinja, so the name may be anything.
            return (
                f"r.attr({self.value(node.node)}, {json.dumps(node.arg.value, ensure_ascii=False)})"
            )
        return f"r.item({self.value(node.node)}, {self.value(node.arg)})"

    def dictionary(self, node: nodes.Dict) -> str:
        pairs = []
        for pair in node.items:
            if not isinstance(pair.key, nodes.Const) or not isinstance(pair.key.value, str):
                raise self.refuse(pair, "keys must be text")
            pairs.append(
                f"[{json.dumps(pair.key.value, ensure_ascii=False)}, {self.value(pair.value)}]"
            )
        return f"Object.fromEntries([{', '.join(pairs)}])"

    def comparison(self, node: nodes.Compare) -> str:
        if len(node.ops) != 1:
            raise self.refuse(node, "chained comparisons are refused")
        operand = node.ops[0]
        left, right = self.value(node.expr), self.value(operand.expr)
        if operand.op in ("in", "notin"):
            return f"{'!' if operand.op == 'notin' else ''}r.within({left}, {right})"
        return f"r.{OPERATORS[operand.op]}({left}, {right})"

    def filter(self, node: nodes.Filter) -> str:
        if node.name not in FILTERS or node.node is None:
            raise self.refuse(node, f"the filter {node.name} is refused: do it in the view model")
        if (
            node.kwargs
            or node.dyn_args
            or node.dyn_kwargs
            or len(node.args) > (node.name == "join")
        ):
            raise self.refuse(node, f"too many arguments for {node.name}")
        if node.name == "length" and isinstance(node.node, nodes.Const):
            raise self.refuse(
                node, "length counts lists only: letters are counted differently on the phone"
            )
        arguments = ", ".join(self.value(one) for one in (node.node, *node.args))
        return f"r.{FILTERS[node.name]}({arguments})"

    def call(self, node: nodes.Call) -> str:
        if node.dyn_args or node.dyn_kwargs:
            raise self.refuse(node, "*args and **kwargs are refused")
        arguments = ", ".join(self.value(one) for one in node.args)
        named = ", ".join(f"{json.dumps(one.key)}: {self.value(one.value)}" for one in node.kwargs)
        if isinstance(node.node, nodes.Name) and node.node.name in ("_", "ngettext"):
            self.check_message(node)
            return f"r.{'gettext' if node.node.name == '_' else 'ngettext'}(c, [{arguments}], {{{named}}})"
        if isinstance(node.node, nodes.Name) and node.node.name in GLOBALS:
            raise self.refuse(node, f"{node.node.name}() is refused")
        if not isinstance(node.node, nodes.Name | nodes.Getattr):
            raise self.refuse(node, "only macros can be called")
        return f"r.call({self.value(node.node)}, [{arguments}], {{{named}}})"

    def check_message(self, node: nodes.Call) -> None:
        word = cast(nodes.Name, node.node).name
        wanted = 1 if word == "_" else 3
        if len(node.args) != wanted:
            raise self.refuse(
                node, f"{word}() takes {wanted} positional arguments and named parameters"
            )
        for one in node.args[: wanted if wanted == 1 else 2]:
            if isinstance(one, nodes.Const) and isinstance(one.value, str):
                try:
                    one.value % _AnyName()
                except (ValueError, TypeError, KeyError):
                    raise self.refuse(
                        node, "a % in a message is written %%, a parameter %(name)s"
                    ) from None


class _AnyName(dict[str, str]):
    """Stands in for a message's parameters: it has them all."""

    def __missing__(self, key: str) -> str:
        return "0"
