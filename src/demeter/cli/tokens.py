"""``demeter tokens``: what programs act with in a person's name."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from demeter.accounts import people, queries, tokens
from demeter.accounts.identity import acting_user
from demeter.accounts.models import UserRole
from demeter.cli.groups import command_group
from demeter.cli.output import print_json
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.core.formats import site_text

app = command_group(help="Tokens: made, listed, ended.", no_args_is_help=True)
_out = Console(highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def create(
    *,
    user: Annotated[str, typer.Option("--user", help="whose it is")],
    name: Annotated[str, typer.Option(help="what it is for")] = "token",
    role: Annotated[UserRole | None, typer.Option(help="at most the person's; else it")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3660, help="else for ever")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, once."""
    with transaction() as session:
        owner = people.find_person(session, user)
        by = acting_user(session, None)
        row, secret = tokens.create_token(session, owner, by, name=name, role=role, days=days)
        token_id = row.id
    if as_json:
        typer.echo(json.dumps({"id": token_id, "username": user, "token": secret}))
    else:
        typer.echo(secret)


@app.command("list")
def list_tokens(*, as_json: AsJson = False) -> None:
    """All tokens, last made first, without their secrets."""
    with transaction() as session:
        items = queries.tokens(session, owner=None, limit=10_000).items
    if as_json:
        print_json(items)
        return
    table = RowTable("id", "person", "name", "role", "last used", "state")
    for row in items:
        used = site_text(row.last_used_at) if row.last_used_at else "never"
        state = "ended" if row.revoked_at else "works"
        table.add_row(str(row.id), row.username, row.name, row.role, used, state)
    table.print()


@app.command()
def revoke(token_id: Annotated[int, typer.Argument(min=1, help="its number")]) -> None:
    """End a token."""
    with transaction() as session:
        tokens.revoke_token(session, token_id)
    _out.print(f"Token {token_id} does not work any more.")
