"""``demeter doctor``: each part that Demeter stands on, and how to mend it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demeter.ops.doctor import Finding, Verdict, examine, is_well

MARKS = {
    Verdict.OK: "[green]✓[/]",
    Verdict.WARNING: "[yellow]![/]",
    Verdict.FAILED: "[red]✗[/]",
    Verdict.UNKNOWN: "[dim]?[/]",
}


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="print findings as JSON")] = False
) -> None:
    """Check each part and say how to mend it; the exit status is 1 if something fails."""
    findings = examine()
    if as_json:
        sys.stdout.write(json.dumps([asdict(f) for f in findings], indent=2) + "\n")
    else:
        _print(findings)
    if not is_well(findings):
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "Part", "Found", "How to mend it"):
        table.add_column(heading, overflow="fold")
    for f in findings:
        table.add_row(MARKS[f.verdict], f.part, escape(f.found), escape(f.mend))
    Console(highlight=False).print(table)
