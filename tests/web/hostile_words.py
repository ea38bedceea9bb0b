"""What hostile requests are made of: values, methods, content types and headers.

Whatever gunicorn refuses by itself is left out; see tests/web/hostile.py.
"""

from __future__ import annotations

from sync.operations import MEDIA_TYPE
from tests.web.crawler import ODD

WORDS = (
    *ODD, "\ud800", "a\udfffb", "\x7f\x80\xff", "9" * 5000, "-" + "9" * 400, "1e400", "NaN", "Infinity", "0x10",
    "{{7*7}}", "%s%n%x", "=cmd|'/C calc'!A0", "..", "....//....//", "%2e%2e%2f", "..\\..\\", "/etc/passwd",
    "\r\nSet-Cookie: a=b", "desk-", "javascript:alert(1)", "//evil.example", "K1", "visitors", "answer.__proto__",
    "__proto__", "00000000-0000-0000-0000-000000000000", "0" * 64, "f" * 63, "F" * 64, "1" * 120, "\u0660\u0661",
)  # fmt: skip
DAYS = (
    "0001-01-01",
    "0001-01-14",
    "9999-12-31",
    "1900-01-01",
    "2026-11-22",
    "2026-W01-1",
    "20261122",
    "-1",
    "",
)
"""What a cursor or a date may claim."""
METHODS = ("GET", "GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "PROPFIND")
TYPES = (
    "", "text/plain", "application/json", "application/json; charset=utf-16", MEDIA_TYPE, "multipart/form-data",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=\xff", "text/html; charset=no-such", "x" * 3000, "a/b; c",
)  # fmt: skip
HEADERS: dict[str, tuple[str, ...]] = {
    "HTTP_ACCEPT": ("application/json", "*/*;q=x", ";", "text/html;q=9" * 400),
    "HTTP_ACCEPT_LANGUAGE": ("xx", "sv;q=2", "ar-\xff", ",,,;;", "fa-AF-x" * 300, "q=0"),
    "HTTP_ACCEPT_ENCODING": ("gzip", "gzip;q=0", "br,\xff"),
    "HTTP_COOKIE": ("troskel=", "troskel=.eJw", "troskel=a.b.c", "\xff=\xfe", "x" * 9000, "troskel=1;troskel=2"),
    "HTTP_HOST": ("evil.example", "", "127.0.0.1:99999", "[::1", "localhost:x", "\xff"),
    "HTTP_SEC_FETCH_SITE": ("cross-site", "none", "same-site", "Same-Origin", ""),
    "HTTP_SEC_FETCH_DEST": ("image", "script", "\xff"),
    "HTTP_ORIGIN": ("null", "http://127.0.0.1", "http://evil.example", "\xff"),
    "HTTP_RANGE": ("bytes=0-", "bytes=-1", "bytes=9-1", "bytes=0-0,2-2", "lines=1", "bytes=99999999999-"),
    "HTTP_IF_NONE_MATCH": ("*", '"', 'W/"x"', "\xff"),
    "HTTP_IF_MODIFIED_SINCE": ("never", "Thu, 01 Jan 0001 00:00:00 GMT"),
    "HTTP_HX_REQUEST": ("true",),
    "HTTP_X_TROSKEL_PROTOCOL": ("", "2", "1.0", "\xb9"),
    "HTTP_CONTENT_ENCODING": ("gzip", "deflate", "gzip, gzip", "\xff"),
    "HTTP_CONTENT_RANGE": ("bytes 0-9/10", "bytes 5-4/10", "bytes 0-0/0", "bytes 0-1/999999999999", "bytes */5", "x"),
    "HTTP_X_FORWARDED_FOR": ("1.2.3.4, \xff",),
    "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE",),
    "HTTP_AUTHORIZATION": ("Basic \xff", "Bearer x", "Digest username="),
    "HTTP_USER_AGENT": ("", "\xff" * 600, "Mozilla/5.0 (iPhone)"),
    "HTTP_TRANSFER_ENCODING": ("chunked",),
    "HTTP_REFERER": ("\xff", "http://[", "x" * 5000),
    "CONTENT_LENGTH": ("", "0", "5", "99999999999999999999"),
}  # fmt: skip
