"""The bins of a bed as earlier counts last saw them: what "the same as last month" is chosen of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.counts.models import Count
from demeter.locations.bins import photo_bins
from demeter.locations.models import StorageLocation
from demeter.photos import urls
from demeter.photos.models import Image
from demeter.vision.values import ContainerType

_LAST_SEEN = """
SELECT DISTINCT ON (k.bin_id) k.bin_id, k.container_index, k.container_type::text AS container_type,
       k.segment -> 'polygon' AS outline, k.image_id, c.captured_at
FROM container_counts k
JOIN counts c ON c.id = k.count_id AND c.posted_attempt = k.attempt
WHERE k.bin_id = ANY(:bins) AND k.seen AND k.segment IS NOT NULL AND k.image_id IS NOT NULL
  AND c.posted_at IS NOT NULL AND c.voided_at IS NULL
  AND c.captured_at <= :at AND c.id <> :count
  AND NOT EXISTS (
    SELECT FROM s3_images i JOIN dropped_blobs d ON d.sha256 = i.sha256
    WHERE i.image_id = k.image_id AND d.returned_at IS NULL)
ORDER BY k.bin_id, c.captured_at DESC, c.id DESC
"""


@dataclass(frozen=True, slots=True)
class KnownBin:
    """A bin where the last count before saw it, in pixels of that count's photo.

    ``index`` is the number that the container had there.
    """

    bin_id: int
    code: str
    index: int
    container_type: ContainerType
    outline: list[list[int]]
    image_id: UUID
    width_px: int
    height_px: int
    view_url: str
    captured_at: datetime


def known_bins(session: Session, count: Count) -> list[KnownBin]:
    """The active photo bins of a count's location, each where it was last seen before.

    Those of the newest photo first, in the order that they had there.
    """
    location = session.get_one(StorageLocation, count.storage_location_id)
    codes = {b.bin_id: b.code for b in photo_bins(session, location)}
    if not codes:
        return []
    asked = {"bins": sorted(codes), "at": count.captured_at, "count": count.id}
    rows = session.execute(text(_LAST_SEEN), asked).mappings().all()
    ids = {row["image_id"] for row in rows}
    images = {i.image_id: i for i in session.scalars(select(Image).where(Image.image_id.in_(ids)))}
    found = [_known_bin(row, codes, images[row["image_id"]]) for row in rows]
    return sorted(found, key=lambda b: (-b.captured_at.timestamp(), b.image_id.hex, b.index))


def _known_bin(row: Any, codes: dict[int, str], image: Image) -> KnownBin:
    return KnownBin(
        bin_id=row["bin_id"],
        code=codes[row["bin_id"]],
        index=row["container_index"],
        container_type=ContainerType(row["container_type"]),
        outline=row["outline"],
        image_id=image.image_id,
        width_px=image.width_px,
        height_px=image.height_px,
        view_url=urls.of_image(image.image_id, "view", None),
        captured_at=row["captured_at"],
    )
