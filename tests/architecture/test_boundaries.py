"""The walls of the house: who may import whom, who may touch what, what a file may be.

Each rule is read off the code as it stands; none needs the application to run.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pwa.visits.holding import ACTIONS
from sync import limits
from sync.kinds import KINDS

ROOT = Path(__file__).parents[2]
LINES_MAX = 600
TOP_LEVEL = {
    "pwa", "sync", "templates", "static", "tests", ".ci", "pyproject.toml", "package.json",
    "package-lock.json", ".npmrc", ".gitignore", "Makefile", "README.md", "requirements.lock",
    "requirements-dev.lock", "hatch_build.py", "docs", "bin", "LICENSE", "CHANGELOG.md",
    "CONTRIBUTING.md", "SECURITY.md", "biome.json",
}  # fmt: skip


def tracked(*patterns: str) -> list[Path]:
    """The files git knows, or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, at the top of the file) for every import in `path`; type-checking ones left out."""
    tree = ast.parse(path.read_text("utf-8"))
    deep = {
        id(node)
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(f)
    }
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test).endswith("TYPE_CHECKING")
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, id(node) not in deep
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield node.module, id(node) not in deep
            for name in node.names:
                yield f"{node.module}.{name.name}", id(node) not in deep


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PYTHON = {module_of(path): path for path in tracked("pwa/**.py", "sync/**.py")}


def test_there_is_something_to_check() -> None:
    assert {"sync.push", "pwa.phones.wire", "pwa"} <= set(PYTHON)


def test_sync_imports_the_standard_library_and_itself_alone() -> None:
    for name, path in PYTHON.items():
        if not name.startswith("sync"):
            continue
        allowed = (
            set(sys.stdlib_module_names)
            | {"sync"}
            | ({"sqlite_utils"} if name == "sync.sqlite" else set())
        )
        assert {module.split(".")[0] for module, _ in imports(path)} <= allowed, name


def test_sync_has_no_clock_and_no_chance() -> None:
    for name, path in PYTHON.items():
        if name.startswith("sync"):
            assert not {module.split(".")[0] for module, _ in imports(path)} & {
                "time",
                "random",
                "secrets",
                "uuid",
                "os",
            }, name
            assert not re.search(r"datetime\.now|date\.today|utcnow", path.read_text("utf-8")), name


def test_nothing_but_tests_imports_pwa() -> None:
    assert not [
        name
        for name, path in PYTHON.items()
        if name.startswith("sync") and any(m.split(".")[0] == "pwa" for m, _ in imports(path))
    ]


def test_no_import_cycles() -> None:
    graph = {
        name: {
            module for module, top in imports(path) if top and module in PYTHON and module != name
        }
        for name, path in PYTHON.items()
    }
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail, name))
        if name in done:
            return
        for other in sorted(graph[name]):
            # A package's __init__ is imported with every module in it: not a cycle by itself.
            if not (name.startswith(f"{other}.") or other.startswith(f"{name}.")):
                walk(other, (*trail, name))
        done.add(name)

    for name in graph:
        walk(name, ())


def test_importing_opens_nothing(tmp_path: Path) -> None:
    """Every module of pwa and sync, imported in an empty folder with files watched."""
    code = (
        "import sys, importlib\n"
        "opened = []\n"
        "def watch(event, args):\n"
        "    if event in ('sqlite3.connect', 'socket.connect', 'socket.bind') or (\n"
        "        event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+')):\n"
        "        opened.append((event, args[0]))\n"
        "sys.dont_write_bytecode = True\n"
        "sys.addaudithook(watch)\n"
        f"for name in {sorted(PYTHON)!r}:\n"
        "    if not name.endswith('__main__'): importlib.import_module(name)\n"
        "assert not opened, opened\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_module_opens_with_what_it_is() -> None:
    for name, path in PYTHON.items():
        text = path.read_text("utf-8").strip()
        if text:
            assert ast.get_docstring(ast.parse(text)), f"{name} has no paragraph at its top"


def test_one_file_alone_touches_indexeddb() -> None:
    for path in tracked("static/field/**.js", "static/sw.js", "static/desk/**.js"):
        if path.name != "database.js":
            assert not re.search(
                r"\bindexedDB\b|vendor/idb|from .idb.|openDB\(|IDBKeyRange", path.read_text("utf-8")
            ), path


def test_the_worker_never_touches_a_post_and_is_a_switchboard() -> None:
    text = (ROOT / "static" / "sw.js").read_text("utf-8")
    assert len(text.splitlines()) <= 120
    assert "indexedDB" not in text


def test_nothing_evaluates_text_as_code() -> None:
    for path in tracked("static/**.js", "templates/**.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"\beval\(|new Function\(|hx-on|js:|javascript:", text), path


def test_templates_carry_no_inline_script_or_style() -> None:
    for path in tracked("templates/**.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text, re.I), (
            path
        )


@pytest.mark.parametrize("folder", ["pwa", "sync", "static", "tests", "templates"])
def test_no_file_is_longer_than_a_reader_can_hold(folder: str) -> None:
    for path in tracked(
        f"{folder}/**.py",
        f"{folder}/**.js",
        f"{folder}/**.mjs",
        f"{folder}/**.html",
        f"{folder}/**.css",
    ):
        assert len(path.read_text("utf-8").splitlines()) <= LINES_MAX, path


def test_top_level_holds_what_was_agreed() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert found <= TOP_LEVEL, found - TOP_LEVEL


def test_no_committed_file_names_a_registry_or_this_machine() -> None:
    hosts = (
        "pypi." + "org",
        "registry." + "npmjs",
        "files." + "pythonhosted",
        "deb." + "debian",
        "/wor" + "k/main",
        "/wor" + "k/shared",
    )
    for path in tracked():
        if path.suffix in (".png", ".xlsx", ".woff2", ".ico"):
            continue
        text = path.read_text("utf-8", errors="replace")
        assert not [host for host in hosts if host in text], path


def test_third_party_code_is_installed_and_never_committed() -> None:
    assert tracked("static/vendor", "node_modules", "static/build") == []


def test_every_invariant_is_named_by_a_test() -> None:
    protocol = (ROOT / "sync" / "PROTOCOL.md").read_text("utf-8")
    numbers = set(re.findall(r"^\| (I\d) \|", protocol, re.M))
    assert numbers == {f"I{n}" for n in range(1, 10)}
    tests = "\n".join(path.read_text("utf-8") for path in tracked("tests/**.py", "tests/**.mjs"))
    for number in sorted(numbers):
        assert re.search(rf"(def test_{number.lower()}_|test\(['\"`]{number}\b)", tests), (
            f"no test is named for {number}"
        )


def test_the_protocols_table_of_kinds_is_the_codes() -> None:
    protocol = (ROOT / "sync" / "PROTOCOL.md").read_text("utf-8")
    said = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)`( ●)? \|", protocol, re.M))
    assert {kind: bool(mark) for kind, mark in said.items()} == {
        kind: row.content for kind, row in KINDS.items()
    }


def test_the_protocols_table_of_what_ends_a_hold_is_the_codes() -> None:
    protocol = (ROOT / "sync" / "PROTOCOL.md").read_text("utf-8")
    table = protocol[protocol.index("| reason |") : protocol.index("`accept`: the supervisor")]
    said = {
        reason: set(re.findall(r"`(accept|assign|retry|file)`", ends))
        for reason, ends in re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", table, re.M)
    }
    assert said == {reason: set(actions) - {"ask"} for reason, actions in ACTIONS.items()}


def test_the_protocols_limits_are_the_codes() -> None:
    protocol = (ROOT / "sync" / "PROTOCOL.md").read_text("utf-8")
    units = {"": 1, " KiB": 1024, " MiB": 1024 * 1024}
    said = {
        name: int(number) * units[unit]
        for name, number, unit in re.findall(
            r"^\| `(\w+_MAX|SNAPSHOTS_PER_PULL)`[^|]*\| (\d+)( [KM]iB)? \|", protocol, re.M
        )
    }
    known = {name: vars(limits)[name] for name in said if name in vars(limits)}
    assert len(said) == 7
    assert said == known
