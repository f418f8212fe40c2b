"""The pictures of an image as HTTP answers: by content, so that they may be kept for ever."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from demeter.core import blob_drops, blobs
from demeter.core.db import engine
from demeter.core.pixels.files import PictureKind, read_encoded
from demeter.photos import redaction, urls
from demeter.photos.errors import ImageNotFound
from demeter.photos.models import Image

THUMBNAIL_SIDE_PX = 320
# What a page shows is at most so large: more is no WebP, and takes seconds to make.
VIEW_SIDE_PX = 16_383
VIEW_PIXELS = 16_000_000
SCREEN_SIDE_PX = 2048  # what a page shows first, over a field's connection
NO_LIMIT = 10**9


class Variant(StrEnum):
    """Which picture of an image."""

    ORIGINAL = "original"
    FILE = "file"
    VIEW = "view"
    SCREEN = "screen"
    PROCESSED = "processed"
    THUMBNAIL = "thumbnail"


@dataclass(frozen=True, slots=True)
class Picture:
    """Which bytes answer a request, before any of them is read.

    ``etag`` changes when, and only when, the bytes do; ``is_derived`` pictures are made
    from the original as they are asked for.
    """

    sha256: str
    content_type: str
    variant: Variant
    is_derived: bool

    @property
    def etag(self) -> str:
        """Quoted, as the header wants it."""
        return f'"{self.sha256}-{self.variant}"' if self.is_derived else f'"{self.sha256}"'

    def is_final(self, version: str | None) -> bool:
        """Whether an address with this version will always answer these bytes."""
        if self.variant in (Variant.ORIGINAL, Variant.FILE, Variant.VIEW, Variant.SCREEN):
            return True
        return not self.is_derived and version == urls.version(self.sha256)


def find(session: Session, image_id: UUID, variant: Variant) -> Picture:
    """The picture to answer with.

    Raises:
        ImageNotFound: no such image, or not processed yet.
        PhotoDropped: it was, and is no longer kept.
    """
    picture = _find(session, image_id, variant)
    blob_drops.require_kept(session, [picture.sha256])
    return picture


def _find(session: Session, image_id: UUID, variant: Variant) -> Picture:
    image = session.get(Image, image_id)
    if image is None:
        raise ImageNotFound(f"no image has the id {image_id}")
    if variant is Variant.PROCESSED:
        redaction.require_picture_shown(session, image_id)
    stored_keys = {
        Variant.PROCESSED: image.s3_key_processed,
        Variant.THUMBNAIL: image.s3_key_thumbnail,
    }
    key = stored_keys.get(variant)
    if key is not None:
        return Picture(key.rsplit("/", 1)[-1], "image/webp", variant, is_derived=False)
    if variant is Variant.PROCESSED:
        raise ImageNotFound(f"image {image_id} has not been processed yet")
    if variant is Variant.FILE:
        return Picture(image.sha256, image.content_type, variant, is_derived=False)
    kind = "image/webp" if variant is Variant.THUMBNAIL else "image/jpeg"
    return Picture(image.sha256, kind, variant, is_derived=True)


def read(picture: Picture) -> bytes:
    """The bytes; what is derived from a photo has its pixels alone, no tag and no place.

    Raises what `blobs.read` and `core.pixels.files` raise.
    """
    body = blobs.read(engine(), picture.sha256)
    if not picture.is_derived:
        return body
    kind, side_px, pixels = _MADE_AS[picture.variant]
    return read_encoded(body, picture.sha256, kind, side_px=side_px, pixels=pixels)


_MADE_AS = {
    Variant.THUMBNAIL: (PictureKind.WEBP, THUMBNAIL_SIDE_PX, VIEW_PIXELS),
    Variant.VIEW: (PictureKind.JPEG, VIEW_SIDE_PX, VIEW_PIXELS),
    Variant.SCREEN: (PictureKind.JPEG, SCREEN_SIDE_PX, VIEW_PIXELS),
    Variant.ORIGINAL: (PictureKind.JPEG, NO_LIMIT, NO_LIMIT),
}
