"""The shipped models keep the contract written in weights/README.md."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest

from demeter_training.scenes import scene, tile

FOLDER = Path(str(files("demeter.vision.networks") / "weights"))
LIMIT_BYTES = 5_000_000


def compiled(name: str) -> ov.CompiledModel:
    return ov.Core().compile_model(
        str(FOLDER / name), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    )


@pytest.fixture(scope="module")
def plants() -> ov.CompiledModel:
    return compiled("plants.onnx")


@pytest.fixture(scope="module")
def containers() -> ov.CompiledModel:
    return compiled("containers.onnx")


def as_input(rgb: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rgb[..., ::-1].transpose(2, 0, 1)[None], np.float32)


@pytest.mark.parametrize("name", ["plants", "containers"])
def test_a_model_is_small_and_has_a_card(name: str) -> None:
    assert (FOLDER / f"{name}.onnx").stat().st_size < LIMIT_BYTES
    card = (FOLDER / f"{name}.md").read_text()
    for part in ("Data", "Recipe", "Figures", "cannot", "Licence", "Megvii"):
        assert part in card


@pytest.mark.parametrize(
    ("count", "height", "width"), [(1, 320, 320), (2, 320, 320), (1, 640, 416)]
)
def test_the_detector_takes_any_batch_and_size(
    plants: ov.CompiledModel, count: int, height: int, width: int
) -> None:
    rows = plants(np.full((count, 3, height, width), 114, np.float32))[0]
    anchors = sum((height // s) * (width // s) for s in (8, 16, 32))
    assert rows.shape == (count, anchors, 7)
    assert np.isfinite(rows).all()


def test_the_detector_gives_pixels_and_probabilities(plants: ov.CompiledModel) -> None:
    rows = plants(as_input(tile(3, 320).rgb))[0][0]
    assert rows[:, 4:].min() >= 0
    assert rows[:, 4:].max() <= 1
    assert rows[:, 2:4].min() > 0
    assert np.abs(rows[:, :2]).max() < 2000


def test_the_detector_finds_nothing_in_plain_grey(plants: ov.CompiledModel) -> None:
    rows = plants(np.full((1, 3, 320, 320), 114, np.float32))[0][0]
    assert (rows[:, 4] * rows[:, 5:].max(axis=1)).max() < 0.3


def test_the_detector_finds_most_plants_of_a_plain_scene(plants: ov.CompiledModel) -> None:
    picture = tile(8, 640, (50, 90))
    rows = plants(as_input(picture.rgb))[0][0]
    sure = rows[rows[:, 4] * rows[:, 5] > 0.3]
    plain_plants = [p for p in picture.plants if p.visible > 0.7]
    hit = 0
    for plant in plain_plants:
        x0, y0, x1, y1 = plant.xyxy_px
        away = np.hypot(sure[:, 0] - (x0 + x1) / 2, sure[:, 1] - (y0 + y1) / 2)
        hit += bool((away < 0.3 * max(x1 - x0, y1 - y0)).any())
    assert plain_plants
    assert hit >= 0.7 * len(plain_plants)


def test_the_segmenter_gives_types_that_sum_to_one_and_depths(
    containers: ov.CompiledModel,
) -> None:
    out = containers(np.full((1, 3, 512, 512), 114, np.float32))
    types, depth = out["types"], out["depth"]
    assert types.shape == (1, 6, 256, 256)
    assert depth.shape == (1, 1, 256, 256)
    assert np.allclose(types.sum(axis=1), 1, atol=1e-3)
    assert depth.min() >= 0
    assert depth.max() <= 1


def test_the_segmenter_sees_a_tray_and_what_lies_around_it(containers: ov.CompiledModel) -> None:
    picture = scene(4, (512, 384), kind="plug", plants=60)
    square = np.full((512, 512, 3), 114, np.uint8)
    square[:384] = picture.rgb
    types = containers(as_input(square))["types"][0]
    truth = np.zeros((256, 256), np.uint8)
    for container in picture.containers:
        outline = np.round(np.array(container.polygon_px) / 2).astype(np.int32)
        cv2.fillPoly(truth, [outline], 1)
    mask = types[0] < 0.5
    union = (mask | (truth > 0)).sum()
    assert (mask & (truth > 0)).sum() / union > 0.7
