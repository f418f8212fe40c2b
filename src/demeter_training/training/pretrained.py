"""Starting from an ONNX file of YOLOX-nano: its convolutions, one by one."""

# pyright: reportMissingImports=false, reportMissingModuleSource=false
from __future__ import annotations

import pickle
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor, nn

from demeter.vision.errors import WeightsDoNotFit
from demeter_training.training.network import DetectorNetwork
from demeter_training.training.segmenter import SegmenterNetwork

COCO_CLASSES = 80
IDLE_IN_SEGMENTER = ("neck.stride", "neck.up")  # the neck's way back up
# Bottlenecks that say nothing until they are trained, by when they came: a file has those up to
# some time.
SILENT_IN_SEGMENTER = (("coarse.2.", "coarse.3.", "coarse.4.", "fine.3."), ("neck.around",))
SILENT_IN_DETECTOR = (("finer.",), ("neck.around",))
Silent = tuple[tuple[str, ...], ...]


def checkpoint_weights(path: Path) -> Mapping[str, Tensor]:
    """The smoothed weights of a checkpoint of ours (``.pt``), tensor by tensor.

    Raises:
        WeightsDoNotFit: the file is not there, is damaged, or is no such checkpoint.
    """
    try:
        checkpoint = torch.load(path, weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise WeightsDoNotFit(f"{path} cannot be read as weights: {error}") from error
    smooth = checkpoint.get("smooth") if isinstance(checkpoint, dict) else None
    if not isinstance(smooth, Mapping):
        raise WeightsDoNotFit(
            f"{path} is no checkpoint of Demeter's training; of YOLOX-nano give the .onnx file"
        )
    return smooth


def graph_of(path: Path) -> tuple[Any, dict[str, np.ndarray]]:
    """The graph of an ONNX file, and its stored tensors by name.

    Raises:
        WeightsDoNotFit: the file is not there or is damaged.
    """
    try:
        graph = onnx.load(path).graph
        return graph, {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    except (OSError, DecodeError, TypeError, ValueError, onnx.checker.ValidationError) as error:
        raise WeightsDoNotFit(f"{path} cannot be read as an ONNX file: {error}") from error


def convolutions_of(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of every convolution of an ONNX file, in the order they run.

    Raises:
        WeightsDoNotFit: it cannot be read, or a convolution has no weights of its own.
    """
    graph, values = graph_of(path)
    for node in graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].astype(np.float32)
    try:
        return [(values[n.input[1]], values[n.input[2]]) for n in graph.node if n.op_type == "Conv"]
    except (KeyError, IndexError) as error:
        raise WeightsDoNotFit(f"{path} has convolutions without stored weights") from error


def _running_order(
    network: nn.Module, idle: tuple[str, ...] = ()
) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Convolutions, each with the batch norm after it, in the order they run.

    Parts whose names begin with one of ``idle`` never run.
    """
    modules = [
        m
        for name, m in network.named_modules()
        if isinstance(m, (nn.Conv2d, nn.BatchNorm2d)) and not name.startswith(idle)
    ]
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d | None]] = []
    for k, module in enumerate(modules):
        if isinstance(module, nn.Conv2d):
            after = modules[k + 1] if k + 1 < len(modules) else None
            pairs.append((module, after if isinstance(after, nn.BatchNorm2d) else None))
    return pairs


def load_detector(path: Path, classes: int) -> DetectorNetwork:
    """YOLOX-nano of so many classes with the weights of an ONNX file.

    The file's batch norms are folded into biases; here they become the shift of a batch
    norm that otherwise does nothing (see `fit_batch_norms`). Bottlenecks that the file lacks, as
    upstream's does, say nothing at first.

    Raises:
        WeightsDoNotFit: the convolutions differ in number or shape.
    """
    network = DetectorNetwork(classes)
    _load_convolutions(_fitting_order(network, path, (), SILENT_IN_DETECTOR), path)
    return network


def load_segmenter(path: Path) -> SegmenterNetwork:
    """A segmenter with the weights of an ONNX file of one, its batch norms as `load_detector`.

    A file from before there was a ``bench``, or bottlenecks in the read-out or on the neck's
    way down, starts with ones that say nothing.

    Raises:
        WeightsDoNotFit: the file is none.
    """
    network = SegmenterNetwork()
    _load_convolutions(_fitting_order(network, path, IDLE_IN_SEGMENTER, SILENT_IN_SEGMENTER), path)
    values = {name.removesuffix(".half"): value for name, value in graph_of(path)[1].items()}
    with torch.no_grad():
        for name, target in (("weight", network.bench.weight), ("bias", network.bench.bias)):
            stored = values.get(f"segmenter.bench.{name}", np.zeros(target.shape))
            target.copy_(torch.from_numpy(stored.astype(np.float32)))
    return network


def _fitting_order(
    network: nn.Module, path: Path, idle: tuple[str, ...], silent: Silent
) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """The convolutions that a file holds: all that run, but for what came after it."""
    stored_count = len(convolutions_of(path))
    orders = (
        _running_order(network, (*idle, *chain.from_iterable(silent[present:])))
        for present in range(len(silent) + 1)
    )
    return next((o for o in orders if len(o) == stored_count), _running_order(network, idle))


def load_state(network: nn.Module, state: Mapping[str, Tensor], silent: Silent) -> None:
    """Load a trained network's state, which may be from before there were ``silent`` parts.

    Raises:
        WeightsDoNotFit: it is another network's.
    """
    try:
        missing, unknown = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise WeightsDoNotFit(f"The weights are not of a {type(network).__name__}.") from error
    silent_parts = tuple(chain.from_iterable(silent))
    missing_own = [name for name in missing if not name.startswith(silent_parts)]
    if missing_own or unknown:
        raise WeightsDoNotFit(
            f"The weights are not of a {type(network).__name__}: "
            f"{len(missing_own)} of its tensors are missing and {len(unknown)} are none of its own."
        )


@torch.no_grad()
def _load_convolutions(pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d | None]], path: Path) -> None:
    stored = convolutions_of(path)
    if len(pairs) != len(stored):
        raise WeightsDoNotFit(f"{path} has {len(stored)} convolutions, not {len(pairs)}")
    for (conv, norm), (kernel, bias) in zip(pairs, stored, strict=True):
        if tuple(conv.weight.shape) != kernel.shape:
            raise WeightsDoNotFit(
                f"{path}: a kernel is {kernel.shape}, not {tuple(conv.weight.shape)}"
            )
        conv.weight.copy_(torch.from_numpy(kernel.copy()))
        target = norm.bias if norm is not None else conv.bias
        assert target is not None
        target.copy_(torch.from_numpy(bias.copy()))
        if norm is not None:
            norm.weight.fill_((1 + norm.eps) ** 0.5)


@torch.no_grad()
def fit_batch_norms(network: nn.Module, images: Tensor) -> None:
    """Let batch norms do in training what they did folded away, judged by one batch.

    A batch norm in training divides by its batch's spread, which would undo loaded weights:
    it takes the mean and the spread of what it is given as its own shift and scale. One that
    is silent stays so.
    """

    def take_statistics(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        if not norm.weight.any():
            return
        spread, mean = torch.var_mean(inputs[0].float(), (0, 2, 3), correction=0)
        norm.bias.add_(mean)
        norm.weight.copy_((spread + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(spread)

    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(take_statistics) for norm in norms]
    momenta = [(norm, norm.momentum) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    network.train()
    network(images)
    for norm, momentum in momenta:
        norm.momentum = momentum
    for hook in hooks:
        hook.remove()


def replace_class_outputs(coco: DetectorNetwork, classes: int) -> DetectorNetwork:
    """The same network with fresh class outputs."""
    network = DetectorNetwork(classes)
    state = {k: v for k, v in coco.state_dict().items() if "class_out" not in k}
    network.load_state_dict(state, strict=False)
    return network


def detector_from_onnx(path: Path, classes: int) -> DetectorNetwork:
    """A detector of ``classes`` from an ONNX file of them, or of COCO's, with fresh outputs.

    Raises:
        WeightsDoNotFit: the file is neither.
    """
    kernels = [kernel for kernel, _ in convolutions_of(path)]
    if any(kernel.shape[0] == COCO_CLASSES for kernel in kernels):
        return replace_class_outputs(load_detector(path, COCO_CLASSES), classes)
    return load_detector(path, classes)
