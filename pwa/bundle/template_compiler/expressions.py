"""Jinja's expressions → JavaScript expressions over static/field/page/template_runtime.js.

Invariant: compiled to JavaScript, an expression has the value it has in Jinja, or throws; where
that cannot be guaranteed, the expression is refused with its line. Statements are in statements.py.
"""

from __future__ import annotations

import json
import re

from jinja2 import nodes

from pwa.bundle.template_compiler.refused import Refused

FILTERS = {"length": "length", "join": "join", "escape": "escape", "e": "escape"}
LOOP = ("index", "index0", "first", "last", "length")
OWNED = {
    name
    for kind in (dict, list, str)
    for name in dir(kind)
    if not name.startswith("__")
}  # fmt: skip
OPERATORS = {"eq": "eq", "ne": "ne", "lt": "lt", "lteq": "le", "gt": "gt", "gteq": "ge"}
MESSAGES = {"_": "gettext", "ngettext": "ngettext"}
# Names that Jinja, Flask and its extensions put into every template: ours would hide them, or be
# hidden by them.
GLOBALS = {
    "range", "dict", "lipsum", "cycler", "joiner", "namespace", "url_for", "config", "request",
    "g", "session", "get_flashed_messages", "current_user", "gettext", "pgettext", "npgettext",
    "self", "super", "caller", "varargs", "kwargs",
}  # fmt: skip
PERCENT = re.compile(r"%(%|\((\w+)\)s)?", re.ASCII)


def quoted(text: str) -> str:
    """A JavaScript string literal."""
    return json.dumps(text, ensure_ascii=False)


class Expressions:
    """The expressions of the template `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loops = 0  # how many for loops of this template we are in: is `loop` known?

    def refuse(self, node: nodes.Node, reason: str) -> Refused:
        # Nodes that Jinja makes up (the scope of an autoescape block) have no line; their parts do.
        line = node.lineno or next(
            (one.lineno for one in node.find_all(nodes.Node) if one.lineno), 1
        )
        return Refused(self.name, line, reason)

    def value(self, node: nodes.Node) -> str:
        match node:
            case nodes.Const():
                return self.constant(node)
            case nodes.TemplateData():
                return quoted(node.data)
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
                return self.concatenation(node)
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

    def concatenation(self, node: nodes.Concat) -> str:
        # Jinja puts constants together while it compiles, forgets that one of them was escaped
        # already, and escapes it again (nodes.Concat.as_const).
        is_constant = next(node.find_all((nodes.Name, nodes.Call)), None) is None
        if is_constant and any(one.name in ("e", "escape") for one in node.find_all(nodes.Filter)):
            raise self.refuse(node, "an escaped constant joined by ~ is refused: write the result")
        return f"r.concat([{', '.join(self.value(one) for one in node.nodes)}])"

    def constant(self, node: nodes.Const) -> str:
        if not isinstance(node.value, str | int):
            raise self.refuse(
                node, f"{node.value!r} is refused: only text, whole numbers, true and false"
            )
        if isinstance(node.value, int) and abs(node.value) >= 2**53:
            raise self.refuse(node, "the number is larger than JavaScript counts exactly")
        return json.dumps(node.value, ensure_ascii=False)

    def free_name(self, node: nodes.Name) -> str:
        if node.name == "loop":
            # An include sees `loop` only where Jinja found a use for it in the loop's own body.
            raise self.refuse(
                node, "loop is known inside the loop only, and used by its attributes only"
            )
        return f"r.get(c, {self.plain_name(node, node.name)})"

    def plain_name(self, node: nodes.Node, name: str) -> str:
        """A name that a context, set, for, macro or import may give."""
        if name == "loop" or name in MESSAGES or name in GLOBALS or name.startswith("__"):
            raise self.refuse(node, f"{name} is refused: the name is taken")
        return quoted(name)

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
        return quoted(name)

    def item(self, node: nodes.Getitem) -> str:
        if isinstance(node.arg, nodes.Slice):
            raise self.refuse(node, "slices are refused")
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            # a["items"] asks the dict first in Jinja, so the name may be anything.
            return f"r.attr({self.value(node.node)}, {quoted(node.arg.value)})"
        return f"r.item({self.value(node.node)}, {self.value(node.arg)})"

    def dictionary(self, node: nodes.Dict) -> str:
        pairs = []
        for pair in node.items:
            if not isinstance(pair.key, nodes.Const) or not isinstance(pair.key.value, str):
                raise self.refuse(pair, "keys must be text")
            pairs.append(f"[{quoted(pair.key.value)}, {self.value(pair.value)}]")
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
        named = ", ".join(f"{quoted(one.key)}: {self.value(one.value)}" for one in node.kwargs)
        if isinstance(node.node, nodes.Name) and node.node.name in MESSAGES:
            self.check_message(node, node.node.name)
            return f"r.{MESSAGES[node.node.name]}(c, {arguments}, {{{named}}})"
        if not isinstance(node.node, nodes.Name | nodes.Getattr):
            raise self.refuse(node, "only macros can be called")
        return f"r.call({self.value(node.node)}, [{arguments}], {{{named}}})"

    def check_message(self, node: nodes.Call, word: str) -> None:
        """A message stands where the catalogues' extractor finds it, with all its parameters."""
        wanted = 1 if word == "_" else 3
        if len(node.args) != wanted:
            raise self.refuse(
                node, f"{word}() takes {wanted} positional arguments and named parameters"
            )
        given = {one.key for one in node.kwargs} | ({"num"} if word == "ngettext" else set())
        for one in node.args[:2]:  # ngettext's third is the number
            if not isinstance(one, nodes.Const) or not isinstance(one.value, str):
                raise self.refuse(one, "a message must stand here as text, or no catalogue has it")
            for percent in PERCENT.finditer(one.value):
                if not percent[1]:
                    raise self.refuse(node, "a % in a message is written %%, a parameter %(name)s")
                if percent[2] and percent[2] not in given:
                    raise self.refuse(node, f"the message's parameter {percent[2]} is not given")
