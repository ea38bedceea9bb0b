"""What is sent to each address of the table: a request that would succeed for somebody who may.

Invariant: an address that takes a form has one here, filled in for each of its targets, so that a
refusal in the table is the guard's and never a missing field's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from pwa.ids import uuid4
from pwa.publishing.acts import place
from pwa.publishing.po import export_po
from pwa.publishing.versions import draft_guide
from sync.operations import MEDIA_TYPE
from tests.cast.operations import NOW
from tests.cast.operations import operation_id as operation
from tests.cast.pictures import photo
from tests.cast.samples import sha256_of
from tests.publishing.test_recordings import ogg
from tests.web.company import (
    IMPORT_HEADER,
    ITEM,
    OPEN,
    PASSWORD,
    SECRET,
    TEXT,
    Company,
    imported,
)

Request = dict[str, Any]
"""Arguments of `FlaskClient.open`, beside path and method."""
Form = Callable[[Company, str, str], Request]
"""(company, target, who asks) → what is sent."""

UNKNOWN = "00000000-0000-4000-8000-00000000000f"
_FRESH = photo(80, 60)


def path_of(company: Company, rule: str, target: str) -> str:
    """The address of `rule` for a target."""
    values = {
        **_ids(company, rule, target),
        "language": target,
        "purpose": "K8",
        "key": ITEM if "/recordings/" in rule else TEXT,
        "version": company.services.guide.version
        if rule.startswith("/guide/")
        else company.services.assets.version,
        "path:name": "../../secret" if target == "climbing" else "css/base.css",
        "path:page": f"visits/{company.visits.get(target, UNKNOWN)}",
    }
    return re.sub(r"<([^>]+)>", lambda name: values[name[1]], rule)


def _ids(company: Company, rule: str, target: str) -> dict[str, str]:
    owner = "open" if target == "mixed" else target
    if rule.startswith("/recordings/"):
        return {"sha256": company.recording if target == "ar" else "0" * 64}
    if rule.startswith("/desk/people/"):
        known = company.users.get(target)
        return {"id": known.id if known else UNKNOWN}
    found = company.follow_ups if rule.startswith("/desk/follow-ups/") else company.visits
    picture = company.blobs.get("protected" if target == "mixed" else target)
    id = found.get(owner, UNKNOWN)
    return {"id": id, "visit": id, "sha256": picture or sha256_of(_FRESH)}


def request_for(company: Company, method: str, rule: str, target: str, who: str) -> Request:
    """What `who` sends there."""
    form = FORMS.get((method, rule))
    return form(company, target, who) if form else {}


def _query(**values: str) -> Form:
    return lambda company, target, who: {"query_string": values}


def _data(**values: Any) -> Form:
    return lambda company, target, who: {"data": values}


def _visit(company: Company, target: str, **fields: Any) -> Request:
    """A form of a visit's page, with its hidden fields."""
    known = target in company.visits or target == "mixed"
    id = company.visits["open" if target == "mixed" else target] if known else UNKNOWN
    base = company.world.record(id)["seq"] if known else 1
    return {"data": {"operation": operation(), "base": str(base), **fields}}


def _on_visit(**fields: Any) -> Form:
    return lambda company, target, who: _visit(company, target, **fields)


def _assign_many(company: Company, target: str, who: str) -> Request:
    id = company.visits.get(target, UNKNOWN)
    hidden = _visit(company, target)["data"]
    named = {f"{name}:{id}": value for name, value in hidden.items()}
    return {"data": {"visit": id, "date": "2026-12-01", **named}}


def _people(company: Company, target: str, who: str) -> Request:
    return {"data": {"visit": company.visits.get(target, UNKNOWN), "date": "2026-12-01"}}


def _search(company: Company, target: str, who: str) -> Request:
    # Not the whole of it: the page repeats what was typed.
    return {"data": {"address": (OPEN if target == "open" else SECRET)[0][:-2]}}


def _assign(company: Company, target: str, who: str) -> Request:
    return _visit(company, target, date="2026-12-01", was_date="2026-11-22")


def _follow_up(company: Company, target: str, who: str) -> Request:
    id = company.follow_ups.get(target, UNKNOWN)
    return _visit(company, target, follow_up=id, text="Skickad.", done="1")


def _strike(company: Company, target: str, who: str) -> Request:
    entry = company.notes["protected" if target == "mixed" else target] if target != "unknown" else UNKNOWN  # fmt: skip
    return _visit(company, target, entry=entry)


def _held(company: Company, target: str, who: str) -> Request:
    key = company.held.get(target, f"{UNKNOWN}:{'0' * 64}")
    return {"data": {"action": "file", "held": key}}


def _clear(company: Company, target: str, who: str) -> Request:
    id = company.room if target == "protected" else UNKNOWN
    return {"data": {"id": id, "reason": "The register says so."}}


def _end_session(company: Company, target: str, who: str) -> Request:
    # Somebody else's: the next person's in the list, so that nobody is left out.
    names = [*company.users]
    mine = names.index(who) if who in names else 0
    name = names[mine if target == "own" else (mine + 1) % len(names)]
    with company.services.databases.reading() as db:
        sql = "SELECT id FROM sessions WHERE user = ? ORDER BY ended_at"
        (id,) = db.execute(sql, [company.users[name].id]).fetchone()
    return {"data": {"id": id}}


def _sign_in(company: Company, target: str, who: str) -> Request:
    return {"data": {"name": "bob", "password": PASSWORD if target == "-" else "wrong"}}


def _push(company: Company, target: str, who: str) -> Request:
    body = {"protocol": 1, "device": uuid4(), "operations": [], "health": {"unsent": 0}}
    headers = {"X-Troskel-Protocol": "1", "Content-Type": MEDIA_TYPE}
    return {"data": json.dumps(body), "headers": headers}


def _pull(company: Company, target: str, who: str) -> Request:
    return {"query_string": {"scope": "all"} if target == "everyone" else {}}


def _put(company: Company, target: str, who: str) -> Request:
    return {"data": _FRESH}


def _import(company: Company, target: str, who: str) -> Request:
    octets = (IMPORT_HEADER + imported("8/8", "Nya gatan 1", "Test Testsson", "N")).encode()
    sha = hashlib.sha256(octets).hexdigest()
    return {"data": {"file": (BytesIO(octets), "x.csv"), "dry_run": "0", "sha256": sha}}


def _person(**fields: str) -> Form:
    values = {"role": "officer", "queue": "KT", "display_name": "Dora Testsson", **fields}
    return lambda company, target, who: {"data": values}


def _level(company: Company, target: str) -> str:
    # A building that only a protected tenancy is in is no level of the company.
    return "company" if target == "-" else "building:Dolda huset"


def _company_page(company: Company, target: str, who: str) -> Request:
    return {"query_string": {"level": _level(company, target)}}


def _company(company: Company, target: str, who: str) -> Request:
    shown = {"was.quiet.from": "", "quiet.from": "22:00"}
    return {"data": {"level": _level(company, target), **shown}}


def _text(company: Company, target: str, who: str) -> Request:
    return {"data": {"action": "comment", "comment": "Låter bra."}}


def _po(company: Company, target: str, who: str) -> Request:
    """A file that changes one text, as it was shown and accepted."""
    services, language = company.services, "ar"
    with services.databases.reading() as db:
        draft = draft_guide(db, services.baseline)
    content = export_po(draft, language, {}, NOW).decode()
    old = place(draft, language, "i25.explain").text
    quoted = content.split('msgctxt "i25.explain"')[1].split("msgstr ")[1].split("\n\n")[0]
    octets = content.replace(quoted, json.dumps(old + " .", ensure_ascii=False)).encode()
    sha = hashlib.sha256(octets).hexdigest()
    fields = {"reviewer": "Samira Testsson", "accept": sha}
    return {"data": {"file": (BytesIO(octets), "ar.po"), **fields}}


def _recording(company: Company, target: str, who: str) -> Request:
    return {"data": {"file": (BytesIO(ogg(5)), "x.opus")}}


def _publish(company: Company, target: str, who: str) -> Request:
    return {"data": {"seen": company.draft}}


_ON_VISIT: Mapping[str, Form] = {
    "assign": _assign,
    "approve": _on_visit(comment=""),
    "return": _on_visit(item="i16", text="Skriv vilken kran."),
    "choose": _on_visit(field="language", value="so"),
    "follow-up": _follow_up,
    "withdraw": _on_visit(purpose="K8", channel="desk"),
    "strike": _strike,
    "cancel": _on_visit(reason="other"),
}
FORMS: Mapping[tuple[str, str], Form] = {
    **{("POST", f"/desk/visits/<id>/{name}"): form for name, form in _ON_VISIT.items()},
    ("GET", "/desk/visits"): _query(state="all"),
    ("GET", "/desk/visits/<id>/point"): _query(item="i16"),
    ("GET", "/desk/follow-ups"): lambda company, target, who: {
        "query_string": {"queue": "KT"} if target == "theirs" else {}
    },
    ("GET", "/desk/company"): _company_page,
    ("GET", "/desk/company/preview"): _query(name="quiet.from", language="ar"),
    ("GET", "/g"): lambda company, target, who: {"query_string": {"language": target}},
    ("GET", "/sync/pull"): _pull,
    ("POST", "/sign-in"): _sign_in,
    ("POST", "/sign-out"): _data(),
    ("POST", "/sessions/end"): _end_session,
    ("POST", "/language"): _data(language="so"),
    ("POST", "/sync/push"): _push,
    ("PUT", "/sync/blobs/<sha256>"): _put,
    ("POST", "/desk/devices/seen"): lambda company, target, who: {"data": {"device": company.lost}},
    ("POST", "/desk/visits/search"): _search,
    ("POST", "/desk/visits/people"): _people,
    ("POST", "/desk/visits/assign"): _assign_many,
    ("POST", "/desk/consents/<visit>/<purpose>/withdraw"): _on_visit(channel="desk"),
    ("POST", "/desk/follow-ups/<id>"): _follow_up,
    ("POST", "/desk/held"): _held,
    ("POST", "/desk/protected/clear"): _clear,
    ("POST", "/desk/import"): _import,
    ("POST", "/desk/people"): _person(name="dora", password=PASSWORD),
    ("POST", "/desk/people/<id>"): _person(),
    ("POST", "/desk/people/<id>/password"): _data(password="another long password"),
    ("POST", "/desk/people/<id>/active"): _data(active="0"),
    ("POST", "/desk/people/<id>/sessions/end"): _data(),
    ("POST", "/desk/company"): _company,
    ("POST", "/desk/guide/<language>/<key>"): _text,
    ("POST", "/desk/guide/<language>/import"): _po,
    ("POST", "/desk/guide/<language>/recordings/<key>"): _recording,
    ("POST", "/desk/guide/<language>/recordings/<key>/remove"): _data(),
    ("POST", "/desk/guide/publish"): _publish,
}
