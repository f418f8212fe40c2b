"""Webhooks: other programs that are told what happened, for admins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.web import render
from demeter.webhooks import queries, service
from demeter.webhooks.errors import WebhookAddressRefused
from demeter.webhooks.models import WebhookEndpoint, WebhookKind
from demeter.webhooks.schemas import WebhookCreate, WebhookUpdate

router = APIRouter(prefix="/webhooks")

WebhookId = Annotated[int, Path(ge=1, lt=2**53)]
Text = Annotated[str, Form(max_length=2000)]
ADMIN = requires(Permission.ADMINISTER)
SHOWN = 50


@router.get("", **ADMIN)
def show_webhooks(request: Request) -> Response:
    """The list, and the form that adds one."""
    return _list(request)


@router.post("", **ADMIN)
def add_webhook(
    request: Request,
    name: Text = "",
    url: Text = "",
    events: Annotated[list[WebhookKind] | None, Form()] = None,
) -> Response:
    """A new one, and its secret: shown this once."""
    values = {"name": name, "url": url, "events": events or []}
    try:
        body = WebhookCreate(name=name.strip(), url=url.strip(), events=events or [])
        with transaction() as session:
            row, secret = service.add_endpoint(session, body, acting_user(session))
            return _one(request, session, row, secret=secret)
    except ValidationError:
        return _list(request, values=values, fault="webhooks.incomplete")
    except DomainError as error:
        return _list(request, values=values, error=error)


@router.get("/{webhook_id}", **ADMIN)
def show_webhook(request: Request, webhook_id: WebhookId) -> Response:
    """What it was told last, and how it answered."""
    with transaction() as session:
        return _one(request, session, service.find_endpoint(session, webhook_id))


@router.post("/{webhook_id}/secret", **ADMIN)
def rotate_secret(request: Request, webhook_id: WebhookId) -> Response:
    """A new secret, shown this once."""
    with transaction() as session:
        row = service.find_endpoint(session, webhook_id, lock=True)
        return _one(request, session, row, secret=service.rotate_secret(session, row))


@router.post("/{webhook_id}/switch", **ADMIN)
def switch(webhook_id: WebhookId, active: Annotated[bool, Form()] = False) -> RedirectResponse:
    """On or off."""
    body = WebhookUpdate(active=active)
    return _then_show(webhook_id, lambda s, row: service.update_endpoint(s, row, body))


@router.post("/{webhook_id}/replay-failed", **ADMIN)
def replay_failed(webhook_id: WebhookId) -> RedirectResponse:
    """Everything that was given up is sent again."""
    return _then_show(webhook_id, service.replay_failed)


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay", **ADMIN)
def replay(webhook_id: WebhookId, delivery_id: WebhookId) -> RedirectResponse:
    """One is sent again."""
    return _then_show(webhook_id, lambda s, row: service.replay(s, row, delivery_id))


@router.post("/{webhook_id}/delete", **ADMIN)
def delete(webhook_id: WebhookId) -> RedirectResponse:
    """Gone, with what it was told."""
    with transaction() as session:
        service.delete_endpoint(session, service.find_endpoint(session, webhook_id, lock=True))
    return RedirectResponse("/webhooks", status_code=303)


def _then_show(webhook_id: int, act: Callable[[Session, WebhookEndpoint], Any]) -> RedirectResponse:
    with transaction() as session:
        act(session, service.find_endpoint(session, webhook_id, lock=True))
    return RedirectResponse(f"/webhooks/{webhook_id}", status_code=303)


def _list(
    request: Request,
    *,
    values: dict[str, Any] | None = None,
    fault: str | None = None,
    error: DomainError | None = None,
) -> Response:
    with transaction() as session:
        items = queries.endpoints(session, limit=500).items
    return render.page(
        request,
        "webhooks/list.html",
        status_code=error.status if error else 422 if fault else 200,
        webhooks=items,
        kinds=list(WebhookKind),
        values=values or {"name": "", "url": "", "events": list(WebhookKind)},
        fault=fault,
        is_address=isinstance(error, WebhookAddressRefused),
        problem=error.problem() if error else None,
    )


def _one(
    request: Request, session: Session, row: WebhookEndpoint, *, secret: str | None = None
) -> Response:
    return render.page(
        request,
        "webhooks/one.html",
        webhook=queries.endpoint(session, row),
        deliveries=queries.deliveries(session, row.id, limit=SHOWN).items,
        secret=secret,
    )
