"""Tiny networks that answer with fixed tensors, written as OpenVINO files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops


def answering(path: Path, outputs: list[np.ndarray], input_shape=(1, 3, 64, 64)) -> Path:
    """A network at ``path`` (.xml) that gives ``outputs`` plus 0 times its input's sum."""
    picture = ops.parameter(list(input_shape), np.float32, name="images")
    axes = np.arange(len(input_shape))
    nothing = ops.multiply(ops.reduce_sum(picture, axes), np.float32(0))
    results = [ops.add(ops.constant(o.astype(np.float32)), nothing) for o in outputs]
    ov.save_model(ov.Model(results, [picture], path.stem), path, compress_to_fp16=False)
    return path


def averaging(path: Path, side: int = 64) -> Path:
    """A network at ``path`` (.xml) that gives each picture's mean colour, [1, 3]."""
    picture = ops.parameter([1, 3, side, side], np.float32, name="images")
    mean = ops.reduce_mean(picture, np.array([2, 3]))
    ov.save_model(ov.Model([mean], [picture], path.stem), path, compress_to_fp16=False)
    return path
