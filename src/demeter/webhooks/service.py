"""Endpoints are added, changed, given a new secret, switched on again, and told once more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.core import db, logs
from demeter.webhooks import addresses, signing
from demeter.webhooks.errors import WebhookDeliveryNotFound, WebhookNameTaken, WebhookNotFound
from demeter.webhooks.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from demeter.webhooks.schemas import WebhookCreate, WebhookUpdate

BOTH_FOR = timedelta(hours=24)  # how long the secret before signs, too
log = logs.get(__name__)


def find_endpoint(session: Session, endpoint_id: int, *, lock: bool = False) -> WebhookEndpoint:
    """The endpoint with this number.

    Raises:
        WebhookNotFound: none has it.
    """
    row = session.get(WebhookEndpoint, endpoint_id, with_for_update=lock or None)
    if row is None:
        raise WebhookNotFound(f"no webhook has the number {endpoint_id}", webhook_id=endpoint_id)
    return row


def add_endpoint(session: Session, body: WebhookCreate, by: User) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is shown this once.

    Raises:
        WebhookAddressRefused: its address may not be called.
        WebhookNameTaken: another has the name.
    """
    addresses.resolve(body.url)
    _require_free(session, body.name, None)
    secret = signing.new_webhook_secret()
    row = WebhookEndpoint(
        name=body.name,
        url=body.url,
        events=sorted(set(body.events)),
        secret=secret,
        created_by_user_id=by.id,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    log.info("webhook_added", endpoint=row.name, events=row.events)
    return row, secret


def update_endpoint(session: Session, row: WebhookEndpoint, body: WebhookUpdate) -> None:
    """Change what is named; switched on, it begins as if it had never failed.

    Raises:
        WebhookAddressRefused, WebhookNameTaken: as `add_endpoint`.
    """
    if body.url is not None:
        addresses.resolve(body.url)
        row.url = body.url
    if body.name is not None:
        _require_free(session, body.name, row.id)
        row.name = body.name
    if body.events is not None:
        row.events = sorted(set(body.events))
    if body.active is not None:
        row.is_active = body.active
        row.disabled_at = row.failing_since = row.paused_until = None
        row.failures = 0
    session.flush()
    session.refresh(row)


def rotate_secret(session: Session, row: WebhookEndpoint) -> str:
    """A new secret, shown this once; the one before signs beside it for a day."""
    row.previous_secret, row.secret = row.secret, signing.new_webhook_secret()
    row.previous_until = datetime.now(UTC) + BOTH_FOR
    session.flush()
    session.refresh(row)
    log.info("webhook_secret_rotated", endpoint=row.name)
    return row.secret


def delete_endpoint(session: Session, row: WebhookEndpoint) -> None:
    """Let go of an endpoint with what it was told."""
    session.delete(row)
    session.flush()


def replay(session: Session, endpoint: WebhookEndpoint, delivery_id: int) -> WebhookDelivery:
    """Send a delivery again, with the id it had; also one that was heard.

    Raises:
        WebhookDeliveryNotFound: the endpoint has none of this number.
    """
    row = session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if row is None or row.webhook_endpoint_id != endpoint.id:
        raise WebhookDeliveryNotFound(
            f"webhook {endpoint.name} has no delivery {delivery_id}", delivery_id=delivery_id
        )
    _send_again(session, [row.id])
    session.refresh(row)
    return row


def replay_failed(session: Session, endpoint: WebhookEndpoint) -> int:
    """Send everything again that was given up; how many."""
    ids = session.scalars(
        select(WebhookDelivery.id).where(
            WebhookDelivery.webhook_endpoint_id == endpoint.id,
            WebhookDelivery.status == DeliveryStatus.FAILED,
        )
    ).all()
    _send_again(session, list(ids))
    return len(ids)


def _send_again(session: Session, ids: list[int]) -> None:
    now = datetime.now(UTC)
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id.in_(ids))
        .values(
            status=DeliveryStatus.WAITING,
            tries=0,
            next_at=now,
            give_up_at=now + timedelta(days=5),
            delivered_at=None,
        )
    )


def _require_free(session: Session, name: str, own_id: int | None) -> None:
    db.lock_key(session, "webhook", name)
    holder = session.scalar(select(WebhookEndpoint.id).where(WebhookEndpoint.name == name))
    if holder is not None and holder != own_id:
        raise WebhookNameTaken(f"another webhook is called {name!r}", field="name")
