"""``demeter webhooks``: other programs that are told what happened here."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from demeter.accounts.identity import acting_user
from demeter.cli.groups import command_group
from demeter.cli.output import print_json
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.core.formats import site_text
from demeter.webhooks import queries, service
from demeter.webhooks.models import DeliveryStatus, WebhookKind
from demeter.webhooks.schemas import WebhookCreate, WebhookRead, WebhookUpdate

app = command_group(help="Webhooks: added, listed, told again.", no_args_is_help=True)
_out = Console(highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Number = Annotated[int, typer.Argument(min=1, help="its number: `demeter webhooks list`")]


@app.command("list")
def list_webhooks(*, as_json: AsJson = False) -> None:
    """All webhooks, and how sending goes."""
    with transaction() as session:
        items = queries.endpoints(session, limit=10_000).items
    if as_json:
        print_json(items)
        return
    table = RowTable("id", "name", "address", "is told", "waiting", "state")
    for row in items:
        told = ", ".join(row.events)
        table.add_row(str(row.id), row.name, row.url, told, str(row.waiting), _state(row))
    table.print()


def _state(row: WebhookRead) -> str:
    if row.disabled_at is not None:
        return f"switched off after failing, {site_text(row.disabled_at)}"
    if not row.is_active:
        return "switched off"
    return f"fails since {site_text(row.failing_since)}" if row.failing_since else "works"


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="what the program is called")],
    url: Annotated[str, typer.Argument(help="where it listens")],
    *,
    event: Annotated[
        list[WebhookKind] | None, typer.Option(help="what it is told; else everything")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a webhook and print its secret, once."""
    body = WebhookCreate(name=name, url=url, events=event or list(WebhookKind))
    with transaction() as session:
        row, secret = service.add_endpoint(session, body, acting_user(session, None))
        webhook_id = row.id
    typer.echo(json.dumps({"id": webhook_id, "secret": secret}) if as_json else secret)


@app.command()
def change(
    webhook_id: Number,
    *,
    name: Annotated[str | None, typer.Option(help="another name")] = None,
    url: Annotated[str | None, typer.Option(help="another address")] = None,
    event: Annotated[list[WebhookKind] | None, typer.Option(help="what it is told")] = None,
    active: Annotated[
        bool | None, typer.Option("--on/--off", help="switch it on again, or off")
    ] = None,
) -> None:
    """Change a webhook; what is not named stays."""
    body = WebhookUpdate(name=name, url=url, events=event or None, active=active)
    with transaction() as session:
        service.update_endpoint(session, service.find_endpoint(session, webhook_id), body)
    _out.print(f"Webhook {webhook_id} is changed.")


@app.command()
def secret(webhook_id: Number) -> None:
    """Give a webhook a new secret and print it, once; the one before works a day longer."""
    with transaction() as session:
        typer.echo(service.rotate_secret(session, service.find_endpoint(session, webhook_id)))


@app.command()
def delete(webhook_id: Number) -> None:
    """Let go of a webhook with what it was told."""
    with transaction() as session:
        service.delete_endpoint(session, service.find_endpoint(session, webhook_id))
    _out.print(f"Webhook {webhook_id} is gone.")


@app.command()
def deliveries(
    webhook_id: Number,
    *,
    status: Annotated[DeliveryStatus | None, typer.Option(help="only these")] = None,
    as_json: AsJson = False,
) -> None:
    """What a webhook was told, last first, and how it answered."""
    with transaction() as session:
        service.find_endpoint(session, webhook_id)
        items = queries.deliveries(session, webhook_id, limit=10_000, status=status).items
    if as_json:
        print_json(items)
        return
    table = RowTable("id", "when", "event", "state", "tries", "last answer")
    for row in items:
        last = row.attempts[0] if row.attempts else None
        answer = "" if last is None else str(last.http_status or last.error)
        when = site_text(row.created_at)
        table.add_row(str(row.id), when, row.kind, row.status, str(row.tries), answer)
    table.print()


@app.command()
def replay(
    webhook_id: Number,
    delivery: Annotated[
        int | None, typer.Option(min=1, help="one delivery; else all that were given up")
    ] = None,
) -> None:
    """Send again, with the ids that the deliveries had."""
    with transaction() as session:
        row = service.find_endpoint(session, webhook_id)
        number = 1
        if delivery is None:
            number = service.replay_failed(session, row)
        else:
            service.replay(session, row, delivery)
    _out.print(f"Sent again: {number}.")
