"""What an operation's author had been shown when they acted: the one place that decides it.

Invariant (I5): a decision never supersedes one that its author may not have been shown. `base`
proves what had been sent to the device, but not that it was on the author's screen: a colleague's
unsent work on the same phone is hidden, and an ambassador is shown no colleague's decisions
(sync/pull.py, `snapshot`). Where it is not known, the answer is no. Pure; the phone's twin is in
static/field/record/apply.js.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.shapes import Authored, Consent, Write

if TYPE_CHECKING:
    from sync.operations import Operation
    from sync.rights import Principal


def author_of(write: Authored) -> tuple[str, str]:
    """One person on one device: `device_seq` orders only what one author wrote."""
    return write["device"], write["by"]


def had_seen(later: Write | Consent, earlier: Write | Consent) -> bool:
    """Whether the author of `later` had been shown `earlier` when they made it."""
    if author_of(later) == author_of(earlier):
        return later["device_seq"] > earlier["device_seq"]
    # Own decisions are shown to everybody, an ambassador too.
    if later.get("alone") and later["by"] != earlier["by"]:
        return False
    return later["base"] >= earlier["seq"]


def decided_alone(operation: Operation, author: Principal, *, accepted: bool) -> bool:
    """Whether a consent decision is to be marked `alone`: its author may not have been shown what
    others had decided, whatever `base` says.

    An ambassador never is, and who has been one may have pulled the visit as one at any time up to
    `ambassador_until`: a higher `base` was pulled later. `accepted`: a supervisor brought it in for
    its author, of whom nothing is known then.
    """
    was_ambassador = operation.base <= author.ambassador_until
    return accepted or author.is_ambassador or was_ambassador
