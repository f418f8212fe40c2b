"""ONNX Runtime's way of running a network, with a session that stands in for it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from demeter.vision.errors import ModelRefused
from demeter.vision.networks.onnxruntime_runner import open_on_gpu
from demeter.vision.networks.openvino_runner import ModelFile, Preparation

PLAIN = Preparation(bgr=False, divisor=1.0)


class Session:
    """Answers with each picture's mean; refuses a batch that is not of its fixed size."""

    fixed: int | None = None

    def __init__(self, path, **_):
        if Path(path).stem == "broken":
            raise RuntimeError("unknown operator")
        self.batches: list[int] = []

    def get_inputs(self):
        return [SimpleNamespace(name="images")]

    def run(self, _, entries):
        entry = entries["images"]
        assert self.fixed in (None, len(entry))
        self.batches.append(len(entry))
        return [entry.mean(axis=(2, 3))]


@pytest.fixture(autouse=True)
def session(monkeypatch):
    session_type = type("Made", (Session,), {})
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(InferenceSession=session_type))
    return session_type


def file(batch: int = -1, side: int = 8, name: str = "mean") -> ModelFile:
    return ModelFile(Path(f"{name}.onnx"), "", ((batch, 3, side, side),), ((batch, 3),))


@pytest.mark.parametrize(
    ("batch", "count", "batches"),
    [(4, 6, [4, 4]), (4, 0, []), (4, 4, [4]), (1, 2, [1, 1]), (-1, 10, [8, 2])],
)
def test_a_fixed_batch_is_always_full_and_pads_no_answer(session, batch, count, batches):
    session.fixed = None if batch == -1 else batch
    runner = open_on_gpu(file(batch), PLAIN, (8, 8))
    pictures = [np.full((8, 8, 3), i, np.uint8) for i in range(count)]
    assert [o[0].tolist() for o in runner(pictures)] == [[[i] * 3] for i in range(count)]
    assert runner.session.batches == batches


def test_a_network_that_does_not_open_is_refused_with_the_reason():
    with pytest.raises(ModelRefused, match=r"broken\.onnx.*unknown operator") as refused:
        open_on_gpu(file(name="broken"), PLAIN, (8, 8))
    assert isinstance(refused.value.__cause__, RuntimeError)


def test_a_network_of_another_size_is_refused():
    with pytest.raises(ModelRefused, match="16 by 16"):
        open_on_gpu(file(side=8), PLAIN, (16, 16))
