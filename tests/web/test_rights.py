"""Rights are granted by capability in pwa/web/access.py; nothing else asks what somebody's role is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import pwa
from pwa.people.accounts import ROLES, User
from pwa.web import access

ROOT = Path(pwa.__file__).parents[1]
# A person's row is checked and changed in people; what an operation needs is the protocol's.
ALLOWED = ("pwa/web/access.py", "pwa/people/", "sync/rights.py")


def comparisons_with_a_role(path: Path) -> Iterator[int]:
    """Lines that compare `….role`, or match on it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        compared: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            compared = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            compared = [node.subject]
        for one in compared:
            if any(
                isinstance(part, ast.Attribute) and part.attr == "role" for part in ast.walk(one)
            ):
                yield one.lineno


def test_no_other_module_compares_a_role() -> None:
    found = [
        f"{name}:{line}"
        for folder in ("pwa", "sync")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not (name := path.relative_to(ROOT).as_posix()).startswith(ALLOWED)
        for line in comparisons_with_a_role(path)
    ]
    assert found == []


def test_the_test_sees_a_comparison(tmp_path: Path) -> None:
    path = tmp_path / "page.py"
    path.write_text(
        "a = user.role == 'officer'\nb = 'x' in (user.role,)\nc = user.role\n"
        "match user.role:\n    case 'officer': pass\n"
    )
    assert sorted(comparisons_with_a_role(path)) == [1, 2, 4]


def test_every_role_has_its_capabilities() -> None:
    assert set(access.CAPABILITIES) == set(ROLES)


@pytest.mark.parametrize("name", ["alice", "bob", "amira", "hugo", "root"])
@pytest.mark.parametrize("given", [True, False])
def test_protected_tenancies_need_the_role_and_the_right(
    user_of: Callable[[str], User], name: str, given: bool
) -> None:
    user = replace(user_of(name), may_see_protected=given)
    assert access.may_see_protected(user) == (given and name == "alice")
    assert not access.may_see_protected(replace(user, active=False))


def test_nobody_sees_protected_tenancies_without_signing_in() -> None:
    assert not access.may_see_protected(None)
