"""Count every marked photo of a folder and compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import LabelsRefused
from demeter.vision.hints import Hints
from demeter.vision.metrics.figures import PhotoFigures, figures_of
from demeter.vision.metrics.pictures import upright
from demeter.vision.metrics.truth import Marked
from demeter.vision.networks.model_set import Models
from demeter.vision.pipeline import count
from demeter.vision.plants.detect import DetectRule


def evaluated(
    marks: tuple[Marked, ...],
    models: Models,
    hints: Hints,
    rule: DetectRule | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Iterator[PhotoFigures]:
    """Figures of each marked photo, in order; seconds are those of counting alone.

    Raises:
        LabelsRefused: a photo cannot be read or is not of the size its labels say.
    """
    for done, marked in enumerate(marks):
        rgb = picture_of(marked)
        begun = time.perf_counter()
        photo = count(rgb, models, hints, rule=rule)
        yield figures_of(marked, photo, round(time.perf_counter() - begun, 3))
        if on_progress:
            on_progress((done + 1) / len(marks))


def picture_of(marked: Marked) -> NDArray[np.uint8]:
    """The upright photo [H, W, 3] of a marked file.

    Raises:
        LabelsRefused: it cannot be read or is not of the size its labels say.
    """
    rgb = upright(marked.file)
    size_wh = (rgb.shape[1], rgb.shape[0])
    if size_wh != marked.size_wh:
        said = "{} by {}".format(*marked.size_wh)
        raise LabelsRefused(f"{marked.file.name}: is {size_wh}, its labels say {said}")
    return rgb
