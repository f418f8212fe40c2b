"""Networks as they are shipped, and writing them as ONNX."""

# pyright: reportMissingImports=false
from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from demeter_training.training.judge import SIDE as JUDGE_SIDE
from demeter_training.training.judge import JudgeNetwork
from demeter_training.training.network import DetectorNetwork
from demeter_training.training.segmenter import SegmenterNetwork

OPSET = 17
DETECT_SIDE, SEGMENT_SIDE = 320, 512
SMALL = 64


class ShippedDetector(nn.Module):
    """The detector with probabilities instead of raw scores."""

    def __init__(self, detector: DetectorNetwork) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W, BGR 0..255, to N x A x (5 + classes)."""
        decoded = self.detector(images)[0]
        return torch.cat((decoded[..., :4], decoded[..., 4:].sigmoid()), -1)


class ShippedSegmenter(nn.Module):
    """The segmenter with probabilities instead of raw scores."""

    def __init__(self, segmenter: SegmenterNetwork) -> None:
        super().__init__()
        self.segmenter = segmenter

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """N x 3 x H x W to type probabilities and depth, both at half the size."""
        types, depth = self.segmenter(images)
        return types.softmax(1), depth.sigmoid()


class ShippedJudge(nn.Module):
    """The judge with a likelihood instead of a raw score."""

    def __init__(self, judge: JudgeNetwork) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W, BGR 0..255, to N x 1."""
        return self.judge(images).sigmoid()[:, None]


def export_judge(judge: JudgeNetwork, path: Path) -> None:
    """Write the judge for one square of 224 x 224."""
    images = torch.zeros(1, 3, JUDGE_SIDE, JUDGE_SIDE)
    _export(ShippedJudge(judge), images, path, ["plants"], {})


def export_detector(detector: DetectorNetwork, path: Path) -> None:
    """Write the detector: any batch, any height and width that are multiples of 32."""
    images = torch.zeros(1, 3, DETECT_SIDE, DETECT_SIDE)
    axes = {"images": {0: "n", 2: "height", 3: "width"}, "output": {0: "n", 1: "anchors"}}
    _export(ShippedDetector(detector), images, path, ["output"], axes)


def export_segmenter(segmenter: SegmenterNetwork, path: Path) -> None:
    """Write the segmenter for one picture of 512 x 512."""
    images = torch.zeros(1, 3, SEGMENT_SIDE, SEGMENT_SIDE)
    _export(ShippedSegmenter(segmenter), images, path, ["types", "depth"], {})


def _export(
    network: nn.Module,
    images: Tensor,
    path: Path,
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> None:
    network.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    part = path.with_suffix(".part")
    torch.onnx.export(
        network,
        (images,),
        str(part),
        input_names=["images"],
        output_names=outputs,
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(part)
    halve_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, part)
    part.replace(path)


def halve_weights(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16, cast back where they are used, in place."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < SMALL:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for k, cast in enumerate(casts):
        model.graph.node.insert(k, cast)
