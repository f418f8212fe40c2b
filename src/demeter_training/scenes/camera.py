"""A pinhole camera over a bench: centimetres to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demeter_training.scenes.values import Floats


@dataclass(frozen=True, slots=True)
class Camera:
    """Looks at ``target_cm`` on the ground from ``distance_cm``, tilted from straight down.

    World axes: x to the right of the picture, y toward the photographer, z up. ``roll``
    turns the picture about its centre. Angles in radians.
    """

    size_wh: tuple[int, int]
    focal_px: float
    tilt: float
    target_cm: tuple[float, float]
    distance_cm: float
    roll: float = 0.0

    def project(self, points_cm: Floats) -> Floats:
        """Points, N x 3 in cm, to N x 2 in pixels."""
        flat = np.asarray(points_cm, np.float64)
        c, s = np.cos(self.tilt), np.sin(self.tilt)
        x, y = flat[:, 0] - self.target_cm[0], flat[:, 1] - self.target_cm[1]
        scale = self.focal_px / self._depth(flat)
        u, v = x * scale, (y * c - flat[:, 2] * s) * scale
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        width, height = self.size_wh
        return np.stack([cr * u - sr * v + width / 2, sr * u + cr * v + height / 2], -1)

    def px_per_cm(self, points_cm: Floats) -> Floats:
        """How many pixels a centimetre is at each of N x 3 points."""
        return self.focal_px / self._depth(np.asarray(points_cm, np.float64))

    def ground_to_image(self, z_cm: float = 0.0) -> Floats:
        """3 x 3 homography from a level plane (x, y in cm at a height ``z_cm``) to pixels."""
        corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float) * 10
        corners[:, :2] += self.target_cm
        corners[:, 2] = z_cm
        return cv2.getPerspectiveTransform(
            corners[:, :2].astype(np.float32), self.project(corners).astype(np.float32)
        )

    def _depth(self, points_cm: Floats) -> Floats:
        along = (points_cm[:, 1] - self.target_cm[1]) * np.sin(self.tilt)
        near = along + points_cm[:, 2] * np.cos(self.tilt)
        return np.maximum(self.distance_cm - near, self.distance_cm * 0.05)
