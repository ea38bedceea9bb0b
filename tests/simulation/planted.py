"""Bugs planted on purpose, each of which the simulation must catch: a harness that cannot fail
proves nothing.

Invariant: the checkout itself is never touched; each bug is put into a copy. A bug is one change
of text that stands exactly once in its file, so that a bug that no longer fits is found at once.

    python -m tests.simulation.planted [--schedules N] [--name NAME]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("pwa", "sync", "static", "templates", "tests/cast", "tests/simulation")
PHONE, SYNC, PWA = "static/field/", "sync/", "pwa/"


@dataclass(frozen=True, slots=True)
class Bug:
    """What is wrong, and the change that makes it so."""

    name: str
    file: str
    old: str
    new: str


def _trusting(when: str) -> str:
    """A push that takes a failure for the server's yes to everything."""
    row = "{id: row.id, sha256: row.sha256, result: 'applied', seq: 1, problem: ''}"
    answer = f"{{server: 'simulated', missing_blobs: [], results: rows.map(row => ({row}))}}"
    return f"""const trusting = error => {{
    if ({when}) return {answer}
    throw error
  }}
  const answer = await (given => wire.push(given).catch(trusting))({{"""


# Left out are mistakes that a second guard makes harmless, so that no run can see them: "Saved"
# said before the commit (the bytes are read back first), an operation applied twice (its id is the
# log's key), blobs that ride along thrown away (they are asked for again), operations of a visit that is gone dropped (they are sent before news are asked for).
BUGS = (
    # --- the phone: saving
    Bug("relaxed durability", PHONE + "store/database.js", "{durability: 'strict'}", "{durability: 'relaxed'}"),
    Bug("no second try after a cut connection", PHONE + "store/outbox.js", "throw SaveFailed.from(error)", "console.error(error)"),
    Bug("two tabs write over each other", PHONE + "store/tables.js", "if (before.value !== change) {", "if (false) {"),
    Bug("device_seq not kept with the operation", PHONE + "store/outbox.js", "device_seq: device.device_seq + values.length", "device_seq: device.device_seq"),
    Bug("a form sent twice is two operations", PHONE + "store/outbox.js", "const first = drafts[0]?.id || uuid7()", "const first = uuid7()"),
    # --- the phone: sending
    Bug("a 200 is always success", PHONE + "sync/push.js", "const answer = await wire.push({", _trusting("error.status === 200")),
    Bug("an error page counts as an answer", PHONE + "sync/push.js", "const answer = await wire.push({", _trusting("error.kind === 'foreign' && error.status > 200")),
    Bug("no answer counts as an answer", PHONE + "sync/push.js", "const answer = await wire.push({", _trusting("error.kind === 'offline'")),
    Bug("what was pushed counts as sent, whatever the answer says", PHONE + "sync/receipts.js",
        "if (found.result === 'held') {", "if (found.result === 'held') found.seq = 1, found.result = 'applied'\n  if (false) {"),
    Bug("drop on 4xx", PHONE + "sync/push.js", "await markRefused(round, [{row: rows[0], error}])",
        "await round.store.update(() => rows.map(row => ({drop: 'outbox', id: row.id})))"),
    Bug("dropped from the outbox before it is acknowledged", PHONE + "sync/push.js",
        "const answer = await wire.push({", "await store.update(() => rows.map(row => ({drop: 'outbox', id: row.id})))\n  const answer = await wire.push({"),
    Bug("held is not offered again", PHONE + "sync/push.js", "!result || (again &&", "!result || (false && again &&"),
    Bug("large blobs are never sent", PHONE + "sync/push.js", "await sendBlobs(round, memory, sent)", "null"),
    Bug("a blob counts as sent with its operation", PHONE + "sync/receipts.js",
        ".filter(hash => !answer.missing_blobs.includes(hash))", ""),
    # --- the phone: news
    Bug("the cursor is kept before the news", PHONE + "sync/pull.js", "const {answer, date} = await wire.pull(cursor)",
        "const {answer, date} = await wire.pull(cursor)\n    await store.update(() => [metaChange(`cursor ${person}`, answer.cursor)])"),
    Bug("a restored server is not noticed", PHONE + "sync/pull.js", "...(answer.reset ? offerAgain(memory) : heldChanges(memory, answer.held)),",
        "...heldChanges(memory, answer.held),"),
    Bug("a snapshot hides what is not sent", PHONE + "record/replay.js", "const open = rows.filter(row => !isContained(memory, row, visit) && !isFiled(memory, row))", "const open = visit?.record ? [] : rows"),
    Bug("pending operations are replayed on what contains them", PHONE + "record/replay.js", "return open.filter(row => !named.has(row.id))", "return rows"),
    # --- the phone: keeping
    Bug("purged before it is acknowledged", PHONE + "sync/retention.js", "if (receipt?.result !== 'applied' || !isDelivered(memory, row)) return false", "if (!receipt && !isOlder(row.operation.at, 2, now)) return false\n  if (!receipt) return true"),
    Bug("purged before the backup has passed it", PHONE + "sync/retention.js", "if (all.some(one => one && one.seq > backup(row.by) && !isOlder(one.at, days, now))) return false", ""),
    Bug("a held operation leaves the phone", PHONE + "record/replay.js", "export function problemOf(memory, row) {", "export function problemOf(memory, row) {\n  if (memory) return null"),
    Bug("signing out empties the outbox", PHONE + "store/store.js", "(memory.meta.has('person') ? [drop('meta', 'person')] : [])",
        "(memory.meta.has('person') ? [{drop: 'meta', id: 'person'}, ...[...memory.outbox.keys()].map(id => ({drop: 'outbox', id}))] : [])"),
    Bug("a session that ended clears the outbox", PHONE + "sync/round.js", "this.#session = null\n    const {kind, code} = error",
        "this.#session = null\n    if (error.kind === 'reauth') void this.#store.update(memory => [...memory.outbox.keys()].map(id => ({drop: 'outbox', id})))\n    const {kind, code} = error"),
    Bug("an emptied phone is not noticed", PHONE + "store/canary.js", "if (marks.length === 0) return null", "return null"),
    Bug("the counter leaves out what needs someone", PHONE + "store/outbox.js", "needs: found.needs", "needs: 0"),
    Bug("handed-over work leaves the phone", PHONE + "store/outbox.js", "return ids.length > 0\n      ? [metaChange('handed', [...(memory.meta.get('handed')?.value ?? []), ...ids])]\n      : []",
        "return ids.map(id => ({drop: 'outbox', id}))"),
    Bug("a picture counts as sent with its first piece", PHONE + "sync/blobs.js", "if (answer.complete === true) return", "if (answer.server) return"),
    # --- the server
    Bug("acknowledge before commit", SYNC + "sqlite.py", 'def write(self, batch: Batch) -> None:\n', 'def write(self, batch: Batch) -> None:\n        if len(batch.log) > 1:\n            return\n'),
    Bug("a bad operation is answered and not kept", SYNC + "push.py", "        self.work.batch.held.append(\n", "        self.work.batch.held[:0] = []\n        id or self.work.batch.held.append(\n"),
    Bug("a gap is refused", SYNC + "push.py", "self._count_number(operation, pushed)\n", "self._count_number(operation, pushed)\n            if pushed.gaps:\n                return Result(id, sha, 'applied', 1, '')\n"),
    Bug("an older number of a device wins", SYNC + "apply.py", 'if known["device_seq"] >= operation.device_seq and field != "guide":', 'if known["device_seq"] <= operation.device_seq and field != "guide":'),
    Bug("the loser of a conflict is forgotten", SYNC + "apply.py", "    writes.append(write)\n    writes.sort", "    writes[:] = [write]\n    writes.sort"),
    Bug("a second note of a device replaces the first", SYNC + "apply.py", 'case "visit.note":\n', 'case "visit.note":\n            record["notes"][:] = [one for one in record["notes"] if one["device"] != operation.device]\n'),
    Bug("a later yes wins without having seen the no", SYNC + "seen.py", 'return later["base"] >= earlier["seq"]', 'return later["seq"] > earlier["seq"]'),
    Bug("a tally is counted twice", SYNC + "sqlite.py", "SET count = tallies.count + 1", "SET count = tallies.count + 2"),
    Bug("a pull skips what came while it was read", SYNC + "pull.py", "cursor=f\"{head.seq}.{head.digest}", "cursor=f\"{head.seq + 1}.{head.digest}"),
    Bug("a cursor of another log is believed", SYNC + "pull.py", "if known is None or known.digest != digest:", "if known is None and seq > head.seq:"),
    Bug("reading does not tell of a change", SYNC + "sqlite.py", "(v.seq > :since OR (v.visible = 1 AND r.seq > :since))", "(v.seq > :since AND (v.visible = 1 OR r.seq > :since))"),
    Bug("a blob is said to be here before it is", PWA + "phones/wire.py", "named.missing(services.databases, services.blobs, texts)", "[]"),
    Bug("work that the desk accepts is settled and not applied", PWA + "visits/holding.py", '        outcome = _offer(services, row, "accept" if action == "accept" else "retry", user.id)',
        '        if action == "accept":\n            services.storage.write(Batch(settled=[Settled(row.id, row.sha256, "accept", user.id, _now(services))]))\n            return "applied"\n'
        '        outcome = _offer(services, row, "accept" if action == "accept" else "retry", user.id)'),
    Bug("what is taken out of the files is on no list", PWA + "visits/holding.py", "SET state = 'open', resolved_how = ''", "SET resolved_how = ''"),
    Bug("the held list shows only what is the reader's", PWA + "visits/holding.py", "_OPEN = \"state = 'open'\"", "_OPEN = \"state = 'open' AND by = ''\""),
)  # fmt: skip


def plant(bug: Bug, root: Path) -> None:
    """Put `bug` into the copy at `root`. ValueError where its text does not stand once."""
    path = root / bug.file
    text = path.read_text("utf-8")
    if text.count(bug.old) != 1:
        raise ValueError(f"{bug.name}: its text stands {text.count(bug.old)} times in {bug.file}")
    path.write_text(text.replace(bug.old, bug.new), "utf-8")


def copy_tree(target: Path) -> Path:
    """What a simulation needs, under `target`."""
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    (target / "tests" / "__init__.py").touch()
    shutil.copy(ROOT / "package.json", target)
    (target / "node_modules").symlink_to(ROOT / "node_modules")
    return target


def catch(bug: Bug, schedules: int) -> tuple[int, str] | None:
    """(seed, what it said) of the first run that catches `bug`, or None."""
    with tempfile.TemporaryDirectory(prefix="troskel-planted-") as name:
        root = copy_tree(Path(name))
        plant(bug, root)
        command = [sys.executable, "-m", "tests.simulation", "--schedules", str(schedules)]
        found = subprocess.run(
            [*command, "--until-wrong", "--workers", "1"], cwd=root, capture_output=True, text=True,
            check=False, env=os.environ | {"PYTHONPATH": str(root)},
        )  # fmt: skip
    told = re.search(r"seed (\d+): (.*)", found.stderr)
    if told:
        return int(told[1]), told[2]
    if found.returncode:
        raise RuntimeError(f"{bug.name}: {found.stderr[-2000:]}")
    return None


def main(bugs: Iterable[Bug] = BUGS) -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation.planted", description=__doc__)
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument("--name", default="")
    parser.add_argument(
        "--slice", default="1/1", help="I/N: each N-th bug, beginning with the I-th"
    )
    given = parser.parse_args()
    first, step = (int(part) for part in given.slice.split("/"))
    wanted = [bug for bug in list(bugs)[first - 1 :: step] if given.name in bug.name]
    missed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda bug: catch(bug, given.schedules), wanted)
        for number, (bug, caught) in enumerate(zip(wanted, results, strict=True), 1):
            missed += caught is None
            said = f"seed {caught[0]}: {caught[1]}" if caught else "NOT CAUGHT"
            print(f"{number} of {len(wanted)}: {bug.name}: {said}", flush=True)
    row = {"part": "planted", "fault": "planted bugs", "tried": len(wanted)}
    print(json.dumps(row | {"lost": 0, "doubled": 0, "hidden": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
