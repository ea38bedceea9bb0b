"""Requests that no page of ours would send, thousands of them from one seed.

    python -m tests.web.hostile --requests 1000 --seed 1

Each is built below the client libraries, as an environ, because those repair what an attacker leaves
broken. What gunicorn refuses by itself is left out: it never reaches the application (raw bytes in the
request line, control signs in a header, a length that is no number, a method in lower case). Some are garbage; most are a request that would succeed (tests/web/address_forms.py), spoilt in
one or two places, sent by anybody. Ids differ from run to run, what is done with them does not.

What counts: an answer of 500 or more or an exception (`hidden`: an error of ours), an answer with a
word of what is protected to somebody who may not see it (`hidden` too), an operation answered as
taken in that is nowhere (`lost`), records that are not what the log says (`doubled`).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import time_machine
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from sync.kinds import KINDS
from sync.operations import MEDIA_TYPE, encode
from tests.cast.people import quick_hashing
from tests.cast.wire_phone import WirePhone
from tests.cast.world import NOW
from tests.server_faults.oracle import Findings, check_acknowledged, check_consistent
from tests.server_faults.story import Response as Acknowledged
from tests.web.address_forms import UNKNOWN, path_of, request_for
from tests.web.address_table import COLUMNS, ROWS
from tests.web.company import PASSWORD, SECRET, Company
from tests.web.crawler import FILES
from tests.web.hostile_words import DAYS, HEADERS, METHODS, TYPES, WORDS
from tests.web.operation_table import data_of

REQUESTS_BETWEEN_CHECKS = 100


@dataclass
class Tally:
    """What came of the requests; `broken` says what was wrong and what had been sent."""

    tried: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    broken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)

    def row(self) -> dict[str, Any]:
        """As the long proof counts it (tests/soak/parts.py)."""
        return {
            "part": "hostile", "fault": "F15", "tried": self.tried, "lost": len(self.findings.lost),
            "doubled": len(self.findings.doubled), "hidden": len(self.broken) + len(self.findings.hidden),
        }  # fmt: skip


@dataclass
class Attacker:
    """Makes requests against `company`, all chosen by `rng`."""

    company: Company
    rng: random.Random

    def request(self) -> tuple[str, dict[str, Any]]:
        """(who sends it, the environ)."""
        who = self.rng.choice([*COLUMNS])
        make = self.rng.choice(
            (self.garbage, self.spoilt_form, self.spoilt_form, self.spoilt_query, self.push, self.push,
             self.pull, self.blob, self.json_body)
        )  # fmt: skip
        environ = make(who)
        if who != "nobody":
            environ["HTTP_COOKIE"] = self.company.cookies[who]
        environ.setdefault("HTTP_SEC_FETCH_SITE", "same-origin")
        for _ in range(self.rng.choice((0, 0, 0, 1, 1, 2, 4))):
            name = self.rng.choice([*HEADERS])
            environ[name] = self.rng.choice(HEADERS[name])
        if self.rng.random() < 0.1:
            environ["REQUEST_METHOD"] = self.rng.choice(METHODS)
        if self.rng.random() < 0.1:
            environ["CONTENT_TYPE"] = self.rng.choice(TYPES)
        return who, environ

    # --- kinds of request ----------------------------------------------------------------

    def garbage(self, who: str) -> dict[str, Any]:
        """A path of parts of real paths, ids and bytes."""
        real = self.rng.choice(ROWS).rule.split("/")
        parts = [self._bytes() if self.rng.random() < 0.4 else part.encode() for part in real]
        environ = self._environ(b"/".join(parts) or b"/", self.rng.choice(METHODS), self._junk())
        environ["QUERY_STRING"] = quote(self._bytes(), safe="&=?/;+%[]")
        return environ

    def spoilt_query(self, who: str) -> dict[str, Any]:
        """A page with questions it does not expect, and ids of another sort in its address."""
        row = self.rng.choice([row for row in ROWS if row.method in ("GET", "HEAD")])
        path = self._spoilt_path(row.rule, row.target)
        names = ("cursor", "scope", "page", "state", "area", "from", "to", "show", "section", "queue", "level",
                 "language", "name", "item", "purpose", "decision", "period", "tick", "sort", "next", "quiet.from")  # fmt: skip
        asked = [(self.rng.choice(names), self._word()) for _ in range(self.rng.randrange(4))]
        environ = self._environ(path, row.method)
        environ["QUERY_STRING"] = _encoded(asked)
        return environ

    def spoilt_form(self, who: str) -> dict[str, Any]:
        """A form that would succeed, with some fields changed, gone or twice there."""
        row = self.rng.choice([row for row in ROWS if row.method == "POST"])
        data = request_for(self.company, row.method, row.rule, row.target, who).get("data", {})
        path = self._spoilt_path(row.rule, row.target)
        if not isinstance(data, dict):
            return self.push(who)
        fields = [(name, value) for name, value in data.items() if not isinstance(value, tuple)]
        files = [name for name, value in data.items() if isinstance(value, tuple)]
        spoilt = list(self._spoilt(fields))
        if files or self.rng.random() < 0.1:
            return self._multipart(path, spoilt, files or ["file"])
        environ = self._environ(path, "POST", _encoded(spoilt).encode("latin-1"))
        return environ | {"CONTENT_TYPE": "application/x-www-form-urlencoded"}

    def push(self, who: str) -> dict[str, Any]:
        """A push of a few operations, each spoilt somewhere, in a body that may be spoilt too."""
        user = self.company.users["bob" if who == "nobody" else who]
        phone = WirePhone(self.company.client("nobody"), user.id)
        texts: list[Any] = [self._operation(phone) for _ in range(self.rng.randrange(4))]
        body: dict[str, Any] = {
            "protocol": 1, "device": phone.device, "key": self.rng.choice(("", "a" * 64)), "operations": texts,
            "blobs": [{"sha256": self._word(), "type": "image/svg+xml", "text": self._word()}], "short": True,
            "health": {"unsent": 1, "lost": "emptied", "deleted": [UNKNOWN], "oldest_unsent_at": "x"},
        }  # fmt: skip
        if self.rng.random() < 0.6:
            body = self._mutated(body)
        octets = self._json(body)
        environ = self._environ(b"/sync/push", "POST", octets)
        environ |= {"CONTENT_TYPE": MEDIA_TYPE, "HTTP_X_TROSKEL_PROTOCOL": "1"}
        if self.rng.random() < 0.2:
            packed = gzip.compress(octets)[: self.rng.choice((None, -3, 20))]
            environ |= self._environ(b"/sync/push", "POST", packed) | {
                "CONTENT_TYPE": MEDIA_TYPE, "HTTP_CONTENT_ENCODING": "gzip",
            }  # fmt: skip
        return environ

    def pull(self, who: str) -> dict[str, Any]:
        """A pull with an own cursor that says something else in one part."""
        head = self.company.services.storage.head()
        assert head is not None
        reader = "bob" if who == "nobody" else who
        answer = self.company.client(reader).get("/sync/pull")
        own = answer.get_json()["cursor"] if answer.status_code == 200 else "0..2026-11-22"
        parts = own.split(".")
        place = self.rng.choice((0, 1, 2, 2, 2, 3))
        if place < len(parts):
            parts[place] = self.rng.choice(DAYS) if place == 2 else self._word()
        asked = [("cursor", ".".join(parts)), ("scope", self.rng.choice(("all", "", self._word())))]
        environ = self._environ(b"/sync/pull", "GET")
        return environ | {"QUERY_STRING": _encoded(asked)}

    def blob(self, who: str) -> dict[str, Any]:
        """A piece of a picture or of something else, under a name that may not be its own."""
        name = self.rng.choice((*self.company.blobs.values(), self._word(), "e" * 64))
        content = self.rng.choice(
            (*FILES, b"\xff\xd8\xff" + self._bytes(), b"<svg/>", b"x" * 70_000)
        )
        path = b"/sync/blobs/" + _octets(name)
        environ = self._environ(path, self.rng.choice(("PUT", "PUT", "HEAD")), content)
        if self.rng.random() < 0.6:
            environ["HTTP_CONTENT_RANGE"] = (
                f"bytes 0-{len(content) - 1}/{self.rng.choice((len(content), 10**9, 1))}"
            )
        return environ

    def json_body(self, who: str) -> dict[str, Any]:
        """JSON where a form is expected, mostly where a program may send it instead."""
        path = self.rng.choice((b"/sign-in", b"/sign-in", b"/sessions/end", b"/language", b""))
        if not path:
            row = self.rng.choice([row for row in ROWS if row.method == "POST"])
            path = self._spoilt_path(row.rule, row.target)
        password = self.rng.choice((PASSWORD, self._word()))
        value = {
            "name": self.rng.choice(("bob", self._word())), "password": password, "device": "x",
            "language": "so", "id": UNKNOWN, "next": "/",
        }  # fmt: skip
        environ = self._environ(path, "POST", self._json(self._mutated(value)))
        return environ | {"CONTENT_TYPE": "application/json"}

    # --- pieces ----------------------------------------------------------------------------

    def _environ(self, path: bytes, method: str, body: bytes = b"") -> dict[str, Any]:
        environ = EnvironBuilder("/", base_url="http://127.0.0.1/").get_environ()
        return environ | {
            "REQUEST_METHOD": method,
            "PATH_INFO": (path if path.startswith(b"/") else b"/" + path).decode("latin-1"),
            "wsgi.input": BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
        }

    def _spoilt_path(self, rule: str, target: str) -> bytes:
        path = path_of(self.company, rule, target)
        if self.rng.random() < 0.4:
            ids = [
                *self.company.visits.values(), *self.company.follow_ups.values(), *self.company.notes.values(),
                *(user.id for user in self.company.users.values()), *self.company.blobs.values(), self.company.room,
            ]  # fmt: skip
            parts = path.split("/")
            parts[self.rng.randrange(1, len(parts))] = self.rng.choice(
                (self.rng.choice(ids), self._word())
            )
            path = "/".join(parts)
        return _octets(path)

    def _operation(self, phone: WirePhone) -> Any:
        kind = self.rng.choice([*KINDS])
        target = self.rng.choice(("open", "open", "protected", "unknown"))
        visit = self.company.visits.get(target, UNKNOWN)
        text = phone.make(kind, visit, data_of(self.company, kind, target))
        if self.rng.random() < 0.2:
            return text
        envelope = self._mutated(json.loads(text))
        if self.rng.random() < 0.9 and isinstance(envelope, dict):
            try:
                return encode(envelope)
            except (KeyError, TypeError, ValueError):
                pass
        return self._json(envelope).decode("utf-8", "replace")

    def _mutated(self, value: Any) -> Any:
        """`value` with one place in it changed."""
        if isinstance(value, dict) and value and self.rng.random() < 0.9:
            key = self.rng.choice([*value])
            if self.rng.random() < 0.1:
                return {name: one for name, one in value.items() if name != key}
            return value | {key: self._mutated(value[key])}
        if isinstance(value, list) and value and self.rng.random() < 0.7:
            place = self.rng.randrange(len(value))
            return [*value[:place], self._mutated(value[place]), *value[place + 1 :]]
        nested: Any = []
        for _ in range(self.rng.choice((3, 300))):
            nested = [nested] if self.rng.random() < 0.5 else {"a": nested}
        return self.rng.choice(
            (
                None,
                True,
                -1,
                0,
                2**53,
                2**63,
                10**30,
                1.5,
                1e308,
                "",
                self._word(),
                [],
                {},
                [value, value],
                nested,
            )
        )

    def _json(self, value: Any) -> bytes:
        text = json.dumps(value, ensure_ascii=self.rng.random() < 0.5)
        luck = self.rng.random()
        if luck < 0.04:
            text = text.replace("1", "9" * 5000, 1)
        elif luck < 0.08:
            text = "[" * 100_000 + text
        elif luck < 0.12:
            text = text.replace(":", ":NaN,", 1) + "\x00"
        elif luck < 0.16:
            return text.encode("utf-16", "surrogatepass")
        elif luck < 0.2:
            return _octets(text)[: self.rng.randrange(len(text) + 1)]
        return _octets(text)

    def _spoilt(self, fields: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
        for name, value in fields:
            luck = self.rng.random()
            if luck < 0.6:
                yield name, str(value)
            elif luck < 0.85:
                yield name, self._word()
            elif luck < 0.9:
                yield from ((name, str(value)), (name, self._word()))
            elif luck < 0.95:
                yield self._word(), str(value)

    def _multipart(
        self, path: bytes, fields: Iterable[tuple[str, str]], files: list[str]
    ) -> dict[str, Any]:
        parts = [
            b'Content-Disposition: form-data; name="'
            + _octets(name)
            + b'"\r\n\r\n'
            + _octets(value)
            for name, value in fields
        ]
        for name in files:
            head = f'Content-Disposition: form-data; name="{name}"; filename="{self._word()}"\r\n'
            kind = f"Content-Type: {self.rng.choice(TYPES)}\r\n\r\n"
            parts.append(_octets(head + kind) + self.rng.choice((*FILES, self._bytes())))
        body = (
            b"--x\r\n"
            + b"\r\n--x\r\n".join(parts)
            + self.rng.choice((b"\r\n--x--\r\n", b"", b"--x"))
        )
        environ = self._environ(path, "POST", body)
        return environ | {"CONTENT_TYPE": "multipart/form-data; boundary=x"}

    def _word(self) -> str:
        return self.rng.choice(WORDS)

    def _bytes(self) -> bytes:
        return self.rng.randbytes(self.rng.choice((0, 1, 3, 20, 400)))

    def _junk(self) -> bytes:
        return self.rng.choice((b"", self._bytes(), _octets(self._word())))


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _encoded(fields: Iterable[tuple[str, str]]) -> str:
    """As a form or a question mark carries them; half a surrogate pair as its three bytes."""
    return urlencode([(_octets(name), _octets(value)) for name, value in fields], quote_via=quote)


def send(company: Company, environ: dict[str, Any]) -> tuple[int, bytes]:
    """(status, body) of the application's answer, unpacked."""
    answer = Response.from_app(company.app.wsgi_app, environ, buffered=True)
    body = answer.get_data()
    return answer.status_code, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def attack(company: Company, seed: int, requests: int) -> Tally:
    """Send so many requests chosen by `seed`; the company is as before afterwards."""
    tally, answers = Tally(), list[Acknowledged]()
    attacker = Attacker(company, random.Random(seed))
    for number in range(requests):
        who, environ = attacker.request()
        sent = {
            name: value
            for name, value in environ.items()
            if not name.startswith(("wsgi", "werkzeug"))
        }
        sent["body"] = environ["wsgi.input"].getvalue()[:2000]
        try:
            status, body = send(company, environ)
        except Exception as error:
            status, body = 599, repr(error).encode()
        tally.tried += 1
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        if status >= 500:
            tally.broken.append((f"{status} {body[:300]!r} to request {number} of {seed}", sent))
        if who != "saga" and any(word.encode() in body for word in SECRET):
            tally.broken.append(
                (f"shows what is protected to {who}, request {number} of {seed}", sent)
            )
        if body.startswith(b"{") and b'"results":' in body and status == 200:
            answers.append({"status": status, "json": json.loads(body)})
        if (
            number % REQUESTS_BETWEEN_CHECKS == REQUESTS_BETWEEN_CHECKS - 1
            or number == requests - 1
        ):
            tally.findings.add(check_acknowledged(company.data, answers))
            tally.findings.add(check_consistent(company.data))
            answers = []
            company.restore()
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.web.hostile")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with (
        quick_hashing(),
        tempfile.TemporaryDirectory() as folder,
        time_machine.travel(NOW, tick=False),
    ):
        company = Company.build(Path(folder) / "data")
        tally = attack(company, chosen.seed, chosen.requests)
        company.close()
    for line in (*tally.broken, *tally.findings.lost, *tally.findings.doubled):
        print(line)
    print(json.dumps(tally.row()))
    return int(bool(tally.broken or tally.findings))


if __name__ == "__main__":
    sys.exit(main())
