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

from demeter.core.checks import CheckResult, references, run
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
        results = list(
            track(
                run(session, checks), "Verifying", total=len(checks), console=_err, transient=True
            )
        )
    if as_json:
        sys.stdout.write(json.dumps(_as_json(results)) + "\n")
    else:
        _print(results)
    if any(result.wrong for result in results):
        raise typer.Exit(1)


def _as_json(results: list[CheckResult]) -> dict[str, object]:
    return {
        "sound": not any(result.wrong for result in results),
        "seconds": round(sum(result.seconds for result in results), 3),
        "checks": [asdict(result) | {"seconds": round(result.seconds, 3)} for result in results],
    }


def _print(results: list[CheckResult]) -> None:
    for result in results:
        mark = "[green]✓[/green]" if not result.wrong else f"[red]✗ {result.wrong}[/red]"
        _out.print(f"{mark} {result.title}  [dim]{result.seconds:.1f} s[/dim]", soft_wrap=True)
        for row in result.examples:
            _out.print(f"    {row.subject}: {row.found}, not {row.expected}", soft_wrap=True)
        if result.wrong > len(result.examples):
            _out.print(f"    … and {result.wrong - len(result.examples)} more")
    wrong = sum(result.wrong for result in results)
    _out.print("The ledger is sound." if not wrong else f"[red]{wrong} things are wrong.[/red]")
