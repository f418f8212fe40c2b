"""What a model that is not yet added sees in a photo, with its classes as they are mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from demeter.core.errors import InvalidInput
from demeter.core.pixels.files import read_pixels
from demeter.vision import overlay, pipeline
from demeter.vision.hints import Hints
from demeter.vision.networks.class_names import meaning_of
from demeter.vision.networks.openvino_runner import Precision
from demeter.vision_models import active, inspect_file
from demeter.vision_models.models import VisionTask
from demeter.vision_models.registry import ModelCandidate

LEFT_OUT = "left out"


def meanings(
    task: VisionTask, classes: Sequence[str], mapping: Mapping[str, str]
) -> dict[str, str]:
    """What each class means here; "left out" for one that is not looked at."""
    return {name: _meaning(task, mapping.get(name, name)) for name in classes}


def _meaning(task: VisionTask, label: str) -> str:
    meaning = meaning_of(label)
    if task is VisionTask.DETECT:
        return "plant" if meaning.is_plant else "empty_container" if meaning.is_empty else LEFT_OUT
    if meaning.container is not None:
        return meaning.container.value
    return "segment, with a warning" if inspect_file.is_container(label) else LEFT_OUT


def preview_photo(
    bound_to: Engine, candidate: ModelCandidate, photo: Path, picture: Path
) -> dict[str, Any]:
    """Count a photo with the candidate in its place beside the other model at work.

    Writes ``picture`` (WebP) with everything counted drawn on it. Where no container is
    found, the frame is taken for one.

    Raises:
        InvalidInput: the photo cannot be read.
        ModelRefused: the model does not run.
    """
    try:
        body = photo.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{photo} cannot be read: {error.strerror}") from error
    rgb, _ = read_pixels(body, photo.name)
    kind = candidate.kind
    network = inspect_file.load_network(
        candidate.network, kind, candidate.mapping, Precision.F32, 2
    )
    network_field = "detector" if kind.task is VisionTask.DETECT else "segmenter"
    models = replace(active.models_at_work(bound_to), **{network_field: network})
    photo_count = pipeline.count(rgb, models, Hints(framed_whole=True))
    picture.write_bytes(overlay.render(rgb, photo_count))
    return {
        "task": kind.task.value,
        "family": kind.family,
        "sha256": kind.sha256,
        "meanings": meanings(kind.task, kind.classes, candidate.mapping),
        "containers": len(photo_count.containers),
        "plants": photo_count.detected,
        "empties": sum(c.empty for c in photo_count.counts),
        "picture": str(picture),
    }
