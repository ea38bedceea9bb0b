"""Every refusal and every crash becomes an answer: JSON, a piece for htmx, or a page.

Invariant: the answer comes from the catalogue in pwa/problems.py; of a crash nothing is shown
but that it happened.
"""

from __future__ import annotations

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError

from pwa.problems import Problem
from pwa.web import htmx

_BY_STATUS = {
    400: "malformed", 401: "reauth", 403: "no_right", 404: "not_found", 405: "method",
    413: "too_large", 415: "unsupported", 422: "malformed", 429: "too_many", 503: "busy",
}  # fmt: skip


def wants_json() -> bool:
    """Whether this request is a program's: the sync API, a JSON body, or JSON asked for."""
    return (
        request.path.startswith("/sync/")
        or request.is_json
        or request.accept_mimetypes.best_match(["text/html", "application/json"])
        == "application/json"
    )


def problem_response(problem: Problem) -> Response:
    """The answer to a request that was refused."""
    if wants_json():
        response = jsonify(problem.as_json())
    elif htmx.is_htmx():
        # Not in place of what was asked for: that would be the form somebody has just filled in.
        response = make_response(render_template("desk/problem_piece.html", problem=problem))
        htmx.retarget(response, "#notices")
    else:
        response = make_response(render_template("desk/problem.html", problem=problem))
    htmx.vary(response)
    response.status_code = problem.entry.status
    if "seconds" in problem.params:
        response.headers["Retry-After"] = str(problem.params["seconds"])
    return response


def install(app: Flask) -> None:
    """Register the error handlers of `app`."""

    @app.errorhandler(Problem)
    def refused(problem: Problem) -> Response:
        return problem_response(problem)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        original = getattr(error, "original_exception", None)
        if isinstance(error, InternalServerError) or original is not None:
            return problem_response(Problem("internal"))
        if error.response is not None or (error.code or 500) < 400:
            return make_response(error.get_response())
        return problem_response(Problem(_BY_STATUS.get(error.code or 500, "malformed")))
