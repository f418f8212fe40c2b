"""The picture being painted, and who owns each of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from demeter_training.scenes.camera import Camera
from demeter_training.scenes.values import Bytes, Floats, Integers

SHIFT = 4


@dataclass(slots=True)
class SceneCanvas:
    """RGB uint8, the soil that openings let through, and the plant (index + 1) at each pixel."""

    rgb: Bytes
    soil: Bytes
    ids: Integers
    camera: Camera

    def to_fixed_point(self, points_cm: Floats) -> Integers:
        """World points (N x 3) as OpenCV's fixed-point pixels."""
        px = np.clip(self.camera.project(points_cm), -30000, 30000)
        return np.round(px * (1 << SHIFT)).astype(np.int32)

    def fill(self, polygon: Integers, colour: Floats) -> None:
        """Fill a fixed-point polygon with one colour."""
        tone = [min(255.0, max(0.0, float(v))) for v in colour]
        cv2.fillPoly(self.rgb, [polygon], tone, cv2.LINE_AA, SHIFT)

    def line(self, polygon: Integers, colour: Floats, width: int) -> None:
        """Draw the outline of a fixed-point polygon."""
        tone = [min(255.0, max(0.0, float(v))) for v in colour]
        cv2.polylines(
            self.rgb,
            [polygon],
            isClosed=True,
            color=tone,
            thickness=width,
            lineType=cv2.LINE_AA,
            shift=SHIFT,
        )

    def window(self, polygon: Integers) -> tuple[slice, slice] | None:
        """The rows and columns a fixed-point polygon touches; None if outside the frame."""
        x, y, w, h = cv2.boundingRect(polygon)
        height, width = self.ids.shape
        x0, y0 = max(0, x >> SHIFT), max(0, y >> SHIFT)
        x1, y1 = min(width, ((x + w) >> SHIFT) + 1), min(height, ((y + h) >> SHIFT) + 1)
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None

    def fill_soil(self, floor: Integers, opening: Integers, shade: float) -> None:
        """Show soil where a floor is seen through an opening, darker by ``shade``."""
        part = self.window(opening)
        if part is None:
            return
        rows, columns = part
        offset = (-columns.start, -rows.start)
        size = (rows.stop - rows.start, columns.stop - columns.start)
        masks = [np.zeros(size, np.uint8) for _ in range(2)]
        for mask, polygon in zip(masks, (floor, opening), strict=True):
            shifted = polygon + np.array(offset, np.int32) * (1 << SHIFT)
            cv2.fillPoly(mask, [shifted], 255, cv2.LINE_AA, SHIFT)
        share = (np.minimum(masks[0], masks[1]).astype(np.float32) / 255)[..., None]
        pixels = self.rgb[rows, columns]
        soil = self.soil[rows, columns] * shade
        pixels[:] = (pixels * (1 - share) + soil * share).astype(np.uint8)

    def darken(self, polygon: Integers, factor: float, blur: float) -> None:
        """Cast a soft shadow in the shape of a fixed-point polygon."""
        margin = int(blur * 3) + 1
        x, y, w, h = cv2.boundingRect(polygon)
        height, width = self.ids.shape
        x0, y0 = max(0, (x >> SHIFT) - margin), max(0, (y >> SHIFT) - margin)
        x1 = min(width, ((x + w) >> SHIFT) + margin)
        y1 = min(height, ((y + h) >> SHIFT) + margin)
        if x1 <= x0 or y1 <= y0:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        shifted = polygon - np.array([x0, y0], np.int32) * (1 << SHIFT)
        cv2.fillPoly(mask, [shifted], 255, cv2.LINE_AA, SHIFT)
        soft = cv2.blur(mask, (margin, margin)).astype(np.float32) / 255 * (1 - factor)
        pixels = self.rgb[y0:y1, x0:x1]
        pixels[:] = (pixels * (1 - soft[..., None])).astype(np.uint8)


def hull(points: Integers) -> Integers:
    """The convex outline of fixed-point points."""
    return cv2.convexHull(points)[:, 0]
