"""``demeter backup`` and ``demeter restore``: everything kept, and brought back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskID

from demeter.cli.tables import RowTable
from demeter.core.errors import InvalidInput
from demeter.core.formats import site_text
from demeter.core.settings import settings
from demeter.ops.backup import restore as way_back
from demeter.ops.backup.keeping import keep
from demeter.ops.backup.manifest import BackupManifest
from demeter.ops.backup.place import place_of
from demeter.ops.backup.repository import Repository, open_repository
from demeter.ops.backup.run import Progress
from demeter.ops.backup.seal import make_key_file

_out, _err = Console(highlight=False), Console(stderr=True, highlight=False)


class NoBackupPlace(InvalidInput):
    """Nothing says where the backup is to go."""

    code = "no_backup_place"
    title = "Where is the backup to go?"
    next_action = "Name a folder or an s3://… URL, or set DEMETER_BACKUP_PLACE."


Place = Annotated[
    str | None, typer.Argument(help="folder or s3://bucket/prefix; else DEMETER_BACKUP_PLACE")
]


def backup(
    dest: Place = None,
    *,
    make_key: Annotated[
        Path | None,
        typer.Option("--make-key", help="instead: write a new key for encryption to this file"),
    ] = None,
) -> None:
    """Keep database and photos at DEST; photos that are there already are not sent again.

    With DEMETER_BACKUP_KEY_FILE or DEMETER_BACKUP_PASSPHRASE it is encrypted. The exit status
    is 1 if a photo that the database names could not be had.
    """
    if make_key is not None:
        _err.print(f"Public key: {make_key_file(make_key)}", soft_wrap=True)
        _err.print(f"Keep a copy of {make_key} elsewhere: without it no backup opens.")
        return
    with _bars() as progress:
        manifest = keep(_address(dest), progress)
    _print_made(manifest)
    if manifest.missing:
        raise typer.Exit(1)


def restore(
    src: Place = None,
    *,
    at: Annotated[str | None, typer.Option("--at", help="which backup; else the last")] = None,
    as_list: Annotated[bool, typer.Option("--list", help="only list the backups there")] = False,
    only_check: Annotated[
        bool, typer.Option("--check", help="only read every byte of it and prove it")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="lose what is in the database now")
    ] = False,
) -> None:
    """Bring a backup into an empty home and database; stop Demeter first.

    Photos come first, then the database in one transaction. A restore that was killed can be
    run again.
    """
    repository = open_repository(place_of(_address(src)))
    if as_list:
        _print_list(repository)
        return
    manifest = repository.pick(at)
    with _bars() as progress:
        if only_check:
            way_back.check(repository, manifest, progress)
        else:
            way_back.restore(repository, manifest, progress, replace=replace)
    _print_proven(manifest, only_check=only_check)


def _address(given: str | None) -> str:
    address = given or settings().backup_place
    if not address:
        raise NoBackupPlace("no DEST, and no DEMETER_BACKUP_PLACE")
    return address


@contextmanager
def _bars() -> Iterator[Progress]:
    """A bar a step on standard error, where somebody looks."""
    with Bars(console=_err, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step.capitalize(), total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield progress


def _print_made(manifest: BackupManifest) -> None:
    _out.print(
        f"Backup {manifest.name}: {manifest.blob_count} photos and pictures, "
        f"{manifest.new_blobs} of them new; {manifest.new_bytes / 1e6:.1f} MB written.",
        soft_wrap=True,
    )
    _out.print(f"Ledger {manifest.ledger}", soft_wrap=True)
    if manifest.left_out:
        _out.print(f"Left out: {', '.join(manifest.left_out)}", soft_wrap=True)
    _print_missing(manifest)


def _print_proven(manifest: BackupManifest, *, only_check: bool) -> None:
    verb = "is whole" if only_check else "is restored"
    _out.print(
        f"Backup {manifest.name} {verb}: {manifest.blob_count} photos and pictures, "
        f"{len(manifest.tables)} tables, schema {manifest.schema_revision}.",
        soft_wrap=True,
    )
    _out.print(f"Ledger {manifest.ledger}", soft_wrap=True)
    _print_missing(manifest)


def _print_missing(manifest: BackupManifest) -> None:
    for sha256 in manifest.missing:
        _err.print(f"[red]Missing:[/red] {sha256} is named, and its bytes are not there.")


def _print_list(repository: Repository) -> None:
    table = RowTable("backup", "made", "photos", "MB", "schema", "missing")
    for name in repository.names():
        manifest = repository.manifest(name)
        table.add_row(
            name,
            site_text(manifest.made_at),
            str(manifest.blob_count),
            f"{(manifest.blob_bytes + manifest.database.size) / 1e6:.1f}",
            manifest.schema_revision,
            str(len(manifest.missing)),
        )
    table.print()
