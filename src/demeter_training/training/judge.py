"""A network that judges whether a part of a photo shows plants at all."""

# pyright: reportMissingImports=false
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from demeter_training.scenes.values import Bytes, Floats
from demeter_training.training.network import Backbone, DetectorNetwork
from demeter_training.training.tiles import PictureCache, recolour

SIDE = 224
# Between which sizes a square shows a plant; how large one must be to be seen, in pixels.
PLANT_PX, SEEN_PX, LARGEST_SCALE = (14.0, 130.0), 12.0, 2.0
SEEN_SHARE = 0.6


class JudgeNetwork(nn.Module):
    """YOLOX-nano's features, their means and maxima, and one weighing of them."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.drop = nn.Dropout(0.2)
        self.weigh = nn.Linear(128 + 256 + 256, 1)

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W, BGR 0..255, to N: above 0 where plants are shown."""
        _, _, _, f4, f5 = self.backbone(images)
        pooled = torch.cat((f4.mean((2, 3)), f5.mean((2, 3)), f5.amax((2, 3))), 1)
        return self.weigh(self.drop(pooled))[:, 0]


def judge_from(detector: DetectorNetwork) -> JudgeNetwork:
    """A judge that starts from a detector's features."""
    network = JudgeNetwork()
    state = {k: v for k, v in detector.state_dict().items() if k.startswith("backbone")}
    network.load_state_dict(state, strict=False)
    return network


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """A picture and the boxes (xyxy, N x 4) of every plant of which anything is seen.

    ``seen`` says which of them are seen well enough to be judged by.
    """

    path: object
    boxes: Floats
    seen: Floats


def judged_square(
    rng: np.random.Generator, pictures: PictureCache, item: JudgedPicture
) -> tuple[Bytes, float] | None:
    """A square of a picture and 1 where it shows a plant, 0 where none; None where unclear."""
    bgr = pictures.read(item.path)  # type: ignore[arg-type]
    height, width = bgr.shape[:2]
    size_px = float(np.exp(rng.uniform(*np.log(PLANT_PX))))
    own_px = (
        float(np.median((item.boxes[:, 2:] - item.boxes[:, :2]).max(1)))
        if len(item.boxes)
        else None
    )
    whole = min(1.0, SIDE / max(height, width))
    scale = size_px / own_px if own_px else float(np.exp(rng.uniform(np.log(whole), np.log(1.3))))
    scale = min(LARGEST_SCALE, max(scale, whole))
    take = round(SIDE / scale)
    x0 = int(rng.integers(min(0, width - take), max(0, width - take) + 1))
    y0 = int(rng.integers(min(0, height - take), max(0, height - take) + 1))
    square = np.full((take, take, 3), 114, np.uint8)
    xa, ya, xb, yb = max(0, x0), max(0, y0), min(width, x0 + take), min(height, y0 + take)
    square[ya - y0 : yb - y0, xa - x0 : xb - x0] = bgr[ya:yb, xa:xb]
    label = _label(item, (x0, y0, x0 + take, y0 + take), scale)
    if label is None:
        return None
    way = cv2.INTER_AREA if take > SIDE else cv2.INTER_LINEAR
    small = cv2.resize(square, (SIDE, SIDE), interpolation=way)
    if rng.random() < 0.5:  # noqa: PLR2004 - a coin
        small = small[:, ::-1]
    small = np.rot90(small, int(rng.choice(4, p=[0.55, 0.15, 0.15, 0.15])))
    return _wear(rng, recolour(rng, np.ascontiguousarray(small))), label


def _label(item: JudgedPicture, window: tuple[int, int, int, int], scale: float) -> float | None:
    if not len(item.boxes):
        return 0.0
    x0, y0, x1, y1 = window
    low = np.maximum(item.boxes[:, :2], (x0, y0))
    high = np.minimum(item.boxes[:, 2:], (x1, y1))
    size = np.maximum(high - low, 0)
    inside = size.prod(1)
    if not inside.any():
        return 0.0
    whole = np.maximum((item.boxes[:, 2:] - item.boxes[:, :2]).prod(1), 1e-6)
    clear = item.seen & (inside >= SEEN_SHARE * whole) & (size.max(1) * scale >= SEEN_PX)
    large = item.seen & (inside * scale**2 >= 0.08 * SIDE**2)
    return 1.0 if (clear | large).any() else None


def _wear(rng: np.random.Generator, bgr: Bytes) -> Bytes:
    """What lenses, lamps and codecs do, more of it than scenes have."""
    if rng.random() < 0.3:  # noqa: PLR2004
        gain = rng.uniform(0.7, 1.3, 3)
        bgr = np.clip(bgr * gain, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:  # noqa: PLR2004
        factor = rng.uniform(1.2, 3.0)
        small = cv2.resize(bgr, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        bgr = np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.25:  # noqa: PLR2004
        noise = rng.normal(0, rng.uniform(2, 14), bgr.shape)
        bgr = np.clip(bgr + noise, 0, 255).astype(np.uint8)
    return bgr
