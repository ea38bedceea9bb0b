"""Bugs put into a copy of the code, each of which the simulation must catch: a harness that cannot
fail proves nothing.

Invariant: the checkout itself is never changed. A mutation replaces one text that occurs exactly once
in its file, so one that no longer fits the code is found at once.

    python -m tests.simulation.mutations [--schedules N] [--name NAME]
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
class Mutation:
    """The bug in words, and the change of `file` that makes it."""

    name: str
    file: str
    old: str
    new: str


def _trusting(when: str) -> str:
    """A push that takes a failure `when` for an acknowledgement of everything."""
    row = "{id: row.id, sha256: row.sha256, result: 'applied', seq: 1, problem: ''}"
    answer = f"{{server: 'simulated', missing_blobs: [], results: rows.map(row => ({row}))}}"
    return f"""const trusting = error => {{
    if ({when}) return {answer}
    throw error
  }}
  const answer = await (given => wire.push(given).catch(trusting))({{"""


# Left out are bugs that a second guard makes harmless, so no run can find them: "Saved" shown before
# the commit (the bytes are read back first), an operation applied twice (its id is the log's key),
# blobs in a push thrown away (they are requested again), operations of a visit that is gone dropped
# (they are pushed before the pull).
MUTATIONS = (
    # --- the phone: saving
    Mutation("relaxed durability", PHONE + "store/database.js", "{durability: 'strict'}", "{durability: 'relaxed'}"),
    Mutation("no second try after a cut connection", PHONE + "store/outbox.js", "throw SaveFailed.from(error)", "console.error(error)"),
    Mutation("two tabs write over each other", PHONE + "store/tables.js", "if (before.value !== change) {", "if (false) {"),
    Mutation("device_seq not kept with the operation", PHONE + "store/outbox.js", "device_seq: device.device_seq + values.length", "device_seq: device.device_seq"),
    Mutation("a form sent twice is two operations", PHONE + "store/outbox.js", "const first = drafts[0]?.id || uuid7()", "const first = uuid7()"),
    # --- the phone: sending
    Mutation("a 200 is always success", PHONE + "sync/push.js", "const answer = await wire.push({", _trusting("error.status === 200")),
    Mutation("an error page counts as a response", PHONE + "sync/push.js", "const answer = await wire.push({", _trusting("error.kind === 'foreign' && error.status > 200")),
    Mutation("no response counts as a response", PHONE + "sync/push.js", "const answer = await wire.push({", _trusting("error.kind === 'offline'")),
    Mutation("what was pushed counts as sent, whatever the response says", PHONE + "sync/receipts.js",
        "if (found.result === 'held') {", "if (found.result === 'held') found.seq = 1, found.result = 'applied'\n  if (false) {"),
    Mutation("drop on 4xx", PHONE + "sync/push.js", "await markRefused(round, [{row: rows[0], error}])",
        "await round.store.update(() => rows.map(row => ({drop: 'outbox', id: row.id})))"),
    Mutation("dropped from the outbox before it is acknowledged", PHONE + "sync/push.js",
        "const answer = await wire.push({", "await store.update(() => rows.map(row => ({drop: 'outbox', id: row.id})))\n  const answer = await wire.push({"),
    Mutation("held is not offered again", PHONE + "sync/push.js", "!result || (again &&", "!result || (false && again &&"),
    Mutation("large blobs are never sent", PHONE + "sync/push.js", "await sendBlobs(round, memory, sent)", "null"),
    Mutation("a blob counts as sent with its operation", PHONE + "sync/receipts.js",
        ".filter(hash => !answer.missing_blobs.includes(hash))", ""),
    # --- the phone: pull
    Mutation("the cursor is stored before the snapshots", PHONE + "sync/pull.js", "const {answer, date} = await wire.pull(cursor)",
        "const {answer, date} = await wire.pull(cursor)\n    await store.update(() => [metaChange(`cursor ${person}`, answer.cursor)])"),
    Mutation("a restored server is not noticed", PHONE + "sync/pull.js", "...(answer.reset ? offerAgain(memory) : heldChanges(memory, answer.held)),",
        "...heldChanges(memory, answer.held),"),
    Mutation("a snapshot hides what is not sent", PHONE + "record/replay.js", "const open = rows.filter(row => !isContained(memory, row, visit) && !isFiled(memory, row))", "const open = visit?.record ? [] : rows"),
    Mutation("pending operations are replayed on what contains them", PHONE + "record/replay.js", "return open.filter(row => !named.has(row.id))", "return rows"),
    # --- the phone: retention
    Mutation("purged before it is acknowledged", PHONE + "sync/retention.js", "if (receipt?.result !== 'applied' || !isDelivered(memory, row)) return false", "if (!receipt && !isOlder(row.operation.at, 2, now)) return false\n  if (!receipt) return true"),
    Mutation("purged before the backup has passed it", PHONE + "sync/retention.js", "if (all.some(one => one && one.seq > backup(row.by) && !isOlder(one.at, days, now))) return false", ""),
    Mutation("a held operation leaves the phone", PHONE + "record/replay.js", "export function problemOf(memory, row) {", "export function problemOf(memory, row) {\n  if (memory) return null"),
    Mutation("signing out empties the outbox", PHONE + "store/store.js", "(memory.meta.has('person') ? [drop('meta', 'person')] : [])",
        "(memory.meta.has('person') ? [{drop: 'meta', id: 'person'}, ...[...memory.outbox.keys()].map(id => ({drop: 'outbox', id}))] : [])"),
    Mutation("a session that ended clears the outbox", PHONE + "sync/round.js", "this.#session = null\n    const {kind, code} = error",
        "this.#session = null\n    if (error.kind === 'reauth') void this.#store.update(memory => [...memory.outbox.keys()].map(id => ({drop: 'outbox', id})))\n    const {kind, code} = error"),
    Mutation("an emptied phone is not noticed", PHONE + "store/canary.js", "if (marks.length === 0) return null", "return null"),
    Mutation("the counter leaves out what needs someone", PHONE + "store/outbox.js", "needs: found.needs", "needs: 0"),
    Mutation("handed-over work leaves the phone", PHONE + "store/outbox.js", "return ids.length > 0\n      ? [metaChange('handed', [...(memory.meta.get('handed')?.value ?? []), ...ids])]\n      : []",
        "return ids.map(id => ({drop: 'outbox', id}))"),
    Mutation("a picture counts as sent with its first piece", PHONE + "sync/blobs.js", "if (answer.complete === true) return", "if (answer.server) return"),
    # --- the server
    Mutation("acknowledge before commit", SYNC + "sqlite.py", 'def write(self, batch: Batch) -> None:\n', 'def write(self, batch: Batch) -> None:\n        if len(batch.log) > 1:\n            return\n'),
    Mutation("a bad operation is answered and not kept", SYNC + "push.py", "        self.work.batch.held.append(\n", "        self.work.batch.held[:0] = []\n        id or self.work.batch.held.append(\n"),
    Mutation("a gap is refused", SYNC + "push.py", "self._count_number(operation, pushed)\n", "self._count_number(operation, pushed)\n            if pushed.gaps:\n                return Result(id, sha, 'applied', 1, '')\n"),
    Mutation("an older number of a device wins", SYNC + "apply.py", 'if known["device_seq"] >= operation.device_seq and field != "guide":', 'if known["device_seq"] <= operation.device_seq and field != "guide":'),
    Mutation("the loser of a conflict is forgotten", SYNC + "apply.py", "    writes.append(write)\n    writes.sort", "    writes[:] = [write]\n    writes.sort"),
    Mutation("a second note of a device replaces the first", SYNC + "apply.py", 'case "visit.note":\n', 'case "visit.note":\n            record["notes"][:] = [one for one in record["notes"] if one["device"] != operation.device]\n'),
    Mutation("a later yes wins without having seen the no", SYNC + "seen.py", 'return later["base"] >= earlier["seq"]', 'return later["seq"] > earlier["seq"]'),
    Mutation("a tally is counted twice", SYNC + "sqlite.py", "SET count = tallies.count + 1", "SET count = tallies.count + 2"),
    Mutation("a pull skips what came while it was read", SYNC + "pull.py", "cursor=f\"{head.seq}.{head.digest}", "cursor=f\"{head.seq + 1}.{head.digest}"),
    Mutation("a cursor of another log is believed", SYNC + "pull.py", "if known is None or known.digest != digest:", "if known is None and seq > head.seq:"),
    Mutation("a pull leaves out changes", SYNC + "sqlite.py", "(v.seq > :since OR (v.visible = 1 AND r.seq > :since))", "(v.seq > :since AND (v.visible = 1 OR r.seq > :since))"),
    Mutation("a blob is acknowledged before it is stored", PWA + "phones/wire.py", "named.missing(services.databases, services.blobs, texts)", "[]"),
    Mutation("work that the desk accepts is settled and not applied", PWA + "visits/holding.py", '        outcome = _offer(services, row, "accept" if action == "accept" else "retry", user.id)',
        '        if action == "accept":\n            services.storage.write(Batch(settled=[Settled(row.id, row.sha256, "accept", user.id, _now(services))]))\n            return "applied"\n'
        '        outcome = _offer(services, row, "accept" if action == "accept" else "retry", user.id)'),
    Mutation("reopened work is on no list", PWA + "visits/holding.py", "SET state = 'open', resolved_how = ''", "SET resolved_how = ''"),
    Mutation("the held list shows only what is the reader's", PWA + "visits/holding.py", "_OPEN = \"state = 'open'\"", "_OPEN = \"state = 'open' AND by = ''\""),
)  # fmt: skip


def mutate(mutation: Mutation, root: Path) -> None:
    """Change the copy at `root`. Raises ValueError where the text does not occur exactly once."""
    path = root / mutation.file
    text = path.read_text("utf-8")
    if text.count(mutation.old) != 1:
        raise ValueError(
            f"{mutation.name}: its text occurs {text.count(mutation.old)} times in {mutation.file}"
        )
    path.write_text(text.replace(mutation.old, mutation.new), "utf-8")


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


def catch(mutation: Mutation, schedules: int) -> tuple[int, str] | None:
    """(seed, finding) of the first run that catches the mutation, or None."""
    with tempfile.TemporaryDirectory(prefix="troskel-mutation-") as name:
        root = copy_tree(Path(name))
        mutate(mutation, root)
        command = [sys.executable, "-m", "tests.simulation", "--schedules", str(schedules)]
        found = subprocess.run(
            [*command, "--until-wrong", "--workers", "1"], cwd=root, capture_output=True, text=True,
            check=False, env=os.environ | {"PYTHONPATH": str(root)},
        )  # fmt: skip
    caught = re.search(r"seed (\d+): (.*)", found.stderr)
    if caught:
        return int(caught[1]), caught[2]
    if found.returncode:
        raise RuntimeError(f"{mutation.name}: {found.stderr[-2000:]}")
    return None


def main(mutations: Iterable[Mutation] = MUTATIONS) -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation.mutations", description=__doc__)
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument("--name", default="")
    parser.add_argument(
        "--slice", default="1/1", help="I/N: each N-th mutation, beginning with the I-th"
    )
    given = parser.parse_args()
    first, step = (int(part) for part in given.slice.split("/"))
    wanted = [one for one in list(mutations)[first - 1 :: step] if given.name in one.name]
    missed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda one: catch(one, given.schedules), wanted)
        for number, (mutation, caught) in enumerate(zip(wanted, results, strict=True), 1):
            missed += caught is None
            result = f"seed {caught[0]}: {caught[1]}" if caught else "NOT CAUGHT"
            print(f"{number} of {len(wanted)}: {mutation.name}: {result}", flush=True)
    row = {"part": "planted", "fault": "planted bugs", "tried": len(wanted)}
    print(json.dumps(row | {"lost": 0, "doubled": 0, "hidden": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
