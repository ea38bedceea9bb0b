"""Who may send which kind of operation about whose visit: a row for each kind and target.

Pushed over the wire by each person of tests/web/company.py in their own name. `open` is a visit of
Bob and Amira, `protected` one of theirs whose tenancy is protected, `unknown` an id nobody ever had;
of a tenancy's operation it is the tenancy of that visit. `new` opens or plans an unknown visit for the
tenancy of `protected`, `moved` the visit of `protected` for the tenancy of `open`. One letter for each of `COLUMNS`:

    a  applied      R  held as no_right      P  held as protected      U  held as unknown_subject

What is held changes no record, no index, no tally and no line of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.cast.samples import CONSENT, FIELDS
from tests.web.company import Company

COLUMNS = ("bob", "charlie", "amira", "omar", "alice", "saga", "hugo", "hilda", "root")
LETTERS = {"no_right": "R", "protected": "P", "unknown_subject": "U"}

TABLE = """
#                           bob amira alice hugo root
#                            | charlie omar saga hilda |
tenancy.register   open      R R R R a a R R a
tenancy.register   protected R R R R P P R R P
tenancy.register   unknown   R R R R a a R R a
tenancy.protect    open      R R R R a a R R a
tenancy.protect    protected R R R R a a R R a
tenancy.protect    unknown   R R R R U U R R U
visit.plan         open      R R R R a a R R a
visit.plan         protected R R R R P P R R P
visit.plan         unknown   R R R R a a R R a
visit.plan         new       R R R R P P R R P
visit.plan         moved     R R R R P P R R P
visit.assign       open      R R R R a a R R a
visit.assign       protected R R R R P P R R P
visit.assign       unknown   R R R R U U R R U
visit.open         open      a R a R R R R R R
visit.open         protected P P P P P P R R R
visit.open         unknown   a R a R R R R R R
visit.open         new       P P P P P P R R R
visit.open         moved     P P P P P P R R R
visit.language     open      a R a R a a R R a
visit.language     protected P P P P P P R R P
visit.language     unknown   U U U U U U R R U
visit.answer       open      a R a R R R R R R
visit.answer       protected P P P P P P R R R
visit.answer       unknown   U U U U U U R R R
visit.tick         open      a R a R R R R R R
visit.tick         protected P P P P P P R R R
visit.tick         unknown   U U U U U U R R R
visit.note         open      a R a R R R R R R
visit.note         protected P P P P P P R R R
visit.note         unknown   U U U U U U R R R
visit.photo        open      a R a R R R R R R
visit.photo        protected P P P P P P R R R
visit.photo        unknown   U U U U U U R R R
visit.follow_up    open      a R a R a a R R a
visit.follow_up    protected P P P P P P R R P
visit.follow_up    unknown   U U U U U U R R U
visit.attempt      open      a R a R R R R R R
visit.attempt      protected P P P P P P R R R
visit.attempt      unknown   U U U U U U R R R
visit.consent      open      a R a R R R R R R
visit.consent      protected P P P P P P R R R
visit.consent      unknown   U U U U U U R R R
visit.withdraw     open      a R a R a a R R a
visit.withdraw     protected P P P P P P R R P
visit.withdraw     unknown   U U U U U U R R U
visit.retract      open      a R a R a a R R a
visit.retract      protected P P P P P P R R P
visit.retract      unknown   U U U U U U R R U
visit.close        open      a R a R R R R R R
visit.close        protected P P P P P P R R R
visit.close        unknown   U U U U U U R R R
visit.reopen       open      a R a R a a R R a
visit.reopen       protected P P P P P P R R P
visit.reopen       unknown   U U U U U U R R U
visit.approve      open      R R R R a a R R a
visit.approve      protected R R R R P P R R P
visit.approve      unknown   R R R R U U R R U
visit.return       open      R R R R a a R R a
visit.return       protected R R R R P P R R P
visit.return       unknown   R R R R U U R R U
visit.cancel       open      R R R R a a R R a
visit.cancel       protected R R R R P P R R P
visit.cancel       unknown   R R R R U U R R U
visit.choose       open      R R R R a a R R a
visit.choose       protected R R R R P P R R P
visit.choose       unknown   R R R R U U R R U
follow_up.answer   open      R R R R a a a R a
follow_up.answer   protected R R R R P P P P P
follow_up.answer   unknown   R R R R U U U U U
tally.count        unknown   a a a a a a R R R
"""

ROWS: Mapping[tuple[str, str], str] = {
    (words[0], words[1]): "".join(words[2:])
    for words in map(str.split, TABLE.splitlines())
    if words and words[0] != "#"
}
"""(kind, target) → a letter for each of COLUMNS."""

_NEW = {"language": "so"}


def data_of(company: Company, kind: str, target: str) -> Mapping[str, Any]:
    """What is asked with `kind`: something that would change the target's record."""
    whose = "protected" if target in ("protected", "new") else "open"
    tenancy = company.world.tenancies[company.visits[whose]]
    data: Mapping[str, Mapping[str, Any]] = {
        "tenancy.register": FIELDS | {"ref": "7/7", "street": "Ändrade gatan 3"},
        "tenancy.protect": {"reason": "staff"},
        "visit.plan": {"tenancy": tenancy, "kind": "revisit"},
        "visit.assign": {"visitors": [company.users["charlie"].id]},
        "visit.open": {"tenancy": tenancy, "kind": "contact", "language": "so"},
        "visit.language": _NEW,
        "visit.answer": {"item": "i10", "answer": "no", "guide": "g1", "language": "so"},
        "visit.tick": {"section": "s1", "answers": {"i11": "no"}, "guide": "g1", "language": "so"},
        "visit.note": {"item": "", "text": "Ändrad."},
        "visit.photo": {"item": "", "photo": "a" * 64},
        "visit.follow_up": {"item": "", "queue": "KT", "urgency": "now", "text": "Ändrad."},
        "visit.attempt": {"outcome": "rebooked", "date": "2026-12-24", "time": "09:00"},
        "visit.consent": CONSENT | {"decision": "no"},
        "visit.withdraw": {"purpose": "K8", "channel": "phone"},
        "visit.retract": {"operation": company.notes[whose]},
        "visit.close": {"let_go": ["i10"], "read_back": False},
        "visit.reopen": {},
        "visit.approve": {"comment": "Ändrad."},
        "visit.return": {"points": [{"item": "", "text": "Ändrad."}]},
        "visit.cancel": {"reason": "other"},
        "visit.choose": {"field": "language", "value": "so"},
        "follow_up.answer": {"follow_up": company.follow_ups[whose], "text": "Nej.", "done": True},
        "tally.count": {"day": "2026-11-22", "area": "Norr", "topic": "i10", "value": "no"},
    }
    return data[kind]
