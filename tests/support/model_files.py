"""Model files as other packages export them, and adding one in a single call."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.vision_models import registry
from demeter.vision_models.models import VisionModel
from support.networks import answering


def detector(
    folder: Path, name: str = "best", score: float = 0.9, classes=("plant", "pot")
) -> Path:
    """A YOLO detection pair that sees one plant in every picture; ``score`` makes it its own."""
    folder.mkdir(exist_ok=True)
    lines = ["task: detect", "imgsz: [64, 64]", "names:"]
    lines += [f"  {i}: {n}" for i, n in enumerate(classes)]
    (folder / "metadata.yaml").write_text("\n".join(lines) + "\n")
    rows = np.zeros((1, 4 + len(classes), 84))
    rows[0, :5, 0] = (32, 20, 10, 8, score)
    return answering(folder / f"{name}.xml", [rows])


def segmenter(folder: Path) -> Path:
    """A YOLO segmentation pair that sees a pot and a person."""
    folder.mkdir(exist_ok=True)
    (folder / "metadata.yaml").write_text("task: segment\nnames:\n  0: maceta\n  1: person\n")
    rows = np.zeros((1, 7, 84))
    rows[0, :, 0] = (20, 32, 30, 40, 0.8, 0.0, 1.0)
    rows[0, :, 1] = (50, 32, 20, 40, 0.0, 0.8, 1.0)
    return answering(folder / "seg.xml", [rows, np.full((1, 1, 16, 16), 5.0)])


def classifier(folder: Path) -> Path:
    (folder / "metadata.yaml").write_text("task: classify\nnames:\n  0: cat\n")
    return answering(folder / "cls.xml", [np.zeros((1, 1000))])


def own_segmenter(folder: Path, depth_side: int = 32, input_shape=(1, 3, 64, 64)) -> Path:
    """A pair with the tensors of Demeter's own segmenters."""
    maps = [np.zeros((1, 6, 32, 32)), np.zeros((1, 1, depth_side, depth_side))]
    return answering(folder / "beds.xml", maps, input_shape)


def add_file(session: Session, user: User, path: Path, **facts) -> VisionModel:
    with tempfile.TemporaryDirectory() as folder:
        return registry.add(session, user, registry.inspect_model(path, Path(folder), **facts))
