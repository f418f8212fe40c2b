"""``demeter upgrade``: what it would do, and doing it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from demeter.core import db
from demeter.core.errors import Conflict

if TYPE_CHECKING:
    from demeter.ops.upgrade import UpgradePlan

_out, _err = Console(highlight=False), Console(stderr=True, highlight=False)


class UpgradeHindered(Conflict):
    """Something forbids an upgrade now."""

    code = "upgrade_hindered"
    title = "The upgrade does not begin"
    next_action = "Mend what is named above; `demeter db migrate` migrates without looking."


def upgrade(
    *,
    only_check: Annotated[
        bool, typer.Option("--check", help="only say what it would do; status 1 if it may not")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the plan as JSON")] = False,
) -> None:
    """Bring the schema up to this version's, if there is a way back and room for it.

    A backup younger than a day has to be at DEMETER_BACKUP_PLACE. All migrations are one
    transaction: where one is hindered, nothing has changed.
    """
    from demeter.ops.upgrade import plan_upgrade  # noqa: PLC0415  it loads the migrations' tool

    plan = plan_upgrade(db.engine())
    if as_json:
        document = asdict(plan) | {"may_go_on": plan.may_go_on}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        _print(plan)
    if only_check:
        if not plan.may_go_on:
            raise typer.Exit(1)
        return
    if not plan.may_go_on:
        raise UpgradeHindered("; ".join(c.sentence for c in plan.concerns if c.is_hindrance))
    if plan.steps:
        db.migrate(db.engine())
        _err.print(f"The schema is at {plan.head}. `demeter verify` proves the ledger.")


def _print(plan: UpgradePlan) -> None:
    _out.print(f"The database is at {plan.at or 'nothing'}; this version wants {plan.head}.")
    for step in plan.steps:
        _out.print(f"  {step.revision}  {escape(step.title)}", soft_wrap=True)
        for table in step.tables:
            who = "closed to everybody" if table.is_closed else "closed to those who write"
            _out.print(f"        {table.table}: {table.rows:,} rows, {who}")
    for concern in plan.concerns:
        mark = "[red]✗[/red]" if concern.is_hindrance else "[green]✓[/green]"
        _out.print(f"{mark} {escape(concern.sentence)}", soft_wrap=True)
    if not plan.steps:
        _out.print("Nothing is to be done.")
