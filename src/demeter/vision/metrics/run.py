"""Count every marked photo of a folder and compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import LabelsRefused
from demeter.vision.hints import Hints
from demeter.vision.metrics.figures import PhotoFigures, figures_of
from demeter.vision.metrics.marks import MarkedPhoto
from demeter.vision.metrics.pictures import read_upright
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.pipeline import count
from demeter.vision.plants.detect import DetectRule


def evaluate_photos(
    marks: tuple[MarkedPhoto, ...],
    models: ModelSet,
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
        start = time.perf_counter()
        photo = count(rgb, models, hints, rule=rule)
        yield figures_of(marked, photo, round(time.perf_counter() - start, 3))
        if on_progress:
            on_progress((done + 1) / len(marks))


def picture_of(marked: MarkedPhoto) -> NDArray[np.uint8]:
    """The upright photo [H, W, 3] of a marked file.

    Raises:
        LabelsRefused: it cannot be read or is not of the size its labels say.
    """
    rgb = read_upright(marked.file)
    size_wh = (rgb.shape[1], rgb.shape[0])
    if size_wh != marked.size_wh:
        labelled_size = "{} by {}".format(*marked.size_wh)
        raise LabelsRefused(f"{marked.file.name}: is {size_wh}, its labels say {labelled_size}")
    return rgb
