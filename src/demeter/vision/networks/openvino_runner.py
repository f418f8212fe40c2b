"""Running a network: pictures of 8 bits in, arrays out, in the order they were given.

OpenVINO on the CPU. Each stream has one thread and takes whole pictures, so a picture's
arithmetic is the same whether one stream runs or many: results do not depend on the number
of threads. Precision is float32 unless asked otherwise and is part of every result.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from demeter.vision.errors import ModelRefused
from demeter.vision.networks.onnx_metadata import is_onnx

if TYPE_CHECKING:
    import openvino as ov

Pictures = Iterable[NDArray[np.uint8]]
Outputs = tuple[NDArray[np.float32], ...]


class Precision(StrEnum):
    """The arithmetic of the forward pass."""

    F32 = "f32"
    BF16 = "bf16"


@dataclass(frozen=True, slots=True)
class Preparation:
    """How 8-bit RGB becomes a network's input: order of channels and a divisor."""

    bgr: bool
    divisor: float


class Runner(Protocol):
    """A compiled network of fixed input size, side ``input_hw``."""

    @property
    def input_hw(self) -> tuple[int, int]:
        """Height and width of the pictures it takes."""
        ...

    @property
    def precision(self) -> str:
        """The arithmetic it runs in, as recorded with counts."""
        ...

    def __call__(self, pictures: Pictures) -> Iterator[Outputs]:
        """Outputs of each picture [H, W, 3] RGB, in the order given.

        Pictures are taken and outputs given one by one, while others run: what makes the
        pictures and what reads the outputs costs little time where cores are left.
        """
        ...


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A network's file: its path, the SHA-256 of its bytes and the tensors it declares.

    Shapes hold -1 where a length is free.
    """

    path: Path
    sha256: str
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """``name@sha256``, as counts record it."""
        return f"{self.path.stem}@{self.sha256}"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file; of an OpenVINO pair, of the ``.xml`` followed by its ``.bin``."""
    digest = hashlib.sha256(path.read_bytes())
    weights = path.with_suffix(".bin")
    if path.suffix == ".xml" and weights.exists():
        digest.update(weights.read_bytes())
    return digest.hexdigest()


def open_model(path: Path) -> ModelFile:
    """Read what a network declares, without compiling it.

    Raises:
        ModelRefused: the file is not there or is no network that can be read.
    """
    import openvino as ov  # noqa: PLC0415  slow to import, and few commands run a network

    if not path.is_file():
        raise ModelRefused(path.name, "there is no such file")
    no_network = "not an ONNX or OpenVINO network"
    if not _looks_like_model(path):
        raise ModelRefused(path.name, no_network)
    try:
        model = ov.Core().read_model(path)
    except (RuntimeError, UnicodeError) as error:  # UnicodeError: of a name that is no text
        raise ModelRefused(path.name, no_network) from error
    return ModelFile(
        path=path,
        sha256=sha256_of(path),
        inputs=tuple(_shape(i) for i in model.inputs),
        outputs=tuple(_shape(o) for o in model.outputs),
        metadata=_metadata(model),
    )


def _looks_like_model(path: Path) -> bool:
    """OpenVINO tries other files as other packages' formats, and each complains on its own."""
    if path.suffix == ".xml":
        return path.read_bytes()[:100].lstrip().startswith(b"<")
    return is_onnx(path)


@dataclass(frozen=True, slots=True)
class OpenVinoRunner:
    """A network compiled for the CPU by OpenVINO."""

    network: Any
    input_hw: tuple[int, int]
    precision: str
    streams: int
    file: str = "the network"

    def __call__(self, pictures: Pictures) -> Iterator[Outputs]:
        """Run every picture; as many at once as there are streams.

        Requests take turns and are read before they start again: no callback from another
        thread is needed, and answers come in order by themselves.

        Raises:
            ModelRefused: an answer holds what is no number.
        """
        # One more than there are streams, so that none idles while a picture is made or an
        # output read.
        places = self.streams + 1
        requests = [self.network.create_infer_request() for _ in range(places)]
        running: deque[Any] = deque()
        for index, picture in enumerate(pictures):
            answer = self._answer(running.popleft()) if len(running) == places else None
            request = requests[index % places]
            request.start_async({0: np.ascontiguousarray(picture)[None]})
            running.append(request)
            if answer is not None:
                yield answer
        while running:
            yield self._answer(running.popleft())

    def _answer(self, request: Any) -> Outputs:
        request.wait()
        outputs = tuple(np.array(t.data, np.float32) for t in request.output_tensors)
        require_numbers(self.file, outputs)
        return outputs


def compile_network(
    file: ModelFile,
    preparation: Preparation,
    input_hw: tuple[int, int],
    precision: Precision,
    threads: int,
) -> OpenVinoRunner:
    """Compile a network for pictures of ``input_hw`` (height, width) on the CPU.

    Raises:
        ModelRefused: the network does not take pictures of that size.
    """
    import openvino as ov  # noqa: PLC0415  see `open_model`

    core = ov.Core()
    model = core.read_model(file.path)
    height, width = input_hw
    try:
        model.reshape([1, 3, height, width])
        prepared = _with_preparation(model, preparation, input_hw)
        network = core.compile_model(prepared, "CPU", _options(precision, threads))
    except RuntimeError as error:
        reason = f"does not take pictures of {width} by {height}"
        raise ModelRefused(file.path.name, reason) from error
    return OpenVinoRunner(network, input_hw, precision.value, threads, file.path.name)


def _options(precision: Precision, threads: int) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": precision.value,
        "NUM_STREAMS": str(threads),
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "THROUGHPUT",
        "PERFORMANCE_HINT_NUM_REQUESTS": threads,
    }


def _with_preparation(
    model: ov.Model, preparation: Preparation, input_hw: tuple[int, int]
) -> ov.Model:
    """The network with 8-bit RGB [1, H, W, 3] as its input."""
    import openvino as ov  # noqa: PLC0415  see `open_model`

    steps = ov.preprocess.PrePostProcessor(model)
    entry = steps.input()
    entry.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    entry.tensor().set_color_format(ov.preprocess.ColorFormat.RGB)
    entry.tensor().set_shape([1, *input_hw, 3])
    entry.model().set_layout(ov.Layout("NCHW"))
    order = ov.preprocess.ColorFormat.BGR if preparation.bgr else ov.preprocess.ColorFormat.RGB
    work = entry.preprocess().convert_color(order).convert_element_type(ov.Type.f32)
    if preparation.divisor != 1:
        work.scale(preparation.divisor)
    return steps.build()


def require_numbers(file: str, outputs: Outputs) -> None:
    """Refuse a network's answer in which NaN or infinity stands: it would count as nothing seen.

    Raises:
        ModelRefused: one does.
    """
    if not all(np.isfinite(output).all() for output in outputs):
        raise ModelRefused(file, "answers with what is no number (NaN or infinite)")


def _shape(port: Any) -> tuple[int, ...]:
    return tuple(d.get_length() if d.is_static else -1 for d in port.partial_shape)


def _metadata(model: ov.Model) -> dict[str, str]:
    """What an exporter wrote into the file (ONNX metadata, OpenVINO ``model_info``)."""
    if not model.has_rt_info(["framework"]) and not model.has_rt_info(["model_info"]):
        return {}
    metadata: dict[str, str] = {}
    for section in ("framework", "model_info"):
        if model.has_rt_info([section]):
            values = model.get_rt_info([section])
            table = getattr(values, "value", values)
            if isinstance(table, dict):
                metadata |= {str(k): str(getattr(v, "value", v)) for k, v in table.items()}
    return metadata
