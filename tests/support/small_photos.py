"""Rendered photos of beds, small enough to count hundreds of them, no two of them the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demeter.core.db import transaction
from demeter.photos import intake
from demeter_training.scenes.demo import demo_photos, doubtful_photos
from support.nursery import location, user
from support.pictures import encoded

RENDERED_WH = (480, 360)
SIDES_PX = (192, 240, 288, 320, 384, 432)


@lru_cache(maxsize=1)
def scenes() -> tuple[NDArray[np.uint8], ...]:
    """Ten pictures: beds, trays and pots, and such as a person must look at."""
    rendered = [*demo_photos(RENDERED_WH), *doubtful_photos(RENDERED_WH)]
    return tuple(photo.rgb for photo in rendered)


def small_photo(number: int) -> bytes:
    """A JPEG: one of the scenes in one of the sizes, with a grain that only it has."""
    rgb = scenes()[number % len(scenes())]
    side = SIDES_PX[number % len(SIDES_PX)]
    scaled = Image.fromarray(rgb).resize((side, side * 3 // 4), Image.Resampling.BOX)
    grain = np.random.default_rng(number).integers(-4, 5, (side * 3 // 4, side, 3))
    grainy = np.clip(np.asarray(scaled, np.int16) + grain, 0, 255).astype(np.uint8)
    return encoded(Image.fromarray(grainy), quality=88)


def small_photos(first: int, count: int) -> Iterator[bytes]:
    return (small_photo(number) for number in range(first, first + count))


def take_in(first: int, photos: int, *, place: str = "A1") -> str:
    """Accept so many photos as one session, as an upload does; its public id."""
    uploads = [
        intake.Upload(f"bed-{number}.jpg", lambda body=body: body)
        for number, body in enumerate(small_photos(first, photos), start=first)
    ]
    with transaction() as session:
        inspected = intake.inspect_all(uploads, read_labels=False)
        accepted = intake.add_photos(
            session, inspected, user=user(session), location=location(session, place)
        )
        return str(accepted[0].session.session_id)
