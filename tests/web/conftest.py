"""The company of the tests that ask every address, built once for each process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from tests.cast.world import NOW
from tests.web.company import Company


@pytest.fixture(scope="session")
def _built(
    tmp_path_factory: pytest.TempPathFactory, quick_passwords: None, guide_read_once: None
) -> Iterator[Company]:
    with time_machine.travel(NOW, tick=False):
        company = Company.build(tmp_path_factory.mktemp("company") / "data")
    yield company
    company.close()


@pytest.fixture
def company(_built: Company) -> Iterator[Company]:
    """The company as it was built; the clock stands at NOW."""
    with time_machine.travel(NOW, tick=False):
        yield _built
        if _built.stored():
            _built.restore()
