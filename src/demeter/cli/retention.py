"""``demeter retention``: photos and pictures that the settings no longer keep are let go."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskID
from sqlalchemy import select

from demeter.cli.tables import RowTable
from demeter.core.blob_drops import DroppedBlob
from demeter.core.db import transaction
from demeter.core.formats import UNKNOWN, site_text
from demeter.core.settings import settings
from demeter.ops.retention.dropping import let_go_of_due
from demeter.ops.retention.rules import DueContent, RetentionRule, due_contents, rules_of

_out, _err = Console(highlight=False), Console(stderr=True, highlight=False)
NO_RULE = (
    "Everything is kept: neither DEMETER_PHOTO_KEEP_DAYS nor DEMETER_OVERLAY_KEEP_DAYS is set."
)


def retention(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only list what would go, and by which rule")
    ] = False,
    as_list: Annotated[
        bool, typer.Option("--list", help="only list what is no longer kept, and since when")
    ] = False,
) -> None:
    """Let go of photos and pictures that the settings no longer keep; both are off by default.

    A photo goes only when its count has ended and its period is closed, and not where people
    marked or accepted it, unless DEMETER_PHOTO_KEEP_TRUTH is false.
    """
    if as_list:
        _print_dropped()
        return
    rules = rules_of(settings())
    if not rules:
        _out.print(NO_RULE, soft_wrap=True)
    elif dry_run:
        _print_due(rules)
    else:
        _let_go()


def _print_due(rules: list[RetentionRule]) -> None:
    table = RowTable("kind", "sha256", "bytes", "rule")
    totals: list[str] = []
    for rule in rules:
        with transaction() as session:
            contents = due_contents(session, rule)
        for content in contents:
            table.add_row(rule.kind, content.sha256, _bytes(content), rule.words)
        totals.append(f"{len(contents)} of kind {rule.kind}")
    table.print()
    _out.print(f"Nothing was removed. It would be {', '.join(totals)}.", soft_wrap=True)


def _bytes(content: DueContent) -> str:
    return UNKNOWN if content.size_bytes is None else str(content.size_bytes)


def _print_dropped() -> None:
    table = RowTable("kind", "sha256", "bytes", "rule", "no longer kept since", "kept again since")
    with transaction() as session:
        rows = session.scalars(select(DroppedBlob).order_by(DroppedBlob.dropped_at))
        for row in rows:
            size = UNKNOWN if row.size_bytes is None else str(row.size_bytes)
            again = site_text(row.returned_at) if row.returned_at else ""
            table.add_row(row.kind, row.sha256, size, row.rule, site_text(row.dropped_at), again)
    table.print()


def _let_go() -> None:
    with Bars(console=_err, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step.capitalize(), total=total)
            bars.update(tasks[step], completed=done, total=total)

        run = let_go_of_due(progress)
    _out.print(
        f"No longer kept: {run.photos} photos, {run.overlays} pictures; "
        f"{run.freed_bytes / 1e6:.1f} MB freed.",
        soft_wrap=True,
    )
