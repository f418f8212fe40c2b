"""What is known of a bed around a photo of it: what it held, what was noted, how it looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.photos import urls
from demeter.photos.models import PhotoSession


@dataclass(frozen=True, slots=True)
class HeldPlants:
    """Plants of a kind that the ledger held at a bed."""

    product_code: str
    product_name: str
    state: str
    packaging_sku: str | None
    plants: int


@dataclass(frozen=True, slots=True)
class EarlierCount:
    """A count before this one; ``picture_url`` is of its first photo, if it has one."""

    count_id: int
    captured_at: datetime
    plants: int | None
    session_id: UUID | None
    picture_url: str | None


@dataclass(frozen=True, slots=True)
class BedHistory:
    """What came before a photo at the bed that it is booked to.

    ``last`` is the last count that stands, ``last_photo`` the last one by photo. ``noted`` has
    by type of movement what was reported since ``last``.
    """

    held: tuple[HeldPlants, ...]
    last: EarlierCount | None
    last_photo: EarlierCount | None
    noted: dict[str, int]

    @property
    def before(self) -> int | None:
        """Plants that stood there; not known where nobody has counted."""
        if self.last is None and not self.held:
            return None
        return sum(kind.plants for kind in self.held)


def bed_history(session: Session, photo_session: PhotoSession) -> BedHistory | None:
    """What came before a session's photos; ``None`` where its bed is not known."""
    if photo_session.storage_location_id is None:
        return None
    facts = {
        "location": photo_session.storage_location_id,
        "at": photo_session.captured_at,
        "session": photo_session.id,
    }
    last = _earlier(session, facts, photos_only=False)
    has_photo = last is not None and last.picture_url is not None
    return BedHistory(
        held=tuple(HeldPlants(**row) for row in session.execute(text(_HELD), facts).mappings()),
        last=last,
        last_photo=last if has_photo else _earlier(session, facts, photos_only=True),
        noted=_noted(session, {**facts, "since": last.captured_at if last else None}),
    )


def _earlier(
    session: Session, facts: Mapping[str, object], *, photos_only: bool
) -> EarlierCount | None:
    values = {**facts, "photos_only": photos_only}
    row = session.execute(text(_EARLIER), values).one_or_none()
    if row is None:
        return None
    picture = None
    if row.image_id is not None:
        picture = urls.of_image(row.image_id, "screen")
    return EarlierCount(row.id, row.captured_at, row.plants, row.session_id, picture)


def _noted(session: Session, facts: Mapping[str, object]) -> dict[str, int]:
    rows = session.execute(text(_NOTED), facts)
    return {row.movement_type: row.plants for row in rows}


_HELD = """
SELECT p.code AS product_code, p.name AS product_name, t.name AS state, k.sku AS packaging_sku,
       CAST(sum(m.quantity) AS integer) AS plants
FROM stock_movements m
JOIN stock_batches b ON b.id = m.batch_id
JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
JOIN products p ON p.id = b.product_id
JOIN product_states t ON t.product_state_id = b.product_state_id
LEFT JOIN packaging_catalog k ON k.id = b.packaging_catalog_id
WHERE s.storage_location_id = :location AND m.occurred_at <= :at
  AND m.processing_session_id IS DISTINCT FROM :session
GROUP BY p.code, p.name, t.name, k.sku HAVING sum(m.quantity) <> 0
ORDER BY sum(m.quantity) DESC, p.code
"""

_EARLIER = """
SELECT c.id, c.captured_at, c.plants, f.session_id, i.image_id
FROM counts c
LEFT JOIN photo_processing_sessions f ON f.id = c.processing_session_id
LEFT JOIN s3_images i ON i.image_id = f.original_image_id AND NOT EXISTS (
    SELECT FROM dropped_blobs d WHERE d.sha256 = i.sha256 AND d.returned_at IS NULL)
WHERE c.storage_location_id = :location AND c.posted_at IS NOT NULL AND c.voided_at IS NULL
  AND c.captured_at < :at AND c.processing_session_id IS DISTINCT FROM :session
  AND (i.image_id IS NOT NULL OR NOT :photos_only)
ORDER BY c.captured_at DESC, c.id DESC LIMIT 1
"""

_NOTED = """
SELECT m.movement_type, CAST(sum(m.quantity) AS integer) AS plants
FROM stock_movements m
JOIN stock_batches b ON b.id = m.batch_id
JOIN storage_bins s ON s.bin_id = b.current_storage_bin_id
WHERE s.storage_location_id = :location AND m.occurred_at <= :at
  AND (CAST(:since AS timestamptz) IS NULL OR m.occurred_at > :since)
  AND m.movement_type NOT IN ('foto', 'manual_init')
GROUP BY m.movement_type HAVING sum(m.quantity) <> 0 ORDER BY m.movement_type
"""
