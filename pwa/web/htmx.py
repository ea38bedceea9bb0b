"""The one place that reads and writes HX-* headers.

htmx sends some with its requests and obeys some in answers (htmx.org/reference/#headers).
"""

from __future__ import annotations

from flask import Response, request

REQUEST = "HX-Request"


def is_htmx() -> bool:
    """Whether htmx sent the request, and not the browser itself or a program."""
    return REQUEST in request.headers


def is_fragment() -> bool:
    """Whether htmx asks for a piece of a page. When it restores a page from its history, it puts
    the answer in place of the whole page."""
    return is_htmx() and "HX-History-Restore-Request" not in request.headers


def vary(response: Response) -> None:
    """The same address has another answer for htmx: caches must keep the two apart."""
    response.vary.add(REQUEST)


def retarget(response: Response, selector: str) -> None:
    """htmx shall put the answer into `selector`, whatever the element that asked says."""
    response.headers["HX-Retarget"] = selector
    response.headers["HX-Reswap"] = "innerHTML"


def push_url(response: Response, url: str) -> None:
    """The browser's address bar shall show `url`."""
    response.headers["HX-Push-Url"] = url
