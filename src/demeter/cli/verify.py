"""``demeter verify``: the ledger recomputed from its movements."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, track
from sqlalchemy import text

from demeter.core.checks import CheckResult, references, run
from demeter.core.db import transaction
from demeter.core.errors import InvalidInput, Unavailable
from demeter.counts.checks import COUNTS
from demeter.ops.blob_check import BlobFault, BlobFindings, check_blobs
from demeter.periods.checks import CLOSINGS
from demeter.stock.checks import LOTS, MOVES

_out, _err = Console(highlight=False), Console(stderr=True, highlight=False)


def verify(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print one object")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="also read and hash every photo and picture")
    ] = False,
    first_prefix: Annotated[
        str, typer.Option("--from", help="with --deep: go on at these first two digits of a hash")
    ] = "00",
) -> None:
    """Recompute every quantity of the ledger; the exit status is 1 if anything is wrong.

    It reads one moment of the database, writes nothing, and stands in nobody's way. With
    --deep photos that are missing, changed, or named by nobody are listed, too.
    """
    _require_prefix(first_prefix)
    results = _check_ledger()
    findings = _check_blobs(first_prefix) if deep else None
    if as_json:
        document = _as_json(results)
        if findings is not None:
            document |= {"blobs": _blobs_as_json(findings)}
            document["sound"] = document["sound"] and findings.is_sound
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        _print(results)
        if findings is not None:
            _print_blobs(findings)
    if any(result.wrong for result in results) or (findings and not findings.is_sound):
        raise typer.Exit(1)


def _require_prefix(prefix: str) -> None:
    if re.fullmatch("[0-9a-f]{2}", prefix) is None:
        raise InvalidInput(f"--from takes two digits of a hash, 00 to ff, not {prefix!r}")


def _check_ledger() -> list[CheckResult]:
    with transaction() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        checks = [references(session), *LOTS, *MOVES, *COUNTS, *CLOSINGS]
        return list(
            track(
                run(session, checks), "Verifying", total=len(checks), console=_err, transient=True
            )
        )


def _check_blobs(first_prefix: str) -> BlobFindings:
    reached = first_prefix
    try:
        with Progress(console=_err, transient=True) as bars:
            task = bars.add_task("Reading photos", total=256)

            def progress(prefix: str, done: int, total: int) -> None:
                nonlocal reached
                reached = prefix
                bars.update(task, completed=done, total=total)

            return check_blobs(progress, first_prefix)
    except (KeyboardInterrupt, Unavailable):
        _err.print(f"Cut off; it goes on with: demeter verify --deep --from {reached}")
        raise


def _blobs_as_json(findings: BlobFindings) -> dict[str, object]:
    return {
        "checked": findings.checked,
        **{fault.value: findings.counts[fault] for fault in BlobFault},
        "named": [
            {"fault": fault, "sha256": sha256, "of": findings.subjects.get(sha256)}
            for fault, sha256 in findings.named
        ],
    }


def _print_blobs(findings: BlobFindings) -> None:
    wrong = sum(findings.counts.values())
    mark = "[green]✓[/green]" if findings.is_sound else "[red]✗[/red]"
    _out.print(f"{mark} {findings.checked} photos and pictures read and hashed again")
    for fault, sha256 in findings.named:
        subject = findings.subjects.get(sha256, "no row names it")
        _out.print(f"    {fault.value}: {sha256} ({escape(subject)})", soft_wrap=True)
    if wrong > len(findings.named):
        _out.print(f"    … and {wrong - len(findings.named)} more")


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
