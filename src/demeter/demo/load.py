"""Load the demonstration: its nursery as plain SQL, its photos as drawn scenes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files

from PIL import Image as Pillow
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.photos import intake, location_guess
from demeter.photos.models import PhotoSession
from demeter_training.scenes.demo import demo_photos
from demeter_training.scenes.values import Bytes

# Which place each of the drawn photos shows; the first two show one bed, a month apart.
PLACES = {
    "bed-first": "DEMO-N1",
    "bed-later": "DEMO-N1",
    "plug-trays": "DEMO-S2",
    "pots": "DEMO-S1",
}
TAKEN_BEFORE = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo of the demonstration: of which place, how long ago, as a phone saved it."""

    location: str
    age: timedelta
    upload: intake.Upload


def load_nursery(session: Session) -> None:
    """Insert the nursery's rows; those that are there already stay as they are."""
    rows = files("demeter.demo").joinpath("nursery.sql").read_text(encoding="utf-8")
    session.connection().exec_driver_sql(rows)


def shots() -> Iterator[Shot]:
    """Each photo drawn and encoded, in the order in which they were taken."""
    for photo in demo_photos():
        body = encode_jpeg(photo.rgb)
        age = timedelta(days=photo.days_ago) + TAKEN_BEFORE
        name = f"{photo.name}.jpg"
        yield Shot(PLACES[photo.name], age, intake.Upload(name, lambda body=body: body))


def encode_jpeg(rgb: Bytes) -> bytes:
    """A picture (height x width x 3, uint8) as a phone would save it."""
    out = io.BytesIO()
    Pillow.fromarray(rgb).save(out, "JPEG", quality=88)
    return out.getvalue()


def add_photo(session: Session, shot: Shot) -> PhotoSession:
    """Take a shot in as any photo is; once added, it answers its first session."""
    (accepted,) = intake.add_photos(
        session,
        [intake.inspect(shot.upload, read_labels=False)],
        user=acting_user(session, "demo-rosa"),
        location=location_guess.by_code(session, shot.location),
        captured_at=datetime.now(UTC) - shot.age,
    )
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
