from __future__ import annotations

from functools import cache

import pytest

from demeter.vision.hints import Hints
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.networks.openvino_runner import sha256_of
from demeter.vision.networks.shipped import default_models, weights_folder
from demeter.vision.pipeline import count
from demeter_training.scenes import Scene, scene

FRAMED = Hints(framed_whole=True)


@cache
def models(threads: int = 2, precision: str = "f32") -> ModelSet:
    return default_models(precision, threads)


@cache
def small_box() -> Scene:
    return scene(7, (960, 720), kind="box", plants=40)


@pytest.mark.long
def test_the_same_photo_gives_the_same_rows_twice_and_on_one_thread_and_two():
    rgb = small_box().rgb
    first = count(rgb, models(), FRAMED)
    assert first.detected > 0
    assert count(rgb, models(), FRAMED) == first
    assert count(rgb, models(threads=1), FRAMED) == first


def test_the_count_names_the_shipped_files_by_their_hash():
    photo = count(small_box().rgb, models(), FRAMED)
    for task, name in (("detect", "plants"), ("segment", "containers")):
        assert photo.models[task] == f"{name}@{sha256_of(weights_folder() / f'{name}.onnx')}"


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_the_precision_is_recorded_with_the_count(precision):
    photo = count(small_box().rgb, models(precision=precision), FRAMED)
    assert photo.parameters["precision"] == precision


def test_plants_of_a_rendered_box_are_counted_about_right():
    picture = small_box()
    photo = count(picture.rgb, models(), FRAMED)
    assert photo.estimated is not None
    assert photo.detected + photo.estimated == pytest.approx(len(picture.plants), rel=0.25)
