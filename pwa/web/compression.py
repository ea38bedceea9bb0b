"""The one place that negotiates gzip, applies it to answers, and unpacks request bodies."""

from __future__ import annotations

import gzip
import zlib
from functools import lru_cache

from flask import Response, request

BYTES_MIN = 1024  # below, an answer made for one reader is hardly shorter in gzip
_GZIP = 31  # zlib's wbits for a gzip header and trailer


def compress(response: Response, *, public: bool = False) -> None:
    """Gzip the body if the client accepts gzip, and mark the answer as varying by that.

    `public`: the same bytes go to many readers, so they are compressed once and as far as gzip can.
    """
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if request.accept_encodings["gzip"] > 0 and (public or len(body) > BYTES_MIN):
        response.set_data(_packed_once(body) if public else gzip.compress(body, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"


@lru_cache(maxsize=256)
def _packed_once(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def decompress(body: bytes, bytes_max: int) -> bytes:
    """The content of a gzip body; `bytes_max` + 1 bytes of it where there are more than `bytes_max`.

    Raises ValueError for what is no gzip or was cut off on the way. Never unpacks further than the
    limit: a few kilobytes of gzip can hold gigabytes.
    """
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        content = unpacker.decompress(body, bytes_max + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacker.eof and len(content) <= bytes_max:
        raise ValueError("cut off")
    return content
