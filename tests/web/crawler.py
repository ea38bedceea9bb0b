"""A careless person at the desk: follows every link, fills every form, and types what nobody should.

Invariant: it finds pages and forms as a browser does, by reading what was answered, so a new page is
tried without anybody remembering to add it; the same seed makes the same journey on the same data.
It refuses to sign out and to touch people's accounts: a journey that locks itself out ends there.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Thing = TypeVar("Thing")

ODD = (
    "", " ", "x" * 5000, "\x00", "\u202eabc", "\U0001f600" * 10, "-1", "0", "1e9", "9" * 20, "null",
    "2026-02-30", "0001-01-01", "9999-12-31", "2026-11-22", "24:00", "12:5", "<b>x</b>", "' OR 1=1",
    "٢٠٢٦-١١-٢٢", "１２３", "a\nb\r\nc", "å̈\u200f", "../../etc/passwd", "yes", "sv", "xx", "fa-AF",
    "00000000-0000-4000-8000-000000000000",
)  # fmt: skip
"""What is typed into a field now and then."""
FILES = (
    b"", b"a,b\n1,2", b"PK\x03\x04xx", b"OggS" + b"\0" * 60, b"\xff\xfe\x00", 'namn;fr\xe5n\n1;2'.encode("latin1"),
)  # fmt: skip
QUERY = ("page", "area", "from", "to", "visitor", "status", "language", "topic", "state", "q")
AVOIDED = re.compile(r"/sign-|/people|^[a-z]+:(?!//)")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|\d+")


@dataclass(frozen=True)
class Form:
    """Where it goes; what it holds when it is sent untouched; what may be chosen; its file fields."""

    action: str
    method: str
    values: Mapping[str, Sequence[str]]
    choices: Mapping[str, Sequence[str]]
    files: Sequence[str]


class _Page(HTMLParser):
    def __init__(self, html: str, url: str) -> None:
        super().__init__()
        self.url, self.links, self.forms = url, list[str](), list[Form]()
        self._values: dict[str, list[str]] = {}
        self._choices: dict[str, list[str]] = {}
        self._files: list[str] = []
        self._target: tuple[str, str] | None = None
        self._select = self._area = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        self.links += [urljoin(self.url, a[k]) for k in ("href", "hx-get") if a.get(k)]
        if tag == "form":
            action = a.get("hx-post") or a.get("action") or self.url
            method = "post" if "hx-post" in a else a.get("method", "get").lower()
            self._target = (urljoin(self.url, action), method)
            self._values, self._choices, self._files = {}, {}, []
        name, value, kind = a.get("name", ""), a.get("value", ""), a.get("type", "text")
        if tag == "option" and self._select:
            self._choices[self._select].append(value)
        if self._target is None or not name:
            return
        if tag == "select":
            self._select = name
            self._choices[name] = []
        elif tag == "textarea":
            self._area = name
            self._values[name] = [""]
        elif kind == "file":
            self._files.append(name)
        elif tag == "button" or kind in ("checkbox", "radio"):
            self._choices.setdefault(name, []).append(value or "on")
        elif tag == "input":
            self._values.setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        if self._area:
            self._values[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""
        elif tag == "form" and self._target:
            self.forms.append(Form(*self._target, self._values, self._choices, self._files))
            self._target = None


@dataclass
class Crawler:
    """One person's journey. `broken` is what answered 500 or worse, with what was sent."""

    client: FlaskClient
    rng: random.Random
    broken: list[tuple[str, str, int, Any]] = field(default_factory=list)
    sent: int = 0
    _pages: dict[str, list[str]] = field(default_factory=dict)
    _forms: dict[str, list[Form]] = field(default_factory=dict)

    def start(self, *urls: str) -> None:
        for url in urls:
            self._keep(url)

    def step(self) -> None:
        """Look at a page, or send a form that some page had."""
        if not self._forms or self.rng.random() < 0.5:
            url = self._any(self._pages, 0)
            if self.rng.random() < 0.15:
                url = (
                    f"{url.partition('?')[0]}?{self.rng.choice(QUERY)}={self.rng.choice(ODD[:11])}"
                )
            self._look(url)
        else:
            self._send(self._any(self._forms, -8))

    def look_at_all(self) -> None:
        """Every kind of page once more: something sent on the way may have broken it."""
        for urls in list(self._pages.values()):
            self._look(urls[-1])

    def _look(self, url: str) -> None:
        answer = self._answered("GET", url, None, lambda: self.client.get(url))
        if answer.mimetype != "text/html" or answer.status_code >= 400:
            return
        page = _Page(answer.get_data(as_text=True), url)
        for link in page.links:
            self._keep(link)
        for form in page.forms:
            if not AVOIDED.search(form.action):
                names = ",".join(sorted({*form.values, *form.choices}))
                self._forms.setdefault(f"{_shape(form.action)} {names}", []).append(form)

    def _send(self, form: Form) -> None:
        data = dict(self._filled(form))
        kind = "multipart/form-data" if form.files else "application/x-www-form-urlencoded"
        headers = {"HX-Request": "true"} if self.rng.random() < 0.5 else {}
        if form.method == "get":
            path = form.action.partition("?")[0]
            ask = lambda: self.client.get(path, query_string=data)  # noqa: E731
        else:
            ask = lambda: self.client.post(  # noqa: E731
                form.action, data=data, headers=headers, content_type=kind
            )
        self.sent += 1
        answer = self._answered(form.method, form.action, data, ask)
        if answer.location:
            self._keep(urljoin(form.action, answer.location))

    def _filled(self, form: Form) -> Iterator[tuple[str, Any]]:
        chosen = {
            name: [self.rng.choice(some)]
            for name, some in form.choices.items()
            if some and self.rng.random() < 0.7
        }
        for name, values in {**form.values, **chosen}.items():
            luck = self.rng.random()
            # Without these nearly everything ends at the first check.
            if luck > 0.22 or (name in ("operation", "base", "seen") and luck > 0.04):
                yield name, list(values)
            elif luck > 0.17:
                yield name, [f"Test {self.rng.randrange(100)}"]
            elif luck > 0.14:
                yield name, [*values, *values]
            elif luck > 0.12:
                continue
            else:
                yield name, [self.rng.choice(ODD)]
        for name in form.files:
            yield name, [(BytesIO(self.rng.choice(FILES)), self.rng.choice(("x.csv", "å.ogg", "")))]

    def _answered(
        self, method: str, url: str, data: Any, ask: Callable[[], TestResponse]
    ) -> TestResponse:
        answer = ask()
        if answer.status_code >= 500:
            self.broken.append((method, url, answer.status_code, data))
        return answer

    def _keep(self, url: str) -> None:
        if urlsplit(url).netloc or AVOIDED.search(url):
            return
        known = self._pages.setdefault(_shape(url), [])
        if url not in known and len(known) < 60:
            known.append(url)

    def _any(self, found: Mapping[str, list[Thing]], last: int) -> Thing:
        # The guide has a page for each text of each language: each kind of place as often.
        kinds: dict[str, list[str]] = {}
        for shape in found:
            place = "/".join(shape.split("/")[:3])
            kinds.setdefault(place if "/guide" in place else shape, []).append(shape)
        shapes = kinds[self.rng.choice(list(kinds))]
        return self.rng.choice(found[self.rng.choice(shapes)][last:])


def _shape(url: str) -> str:
    return _ID.sub("#", urlsplit(url).path)
