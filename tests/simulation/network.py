"""The network between the phones and the server: a request is answered, or goes wrong (F1, F11)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.company import Response

if TYPE_CHECKING:
    from tests.simulation.world import World

HTML = {"Content-Type": "text/html"}
HOTEL_PAGE = Response(200, HTML, b"<html>Welcome to the hotel's network</html>")
# What a proxy between phone and server responds with, by status.
PROXY_PAGES = {
    "502": "<h1>Bad gateway</h1>", "503": "", "429": "", "413": "too large", "500": "<h1>oops</h1>",
}  # fmt: skip


def net(world: World, number: int, how: str, crash: int = 0, fault: str = "", at: int = 0) -> None:
    """One of the pending requests ends, as `how` says; the phone may crash on the response."""
    if not world.pending:
        return
    request = world.pending.pop(number % len(world.pending))
    world.arm(request["phone"], crash, fault, at)
    if how != "ok":
        world.faults["F11" if how in ("401", "403") else "F1"] += 1
    error, response = transmit(world, request, how)
    if how == "late" and response:
        world.late.append((request, response))
        return
    deliver(world, request, response, error)


def late(world: World, number: int) -> None:
    """One of the late responses arrives."""
    if world.late:
        request, response = world.late.pop(number % len(world.late))
        deliver(world, request, response)


def deliver(
    world: World, request: dict[str, Any], response: Response | None, error: str = ""
) -> None:
    """The phone's fetch ends with `response`, or throws `error`."""
    if response and not error:
        person = world.requested_by[request["id"]]
        world.shown.response(request["phone"], person, response.body)
    content = response.as_json() if response else None
    world.do({"do": "answer", "phone": request["phone"], "id": request["id"],
              "answer": content, "error": error})  # fmt: skip


def transmit(world: World, request: dict[str, Any], how: str) -> tuple[str, Response | None]:
    """(name of the error, response) of a request that the network treats as `how` says."""
    if how == "drop_request":
        return "NetworkError", None
    if how == "html_200":
        return "", HOTEL_PAGE
    if how in PROXY_PAGES:
        return "", Response(int(how), HTML, PROXY_PAGES[how].encode())
    if how in ("401", "403"):
        problem = json.dumps({"problem": "reauth" if how == "401" else "origin"})
        return "", Response(int(how), {"Content-Type": "application/json"}, problem.encode())
    response = world.company.respond(request["phone"], request)
    world.trace("served", request["method"], request["url"][:20], response.status)
    if response.status >= 500:
        what = f"{request['method']} {request['url']}: {response.status}"
        world.wrong.append(("hidden", what))
    if how == "twice":
        response = world.company.respond(request["phone"], request)
    if how == "drop_answer":
        return "NetworkError", None
    if how == "timeout":
        return "TimeoutError", None
    if how == "html_200_after":
        return "", HOTEL_PAGE
    if how == "cut_off":
        half = response.body[: len(response.body) // 2]
        return "", Response(response.status, response.headers, half)
    return "", response


STEPS: dict[str, Callable[..., None]] = {"net": net, "late": late}
