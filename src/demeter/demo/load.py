"""Load the demonstration: its nursery as plain SQL, its photos as drawn scenes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import numpy as np
from PIL import Image as Pillow
from sqlalchemy import text
from sqlalchemy.orm import Session

from demeter.accounts.models import find_user
from demeter.photos import intake, locate
from demeter.photos.models import PhotoSession
from demeter.vision.scenes.compose import whole_view
from demeter.vision.scenes.layout import draw_world
from demeter.vision.scenes.render import Taken, render
from demeter.vision.scenes.values import Scene
from demeter.vision.scenes.world import a_month_later

SIZE_WH = (2400, 1800)
MONTH = timedelta(days=30)
SOLD = 0.2


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo of the demonstration: of which bed, how long ago, and what is drawn on it."""

    location: str
    kind: str
    seed: int
    plants: int
    age: timedelta


# The first bed is seen twice, a month apart, with some plants sold in between.
SHOTS = (
    Shot("DEMO-N1", "bed", 41, 90, MONTH),
    Shot("DEMO-N1", "bed", 41, 90, timedelta(hours=2)),
    Shot("DEMO-S1", "pots", 12, 40, timedelta(hours=3)),
    Shot("DEMO-S2", "plug", 5, 150, timedelta(hours=4)),
)


def load_nursery(session: Session) -> None:
    """Insert the nursery's rows; those that are there already stay as they are."""
    rows = files("demeter.demo").joinpath("nursery.sql").read_text(encoding="utf-8")
    session.connection().exec_driver_sql(rows)


def draw(shot: Shot) -> Scene:
    """The shot's scene with its exact truth; the same shot is always the same scene."""
    world = draw_world(shot.seed, shot.kind, shot.plants)
    camera = whole_view(np.random.default_rng([shot.seed, 19]), world, SIZE_WH)
    if shot.age < MONTH and any(s.seed == shot.seed and s.age == MONTH for s in SHOTS):
        world = a_month_later(world, shot.seed, SOLD)
    return render(world, Taken(camera, shot.seed))


def jpeg(scene: Scene) -> bytes:
    """As a phone would save it."""
    out = io.BytesIO()
    Pillow.fromarray(scene.rgb).save(out, "JPEG", quality=88)
    return out.getvalue()


def photos() -> Iterator[tuple[Shot, intake.Upload]]:
    """Each shot drawn and encoded, in the order in which they were taken."""
    for number, shot in enumerate(SHOTS, start=1):
        body = jpeg(draw(shot))
        name = f"{shot.location}-{number}.jpg"
        yield shot, intake.Upload(name, lambda body=body: body)


def add_photo(session: Session, shot: Shot, upload: intake.Upload) -> PhotoSession:
    """Take a shot in as any photo is; once added, it answers its first session."""
    (accepted,) = intake.add_photos(
        session,
        [intake.inspect(upload, read_labels=False)],
        user=find_user(session, "demo-rosa"),
        location=locate.by_code(session, shot.location),
        captured_at=datetime.now(UTC) - shot.age,
    )
    return accepted.session


def keep_samples(session: Session) -> None:
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
