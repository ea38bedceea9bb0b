"""The phone's files, made once."""

from tests.browser.conftest import built

__all__ = ["built"]
