"""The build: messages as numbers, catalogues with Python's plural forms, steps that are skipped."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.pofile import read_po

from pwa.bundle import build, catalogues, phone_words

ROOT = Path(__file__).parent.parent.parent

TEMPLATE = """<p>{{ _('Saved') }}</p>
<p>{{ ngettext('%(num)s visit', '%(num)s visits', n) }}</p>"""
SCRIPT = """i18n._('Only %(name)s', {name: x}); const {_} = i18n
const both = `${_('Here')} · ${i18n._(i18n.ngettext('%(n)s day', "%(n)s days", n), {n})}`"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository with messages of the phone and of the desk."""
    for folder in ("templates/shared", "templates/field", "templates/desk", "static/field", "pwa"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "templates/field/a.html").write_text(TEMPLATE)
    (tmp_path / "templates/field/shell.html").write_text("{{ _('Not for phones') }}")
    (tmp_path / "templates/desk/b.html").write_text("{{ _('Coverage') }}")
    (tmp_path / "static/field/a.js").write_text(SCRIPT)
    (tmp_path / "pwa/a.py").write_text("lazy_gettext('Held')")
    for language in ("sv", "ar"):
        path = catalogues.po_path(tmp_path, language)
        path.parent.mkdir(parents=True)
        # A new catalogue is an empty one with its plural rule: here the app's own.
        head = catalogues.po_path(catalogues.ROOT, language).read_text().split("\n\n")[0]
        path.write_text(head + "\n")
    return tmp_path


def translate(tree: Path, language: str, **words: str | Sequence[str]) -> None:
    path = catalogues.po_path(tree, language)
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    for message in catalogue:
        key = message.id if isinstance(message.id, str) else message.id[0]
        for start, text in words.items():
            if key.startswith(start.replace("_", " ")) or (start == "visits" and "visit" in key):
                message.string = text if isinstance(text, str) else tuple(text)
    path.write_bytes(b"")
    catalogues._write_po_if_changed(path, catalogue)


def ask_node(module: Path, expression: str) -> object:
    script = f"import * as c from '{module}'; console.log(JSON.stringify({expression}))"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_messages_are_found_in_templates_scripts_and_python(tree: Path) -> None:
    missing = catalogues.update(tree)
    assert missing == {"sv": 7, "ar": 7}
    text = catalogues.po_path(tree, "sv").read_text()
    for msgid in (
        "Saved",
        "%(num)s visit",
        "Only %(name)s",
        "Here",
        "%(n)s day",
        "Coverage",
        "Held",
    ):
        assert f'msgid "{msgid}"' in text
    assert "Not for phones" not in text


def test_a_message_concatenated_from_pieces_is_refused(tree: Path) -> None:
    (tree / "static/field/b.js").write_text("\n_('one ' + 'two')")
    with pytest.raises(ValueError, match=r"b\.js:2: a message must be one string"):
        catalogues.update(tree)


def test_updating_twice_changes_nothing_and_keeps_translations(tree: Path) -> None:
    catalogues.update(tree)
    translate(tree, "sv", Saved="Sparat")
    before = catalogues.po_path(tree, "sv").read_bytes()
    assert catalogues.update(tree)["sv"] == 6
    assert catalogues.po_path(tree, "sv").read_bytes() == before
    assert b"Sparat" in before


def say(tree: Path, language: str, *texts: str) -> list[object]:
    """What the phone's catalogue of `language` has for the messages `texts`."""
    numbers = [phone_words.find(tree).index(text) for text in texts]
    name = "original" if language == "sv" else f"catalog.{language}"
    found = ask_node(tree / f"static/build/{name}.js", f"{numbers}.map(c.gettext)")
    assert isinstance(found, list)
    return found


def test_the_phone_gets_only_its_own_messages_and_a_text_for_each(tree: Path) -> None:
    catalogues.update(tree)
    translate(tree, "sv", Saved="Sparat", Coverage="Täckning")
    build.compile_catalogues(tree, say=lambda _: None)
    assert say(tree, "sv", "Saved", "Here") == ["Sparat", "Here"]
    original = tree / "static/build/original.js"
    assert ask_node(original, "[c.language, c.direction]") == ["sv", "ltr"]
    assert "Täckning" not in original.read_text()
    assert ask_node(tree / "static/build/catalog.ar.js", "c.direction") == "rtl"


def test_a_phone_never_shows_a_number_or_nothing_for_a_message() -> None:
    """In every language, every message of the app has a text of its own, with all forms."""
    messages = phone_words.find(ROOT)
    for language in catalogues.LANGUAGES:
        catalogue = catalogues.read_catalogue(ROOT, language)
        module = phone_words.compile_catalogue(catalogue, language, messages)
        table = re.search(r"^const texts = (.*)$", module, re.MULTILINE)
        assert table
        texts = json.loads(table[1])
        assert len(texts) == len(messages)
        for msgid, text in zip(messages, texts, strict=True):
            forms = [text] if isinstance(msgid, str) else text
            assert len(forms) == (1 if isinstance(msgid, str) else catalogue.num_plurals)
            assert all(isinstance(form, str) and form.strip() for form in forms), (language, msgid)


def test_an_empty_message_is_refused(tree: Path) -> None:
    (tree / "static/field/b.js").write_text("_('')")
    with pytest.raises(ValueError, match="is empty"):
        phone_words.find(tree)


def test_gettext_returns_a_text_unchanged(tree: Path) -> None:
    """`_(ngettext(…), {…})` fills in what ngettext has chosen."""
    catalogues.update(tree)
    build.compile_catalogues(tree, say=lambda _: None)
    module = tree / "static/build/original.js"
    assert ask_node(module, "c.gettext('2 visits')") == "2 visits"
    assert ask_node(module, "c.gettext('length')") == "length"


def test_a_bundle_has_numbers_where_the_code_has_messages(tree: Path) -> None:
    messages = phone_words.find(tree)
    days, here, only = (
        messages.index(one) for one in (("%(n)s day", "%(n)s days"), "Here", "Only %(name)s")
    )
    numbered = phone_words.number(SCRIPT, messages)
    assert numbered == (
        f"i18n._({only}, {{name: x}}); const {{_}} = i18n\n"
        f"const both = `${{_({here})}} · ${{i18n._(i18n.ngettext({days}, 0, n), {{n}})}}`"
    )
    template = 'o += r.out(r.gettext(c, "Here", {})) + r.out(r.ngettext(c, "%(n)s day", "%(n)s days", n, {}))'
    assert phone_words.number(template, messages) == (
        f"o += r.out(r.gettext(c, {here}, {{}})) + r.out(r.ngettext(c, {days}, 0, n, {{}}))"
    )


def test_a_message_that_the_catalogues_lack_is_refused(tree: Path) -> None:
    with pytest.raises(ValueError, match="'New' is not among"):
        phone_words.number("_('New')", phone_words.find(tree))


def test_a_message_is_found_whatever_letters_it_has(tree: Path) -> None:
    odd = ["Saved", "Över 𐍈 “quotes” – dash", "%(num)s%%", "a", "x" * 500, 'it\\\'s "it"']
    module = ";".join(f"_({json.dumps(text, ensure_ascii=False)})" for text in odd)
    (tree / "static/field/b.js").write_text(module)
    catalogues.update(tree)
    build.compile_catalogues(tree, say=lambda _: None)
    assert say(tree, "sv", *odd) == odd
    assert re.fullmatch(r"(_\(\d+\);?)+", phone_words.number(module, phone_words.find(tree)))


@pytest.mark.parametrize("language", ["sv", "ar"])
def test_the_phone_chooses_the_plural_form_that_python_and_cldr_choose(
    tree: Path, language: str
) -> None:
    order = [t for t in ("zero", "one", "two", "few", "many", "other") if t in _tags(language)]
    catalogues.update(tree)
    translate(tree, language, visits=order)
    build.compile_catalogues(tree, say=lambda _: None)
    counts = [*range(0, 130), 200, 201, 203, 211, 1000, 1002, 1000000]
    number = phone_words.find(tree).index(("%(num)s visit", "%(num)s visits"))
    name = "original" if language == "sv" else f"catalog.{language}"
    module = tree / f"static/build/{name}.js"
    js = ask_node(module, f"{counts}.map(n => c.ngettext({number}, 0, n))")
    rule = Locale(language).plural_form
    assert js == [rule(n) for n in counts]
    import gettext

    with catalogues.po_path(tree, language).with_suffix(".mo").open("rb") as file:
        python = gettext.GNUTranslations(file)
    assert js == [python.ngettext("%(num)s visit", "%(num)s visits", n) for n in counts]


def _tags(language: str) -> set[str]:
    return set(Locale(language).plural_form.tags) | {"other"}


def test_english_is_the_msgid_itself(tree: Path) -> None:
    catalogues.update(tree)
    build.compile_catalogues(tree, say=lambda _: None)
    module = tree / "static/build/catalog.en.js"
    number = phone_words.find(tree).index(("%(num)s visit", "%(num)s visits"))
    assert ask_node(module, f"[0, 1, 2].map(n => c.ngettext({number}, 0, n))") == [
        "%(num)s visits",
        "%(num)s visit",
        "%(num)s visits",
    ]


def test_a_plural_header_with_anything_but_arithmetic_is_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogues.update(tree)
    catalogue = catalogues.read_catalogue(tree, "sv")
    monkeypatch.setattr(catalogue, "_plural_expr", "(fetch('/x'), n)")
    with pytest.raises(ValueError, match="not a plural expression"):
        phone_words.compile_catalogue(catalogue, "sv", ["Saved"])


def test_packages_are_not_installed_again_when_they_match_the_lock_file(tmp_path: Path) -> None:
    shutil.copy(ROOT / "package-lock.json", tmp_path)
    lock = json.loads((tmp_path / "package-lock.json").read_text())
    for path, entry in lock["packages"].items():
        if path:
            (tmp_path / path).mkdir(parents=True)
            (tmp_path / path / "package.json").write_text(json.dumps({"version": entry["version"]}))
    said: list[str] = []
    build.install_packages(tmp_path, say=said.append)
    assert said == ["npm packages: up to date"]


def test_an_installation_that_fails_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = {"packages": {"node_modules/x": {"version": "1"}}}
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr("pwa.bundle.build.shutil.which", lambda _: "/bin/false")
    monkeypatch.setenv("PATH", "/nonexistent")
    failed = subprocess.CompletedProcess[str]([], 1)
    monkeypatch.setattr("pwa.bundle.build.subprocess.run", lambda *_, **__: failed)
    with pytest.raises(build.BuildFailed, match="npm ci ended with 1"):
        build.install_packages(tmp_path, say=lambda _: None)


def test_a_file_with_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.js"
    assert build._write(path, b"x")
    assert not build._write(path, b"x")
    assert build._write(path, b"y")
    assert [p.name for p in path.parent.iterdir()] == ["b.js"]


def test_two_builds_at_once_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.js"
    replace = Path.replace

    def replace_after_the_other(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "replace", replace)
        build._write(path, b"the other")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_after_the_other)
    build._write(path, b"mine")
    assert path.read_bytes() == b"mine"
    assert [p.name for p in tmp_path.iterdir()] == ["b.js"]
