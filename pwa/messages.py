"""Marks a message of the interface where it is written and not shown.

`pwa/bundle/catalogues.py` extracts what stands in `N_("…")`; whoever shows it translates it.
"""

from __future__ import annotations


def N_(msgid: str) -> str:
    """`msgid` itself."""
    return msgid
