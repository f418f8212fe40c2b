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
from demeter.core.pixels.files import read_pixels
from demeter.locations.models import BinStatus, StorageBin
from demeter.photos.models import Image, SessionImage
from demeter.vision import overlay
from demeter.vision.geometry import Polygon
from demeter.vision.overlap.features import PhotoFeatures, describe_photo
from demeter.vision.overlap.homography import Matrix
from demeter.vision.overlap.registration import NotRegistered, Registration
from demeter.vision.overlap.registration import register as register_features
from demeter.vision.overlap.split_counts import SplitPhoto
from demeter.vision.values import PhotoCount

log = logs.get(__name__)

MOST_KNOWN = 6  # photos in which bins were last seen; older ones are of bins long missed


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """A photo to look at: its bytes, and the outlines of what stands in it."""

    image_id: UUID
    sha256: str
    outlines_px: tuple[Polygon, ...]


def earlier_photos(session: Session, location_id: int | None, session_id: int) -> list[PhotoRef]:
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
    chosen = sorted(outlines, key=lambda image_id: (newest[image_id], image_id), reverse=True)[
        :MOST_KNOWN
    ]
    photos = []
    for image_id in sorted(chosen):
        image = session.get(Image, UUID(image_id))
        if image is not None:
            photos.append(PhotoRef(image.image_id, image.sha256, tuple(outlines[image_id])))
    return photos


def photo_ref(row: SessionImage, photo: PhotoCount) -> PhotoRef:
    """A session's own image with the containers that were found in it."""
    return PhotoRef(row.image_id, row.image.sha256, tuple(c.polygon_px for c in photo.containers))


class FeatureCache:
    """Pixels and features, read when they are asked for; features are kept, pixels are not."""

    def __init__(self, bound_to: Engine) -> None:
        self._bound_to = bound_to
        self._features: dict[UUID, PhotoFeatures | None] = {}

    def features(self, photo: PhotoRef) -> PhotoFeatures | None:
        """Points within the containers and about them, told apart: they lie on two planes.

        ``None`` where the photo cannot be read any more.

        Raises:
            ObjectStoreUnavailable: it may be read later.
        """
        if photo.image_id not in self._features:
            rgb = self._rgb(photo)
            self._features[photo.image_id] = (
                None if rgb is None else describe_photo(rgb, photo.outlines_px)
            )
        return self._features[photo.image_id]

    def register(
        self,
        first: PhotoRef,
        second: PhotoRef,
        objection: Callable[[Matrix], Notice | None] | None = None,
    ) -> Registration | NotRegistered:
        """How one photo lies in the other; ``objection`` as `vision.overlap.registration` takes it.

        Raises:
            ObjectStoreUnavailable: a photo may be read later.
        """
        a, b = self.features(first), self.features(second)
        if a is None or b is None:
            return NotRegistered(Notice("unreadable"))
        return register_features(a, b, objection=objection)

    def earlier_photo_body(self, old: PhotoRef, new: PhotoRef) -> dict[str, Any]:
        """How the earlier photo lies in the new one, as it is kept with the result."""
        registration = self.register(old, new)
        body: dict[str, Any] = {"image_id": str(old.image_id)}
        if not isinstance(registration, Registration):
            return body | {"state": "unsure", "told": registration.why.to_json()}
        return body | {
            "state": "registered",
            "homography": [list(row) for row in registration.homography],
            "inliers": registration.inliers,
            "overlap_share": registration.overlap_share,
            "likeness": registration.likeness,
        }

    def overlay(self, photo: PhotoRef, part: SplitPhoto) -> bytes:
        """The photo drawn anew, with what another photo counts."""
        rgb = self._rgb(photo)
        assert rgb is not None  # its features were just taken
        return overlay.render(
            rgb, part.photo, elsewhere=part.elsewhere_xyxy_px, beyond=part.beyond_px
        )

    def _rgb(self, photo: PhotoRef) -> NDArray[np.uint8] | None:
        try:
            return read_pixels(blobs.read(self._bound_to, photo.sha256), photo.sha256)[0]
        except Unavailable:
            raise
        except DomainError as error:
            log.warning("photo_unreadable", image=str(photo.image_id), error=error.message)
            return None
