"""The `troskel` command: everything that is done without a browser.

Invariant: what others script against (docs/design.md 9.2) keeps its names, options and exit codes: 0
done, 1 refused, 2 wrong usage or a file refused as a whole. No option takes a password: other users
of the machine can read command lines.
"""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlite_utils import Database

from pwa import initialise
from pwa.commands.guide import guide_group
from pwa.commands.terminal import end_with, running, settings_here, with_data
from pwa.database import DatabaseError
from pwa.database.backup import (
    begin_external,
    end_external,
    restore_backup,
    restored_externally,
    write_backup,
)
from pwa.homes import company
from pwa.people import accounts
from pwa.settings import SettingsError, settings_table
from pwa.visits.exporting import EXPORTS, export_csv


def main() -> None:
    """The command's entry point: every refusal becomes one clear message and exit code 1."""
    try:
        # Not standalone: our own exceptions get here, and click returns exit codes.
        sys.exit(troskel(standalone_mode=False) or 0)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SettingsError as error:
        click.echo("Tröskel cannot start:", err=True)
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        sys.exit(1)
    except DatabaseError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


@click.group()
def troskel() -> None:
    """Tröskel: welcome visits to every new tenant, also without a network."""


troskel.add_command(guide_group)


@troskel.command("init")
@with_data
def init_command(data: Path | None) -> None:
    """Create the data folder, its secret and its database."""
    settings = settings_here(data)
    new = initialise(settings)
    click.echo(
        f"{settings.data} is {'made' if new else 'already there'}; its database is up to date."
    )


@troskel.command("serve")
@with_data
@click.option("--demo", is_flag=True, help="Fill an empty database with invented people and homes.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on (else PORT, else 8000)."
)
def serve_command(data: Path | None, demo: bool, port: int | None) -> None:
    """Serve until stopped."""
    from pwa.commands.serve import serve  # only this command needs gunicorn

    serve(settings_here(data, **({} if port is None else {"port": port})), demo=demo)


@troskel.command("settings")
@with_data
def settings_command(data: Path | None) -> None:
    """Show every setting, the value in force and what it means."""
    click.echo(settings_table(settings_here(data)))


# --- people --------------------------------------------------------------------------


@troskel.group("user")
def user_group() -> None:
    """People who sign in."""


@user_group.command("add")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(accounts.ROLES))
@click.option("--languages", default="", help="What they speak with tenants, such as sv,ar.")
@click.option("--display", default="", help="The name that others see.")
@click.option("--queue", default="", help="An officer's queue, such as KT.")
@click.option("--may-see-protected", is_flag=True, help="May open the room of protected tenancies.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_data
def user_add(
    name: str,
    role: str,
    languages: str,
    display: str,
    queue: str,
    may_see_protected: bool,
    password_stdin: bool,
    data: Path | None,
) -> None:
    """Add somebody who may sign in."""
    password = _password(password_stdin)
    with running(data) as services:
        user = accounts.add_user(
            services.databases,
            name,
            role,
            password,
            services.now(),
            display_name=display,
            languages=_tags(languages),
            queue=queue,
            may_see_protected=may_see_protected,
        )
    click.echo(f"{user.name} ({user.role}) may sign in.")


@user_group.command("list")
@with_data
def user_list(data: Path | None) -> None:
    """List everyone, also those who may no longer sign in."""
    with running(data) as services:
        with services.databases.reading() as db:
            users = accounts.list_users(db, active_only=False)
        for user in users:
            facts = [user.name, user.role, user.queue or "-", ",".join(user.languages) or "-"]
            click.echo(
                "\t".join([*facts, user.display_name, "active" if user.active else "inactive"])
            )


@user_group.command("deactivate")
@click.argument("name")
@with_data
def user_deactivate(name: str, data: Path | None) -> None:
    """Stop somebody from signing in; their sessions end. Everything they did is kept."""
    _set_active(data, name, False)
    click.echo(f"{name} may no longer sign in.")


@user_group.command("activate")
@click.argument("name")
@with_data
def user_activate(name: str, data: Path | None) -> None:
    """Let somebody sign in again."""
    _set_active(data, name, True)
    click.echo(f"{name} may sign in.")


@user_group.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_data
def user_password(name: str, password_stdin: bool, data: Path | None) -> None:
    """Give somebody a new password; their sessions end."""
    password = _password(password_stdin)
    with running(data) as services:
        with services.databases.reading() as db:
            user = _user(db, name)
        accounts.set_password(services.databases, user.id, password, services.now())
    click.echo(f"{name} has a new password.")


# --- the company's own facts ------------------------------------------------------------


@troskel.group("company")
def company_group() -> None:
    """Facts that the guide's texts refer to: quiet hours, phone numbers, barbecue rule …"""


@company_group.command("set")
@click.argument("name")
@click.argument("value")
@click.option("--area", default="", help="Only for this area.")
@click.option("--building", default="", help="Only for this building.")
@with_data
def company_set(name: str, value: str, area: str, building: str, data: Path | None) -> None:
    """Set one fact, such as company.name; an empty VALUE removes it."""
    with running(data) as services:
        setting = services.guide.settings.get(name)
        if setting is None:
            raise click.ClickException(f"{name} is not known; troskel company list shows them all.")
        if value and not setting.accepts(value):
            raise click.ClickException(f"{value!r} does not fit {name} ({setting.english}).")
        with services.databases.writing() as db:
            company.change_settings(
                db, {name: value}, company.scope_of(area, building), by="", now=services.now()
            )
    click.echo(f"{name} is {'set' if value else 'taken away'}.")


@company_group.command("list")
@with_data
def company_list(data: Path | None) -> None:
    """List every fact and its value on the company's level, or that it is missing."""
    with running(data) as services:
        with services.databases.reading() as db:
            values = company.settings_for(db, "", "")
        for name, setting in services.guide.settings.items():
            click.echo(f"{name}\t{values.get(name, '(missing)')}\t{setting.english}")


# --- files in and out ----------------------------------------------------------------


@troskel.command("rescue")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_data
def rescue_command(file: Path, data: Path | None) -> None:
    """Read FILE, a rescue copy of a phone that cannot send; a supervisor decides under "Held"."""
    from pwa.phones.rescue import NoRescueCopy, take_in

    with running(data) as services:
        try:
            done = take_in(services, file.read_bytes())
        except NoRescueCopy as error:
            raise click.BadParameter(f"{file} is no rescue copy: {error}") from None
        click.echo(
            f"{done.held} held for a supervisor, {done.known} there already,"
            f" {done.blobs} pictures and signatures kept, {done.refused_blobs} refused."
        )


@troskel.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Report what would happen, store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--protected-checked-by",
    default="",
    metavar="NAME",
    help="Who confirms that a file without that column holds no protected identity.",
)
@click.option(
    "--blank-means-unprotected",
    default="",
    metavar="NAME",
    help="Who confirms that an empty cell in that column means not protected.",
)
@with_data
def import_command(
    file: Path,
    dry_run: bool,
    as_json: bool,
    protected_checked_by: str,
    blank_means_unprotected: str,
    data: Path | None,
) -> None:
    """Read tenancies from FILE (.csv, .xlsx) and plan their visits."""
    from pwa.homes.importing import import_file

    with running(data) as services:
        report = import_file(
            services,
            None,
            file.read_bytes(),
            file.name,
            dry_run=dry_run,
            protected_checked_by=protected_checked_by or None,
            blank_means_unprotected=blank_means_unprotected or None,
        )
        if as_json:
            click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            click.echo(report.as_text())
    end_with(2 if report.refused_whole else 0)


@troskel.command("export")
@click.argument("what", type=click.Choice(EXPORTS))
@click.option("--format", "format_", type=click.Choice(["csv"]), default="csv", show_default=True)
@with_data
def export_command(what: str, format_: str, data: Path | None) -> None:
    """Write visits, follow-ups, consents or what was held to standard output."""
    with running(data) as services:
        # UTF-8 and CRLF whatever the terminal's locale: programs read this.
        out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
        with services.databases.reading() as db:
            export_csv(db, what, out)
        out.flush()
        out.detach()


@troskel.command("backup")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--external", is_flag=True, help="Print where the log stands, before a snapshot.")
@click.option("--external-done", metavar="PLACE", help="The snapshot begun at PLACE is safe.")
@with_data
def backup_command(
    file: Path | None, external: bool, external_done: str | None, data: Path | None
) -> None:
    """Copy everything into FILE (.tar.gz), also while the server runs.

    Where another tool makes the backups (TROSKEL_BACKUP=external), report each: PLACE=$(troskel
    backup --external), then the snapshot, then troskel backup --external-done "$PLACE".
    """
    if [file is not None, external, external_done is not None].count(True) != 1:
        raise click.UsageError("Give one of FILE, --external and --external-done.")
    with running(data) as services:
        if external:
            with services.databases.reading() as db:
                click.echo(begin_external(db))
        elif external_done is not None:
            with services.databases.writing() as db:
                seq = end_external(db, external_done, services.settings.backup)
            click.echo(f"Phones let go of what they sent up to number {seq}.")
        elif file is not None:
            seq = write_backup(services.databases, file.resolve(), services.settings.backup)
            click.echo(f"{file} holds everything up to number {seq}.")
            if services.settings.backup != "own":
                click.echo("The backup mark was not moved: TROSKEL_BACKUP is external.")


@troskel.command("restore")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--force", is_flag=True, help="Set aside what is there and replace it.")
@click.option(
    "--external", is_flag=True, help="Another tool has restored the files: do what is left to do."
)
@with_data
def restore_command(file: Path | None, force: bool, external: bool, data: Path | None) -> None:
    """Restore the backup FILE. Everyone must sign in again; phones send again what they still hold."""
    settings = settings_here(data)
    if (file is None) != external:
        raise click.UsageError("Name the backup FILE, or say --external.")
    if file is None:
        restored_externally(settings.data, datetime.now(UTC))
        click.echo(f"{settings.data} goes on from where its files were put back to.")
        return
    aside = restore_backup(settings.data, file.resolve(), datetime.now(UTC), force=force)
    initialise(settings)
    click.echo(f"{settings.data} is restored from {file}.")
    if aside:
        click.echo(f"What was there before is in {aside}.")


# --- parts ---------------------------------------------------------------------------


def _set_active(data: Path | None, name: str, active: bool) -> None:
    with running(data) as services, services.databases.writing() as db:
        accounts.set_active(db, _user(db, name).id, active, services.now())


def _user(db: Database, name: str) -> accounts.User:
    user = accounts.find_user_by_name(db, name)
    if user is None:
        raise click.ClickException(f"There is nobody called {name}.")
    return user


def _tags(text: str) -> list[str]:
    return [tag.strip() for tag in text.split(",") if tag.strip()]


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Use --password-stdin when no one is there to type.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


if __name__ == "__main__":
    main()
