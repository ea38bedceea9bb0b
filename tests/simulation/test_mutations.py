"""Every mutation still fits the code, and a handful are caught; the whole list runs in the soak."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import MUTATIONS, ROOT, Mutation, catch, mutate

# Those that few runs find, on both sides.
QUICK = (
    "relaxed durability",
    "no second try after a cut connection",
    "a form sent twice is two operations",
    "what was pushed counts as sent, whatever the response says",
    "large blobs are never sent",
)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[one.name for one in MUTATIONS])
def test_a_mutation_fits_the_code_of_today(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text("utf-8")
    assert text.count(mutation.old) == 1
    assert mutation.new != mutation.old


def test_a_mutation_that_no_longer_fits_is_rejected() -> None:
    with pytest.raises(ValueError, match="0 times"):
        mutate(Mutation("nothing", MUTATIONS[0].file, "this text stands nowhere", ""), ROOT)


@pytest.mark.parametrize("name", QUICK)
def test_a_mutation_is_caught(name: str) -> None:
    (mutation,) = (one for one in MUTATIONS if one.name == name)
    assert catch(mutation, 60) is not None
