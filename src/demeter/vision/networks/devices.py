"""Where a network runs: on a CUDA device if ONNX Runtime sees one, else on the CPU."""

from __future__ import annotations

import os

from demeter.vision.networks.onnxruntime_runner import has_gpu, open_on_gpu
from demeter.vision.networks.openvino_runner import (
    ModelFile,
    Precision,
    Preparation,
    Runner,
    compile_network,
)


def runner_for(
    file: ModelFile,
    preparation: Preparation,
    side_px: int,
    precision: Precision,
    threads: int,
) -> Runner:
    """A runner for square pictures of ``side_px``.

    Raises:
        ModelRefused: the network does not take pictures of that size.
    """
    size_hw = (side_px, side_px)
    if file.path.suffix == ".onnx" and has_gpu():
        return open_on_gpu(file, preparation, size_hw)
    return compile_network(file, preparation, size_hw, precision, threads)


def core_count() -> int:
    """How many of the processor's cores this process may use; all where the system cannot say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
