"""Random templates of the compiler's subset and contexts for them, as Hypothesis strategies.

Names are few and are shadowed by loops, set, macros and arguments again and again: scope is where
two renderers can differ unnoticed. Templates are typed loosely, so most of them render.
"""

from __future__ import annotations

import functools
import itertools
import re
from string import Template
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

HOSTILE = "<b>'\"&amp;\u2028\u202e💧"
LIBRARY = {
    "lib.html": "{% set top = 'T<' %}{% macro z(a, b=top) %}<u>{{ a }}{{ b }}{{ _('%(a)s', a=a) }}</u>{% endmacro %}",
    "part0.html": "{{ s }}|{{ x }}",
    "part1.html": "{% set s = 'in' %}{{ s }}{{ d.k }}{% for x in words %}{{ x }}{% endfor %}",
    "part2.html": "{% block b1 %}P{{ t }}{% endblock %}",
}
"""What every page may import or include."""
HEAD = (
    "{% import 'lib.html' as lib %}{% from 'lib.html' import z as z2 %}"
    "{% macro m(a, b='d') %}[{{ a }}{{ b }}]{% endmacro %}{% macro q(a=b, b=a) %}({{ b }}){% endmacro %}"
)
EXPRESSION_DEPTH = 3
STATEMENT_DEPTH = 3
BLOCK = "block ?"  # numbered when the page is whole

Text = SearchStrategy[str]


def _filled(pattern: str, **parts: Text) -> Text:
    """`pattern` with each `$name` replaced by an example of that strategy."""
    return st.fixed_dictionaries(parts).map(Template(pattern).substitute)


# --- expressions: `depth` levels of them at most, with `calls` of the page's macros -------------


@functools.cache
def _any(depth: int, calls: bool) -> Text:
    text = _text(depth, calls)
    return st.one_of(text, text, _number(depth, calls), _truth(depth, calls))


@functools.cache
def _text(depth: int, calls: bool) -> Text:
    simple = st.sampled_from(
        ["s", "t", "x", "one.label", "d.k", "d['k']", "'a'", "'<b>'", "rows[0].label"]
    )
    if depth == 0:
        return simple
    patterns = [
        "($any ~ $text)", "(($text ~ s)|e)", "($text if $any else $other)", "($list|join($text))",
        "_('<i>%(a)s</i>|%%', a=$any)", "($any or $text)", "lib.z($any)", "z2($text, $any)",
        "ngettext('%(num)s a', '%(num)s b %(q)s', $number, q=$any)",
    ]  # fmt: skip
    if calls:
        patterns += ["m($any)", "m($text, b=$any)", "q(b=$any)", "q($text)"]
    return st.one_of(simple, *(_expression(one, depth - 1, calls) for one in patterns))


@functools.cache
def _number(depth: int, calls: bool) -> Text:
    simple = st.sampled_from(["n", "0", "2", "rows|length"])
    if depth == 0:
        return simple
    sums = ["($number + $number2)", "($number + $truth)", "($truth - $number)"]
    return st.one_of(simple, *(_expression(one, depth - 1, calls) for one in sums))


@functools.cache
def _truth(depth: int, calls: bool) -> Text:
    if depth == 0:
        return st.sampled_from(["f", "true", "false"])
    patterns = [
        *(f"($number {sign} $number2)" for sign in ("<", ">", "<=", ">=", "==", "!=")),
        "($any == $other)", "(not $any)", "($any and $other)", "($any or $other)",
        "($text in $text2)", "($any not in $list)", "($any in d)",
    ]  # fmt: skip
    return st.one_of(st.just("f"), *(_expression(one, depth - 1, calls) for one in patterns))


@functools.cache
def _list(depth: int, calls: bool) -> Text:
    simple = st.sampled_from(["words", "rows[0].tags"])
    return simple if depth == 0 else simple | _expression("[$any, $other]", depth - 1, calls)


def _expression(pattern: str, depth: int, calls: bool) -> Text:
    """`pattern` with expressions of the types that it names ($any, $text, $text2 …)."""
    types = {
        "any": _any, "other": _any, "text": _text, "text2": _text, "number": _number,
        "number2": _number, "truth": _truth, "list": _list,
    }  # fmt: skip
    named = re.findall(r"\$(\w+)", pattern)
    return _filled(pattern, **{name: types[name](depth, calls) for name in named})


# --- statements ---------------------------------------------------------------------------


def _tag(content: Text) -> Text:
    """A tag that trims the white space around it, or does not."""
    trim = st.sampled_from(["", "", "-"])
    after = st.sampled_from(["", "\n", " "])
    return _filled("{%$left $content $right%}$after", left=trim, content=content, right=trim, after=after)  # fmt: skip


@functools.cache
def _body(depth: int, calls: bool) -> Text:
    """One to four statements, `depth` levels of them at most."""
    return st.lists(_statement(depth, calls), min_size=1, max_size=4).map("".join)


@functools.cache
def _statement(depth: int, calls: bool) -> Text:
    space = st.sampled_from(["\n", "  ", "<p>"])
    output = _filled("$space{{ $any }}", space=space, any=_any(EXPRESSION_DEPTH, calls))
    if depth == 0:
        return output
    inner = _body(depth - 1, calls)
    name = st.sampled_from("stx")
    text = _text(EXPRESSION_DEPTH - 1, calls)
    assignment = _tag(_filled("set $name = $text", name=name, text=text))
    include = _tag(_filled("include 'part$n.html'", n=st.sampled_from("012")))
    block = _filled("$begin$inner$end", begin=_tag(st.just(BLOCK)), inner=inner, end=_end("block"))
    return st.one_of(
        output, output, output, assignment, _condition(inner, calls), _loop(inner, calls),
        include, block, _macro(depth, name),
    )  # fmt: skip


def _end(kind: str) -> Text:
    return _tag(st.just(f"end{kind}"))


def _otherwise(inner: Text) -> Text:
    return st.just("") | _filled("$tag$inner", tag=_tag(st.just("else")), inner=inner)


def _condition(inner: Text, calls: bool) -> Text:
    test = _tag(_filled("if $any", any=_any(EXPRESSION_DEPTH - 1, calls)))
    return _filled(
        "$test$inner$otherwise$end\n", test=test, inner=inner, otherwise=_otherwise(inner), end=_end("if"),
    )  # fmt: skip


def _loop(inner: Text, calls: bool) -> Text:
    over = st.sampled_from(["one in rows", "x in words", "x in rows[0].tags"])
    over |= _filled("s in $list", list=_list(EXPRESSION_DEPTH - 1, calls))
    counter = st.sampled_from(["", "{{ loop.index }}/{{ loop.length }}{{ loop.last }}"])
    return _filled(
        "$head$inner$counter$otherwise$end", head=_tag(_filled("for $over", over=over)),
        inner=inner, counter=counter, otherwise=_otherwise(inner), end=_end("for"),
    )  # fmt: skip


def _macro(depth: int, name: Text) -> Text:
    # Without calls of m and q: a macro that called itself would do so for ever.
    default = _text(EXPRESSION_DEPTH - 2, False)
    head = _filled("macro $name(a='0', b=$default)", name=st.sampled_from("mq"), default=default)
    return _filled(
        "$head$inner$end", head=_tag(head), inner=_body(depth - 1, False), end=_end("macro")
    )


# --- pages and contexts -------------------------------------------------------------------


def _numbered(source: str, first: int) -> str:
    """`source` with its blocks named b1, b2 … from `first`: a name may stand only once."""
    numbers = itertools.count(first)
    return re.sub(re.escape(BLOCK), lambda _: f"block b{next(numbers)}", source)


PAGES = _body(STATEMENT_DEPTH, True).map(lambda body: HEAD + _numbered(body, 1))
"""A page by itself."""


@st.composite
def extending_pages(draw: st.DrawFn, parent: str) -> str:
    """A page that extends `parent`, and fills two of its first blocks where it has them."""
    source = f"{{% extends '{parent}' %}}{HEAD}"
    if draw(st.booleans()):
        source += f"{{% set x = {draw(_text(1, True))} %}}"
    for number in draw(st.permutations(range(1, 5)))[:2]:
        body = _numbered(draw(_body(1, True)), 10 * number + 1)
        source += f"{{% block b{number} %}}{body}{{% endblock %}}"
    return source


WORD = st.sampled_from(["", HOSTILE, "a", "bb"])
WORDS = st.lists(WORD, max_size=3)
CONTEXTS: SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({
    "s": WORD, "t": WORD, "x": WORD, "n": st.integers(-2, 4), "f": st.booleans(), "words": WORDS,
    "d": st.fixed_dictionaries({"k": WORD, "a": st.just(1)}),
    "one": st.fixed_dictionaries({"label": WORD}),
    "rows": st.lists(st.fixed_dictionaries({"label": WORD, "tags": WORDS}), min_size=1, max_size=3),
})  # fmt: skip
