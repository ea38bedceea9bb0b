"""Seeds never used before: drawn at the run, counted over releases, a failure never forgotten."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.soak import unseen


def counted(seed: int, **wrong: int) -> unseen.Counted:
    base = {"schedules": 500, "seed": seed, "operations": 9000, "faults": 700}
    return base | {"lost": 0, "doubled": 0, "hidden": 0} | wrong  # type: ignore[return-value]


def test_the_tally_goes_on_over_releases_and_a_failure_stays_counted(tmp_path: Path) -> None:
    path = tmp_path / "docs/unseen.json"
    unseen.add(path, "aaa", counted(1))
    unseen.add(path, "aaa", counted(2, hidden=1))
    unseen.add(path, "aaa", counted(3))
    tallies = unseen.add(path, "bbb", counted(4))
    assert [(one["commit"], one["schedules"], one["failed"]) for one in tallies] == [
        ("aaa", 1500, [2]), ("bbb", 500, []),
    ]  # fmt: skip
    assert unseen.in_a_row(tallies) == 1000
    row = unseen.row(unseen.load(path))
    assert "2,000 schedules" in row
    assert "the last 1,000 in a row" in row
    assert "| 2,800 | 0 | 0 | 1 |" in row


def test_each_chunk_begins_at_a_seed_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def simulate(command: list[str], **_: Any) -> SimpleNamespace:
        seeds.append(int(command[-1]))
        line = counted(seeds[-1]) | {"schedules": int(command[-3])}
        return SimpleNamespace(stdout=f"noise\n{json.dumps(line)}\n", returncode=0)

    monkeypatch.setattr(subprocess, "run", simulate)
    assert unseen.run(tmp_path, tmp_path / "unseen.json", "aaa", 1200, lambda _: None)
    assert len(set(seeds)) == 3
    assert unseen.load(tmp_path / "unseen.json")[0]["schedules"] == 1200


def test_a_run_that_printed_no_figures_is_counted_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="", returncode=1)
    )
    with pytest.raises(RuntimeError, match="no figures"):
        unseen.run(tmp_path, tmp_path / "unseen.json", "aaa", 500)
    assert unseen.load(tmp_path / "unseen.json") == []
