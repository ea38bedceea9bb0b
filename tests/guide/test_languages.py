"""A new language is one guide file and one catalogue, and is then everywhere.

The sixteenth is German, with English texts, in a copy of the program in which nothing else is
changed.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pwa.bundle import catalogues, phone_words
from pwa.guide import load
from pwa.guide.languages import LANGUAGES, read_languages

ROOT = Path(__file__).resolve().parents[2]

ASK = """
import json, sys
from pathlib import Path
from pwa import create_app, initialise
from pwa.bundle import build
from pwa.people import accounts
from pwa.settings import Settings
root = Path.cwd()
build.compile_catalogues(root, say=lambda _: None)
settings = Settings(data=root / "data")
initialise(settings)
app = create_app(settings)
services = app.extensions["troskel"]
accounts.add_user(services.databases, "test", "visitor", "a long test password", services.now(),
                  languages=["sv", "de"], interface_language="de")
client = app.test_client()
version = app.extensions["troskel"].guide.version
page = client.get("/sign-in", headers={"Accept-Language": "de-CH"})
from flask_babel import force_locale
from pwa.desk.parts.language_names import language_name
with app.app_context(), force_locale("sv"):
    named = language_name("de")
from datetime import date
from pwa.homes.files import read_tenancies
names = ("de", "Deutsch", "Tyska", "German", "ger")
rows = "".join(f"K-{n};O-{n};Gatan 1;2026-12-01;{name};N\\n" for n, name in enumerate(names))
reading = read_tenancies(
    f"Kontraktsnr;Objektsnr;Adress;Inflyttningsdatum;Språk;Skyddad\\n{rows}".encode(), "x.csv",
    today=date(2026, 11, 22), protected_checked_by=None, blank_means_unprotected=None,
)
print(json.dumps({
    "phone": (root / "static/build/languages.js").read_text(),
    "catalogue": (root / "static/build/catalog.de.js").read_text(),
    "sign_in": page.get_data(as_text=True),
    "pack": client.get(f"/guide/{version}/de.json").get_json()["texts"]["i03.answer.de"],
    "offered": list(settings.languages),
    "named": named,
    "imported": [row.language for row in reading.rows],
}))
app.extensions["troskel"].close()
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with German beside its own languages."""
    root = tmp_path_factory.mktemp("sixteen")
    for folder in ("pwa", "sync", "templates", "static"):
        shutil.copytree(
            ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.mo")
        )
    texts = root / "pwa/guide/texts"
    german = (texts / "en.toml").read_text().replace('"en"', '"de"').replace("English", "Deutsch")
    names = 'register_names = ["tyska", "German", "ger"]'
    german = re.sub("^register_names = .*$", names, german, flags=re.M)
    (texts / "de.toml").write_text(german)
    folder = root / "pwa/translations/de/LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "pwa/translations/sv/LC_MESSAGES/messages.po", folder)
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, capture_output=True, text=True, check=False
    )


def test_a_new_language_is_two_files_and_is_then_everywhere(copy: Path) -> None:
    done = run(copy, "-c", ASK)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert '"de": ["Deutsch", "ltr"]' in found["phone"]
    assert '"de"' in found["phone"].split("INTERFACE")[1]
    assert "Besök" in found["catalogue"]
    assert '<html lang="de" dir="ltr"' in found["sign_in"]
    assert 'value="de" lang="de"' in found["sign_in"]
    assert found["pack"] == "Deutsch"
    assert "de" in found["offered"]
    assert found["named"] == "tyska"
    assert found["imported"] == ["de"] * 5
    report = run(copy, "-m", "pwa.commands.cli", "guide", "check", "--json")
    counts = json.loads(report.stdout)["languages"]["de"]
    assert counts["missing"] == 0
    assert counts["machine"] == counts["texts"]


@pytest.mark.parametrize(
    "left_out", ['direction = "rtl"\n', 'register_names = ["arabiska", "Arabic", "ara"]\n']
)
def test_a_head_that_leaves_something_out_is_refused(tmp_path: Path, left_out: str) -> None:
    head = (ROOT / "pwa/guide/texts/ar.toml").read_text()
    assert left_out in head
    (tmp_path / "ar.toml").write_text(head.replace(left_out, "", 1))
    with pytest.raises(ValueError, match=r"ar\.toml: the head must say"):
        read_languages(tmp_path)


def test_swedish_and_any_other_language_take_sixty_kilobytes_of_a_phone_at_most() -> None:
    """Guide and interface, compressed as they are sent; fonts and recordings come on top."""
    messages = phone_words.find(ROOT)
    guide = load()
    sizes = {}
    for tag in LANGUAGES:
        catalogue = catalogues.read_catalogue(ROOT, tag)
        words = phone_words.compile_catalogue(catalogue, tag, messages).encode()
        sizes[tag] = sum(len(gzip.compress(one, 9)) for one in (guide.pack_bytes(tag), words))
    assert all(sizes["sv"] + size <= 60_000 for size in sizes.values()), sizes


def test_swedish_comes_first() -> None:
    assert next(iter(LANGUAGES)) == "sv"
