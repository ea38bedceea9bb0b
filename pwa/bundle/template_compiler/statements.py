"""Jinja's statements → the body of JavaScript functions, one template at a time.

Invariant: each name has the scope it has in Jinja: a loop, a macro, a block and an include have a
scope of their own (`c`), `if` has none. Every refusal is collected, not only the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from jinja2 import nodes

from pwa.bundle.template_compiler.expressions import Expressions, quoted
from pwa.bundle.template_compiler.refused import Refused


class Statements(Expressions):
    """A template being emitted; `names` are the templates it may include, import and extend."""

    def __init__(self, name: str, names: set[str], refusals: list[Refused]) -> None:
        super().__init__(name)
        self.names = names
        self.refusals = refusals

    # --- the template as a whole ------------------------------------------------------

    def emit(self, tree: nodes.Template) -> str:
        extends = list(tree.find_all(nodes.Extends))
        parent = "null"
        body: list[nodes.Node] = list(tree.body)
        if extends:
            if extends[0] not in tree.body or len(extends) > 1:
                self.refusals.append(self.refuse(extends[0], "extends belongs at the top, once"))
            parent = quoted(self.attempt(lambda: self.static_name(extends[0].template)) or "")
            self.only_definitions(body)
            # Blocks are rendered where the parent has them, not where the child defines them.
            body = [node for node in body if not isinstance(node, nodes.Extends | nodes.Block)]
        blocks = [
            f"    {quoted(block.name)}(K, B) {{\n      const c = r.scope(K)\n      let o = ''\n"
            f"{self.statements(block.body, 3)}      return o\n    }},\n"
            for block in self.blocks(tree)
        ]
        return (
            f"T[{quoted(self.name)}] = {{\n  parent: {parent},\n"
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
        allowed = (
            nodes.Extends,
            nodes.Block,
            nodes.Assign,
            nodes.Import,
            nodes.FromImport,
            nodes.Macro,
        )
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
                return (
                    f"{pad}c[{self.plain_name(node, node.target.name)}] = {self.value(node.node)}\n"
                )
            case nodes.Block():
                return f"{pad}o += B[{quoted(node.name)}](K, B)\n"
            case nodes.Include():
                if not node.with_context or node.ignore_missing:
                    raise self.refuse(node, "include without context or ignore missing is refused")
                return f"{pad}o += r.include(T, {quoted(self.static_name(node.template))}, c)\n"
            case nodes.Import():
                self.no_context(node, node.with_context)
                return (
                    f"{pad}c[{self.plain_name(node, node.target)}] = "
                    f"r.module(T, {quoted(self.static_name(node.template))}, c)\n"
                )
            case nodes.FromImport():
                self.no_context(node, node.with_context)
                source = quoted(self.static_name(node.template))
                pairs = [one if isinstance(one, tuple) else (one, one) for one in node.names]
                wanted = ", ".join(
                    f"[{self.plain_name(node, alias)}, {quoted(name)}]" for name, alias in pairs
                )
                return f"{pad}r.imported(T, {source}, [{wanted}], c)\n"
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
                pieces.append(quoted(one.data))
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
            targets = self.plain_name(node, node.target.name)
        elif isinstance(node.target, nodes.Tuple) and all(
            isinstance(one, nodes.Name) for one in node.target.items
        ):
            names = (cast(nodes.Name, one).name for one in node.target.items)
            targets = f"[{', '.join(self.plain_name(node, one) for one in names)}]"
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
        names = [self.plain_name(node, argument.name) for argument in node.args]
        first = len(names) - len(node.defaults)
        defaults = ", ".join(
            f"{names[first + place]}: (c) => {self.value(default)}"
            for place, default in enumerate(node.defaults)
        )
        loops, self.loops = self.loops, 0
        body = self.statements(node.body, depth + 1)
        self.loops = loops
        return (
            f"{pad}c[{self.plain_name(node, node.name)}] = r.macro(c, {quoted(node.name)}, [{', '.join(names)}], "
            f"{{{defaults}}}, (c) => {{\n{pad}  let o = ''\n{body}{pad}  return o\n{pad}}})\n"
        )
