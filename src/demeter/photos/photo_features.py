"""Photos looked at again: a session's own, and those in which a location's bins were seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from demeter.core import blobs, logs
from demeter.core.errors import DomainError, Unavailable
from demeter.core.notices import Notice
from demeter.locations.models import BinStatus, StorageBin
from demeter.photos.decode import decode
from demeter.photos.models import Image, SessionImage
from demeter.vision import overlay
from demeter.vision.geometry import Polygon
from demeter.vision.overlap.features import PhotoFeatures, describe_photo
from demeter.vision.overlap.homography import Matrix
from demeter.vision.overlap.registration import NotRegistered, Registration, register
from demeter.vision.overlap.split_counts import SplitPhoto
from demeter.vision.values import PhotoCount

log = logs.get(__name__)

MOST_KNOWN = 6  # photos in which bins were last seen; older ones are of bins long missed


@dataclass(frozen=True, slots=True)
class Looked:
    """A photo to look at: its bytes, and the outlines of what stands in it."""

    image_id: UUID
    sha256: str
    outlines_px: tuple[Polygon, ...]


def known_looks(session: Session, location_id: int | None, session_id: int) -> list[Looked]:
    """The photos of other sessions in which the location's active bins were last seen."""
    rows = session.scalars(
        select(StorageBin).where(
            StorageBin.storage_location_id == location_id,
            StorageBin.status == BinStatus.ACTIVE,
            StorageBin.position_metadata["segmentation_mask"].is_not(None),
        )
    )
    outlines: dict[str, list[Polygon]] = defaultdict(list)
    newest: dict[str, str] = {}
    for row in rows:
        meta = row.position_metadata or {}
        if meta.get("session_id") != session_id:
            outlines[meta["image_id"]].append(
                tuple((int(x), int(y)) for x, y in meta["segmentation_mask"])
            )
            newest[meta["image_id"]] = max(
                newest.get(meta["image_id"], ""), str(meta.get("detected_at"))
            )
    chosen = sorted(outlines, key=lambda one: (newest[one], one), reverse=True)[:MOST_KNOWN]
    found = []
    for one in sorted(chosen):
        image = session.get(Image, UUID(one))
        if image is not None:
            found.append(Looked(image.image_id, image.sha256, tuple(outlines[one])))
    return found


def looked_of(row: SessionImage, photo: PhotoCount) -> Looked:
    """A session's own image with the containers that were found in it."""
    return Looked(row.image_id, row.image.sha256, tuple(c.polygon_px for c in photo.containers))


class Looks:
    """Pixels and features, read when they are asked for; features are kept, pixels are not."""

    def __init__(self, bound_to: Engine) -> None:
        self._bound_to = bound_to
        self._described: dict[UUID, PhotoFeatures | None] = {}

    def described(self, one: Looked) -> PhotoFeatures | None:
        """Points within the containers and about them, told apart: they lie on two planes.

        ``None`` where the photo cannot be read any more.

        Raises:
            ObjectStoreUnavailable: it may be read later.
        """
        if one.image_id not in self._described:
            rgb = self._rgb(one)
            self._described[one.image_id] = (
                None if rgb is None else describe_photo(rgb, one.outlines_px)
            )
        return self._described[one.image_id]

    def registered(
        self,
        one: Looked,
        other: Looked,
        contradicted: Callable[[Matrix], Notice | None] | None = None,
    ) -> Registration | NotRegistered:
        """How one photo lies in the other; ``contradicted`` as `register` takes its objection.

        Raises:
            ObjectStoreUnavailable: a photo may be read later.
        """
        a, b = self.described(one), self.described(other)
        if a is None or b is None:
            return NotRegistered(Notice("unreadable"))
        return register(a, b, objection=contradicted)

    def returned(self, old: Looked, new: Looked) -> dict[str, Any]:
        """How the photo of before lies in the new one, as it is kept with the result."""
        found = self.registered(old, new)
        told: dict[str, Any] = {"image_id": str(old.image_id)}
        if not isinstance(found, Registration):
            return told | {"state": "unsure", "told": found.why.to_json()}
        return told | {
            "state": "registered",
            "homography": [list(row) for row in found.homography],
            "inliers": found.inliers,
            "overlap_share": found.overlap_share,
            "likeness": found.likeness,
        }

    def overlay(self, one: Looked, part: SplitPhoto) -> bytes:
        """The photo drawn anew, with what another photo counts."""
        rgb = self._rgb(one)
        assert rgb is not None  # its features were just taken
        return overlay.render(
            rgb, part.photo, elsewhere=part.elsewhere_xyxy_px, beyond=part.beyond_px
        )

    def _rgb(self, one: Looked) -> NDArray[np.uint8] | None:
        try:
            return decode(blobs.read(self._bound_to, one.sha256), one.sha256).rgb
        except Unavailable:
            raise
        except DomainError as error:
            log.warning("photo_unreadable", image=str(one.image_id), error=error.message)
            return None
