"""Load the demonstration: its nursery as plain SQL, its past, its photos as drawn scenes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import chain
from typing import Any

from PIL import ExifTags
from PIL import Image as Pillow
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.demo import story
from demeter.demo.story import JUAN, ROSA
from demeter.photos import intake, location_guess
from demeter.photos.models import PhotoSession, UploadSource
from demeter.review.session_decisions import discard
from demeter_training.scenes.demo import demo_photos, doubtful_photos
from demeter_training.scenes.values import Bytes

# Which bed each drawn photo shows, and who sent it; none: it does not say.
BEDS = {
    "bed-first": ("DEMO-N1", ROSA),
    "bed-later": ("DEMO-N1", ROSA),
    "plug-trays": ("DEMO-S2", JUAN),
    "pots": ("DEMO-S1", ROSA),
    "which-bed": (None, JUAN),
    "new-trays": ("DEMO-C1", JUAN),
    "corner": ("DEMO-N3", ROSA),
    "others": ("DEMO-S3", JUAN),
    "soil": ("DEMO-C3", ROSA),
    "pocket": (None, ROSA),
}
WRONG = "pocket"  # whoever sent it has discarded it
APART = timedelta(minutes=7)
BETWEEN_TWO_BEDS = (-32.8996, -68.8596)  # latitude and longitude, on a border
POSITION_ERROR_M = 8.0


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo of the demonstration: of which place, when, by whom, as a phone saved it."""

    location: str | None
    sender: str
    at: datetime
    upload: intake.Upload
    is_wrong: bool = False


def load_nursery(session: Session) -> None:
    """Insert the nursery's rows; those that are there already stay as they are."""
    rows = files("demeter.demo").joinpath("nursery.sql").read_text(encoding="utf-8")
    session.connection().exec_driver_sql(rows)


def load_past(session: Session) -> None:
    """Three months of counts by hand and of reports, unless they are there already."""
    if not story.is_told(session):
        story.tell(session, story.months_until(datetime.now(UTC)))


def shots() -> Iterator[Shot]:
    """Each photo drawn and encoded, in the order in which they were taken."""
    months = story.months_until(datetime.now(UTC))
    photos = chain(demo_photos(), doubtful_photos())
    for photo, (name, (location, sender)) in zip(photos, BEDS.items(), strict=True):
        assert photo.name == name
        is_old = photo.days_ago > 0
        body = encode_jpeg(photo.rgb, BETWEEN_TWO_BEDS if name == "which-bed" else None)
        number = list(BEDS).index(name)
        at = months.end_of_second() if is_old else months.now - APART * (len(BEDS) - number)
        upload = intake.Upload(f"{name}.jpg", lambda body=body: body)
        yield Shot(location, sender, at, upload, is_wrong=name == WRONG)


def encode_jpeg(rgb: Bytes, position: tuple[float, float] | None = None) -> bytes:
    """A picture (height x width x 3, uint8) as a phone would save it.

    ``position`` is where the phone believes to be: latitude and longitude in degrees.
    """
    out, tags = io.BytesIO(), Pillow.Exif()
    if position is not None:
        tags.get_ifd(ExifTags.IFD.GPSInfo).update(_gps_tags(*position))
    Pillow.fromarray(rgb).save(out, "JPEG", quality=88, exif=tags)
    return out.getvalue()


def _gps_tags(latitude: float, longitude: float) -> dict[int, Any]:
    gps = ExifTags.GPS
    return {
        gps.GPSLatitudeRef: "S" if latitude < 0 else "N",
        gps.GPSLatitude: (abs(latitude), 0.0, 0.0),
        gps.GPSLongitudeRef: "W" if longitude < 0 else "E",
        gps.GPSLongitude: (abs(longitude), 0.0, 0.0),
        gps.GPSHPositioningError: POSITION_ERROR_M,
    }


def add_photo(session: Session, shot: Shot) -> PhotoSession:
    """Take a shot in as any photo is; once added, it answers its first session."""
    user = acting_user(session, shot.sender)
    (accepted,) = intake.add_photos(
        session,
        [intake.inspect(shot.upload, read_labels=False)],
        user=user,
        location=location_guess.by_code(session, shot.location) if shot.location else None,
        captured_at=shot.at,
        source=UploadSource.MOBILE,
    )
    if shot.is_wrong and accepted.is_new:
        discard(session, accepted.session.session_id, user, "salió del bolsillo")
    return accepted.session


def add_sample_images(session: Session) -> None:
    """The demonstration's photos double as sample images of their products."""
    session.execute(
        text("""
        INSERT INTO product_sample_images
            (product_id, image_id, product_state_id, storage_location_id, sample_type,
             captured_on, captured_by_user_id)
        SELECT c.product_id, p.original_image_id, c.expected_product_state_id,
               p.storage_location_id, 'monthly_sample', p.captured_at::date,
               p.uploaded_by_user_id
        FROM photo_processing_sessions p
        JOIN storage_locations l ON l.location_id = p.storage_location_id
        JOIN storage_location_config c ON c.storage_location_id = l.location_id AND c.active
        WHERE l.code LIKE 'DEMO-%' AND p.status = 'completed'
        ON CONFLICT DO NOTHING
        """)
    )
