"""`troskel guide`: check and compare the guide's texts, export and import them as PO files.

Invariant: these commands only read or make drafts; phones see a text when it is published at the
desk, by a person who saw the difference. There is no command to publish: the running server would
not notice.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pwa import guide
from pwa.commands.terminal import end_with, in_words, running, settings_here, with_data
from pwa.guide.languages import ORIGINAL
from pwa.problems import Problem
from pwa.publishing import events
from pwa.publishing.acts import Who
from pwa.publishing.difference import changes, renumbered
from pwa.publishing.po import accept, export_po, plan_import
from pwa.publishing.versions import draft_guide
from pwa.services import Services


@click.group("guide")
def guide_group() -> None:
    """The guide's texts."""


@guide_group.command("check")
@click.option(
    "--drafts", is_flag=True, help="Check what could be published here instead of the files."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_data
def guide_check(drafts: bool, as_json: bool, data: Path | None) -> None:
    """Check every language of the guide's files; exit 0 only when nothing is wrong or missing.

    With --drafts, check this installation's guide: the files with all that was approved and
    corrected at the desk, published or not.
    """
    if drafts:
        with running(data) as services, services.databases.reading() as db:
            report = guide.check(draft_guide(db, services.baseline))
    else:
        settings_here(data)
        report = guide.check(guide.load())
    click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else report.as_text())
    end_with(0 if report.ok else 1)


@guide_group.command("diff")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_data
def guide_diff(as_json: bool, data: Path | None) -> None:
    """Show what publishing at the desk would change now, text by text."""
    with running(data) as services:
        with services.databases.reading() as db:
            draft = draft_guide(db, services.baseline)
        found = changes(services.guide, draft)
        higher = renumbered(services.guide, draft)
        if as_json:
            difference: dict[str, Any] = {"from": services.guide.version, "to": draft.version}
            difference["changes"] = [asdict(one) for one in found]
            difference["consents"] = [asdict(one) for one in higher]
            click.echo(json.dumps(difference, ensure_ascii=False))
            return
        for one in found:
            click.echo(f"{one.language} {one.key} ({one.old_state} → {one.new_state})")
            if one.reworded:
                click.echo(f"- {one.old}\n+ {one.new}")
        for consent in higher:
            click.echo(f"{consent.consent}: wording {consent.old} → {consent.new}")
        click.echo(f"texts that would change: {len(found)}")


@guide_group.command("export")
@click.argument("language")
@with_data
def guide_export(language: str, data: Path | None) -> None:
    """Write LANGUAGE, such as so, as a PO file to standard output, drafts included."""
    with running(data) as services:
        _translation(services, language)
        with services.databases.reading() as db:
            draft, history = draft_guide(db, services.baseline), events.history(db, language)
        click.echo(export_po(draft, language, history, services.now()), nl=False)


@guide_group.command("import")
@click.argument("language")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--reviewer", required=True, metavar="NAME", help="Who has reviewed the texts.")
@click.option("--dry-run", is_flag=True, help="Only report what would change.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_data
def guide_import(
    language: str, file: Path, reviewer: str, dry_run: bool, as_json: bool, data: Path | None
) -> None:
    """Import the PO file FILE as drafts of LANGUAGE; they are published at the desk.

    Exit code 0 also with refused rows, 2 when the file as a whole was refused.
    """

    with running(data) as services:
        _translation(services, language)
        with services.databases.writing() as db:
            draft, history = draft_guide(db, services.baseline), events.history(db, language)
            try:
                plan = plan_import(draft, language, history, file.read_bytes())
            except Problem as problem:
                raise click.BadParameter(in_words(problem)) from None
            if not dry_run:
                accept(db, services.baseline, plan, Who("", reviewer), services.now())
        found = plan.as_json() | {"dry_run": dry_run}
        if as_json:
            click.echo(json.dumps(found, ensure_ascii=False))
            return
        for one in found.pop("refused"):
            click.echo(f"row {one['line']}: {one['key']}: {one['problem']}")
        for name, value in found.items():
            click.echo(f"{name}: {value}")


def _translation(services: Services, language: str) -> None:
    tags = [tag for tag in services.guide.languages if tag != ORIGINAL]
    if language not in tags:
        raise click.ClickException(f"{language} is none of {', '.join(tags)}.")
