"""The same networks by ONNX Runtime where there is a CUDA device; optional, never needed.

ONNX Runtime is no dependency of Demeter: where somebody installed its CUDA build, it is
used; everywhere else OpenVINO on the CPU is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import ModelRefused
from demeter.vision.networks.openvino_runner import (
    ModelFile,
    Outputs,
    Pictures,
    Preparation,
    require_numbers,
)

_CUDA = "CUDAExecutionProvider"
_BATCH = 8


def has_gpu() -> bool:
    """Whether ONNX Runtime is installed and sees a CUDA device."""
    if find_spec("onnxruntime") is None:
        return False
    return _CUDA in import_module("onnxruntime").get_available_providers()


@dataclass(frozen=True, slots=True)
class OnnxRuntimeRunner:
    """A network in an ONNX Runtime session; pictures are prepared here, not in the network.

    ``batch_is_fixed``: it takes ``batch`` pictures and no fewer.
    """

    session: Any
    input_hw: tuple[int, int]
    preparation: Preparation
    batch: int
    batch_is_fixed: bool = False
    precision: str = "f32, CUDA"
    file: str = "the network"

    def __call__(self, pictures: Pictures) -> Iterator[Outputs]:
        """Outputs of each picture, in order; ``batch`` pictures at a time.

        A last group that is too small for a fixed batch is filled up with its last picture.

        Raises:
            ModelRefused: an answer holds what is no number.
        """
        name = self.session.get_inputs()[0].name
        for group in _batches(pictures, self.batch):
            inputs = [prepare(p, self.preparation) for p in group]
            missing = self.batch - len(group) if self.batch_is_fixed else 0
            entry = np.stack(inputs + inputs[-1:] * missing)
            outputs = [np.asarray(o, np.float32) for o in self.session.run(None, {name: entry})]
            require_numbers(self.file, tuple(outputs))
            yield from (tuple(o[i : i + 1] for o in outputs) for i in range(len(group)))


def open_on_gpu(
    file: ModelFile,
    preparation: Preparation,
    input_hw: tuple[int, int],
    providers: tuple[str, ...] = (_CUDA,),
) -> OnnxRuntimeRunner:
    """Open a network in ONNX Runtime; its batch is as large as its input allows.

    Raises:
        ModelRefused: the network does not take pictures of that size, or does not open.
    """
    batch_length, *input_shape = file.inputs[0]
    wanted_shape = (3, *input_hw)
    if len(input_shape) != len(wanted_shape) or any(
        length not in (-1, wanted) for length, wanted in zip(input_shape, wanted_shape, strict=True)
    ):
        reason = "does not take pictures of {1} by {0}".format(*input_hw)
        raise ModelRefused(file.path.name, reason)
    try:
        session = import_module("onnxruntime").InferenceSession(
            str(file.path), providers=[*providers]
        )
    except Exception as error:  # its errors have no base of their own
        reason = f"does not open in ONNX Runtime: {error}"
        raise ModelRefused(file.path.name, reason) from error
    is_fixed = batch_length != -1
    batch = batch_length if is_fixed else _BATCH
    return OnnxRuntimeRunner(session, input_hw, preparation, batch, is_fixed, file=file.path.name)


def prepare(picture: NDArray[np.uint8], preparation: Preparation) -> NDArray[np.float32]:
    """Make a network's input [3, H, W] of a picture [H, W, 3] RGB."""
    channels = picture[..., ::-1] if preparation.bgr else picture
    planes = np.ascontiguousarray(channels.transpose(2, 0, 1), np.float32)
    return planes / np.float32(preparation.divisor)


def _batches(pictures: Pictures, size: int) -> Iterator[list[NDArray[np.uint8]]]:
    waiting = iter(pictures)
    while group := list(islice(waiting, size)):
        yield group
