"""What is due is sent: taken under a lock, posted, and its answer written.

A worker that dies between the two leaves the delivery due: it is sent again with the same id,
so a receiver hears of each fact at least once.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.db import transaction
from demeter.webhooks import addresses, posting, signing
from demeter.webhooks.errors import WebhookAddressRefused
from demeter.webhooks.models import (
    DeliveryStatus,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from demeter.webhooks.posting import PostResult

WAITS_S = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200)
DISABLED_AFTER = timedelta(days=5)
RUN_S = 15.0  # of one job; what is left has its turn with the next
KEPT_DAYS = 30
log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one endpoint, as it is sent."""

    delivery_id: int
    endpoint: str
    url: str
    keys: tuple[str, ...]
    message_id: str
    body: bytes


def send_due() -> int:
    """Send what is due now, as far as the time of one job goes; how many were tried."""
    end = time.monotonic() + RUN_S
    tried = 0
    while time.monotonic() < end and _send_next():
        tried += 1
    return tried


def _send_next() -> bool:
    """Take, send and write one; the row is locked meanwhile, so nobody else sends it."""
    with transaction() as session:
        delivery = _next_due(session)
        if delivery is None:
            return False
        message = message_of(delivery)
        answer = _post(message)
        _note(session, delivery, answer)
    level = log.info if answer.is_delivered else log.warning
    level(
        "webhook_delivered" if answer.is_delivered else "webhook_not_delivered",
        endpoint=message.endpoint,
        webhook_id=message.message_id,
        status=answer.http_status,
        error=answer.error,
        seconds=round(answer.seconds, 2),
    )
    return True


def _next_due(session: Session) -> WebhookDelivery | None:
    now = datetime.now(UTC)
    return session.scalar(
        select(WebhookDelivery)
        .join(WebhookEndpoint)
        .where(
            WebhookDelivery.status == DeliveryStatus.WAITING,
            WebhookDelivery.next_at <= now,
            WebhookEndpoint.is_active,
            or_(WebhookEndpoint.paused_until.is_(None), WebhookEndpoint.paused_until <= now),
        )
        .order_by(WebhookDelivery.next_at, WebhookDelivery.id)
        .limit(1)
        # Not the key: a session that is recorded meanwhile refers to the endpoint.
        .with_for_update(skip_locked=True, key_share=True, of=(WebhookDelivery, WebhookEndpoint))
    )


def message_of(delivery: WebhookDelivery) -> Message:
    """The same bytes and id at each try; only time and signature are new."""
    event, endpoint = delivery.event, delivery.endpoint
    content: dict[str, Any] = {
        "type": event.kind,
        "timestamp": event.created_at.astimezone(UTC).isoformat(),
        "data": event.facts,
    }
    is_exchanged = endpoint.previous_until is not None and (
        endpoint.previous_until > datetime.now(UTC)
    )
    previous = endpoint.previous_secret if is_exchanged else None
    return Message(
        delivery.id,
        endpoint.name,
        endpoint.url,
        (endpoint.secret, *((previous,) if previous else ())),
        f"msg_{event.event_id.hex}",
        json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
    )


def _post(message: Message) -> PostResult:
    try:
        target = addresses.resolve(message.url)
    except WebhookAddressRefused as error:
        return PostResult(0.0, error=f"{error.code}: {error.message}")
    signed = signing.headers(message.keys, message.message_id, int(time.time()), message.body)
    more = {"content-type": "application/json", "user-agent": "Demeter-Webhooks"}
    return posting.post(target, message.body, signed | more)


def _note(session: Session, delivery: WebhookDelivery, answer: PostResult) -> None:
    """Write a try, and when the next one is: of this delivery, or of all where nobody answers."""
    now, endpoint = datetime.now(UTC), delivery.endpoint
    session.add(
        WebhookAttempt(
            webhook_delivery_id=delivery.id,
            seconds=answer.seconds,
            http_status=answer.http_status,
            answer=answer.beginning,
            error=answer.error,
        )
    )
    delivery.tries += 1
    if answer.is_delivered:
        delivery.status, delivery.delivered_at = DeliveryStatus.DELIVERED, now
        endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None
        return
    delivery.next_at = now + timedelta(seconds=wait_s(delivery.tries))
    if delivery.next_at > delivery.give_up_at:
        delivery.status = DeliveryStatus.FAILED
    endpoint.failures += 1
    failing_since = endpoint.failing_since = endpoint.failing_since or now
    if answer.http_status is None:  # a receiver that is away is not asked for each event
        endpoint.paused_until = now + timedelta(seconds=wait_s(endpoint.failures))
    if now - failing_since >= DISABLED_AFTER:
        endpoint.is_active, endpoint.disabled_at = False, now
        log.error("webhook_disabled", endpoint=endpoint.name, since=str(failing_since))


def wait_s(tries: int) -> int:
    """How long to wait after so many tries that failed."""
    return WAITS_S[min(tries, len(WAITS_S)) - 1]


def forget_old(session: Session) -> int:
    """Let go of events that are older than a month; how many."""
    return len(
        session.execute(
            text("""
            DELETE FROM webhook_events WHERE id IN (
                SELECT id FROM webhook_events
                WHERE created_at < now() - make_interval(days => :days) ORDER BY id LIMIT 5000
            ) RETURNING id
            """),
            {"days": KEPT_DAYS},
        ).all()
    )
