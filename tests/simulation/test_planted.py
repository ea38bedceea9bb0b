"""Every planted bug still fits the code, and a handful are caught; the whole list runs in the soak."""

from __future__ import annotations

import pytest

from tests.simulation.planted import BUGS, ROOT, Bug, catch, plant

# Those that few runs find, on both sides.
QUICK = (
    "relaxed durability",
    "no second try after a cut connection",
    "a form sent twice is two operations",
    "what was pushed counts as sent, whatever the answer says",
    "large blobs are never sent",
)


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_planted_bug_fits_the_code_of_today(bug: Bug) -> None:
    text = (ROOT / bug.file).read_text("utf-8")
    assert text.count(bug.old) == 1
    assert bug.new != bug.old


def test_a_planted_bug_that_no_longer_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times"):
        plant(Bug("nothing", BUGS[0].file, "this text stands nowhere", ""), ROOT)


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_caught(name: str) -> None:
    (bug,) = (one for one in BUGS if one.name == name)
    assert catch(bug, 60) is not None
