"""Which model files there are, by the SHA-256 of their bytes, and loading the default ones."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from demeter.vision.containers.segmenter import load_container_segmenter
from demeter.vision.interval.interval import shipped_error_model
from demeter.vision.judgement.judge import PlantJudge, load_plant_judge
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.networks.openvino_runner import Precision
from demeter.vision.plants.detector import load_plant_detector

TILE_SIDES_PX = (224, 320)  # for estimating the scale, and for counting
PLANT_PX = 24.0


def weights_folder() -> Path:
    """Where the models that ship with Demeter lie."""
    return Path(str(files("demeter.vision.networks") / "weights"))


def shipped_judge(precision: Precision, threads: int) -> PlantJudge:
    """The judge of whether photos show plants, compiled; it goes with any other models.

    Raises:
        ModelRefused: its file is missing or damaged.
    """
    return load_plant_judge(weights_folder() / "judge.onnx", precision, threads)


def default_models(precision: str = "f32", threads: int = 2) -> ModelSet:
    """The shipped models, compiled; keep the value, compiling takes a second.

    Args:
        precision: ``f32`` or ``bf16``, recorded with every count.
        threads: how many tiles run at once; it changes no result.

    Raises:
        ModelRefused: a shipped file is missing or damaged.
    """
    kind = Precision(precision)
    folder = weights_folder()
    return ModelSet(
        detector=load_plant_detector(
            folder / "plants.onnx", kind, threads, TILE_SIDES_PX, PLANT_PX
        ),
        segmenter=load_container_segmenter(folder / "containers.onnx", kind, threads),
        errors=shipped_error_model(),
        judge=shipped_judge(kind, threads),
    )
