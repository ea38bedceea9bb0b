"""Random templates of the compiler's subset: what nobody thinks of writing into a table of cases.

Names are few and are shadowed by loops, set, macros and arguments again and again: scope is where
two renderers differ in silence. Templates are typed loosely, so that most of them render.
"""

from __future__ import annotations

import random
from typing import Any

HOSTILE = "<b>'\"&amp;\u2028\u202e💧"
LIBRARY = {
    "lib.html": "{% set top = 'T<' %}{% macro z(a, b=top) %}<u>{{ a }}{{ b }}{{ _('%(a)s', a=a) }}</u>{% endmacro %}",
    "part0.html": "{{ s }}|{{ x }}",
    "part1.html": "{% set s = 'in' %}{{ s }}{{ d.k }}{% for x in words %}{{ x }}{% endfor %}",
    "part2.html": "{% block b1 %}P{{ t }}{% endblock %}",
}
HEAD = (
    "{% import 'lib.html' as lib %}{% from 'lib.html' import z as z2 %}"
    "{% macro m(a, b='d') %}[{{ a }}{{ b }}]{% endmacro %}{% macro q(a=b, b=a) %}({{ b }}){% endmacro %}"
)


class Writer:
    """Writes templates; the same `dice` write the same."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.blocks = 0
        self.macros = 0

    def files(self, count: int) -> dict[str, str]:
        """The library and `count` pages; every third one extends an earlier one."""
        pages: dict[str, str] = {}
        for number in range(count):
            self.blocks = 0
            if number % 3 < 2:
                source = HEAD + self.body(0)
            else:
                source = f"{{% extends '{self.dice.choice(list(pages))}' %}}{HEAD}"
                source += f"{{% set x = {self.text(2)} %}}" * self.dice.randint(0, 1)
                for block in self.dice.sample(range(1, 5), 2):
                    self.blocks = 10 * block
                    source += f"{{% block b{block} %}}{self.body(2)}{{% endblock %}}"
            pages[f"page{number}.html"] = source
        return {**LIBRARY, **pages}

    def context(self) -> dict[str, Any]:
        def word() -> str:
            return self.dice.choice(["", HOSTILE, "a", "bb"])

        def words() -> list[str]:
            return [word() for _ in range(self.dice.randint(0, 3))]

        return {
            "s": word(), "t": word(), "x": word(), "n": self.dice.randint(-2, 4), "f": self.dice.random() < 0.5,
            "words": words(), "d": {"k": word(), "a": 1}, "one": {"label": word()},
            "rows": [{"label": word(), "tags": words()} for _ in range(self.dice.randint(1, 3))],
        }  # fmt: skip

    def body(self, depth: int) -> str:
        return "".join(self.statement(depth) for _ in range(self.dice.randint(1, 4)))

    def tag(self, text: str) -> str:
        left, right = self.dice.choice(["", "", "-"]), self.dice.choice(["", "", "-"])
        return f"{{%{left} {text} {right}%}}" + self.dice.choice(["", "\n", " "])

    def statement(self, depth: int) -> str:
        kind = self.dice.random()
        inner = depth + 1
        if depth > 3 or kind < 0.4:
            return self.dice.choice(["\n", "  ", "<p>"]) + f"{{{{ {self.any(0)} }}}}"
        if kind < 0.5:
            return self.tag(f"set {self.dice.choice('stx')} = {self.text(1)}")
        if kind < 0.65:
            other = self.tag("else") + self.body(inner) if kind < 0.58 else ""
            return (
                self.tag(f"if {self.any(1)}") + self.body(inner) + other + self.tag("endif") + "\n"
            )
        if kind < 0.83:
            loops = ["one in rows", "x in words", "x in rows[0].tags", f"s in {self.list(1)}"]
            told = self.dice.choice(["", "{{ loop.index }}/{{ loop.length }}{{ loop.last }}"])
            empty = self.tag("else") + self.body(inner) if kind < 0.71 else ""
            head = self.tag(f"for {self.dice.choice(loops)}")
            return head + self.body(inner) + told + empty + self.tag("endfor")
        if kind < 0.9:
            return self.tag(f"include 'part{self.dice.randint(0, 2)}.html'")
        if kind < 0.94:
            self.macros += 1  # a macro that called m or q could call itself for ever
            made = self.tag(f"macro {self.dice.choice('mq')}(a='0', b={self.text(2)})")
            made += self.body(inner) + self.tag("endmacro")
            self.macros -= 1
            return made
        self.blocks += 1
        return self.tag(f"block b{self.blocks}") + self.body(inner) + self.tag("endblock")

    def any(self, depth: int) -> str:
        return self.dice.choice([self.text, self.text, self.number, self.truth])(depth + 1)

    def text(self, depth: int) -> str:
        simple = ["s", "t", "x", "one.label", "d.k", "d['k']", "'a'", "'<b>'", "rows[0].label"]
        if depth > 3:
            return self.dice.choice(simple)
        some, more = self.any(depth), self.text(depth + 1)
        longer = [
            f"({some} ~ {more})", f"(({more} ~ s)|e)", f"({more} if {some} else {self.text(depth + 1)})",
            f"({self.list(depth + 1)}|join({more}))", f"_('<i>%(a)s</i>|%%', a={some})", f"({some} or {more})",
            f"ngettext('%(num)s a', '%(num)s b %(q)s', {self.number(depth + 1)}, q={some})", f"lib.z({some})", f"z2({more}, {some})",
        ]  # fmt: skip
        if not self.macros:
            longer += [f"m({some})", f"m({more}, b={some})", f"q(b={some})", f"q({more})"]
        return self.dice.choice([*simple, *longer])

    def number(self, depth: int) -> str:
        simple = ["n", "0", "2", "rows|length"]
        if depth > 3:
            return self.dice.choice(simple)
        one, two = self.number(depth + 1), self.dice.choice([self.number, self.truth])(depth + 1)
        return self.dice.choice([*simple, f"({one} + {two})", f"({two} - {one})"])

    def truth(self, depth: int) -> str:
        if depth > 3:
            return self.dice.choice(["f", "true", "false"])
        some, more, one = self.any(depth), self.any(depth), self.text(depth + 1)
        sign = self.dice.choice(["<", ">", "<=", ">=", "==", "!="])
        return self.dice.choice([
            "f", f"({self.number(depth + 1)} {sign} {self.number(depth + 1)})", f"({some} == {more})", f"(not {some})",
            f"({some} and {more})", f"({some} or {more})", f"({one} in {self.text(depth + 1)})",
            f"({some} not in {self.list(depth + 1)})", f"({some} in d)",
        ])  # fmt: skip

    def list(self, depth: int) -> str:
        return self.dice.choice(
            ["words", "rows[0].tags", f"[{self.any(depth)}, {self.any(depth)}]"]
        )
