"""Who gets what at every address: each row one method and rule of the URL map, and one target.

A target says whose id stands in the address or form: `open` is a visit of Bob and Amira (and what
belongs to it), `protected` one of theirs whose tenancy is protected, `mixed` the open visit with a
picture of the protected one, `unknown` an id nobody ever had; for the guide a language, for people
and sessions a person. One letter per column of `COLUMNS`:

    S  sent to sign in       R  refused (403)        A  "there is nothing here" (404)
    o  answered, no word of the open visit; by POST or PUT something is stored
    n  answered, nothing is stored
    V  answered with words of the open visit; by POST nothing is stored
    P  answered with words of what is protected

S, R and A store nothing; no answer but P has a word of what is protected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COLUMNS: Mapping[str, str] = {
    "nobody": "who has not signed in",
    "bob": "visitor, visits `open`; speaks ar",
    "charlie": "visitor, not of these visits",
    "amira": "ambassador, visits `open`; speaks ar",
    "omar": "ambassador, not of these visits",
    "alice": "supervisor",
    "saga": "supervisor who may see protected tenancies",
    "hugo": "officer of the queue of the follow-ups",
    "hilda": "officer of another queue",
    "root": "administrator",
}

TABLE = """
#                                             bob amira alice hugo root
#                                     nobody | charlie omar saga hilda |
GET  /                                       - o o o o o o o o o o
GET  /sign-in                                - o o o o o o o o o o
POST /sign-in                                - o o o o o o o o o o
POST /sign-in                    wrong-password S S S S S S S S S S
GET  /session                                - S o o o o o o o o o
POST /sign-out                               - n o o o o o o o o o
GET  /sessions                               - S o o o o o o o o o
POST /sessions/end                         own S o o o o o o o o o
POST /sessions/end                      theirs S n n n n n n n n n
POST /language                               - n o o o o o o o o o

GET  /healthz                                - o o o o o o o o o o
GET  /sw.js                                  - o o o o o o o o o o
GET  /manifest.webmanifest                   - o o o o o o o o o o
GET  /s/<version>/<path:name>                - o o o o o o o o o o
GET  /s/<version>/<path:name>         climbing A A A A A A A A A A
GET  /field/                                 - o o o o o o o o o o
GET  /field/<path:page>                   open o o o o o o o o o o
GET  /field/<path:page>              protected o o o o o o o o o o
GET  /guide/<version>/<language>.json       ar o o o o o o o o o o
GET  /guide/<version>/<language>.json       xx A A A A A A A A A A
GET  /g                                     ar o o o o o o o o o o
GET  /g                                     xx A A A A A A A A A A
GET  /g/<language>                          ar o o o o o o o o o o
GET  /g/<language>                          xx A A A A A A A A A A

POST /sync/push                              - S o o o o o o o o o
GET  /sync/pull                              - S V o V o o o R R R
GET  /sync/pull                       everyone S V o V o V V R R R
HEAD /sync/blobs/<sha256>                 open S o o o o o o o o o
HEAD /sync/blobs/<sha256>            protected S o o o o o o o o o
HEAD /sync/blobs/<sha256>              unknown S o o o o o o o o o
PUT  /sync/blobs/<sha256>                 open S n n n n n n n n n
PUT  /sync/blobs/<sha256>            protected S n n n n n n n n n
PUT  /sync/blobs/<sha256>              unknown S o o o o o o o o o
GET  /recordings/<language>.json            ar S o o o o o o o o o
GET  /recordings/<language>.json            xx S A A A A A A A A A
GET  /recordings/<sha256>                   ar S o o o o o o o o o
GET  /recordings/<sha256>              unknown S A A A A A A A A A

GET  /desk/                                  - S R R R R o o R R o
GET  /desk/devices                           - S R R R R o o R R o
POST /desk/devices/seen                      - S R R R R o o R R o
GET  /desk/review                            - S R R R R V V R R R
GET  /desk/visits                            - S R R R R V V R R R
POST /desk/visits/search                  open S R R R R V V R R R
POST /desk/visits/search             protected S R R R R n n R R R
POST /desk/visits/people                  open S R R R R n n R R R
POST /desk/visits/people             protected S R R R R n n R R R
POST /desk/visits/people               unknown S R R R R n n R R R
POST /desk/visits/assign                  open S R R R R o o R R R
POST /desk/visits/assign             protected S R R R R A A R R R
POST /desk/visits/assign               unknown S R R R R A A R R R
GET  /desk/visits/<id>                    open S R R R R V V R R R
GET  /desk/visits/<id>               protected S R R R R A A R R R
GET  /desk/visits/<id>                 unknown S R R R R A A R R R
GET  /desk/visits/<id>/row                open S R R R R V V R R R
GET  /desk/visits/<id>/row           protected S R R R R A A R R R
GET  /desk/visits/<id>/row             unknown S R R R R A A R R R
GET  /desk/visits/<id>/row/assign         open S R R R R V V R R R
GET  /desk/visits/<id>/row/assign    protected S R R R R A A R R R
GET  /desk/visits/<id>/row/assign      unknown S R R R R A A R R R
GET  /desk/visits/<id>/point              open S R R R R o o R R R
GET  /desk/visits/<id>/point         protected S R R R R A A R R R
GET  /desk/visits/<id>/point           unknown S R R R R A A R R R
GET  /desk/visits/<id>/card               open S R R R R o o R R R
GET  /desk/visits/<id>/card          protected S R R R R A A R R R
GET  /desk/visits/<id>/card            unknown S R R R R A A R R R
GET  /desk/visits/<id>/blobs/<sha256>     open S R R R R o o R R R
GET  /desk/visits/<id>/blobs/<sha256>    mixed S R R R R A A R R R
GET  /desk/visits/<id>/blobs/<sha256> protected S R R R R A A R R R
GET  /desk/visits/<id>/blobs/<sha256>  unknown S R R R R A A R R R
POST /desk/visits/<id>/assign             open S R R R R o o R R R
POST /desk/visits/<id>/assign        protected S R R R R A A R R R
POST /desk/visits/<id>/assign          unknown S R R R R A A R R R
POST /desk/visits/<id>/approve            open S R R R R o o R R R
POST /desk/visits/<id>/approve       protected S R R R R A A R R R
POST /desk/visits/<id>/approve         unknown S R R R R A A R R R
POST /desk/visits/<id>/return             open S R R R R o o R R R
POST /desk/visits/<id>/return        protected S R R R R A A R R R
POST /desk/visits/<id>/return          unknown S R R R R A A R R R
POST /desk/visits/<id>/choose             open S R R R R o o R R R
POST /desk/visits/<id>/choose        protected S R R R R A A R R R
POST /desk/visits/<id>/choose          unknown S R R R R A A R R R
POST /desk/visits/<id>/follow-up          open S R R R R o o R R R
POST /desk/visits/<id>/follow-up     protected S R R R R A A R R R
POST /desk/visits/<id>/follow-up       unknown S R R R R A A R R R
POST /desk/visits/<id>/withdraw           open S R R R R o o R R R
POST /desk/visits/<id>/withdraw      protected S R R R R A A R R R
POST /desk/visits/<id>/withdraw        unknown S R R R R A A R R R
POST /desk/visits/<id>/strike             open S R R R R o o R R R
POST /desk/visits/<id>/strike            mixed S R R R R o o R R R
POST /desk/visits/<id>/strike        protected S R R R R A A R R R
POST /desk/visits/<id>/strike          unknown S R R R R A A R R R
POST /desk/visits/<id>/cancel             open S R R R R o o R R R
POST /desk/visits/<id>/cancel        protected S R R R R A A R R R
POST /desk/visits/<id>/cancel          unknown S R R R R A A R R R

GET  /desk/consents                          - S R R R R V V R R R
POST /desk/consents/<visit>/<purpose>/withdraw      open S R R R R o o R R R
POST /desk/consents/<visit>/<purpose>/withdraw protected S R R R R A A R R R
POST /desk/consents/<visit>/<purpose>/withdraw   unknown S R R R R A A R R R
GET  /desk/follow-ups                        - S R R R R V V V o R
GET  /desk/follow-ups                   theirs S R R R R V V V o R
POST /desk/follow-ups/<id>                open S R R R R o o o A R
POST /desk/follow-ups/<id>           protected S R R R R A A A A R
POST /desk/follow-ups/<id>             unknown S R R R R A A A A R
GET  /desk/follow-ups/<id>/photos/<sha256>      open S R R R R o o o A R
GET  /desk/follow-ups/<id>/photos/<sha256>     mixed S R R R R A A A A R
GET  /desk/follow-ups/<id>/photos/<sha256> protected S R R R R A A A A R
GET  /desk/follow-ups/<id>/photos/<sha256>   unknown S R R R R A A A A R

GET  /desk/held                              - S R R R R V P R R R
POST /desk/held                           open S R R R R o o R R R
POST /desk/held                      protected S R R R R n o R R R
POST /desk/held                        unknown S R R R R n n R R R
GET  /desk/protected                         - S R R R R A P R R R
POST /desk/protected/clear           protected S R R R R A o R R R
POST /desk/protected/clear             unknown S R R R R A A R R R

GET  /desk/import                            - S R R R R o o R R o
POST /desk/import                            - S R R R R o o R R o
GET  /desk/people                            - S R R R R o o R R o
POST /desk/people                            - S R R R R R R R R o
GET  /desk/people/<id>                     bob S R R R R R R R R o
GET  /desk/people/<id>                 unknown S R R R R R R R R A
POST /desk/people/<id>                     bob S R R R R R R R R o
POST /desk/people/<id>                 unknown S R R R R R R R R A
POST /desk/people/<id>/password            bob S R R R R R R R R o
POST /desk/people/<id>/password        unknown S R R R R R R R R A
POST /desk/people/<id>/active              bob S R R R R R R R R o
POST /desk/people/<id>/active          unknown S R R R R R R R R A
POST /desk/people/<id>/sessions/end        bob S R R R R R R R R o
POST /desk/people/<id>/sessions/end    unknown S R R R R R R R R A

GET  /desk/company                           - S R R R R R R R R o
GET  /desk/company                   protected S R R R R R R R R A
POST /desk/company                           - S R R R R R R R R o
POST /desk/company                   protected S R R R R R R R R A
GET  /desk/company/preview                   - S R R R R R R R R o
GET  /desk/boendeguide                       - S o o o o o o R R o
GET  /desk/guide                             - S o o o o o o R R o
GET  /desk/guide/<language>                 ar S o o o o o o R R o
GET  /desk/guide/<language>                 xx S A A A A A A R R A
POST /desk/guide/<language>/<key>           ar S o R o R R R R R o
POST /desk/guide/<language>/<key>           sv S R R R R R R R R o
POST /desk/guide/<language>/<key>           xx S A A A A A A R R A
GET  /desk/guide/<language>/po              ar S o o o o o o R R o
GET  /desk/guide/<language>/po              xx S A A A A A A R R A
GET  /desk/guide/<language>/import          ar S o R o R R R R R o
GET  /desk/guide/<language>/import          sv S A A A A A A R R A
GET  /desk/guide/<language>/import          xx S A A A A A A R R A
POST /desk/guide/<language>/import          ar S o R o R R R R R o
POST /desk/guide/<language>/import          xx S A A A A A A R R A
GET  /desk/guide/<language>/recordings      ar S o o o o o o R R o
GET  /desk/guide/<language>/recordings      xx S A A A A A A R R A
POST /desk/guide/<language>/recordings/<key> ar S o R o R R R R R o
POST /desk/guide/<language>/recordings/<key> sv S R R R R R R R R o
POST /desk/guide/<language>/recordings/<key> xx S A A A A A A R R A
POST /desk/guide/<language>/recordings/<key>/remove ar S o R o R R R R R o
POST /desk/guide/<language>/recordings/<key>/remove sv S R R R R R R R R n
POST /desk/guide/<language>/recordings/<key>/remove xx S A A A A A A R R A
GET  /desk/guide/publish                     - S o o o o o o R R o
POST /desk/guide/publish                     - S R R R R R R R R o
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `expected` has a letter for each of `COLUMNS`."""

    method: str
    rule: str
    target: str
    expected: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.rule} {self.target}"


def read(table: str) -> list[Row]:
    """The rows of a table written as above."""
    rows = []
    for line in table.splitlines():
        if line.strip() and not line.startswith("#"):
            method, rule, target, *letters = line.split()
            rows.append(Row(method, rule, target, dict(zip(COLUMNS, letters, strict=True))))
    return rows


ROWS = read(TABLE)
