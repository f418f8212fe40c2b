"""The judge of whether photos show plants, on drawn pictures."""

from __future__ import annotations

import numpy as np
import pytest

from demeter.vision.judgement.judge import plants_likelihood
from demeter.vision.networks.openvino_runner import Precision
from demeter.vision.networks.shipped import shipped_judge
from demeter.vision.plants.boxes import Boxes
from demeter_training.scenes.compose import scene
from demeter_training.scenes.textures import bare_surface

JUDGE = shipped_judge(Precision.F32, 1)


def boxes_at(xyxy: list[tuple[float, float, float, float]]) -> Boxes:
    count = len(xyxy)
    corners = np.array(xyxy, np.float32).reshape(-1, 4)
    return Boxes(corners, np.full(count, 0.9, np.float32), np.zeros(count, np.bool_))


@pytest.mark.parametrize("surface", ["bricks", "grain", "static"])
def test_what_shows_no_plants_is_unlikely_wherever_it_is_looked_at(surface: str) -> None:
    rgb = bare_surface(np.random.default_rng(3), surface)
    found = boxes_at([(x, y, x + 60, y + 60) for x in (100, 400, 700) for y in (100, 600)])
    assert plants_likelihood(rgb, found, JUDGE) < 0.5
    assert plants_likelihood(rgb, boxes_at([]), JUDGE) < 0.5


def test_plants_in_pots_are_likely() -> None:
    picture = scene(3, (1200, 900), kind="pots", plants=20)
    plants = boxes_at([p.xyxy_px for p in picture.plants])
    assert plants_likelihood(picture.rgb, plants, JUDGE) > 0.5
