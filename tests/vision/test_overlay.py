from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from demeter.vision.overlay import render, thumbnail
from demeter.vision.pipeline import count
from support.standins import bed, plant, planted_grid, stand_in_models

MODELS = stand_in_models()


def opened(webp: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(webp))
    assert image.format == "WEBP"
    return image


@pytest.mark.parametrize(("columns", "rows"), [(0, 0), (1, 1), (12, 9)])
def test_the_overlay_is_the_photo_with_something_drawn_on_it(columns, rows):
    picture = planted_grid(columns, rows, 60, 80)
    image = opened(render(picture, count(picture, MODELS), 400))
    assert max(image.size) == min(400, max(picture.shape))
    plain = opened(thumbnail(picture, 400))
    assert np.abs(np.asarray(image, int) - np.asarray(plain, int)).max() > 60


def test_an_unknown_estimate_is_drawn_as_unknown_and_does_not_fail():
    picture = bed((1000, 800), (50, 50, 950, 750))
    picture[300:550, 100:900] = (70, 160, 60)
    photo = count(picture, MODELS)
    assert photo.estimated is None
    opened(render(picture, photo, 2000))


def test_a_photo_without_containers_and_one_of_a_pixel_can_be_drawn():
    picture = np.full((1, 1, 3), 150, np.uint8)
    assert opened(render(picture, count(picture, MODELS), 2000)).size == (1, 1)
    assert opened(thumbnail(picture, 64)).size == (1, 1)


def test_a_thumbnail_is_no_larger_than_asked_and_never_enlarged():
    assert max(opened(thumbnail(np.zeros((300, 900, 3), np.uint8), 128)).size) == 128
    assert opened(thumbnail(np.zeros((30, 90, 3), np.uint8), 128)).size == (90, 30)


def test_residual_is_tinted():
    picture = bed((1300, 1000), (50, 50, 1250, 950))
    for i in range(36):
        plant(picture, 90 + 60 * (i % 18), 100 + 60 * (i // 18), 40)
    picture[500:600, 300:900] = (70, 160, 60)
    photo = count(picture, MODELS)
    assert photo.estimated > 0
    pixels = np.asarray(opened(render(picture, photo, 1300)))
    assert pixels[550, 600, 0] > 120  # leaf green has little red, the tint has much
