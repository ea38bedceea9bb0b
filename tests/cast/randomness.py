"""Server randomness that a seed repeats: ids, session tokens, device names.

Invariant: after `repeat_randomness(seed)` everything that `secrets` gives depends on the seed and on
how much was asked for before.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager


def repeat_randomness(seed: int) -> None:
    """The next random bytes of this process are those of `seed`, from now on."""
    # SystemRandom, and so `secrets`, asks this one function, which typeshed does not list.
    setattr(random, "_urandom", random.Random(seed).randbytes)  # noqa: B010


@contextmanager
def repeated_randomness(seed: int) -> Iterator[None]:
    """The same inside the block; afterwards the system's own randomness is back."""
    before = getattr(random, "_urandom")  # noqa: B009
    repeat_randomness(seed)
    try:
        yield
    finally:
        setattr(random, "_urandom", before)  # noqa: B010
