"""``demeter verify``: the ledger recomputed from its movements."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from sqlalchemy import text

from demeter.core.checks import Checked, references, run
from demeter.core.db import transaction
from demeter.counts.checks import COUNTS
from demeter.periods.checks import CLOSINGS
from demeter.stock.checks import LOTS, MOVES

_out, _err = Console(highlight=False), Console(stderr=True, highlight=False)


def verify(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print one object")] = False,
) -> None:
    """Recompute every quantity of the ledger; the exit status is 1 if anything is wrong.

    It reads one moment of the database, writes nothing, and stands in nobody's way.
    """
    with transaction() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        checks = [references(session), *LOTS, *MOVES, *COUNTS, *CLOSINGS]
        found = list(
            track(
                run(session, checks), "Verifying", total=len(checks), console=_err, transient=True
            )
        )
    if as_json:
        sys.stdout.write(json.dumps(_as_json(found)) + "\n")
    else:
        _print(found)
    if any(one.wrong for one in found):
        raise typer.Exit(1)


def _as_json(found: list[Checked]) -> dict[str, object]:
    return {
        "sound": not any(one.wrong for one in found),
        "seconds": round(sum(one.seconds for one in found), 3),
        "checks": [asdict(one) | {"seconds": round(one.seconds, 3)} for one in found],
    }


def _print(found: list[Checked]) -> None:
    for one in found:
        mark = "[green]✓[/green]" if not one.wrong else f"[red]✗ {one.wrong}[/red]"
        _out.print(f"{mark} {one.title}  [dim]{one.seconds:.1f} s[/dim]", soft_wrap=True)
        for row in one.examples:
            _out.print(f"    {row.subject}: {row.found}, not {row.expected}", soft_wrap=True)
        if one.wrong > len(one.examples):
            _out.print(f"    … and {one.wrong - len(one.examples)} more")
    wrong = sum(one.wrong for one in found)
    _out.print("The ledger is sound." if not wrong else f"[red]{wrong} things are wrong.[/red]")
