"""The constants a phone shares with the server: one module, made from the server's own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from pwa.bundle import constants
from sync.kinds import KINDS
from sync.shapes import QUEUES


def test_the_module_holds_the_servers_values(tmp_path: Path) -> None:
    module = tmp_path / "constants.mjs"
    module.write_text(constants.compile_module(), "utf-8")
    script = f"import * as c from '{module}'; console.log(JSON.stringify(c))"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    kinds = found.pop("KINDS")
    assert found == json.loads(json.dumps(dict(constants.VALUES)))
    assert set(kinds) == {name for name, kind in KINDS.items() if kind.type != "tenancy"}
    for name, kind in kinds.items():
        assert kind["fields"] == list(KINDS[name].fields)
        assert kind["content"] is KINDS[name].content


def test_a_queue_is_named_once_on_the_phone() -> None:
    """The lists of codes are in the made module alone: a copy would miss the next queue."""
    root = Path(__file__).parents[2]
    copies = [
        path
        for path in (root / "static" / "field").rglob("*.js")
        if sum(f"'{code}'" in path.read_text("utf-8") for code in QUEUES) > 1
    ]
    assert copies == []
