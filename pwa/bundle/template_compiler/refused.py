"""Why a template was not compiled, with its file and line.

Invariant: the author sees every refusal of a build at once.
"""

from __future__ import annotations

from collections.abc import Sequence


class Refused(ValueError):
    """Something the phone could render differently. str() is "templates/x.html:12: reason"."""

    def __init__(self, template: str, line: int, reason: str) -> None:
        super().__init__(f"templates/{template}:{line}: {reason}")
        self.template = template
        self.line = line
        self.reason = reason


class AllRefused(Refused):
    """Every refusal of a build, in `refusals`; str() is one line for each."""

    def __init__(self, refusals: Sequence[Refused]) -> None:
        first = refusals[0]
        super().__init__(first.template, first.line, first.reason)
        self.refusals = list(refusals)
        self.args = ("\n".join(str(one) for one in refusals),)
