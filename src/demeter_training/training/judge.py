"""A network that judges whether a part of a photo shows plants at all."""

# pyright: reportMissingImports=false
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor, nn

from demeter_training.scenes.values import Bytes, Floats
from demeter_training.training.network import Backbone, DetectorNetwork, Neck
from demeter_training.training.tiles import PictureCache, recolour

SIDE = 224
# Between which sizes a square shows a plant; how large one must be to be seen, in pixels.
PLANT_PX, SEEN_PX, LARGEST_SCALE = (14.0, 130.0), 12.0, 2.0
SEEN_SHARE = 0.6
# Channels of the backbone from stride 4 on and of the neck, three figures each.
POOLED = 3 * (32 + 64 + 128 + 256 + 64 + 128 + 256)
PENALTY, FIT_STEPS = 1e-2, 300


class JudgeNetwork(nn.Module):
    """A detector's features at all its strides, what is usual of them, and one weighing.

    Of each channel the mean, the maximum and the spread over the square are taken; ``usual`` and
    ``scale`` bring them to about -1 to 1. The features stay the detector's: what is learnt is how
    to weigh them, for few drawn pictures teach features nothing that holds on photos.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.neck = Backbone(), Neck()
        self.register_buffer("usual", torch.zeros(1, POOLED))
        self.register_buffer("scale", torch.ones(1, POOLED))
        self.weigh = nn.Linear(POOLED, 1)

    def pooled_features(self, images: Tensor) -> Tensor:
        """N x 3 x H x W, BGR 0..255, to N x ``POOLED``."""
        _, *features = self.backbone(images)
        maps = (*features, *self.neck(*features[1:]))
        parts = []
        for each in maps:
            mean, squares = each.mean((2, 3)), (each * each).mean((2, 3))
            parts += [mean, each.amax((2, 3)), (squares - mean * mean).clamp(min=0).sqrt()]
        return torch.cat(parts, 1)

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W, BGR 0..255, to N: above 0 where plants are shown."""
        even = ((self.pooled_features(images) - self.usual) / self.scale).clamp(-4, 4)
        return self.weigh(even)[:, 0]


def judge_from(detector: DetectorNetwork) -> JudgeNetwork:
    """A judge that starts from a detector's features."""
    network = JudgeNetwork()
    network.load_state_dict(detector.state_dict(), strict=False)
    return network


def fit_judge(network: JudgeNetwork, pooled: Tensor, shown: Tensor) -> None:
    """Set what is usual and how features are weighed, by N x ``POOLED`` and N labels, 0 or 1.

    A logistic regression with a small penalty, to its minimum: the same data give the same judge.
    """
    with torch.no_grad():
        network.usual.copy_(pooled.mean(0, keepdim=True))  # type: ignore[operator]
        network.scale.copy_(pooled.std(0, keepdim=True) + 1e-3)  # type: ignore[operator]
        even = ((pooled - network.usual) / network.scale).clamp(-4, 4)
        network.weigh.weight.zero_()
        network.weigh.bias.zero_()
    solver = torch.optim.LBFGS(
        network.weigh.parameters(), max_iter=FIT_STEPS, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        solver.zero_grad()
        loss = F.binary_cross_entropy_with_logits(network.weigh(even)[:, 0], shown)
        loss = loss + PENALTY * (network.weigh.weight**2).sum()
        loss.backward()
        return float(loss)

    solver.step(closure)


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
