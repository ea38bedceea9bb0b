"""The runner of the long proof, with parts of a few milliseconds."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.soak import proof, unseen
from tests.soak.__main__ import PROOF, README, UNSEEN
from tests.soak.ledger import Ledger, tree_hash
from tests.soak.parts import FAULTS, PARTS, Part
from tests.soak.run import Soak

GOOD = {"part": "p", "fault": "F3", "tried": 5, "lost": 0, "doubled": 0, "hidden": 0}
ORDER = ["p", "q"]


@pytest.fixture
def reported() -> list[str]:
    return []


@pytest.fixture
def soak(tmp_path: Path, reported: list[str]) -> Soak:
    """A runner on a folder with a README and one source file."""
    (tmp_path / "sync").mkdir()
    (tmp_path / "sync/push.py").write_text("1")
    (tmp_path / "README.md").write_text(f"before\n{proof.BEGIN}\nold\n{proof.END}\nafter\n")
    ledger = Ledger(tmp_path / "soak.jsonl")
    return Soak(
        tmp_path, ledger, tmp_path / "docs/proof.json", tmp_path / "README.md", reported.append
    )


@pytest.fixture
def harness(tmp_path: Path) -> Callable[..., Part]:
    """`harness(code)`: a part whose command notes its chunk in `ran`, then runs `code`."""

    def make(code: str, chunks: int = 3, name: str = "p") -> Part:
        (tmp_path / f"{name}.py").write_text(
            "import json, sys\nfrom pathlib import Path\n"
            "chunk = sys.argv[1]\n"
            "with open('ran', 'a') as file: print(chunk, file=file)\n"
            f"good = {GOOD!r}\n{textwrap.dedent(code)}"
        )
        return Part(name, f"{name} {{chunk}} {{tally}}", chunks)

    return make


def ran(soak: Soak) -> list[str]:
    file = soak.root / "ran"
    return file.read_text().split() if file.exists() else []


def rows(soak: Soak) -> list[dict[str, Any]]:
    return proof.load(soak.proof)


PASSES = "print('noise'); print(json.dumps(good))"


def test_it_adds_up_what_the_chunks_counted(soak: Soak, harness: Callable[..., Part]) -> None:
    assert soak.run([harness(PASSES)], ORDER, commit="abc")
    (row,) = rows(soak)
    assert {key: row[key] for key in ("part", "fault", "tried", "lost", "chunks", "commit")} == {
        "part": "p", "fault": "F3", "tried": 15, "lost": 0, "chunks": [3, 3], "commit": "abc",
    }  # fmt: skip
    assert "| F3 | " in (soak.root / "README.md").read_text()


def test_it_reports_what_a_part_prints_before_its_figures(
    soak: Soak, harness: Callable[..., Part], reported: list[str]
) -> None:
    assert soak.run([harness("print('seed 7 caught it'); print(json.dumps(good))", 1)], ORDER)
    assert "  seed 7 caught it" in reported


def test_rows_of_several_faults_may_come_in_a_file(
    soak: Soak, harness: Callable[..., Part]
) -> None:
    part = harness(
        """
        Path(sys.argv[2]).write_text(json.dumps({"rows": [good, good | {"fault": "F2"}]}))
        print('{"schedules": 5}')
        """
    )
    assert soak.run([part], ORDER)
    assert [(row["fault"], row["tried"]) for row in rows(soak)] == [("F3", 15), ("F2", 15)]


def test_a_chunk_that_has_passed_on_these_files_is_not_run_again(
    soak: Soak, harness: Callable[..., Part]
) -> None:
    part = harness(PASSES)
    assert soak.run([part], ORDER)
    assert soak.run([part], ORDER)
    assert ran(soak) == ["1", "2", "3"]
    (soak.root / "sync/push.py").write_text("2")
    assert soak.run([part], ORDER)
    assert ran(soak) == ["1", "2", "3"] * 2
    assert rows(soak)[0]["tried"] == 15
    assert soak.run([part], ORDER, fresh=True)
    assert ran(soak) == ["1", "2", "3"] * 3
    assert rows(soak)[0]["tried"] == 15


def test_an_interrupted_run_continues_with_the_chunk_that_was_cut_short(
    soak: Soak, harness: Callable[..., Part]
) -> None:
    part = harness(PASSES)
    interrupted = replace(soak, report=_interrupting("chunk 2"))
    with pytest.raises(KeyboardInterrupt):
        interrupted.run([part], ORDER)
    assert ran(soak) == ["1"]
    assert soak.run([part], ORDER)
    assert ran(soak) == ["1", "2", "3"]
    assert rows(soak)[0]["tried"] == 15


def _interrupting(word: str) -> Callable[[str], None]:
    def report(text: str) -> None:
        if word in text:
            raise KeyboardInterrupt

    return report


RUNS = """
import signal, sys
from pathlib import Path
from tests.soak.parts import Part
from tests.soak.run import run_chunk
# A shell that runs the tests in its background makes all its children ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
run_chunk(Path(sys.argv[1]), Part("p", "p {chunk}"), 1)
"""


def test_ctrl_c_ends_the_chunk_and_the_processes_it_started(
    soak: Soak, harness: Callable[..., Part]
) -> None:
    harness(
        """
        import subprocess
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        fifo = open("started", "w"); print(child.pid, file=fifo); fifo.close()
        child.wait()
        """
    )
    fifo = soak.root / "started"
    os.mkfifo(fifo)
    environ = os.environ | {"PYTHONPATH": os.getcwd()}
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNS, str(soak.root)], env=environ, stderr=subprocess.PIPE
    )
    grandchild = int(fifo.read_text())
    handle = os.pidfd_open(grandchild)
    runner.send_signal(signal.SIGINT)
    _, err = runner.communicate(timeout=30)
    assert b"KeyboardInterrupt" in err
    # An ended process is readable through its pidfd: this waits for it.
    ended = select.select([handle], [], [], 10)[0]
    if not ended:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    assert ended
    os.close(handle)


@pytest.mark.parametrize("key", ["lost", "doubled", "hidden"])
def test_whatever_is_lost_doubled_or_hidden_fails_the_run_and_is_published(
    soak: Soak, harness: Callable[..., Part], key: str, reported: list[str]
) -> None:
    part = harness(f"print(json.dumps(good | {{'{key}': int(chunk == '2')}}))")
    assert not soak.run([part], ORDER)
    assert rows(soak)[0][key] == 1
    assert any("chunk 2 FAILED" in line for line in reported)


def test_a_chunk_that_passes_the_second_time_cancels_no_failure(
    soak: Soak, harness: Callable[..., Part]
) -> None:
    part = harness(
        "first = open('ran').read().count(chunk) == 1\n"
        "print(json.dumps(good | {'lost': int(chunk == '2' and first)}))"
    )
    assert not soak.run([part], ORDER)
    assert soak.run([part], ORDER)
    assert ran(soak) == ["1", "2", "3", "2"]
    assert (rows(soak)[0]["lost"], rows(soak)[0]["tried"]) == (1, 20)


@pytest.mark.parametrize(
    "code",
    [
        "sys.exit('engine broke')",
        "print('all fine')",
        "print('{}')",
        "print(json.dumps(good | {'tried': 0}))",
        "print(json.dumps(good)); sys.exit(1)",
        "import os; print(json.dumps(good), flush=True); os.kill(os.getpid(), 9)",
    ],
)
def test_a_part_that_died_or_counted_nothing_is_never_good(
    soak: Soak, harness: Callable[..., Part], code: str
) -> None:
    assert not soak.run([harness(code, chunks=1)], ORDER)
    assert rows(soak) == []


def test_a_part_whose_engine_is_not_installed_is_reported_and_not_counted(
    soak: Soak, harness: Callable[..., Part], reported: list[str]
) -> None:
    part = replace(harness(PASSES), needs=[["sh"], ["no-such-browser", "nor-this"]])
    assert soak.run([part], ORDER)
    assert ran(soak) == []
    assert rows(soak) == []
    assert reported == [
        "p: not run and not counted, no-such-browser or nor-this is not installed here"
    ]


def test_a_part_measured_anew_replaces_its_rows_only(
    soak: Soak, harness: Callable[..., Part]
) -> None:
    assert soak.run([harness(PASSES), harness(PASSES, name="q")], ORDER, commit="one")
    assert soak.run([harness(PASSES, name="q")], ORDER, fresh=True, commit="two")
    assert [(row["part"], row["commit"]) for row in rows(soak)] == [("p", "one"), ("q", "two")]
    assert soak.run([], ["q"])
    assert [row["part"] for row in rows(soak)] == ["q"]


def test_a_line_that_a_crash_cut_short_is_run_again_and_affects_no_other(
    soak: Soak, harness: Callable[..., Part]
) -> None:
    part = harness(PASSES)
    assert soak.run([part], ORDER)
    whole = soak.ledger.path.read_text()
    soak.ledger.path.write_text(whole[:-40])
    assert soak.run([part], ORDER)
    assert ran(soak) == ["1", "2", "3", "3"]
    assert soak.run([part], ORDER)
    assert ran(soak) == ["1", "2", "3", "3"]


def test_the_hash_covers_names_and_contents_of_sources_only(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.py").write_text("1")
    first = tree_hash(tmp_path, ["a", "b"])
    (tmp_path / "a/one.pyc").write_text("2")
    assert tree_hash(tmp_path, ["a", "b"]) == first
    (tmp_path / "a/one.py").rename(tmp_path / "a/two.py")
    second = tree_hash(tmp_path, ["a", "b"])
    (tmp_path / "a/two.py").write_text("2")
    assert len({first, second, tree_hash(tmp_path, ["a", "b"])}) == 3


def test_the_readmes_table_is_what_was_measured() -> None:
    text = README.read_text("utf-8")
    shown = text.partition(proof.BEGIN)[2].partition(proof.END)[0].strip()
    assert shown == proof.table(proof.load(PROOF), unseen.row(unseen.load(UNSEEN)))
    assert json.loads(PROOF.read_text("utf-8"))["rows"] is not None


def test_every_part_has_a_name_of_its_own_and_a_command_that_takes_its_chunk() -> None:
    assert len({part.name for part in PARTS}) == len(PARTS)
    for part in PARTS:
        commands = {tuple(part.arguments(chunk, "t")) for chunk in range(1, part.chunks + 1)}
        assert len(commands) == part.chunks
        assert set(part.harness), part.name
    assert {"F1", "F2", "F3", "F6", "F7"} <= set(FAULTS)


def test_chunks_of_schedules_share_no_seed() -> None:
    (part,) = (part for part in PARTS if part.name == "schedules")
    seeds = set()
    for chunk in range(1, part.chunks + 1):
        found = part.arguments(chunk, "t")
        first, count = (int(found[found.index(f"--{key}") + 1]) for key in ("seed", "schedules"))
        seeds |= set(range(first, first + count))
    assert len(seeds) == 10_000


def test_planted_mistakes_have_a_line_of_their_own(
    soak: Soak, harness: Callable[..., Part]
) -> None:
    part = harness(
        "print(json.dumps(good | {'fault': 'planted bugs', 'hidden': int(chunk == '3')}))"
    )
    assert not soak.run([part], ORDER, commit="abc")
    text = (soak.root / "README.md").read_text()
    assert "Mistakes planted in the code and caught, p: 14 of 15" in text
    assert "| planted" not in text
