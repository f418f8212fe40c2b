"""Boxes as arrays: what a detector says, before it belongs to a container."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Boxes:
    """``n`` boxes: corners [n, 4] in pixels, confidence [n], empty container or plant [n]."""

    xyxy_px: NDArray[np.float32]
    confidence: NDArray[np.float32]
    is_empty: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.confidence)

    @classmethod
    def none(cls) -> Boxes:
        """No box at all."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.bool_))

    @classmethod
    def join(cls, parts: Sequence[Boxes]) -> Boxes:
        """Put all boxes of ``parts`` together, in order."""
        if not parts:
            return cls.none()
        return cls(
            np.concatenate([p.xyxy_px for p in parts]),
            np.concatenate([p.confidence for p in parts]),
            np.concatenate([p.is_empty for p in parts]),
        )

    @property
    def centre_px(self) -> NDArray[np.float32]:
        """Centres [n, 2] as x, y."""
        return (self.xyxy_px[:, :2] + self.xyxy_px[:, 2:]) * np.float32(0.5)

    @property
    def size_px(self) -> NDArray[np.float32]:
        """Geometric mean of width and height [n]."""
        wh = np.maximum(self.xyxy_px[:, 2:] - self.xyxy_px[:, :2], 0)
        return np.sqrt(wh[:, 0] * wh[:, 1]).astype(np.float32)

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Boxes:
        """The boxes that a mask or index keeps."""
        return Boxes(self.xyxy_px[keep], self.confidence[keep], self.is_empty[keep])

    def transform(self, scale: float, offset_xy: tuple[float, float]) -> Boxes:
        """Map the boxes by ``x * scale + offset``."""
        shift = np.array([*offset_xy, *offset_xy], np.float32)
        xyxy = self.xyxy_px * np.float32(scale) + shift
        return Boxes(xyxy, self.confidence, self.is_empty)

    def clip(self, size_wh: tuple[int, int]) -> Boxes:
        """Cut boxes at the picture's edge; those with nothing left inside are dropped."""
        width, height = size_wh
        limit = np.array([width, height, width, height], np.float32)
        xyxy = np.clip(self.xyxy_px, 0, limit)
        alive = (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        return Boxes(xyxy, self.confidence, self.is_empty).where(alive)

    def in_reading_order(self) -> Boxes:
        """Sorted by top, left, bottom, right, kind, confidence: the same for every run."""
        x1, y1, x2, y2 = self.xyxy_px.T if len(self) else np.zeros((4, 0))
        order = np.lexsort((x1, y1))
        if (~np.diff(self.xyxy_px[order, :2], axis=0).any(axis=1)).any():  # one corner twice: rare
            order = np.lexsort((self.confidence, self.is_empty, x2, y2, x1, y1))
        return self.where(order)
