"""Pictures whose truth is known by arithmetic, and models that see exactly such pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from demeter.vision.containers.segmenter import Region
from demeter.vision.interval.interval import shipped_error_model
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.plants.boxes import Boxes

FAINT = 0.2
FLOOR, SOIL, LEAF, EMPTY = (150, 150, 155), (95, 70, 50), (70, 160, 60), (230, 120, 30)


@dataclass(frozen=True)
class DiscDetector:
    """Sees green discs as plants and orange ones as empties, if they are of plausible size.

    In a larger green part it faintly sees plants side by side, as networks do.
    """

    tile_px: int = 256
    plant_px: float = 40.0
    largest: float = 1.9
    identity: str = "discs@0"
    precision: str = "f32"

    def __call__(self, tiles: Iterable[np.ndarray], floor: float) -> list[Boxes]:
        return [self._boxes(t, floor) for t in tiles]

    def _boxes(self, tile: np.ndarray, floor: float) -> Boxes:
        rows = []
        red, green, blue = (tile[..., i].astype(int) for i in range(3))
        for empty, mask in (
            (False, green - np.maximum(red, blue) > 40),
            (True, red - np.maximum(green, blue) > 60),
        ):
            count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
            rows += [(*map(float, stats[i]), empty) for i in range(1, count)]
        boxes = Boxes.none()
        for x, y, w, h, area, empty in rows:
            size = (w * h) ** 0.5
            off = abs(np.log2(max(size, 1e-3) / self.plant_px))
            round_enough = 0.6 < w / h < 1.7 and area > 0.6 * w * h
            confidence = np.float32(0.95 - 0.25 * off)
            if round_enough and size < self.largest * self.plant_px and confidence >= floor:
                disc = Boxes(
                    np.array([[x, y, x + w, y + h]], np.float32),
                    np.array([confidence], np.float32),
                    np.array([empty]),
                )
                boxes = Boxes.join([boxes, disc])
            elif not empty and min(w, h) > 1.2 * self.plant_px and floor <= FAINT:
                boxes = Boxes.join([boxes, self._faint(x, y, w, h)])
        return boxes

    def _faint(self, x: float, y: float, w: float, h: float) -> Boxes:
        side = self.plant_px
        lefts, tops = np.arange(x, x + w - side / 2, side), np.arange(y, y + h - side / 2, side)
        corners = np.array([(a, b) for b in tops for a in lefts], np.float32)
        count = len(corners)
        return Boxes(
            np.concatenate([corners, corners + side], axis=1),
            np.full(count, FAINT, np.float32),
            np.zeros(count, np.bool_),
        )


@dataclass(frozen=True)
class SoilSegmenter:
    """Takes every connected part that is not floor for a container named ``label``."""

    label: str = "box"
    identity: str = "soil@0"

    def __call__(self, rgb: np.ndarray) -> tuple[Region, ...]:
        mask = (np.abs(rgb.astype(int) - np.array(FLOOR)).sum(axis=2) > 30).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        regions = []
        for x, y, w, h, area in stats[1:count]:
            if area > 400:
                corners = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
                outline = tuple((int(a), int(b)) for a, b in corners)
                regions.append(Region(self.label, outline, 0.9))
        return tuple(regions)


def stand_in_models(**detector) -> ModelSet:
    return ModelSet(DiscDetector(**detector), SoilSegmenter(), shipped_error_model())


def bed(size_wh=(900, 700), soil_xyxy=(60, 50, 840, 650)) -> np.ndarray:
    """Floor with one rectangle of soil, slightly noisy."""
    picture = np.full((size_wh[1], size_wh[0], 3), FLOOR, np.uint8)
    x1, y1, x2, y2 = soil_xyxy
    noise = np.random.default_rng(1).integers(-6, 7, (y2 - y1, x2 - x1, 1))
    picture[y1:y2, x1:x2] = np.clip(np.array(SOIL) + noise, 0, 255).astype(np.uint8)
    return picture


def plant(picture: np.ndarray, x: float, y: float, diameter: float, colour=LEAF) -> None:
    cv2.circle(picture, (round(x), round(y)), round(diameter / 2), colour, cv2.FILLED)


def planted_grid(columns: int, rows: int, diameter=40, pitch=60) -> np.ndarray:
    """A bed with ``columns`` by ``rows`` separate plants, centred in its soil."""
    width, height = columns * pitch + 40, rows * pitch + 40
    picture = bed((width + 60, height + 60), (30, 30, 30 + width, 30 + height))
    for i in range(columns):
        for j in range(rows):
            plant(picture, 50 + pitch * (i + 0.5), 50 + pitch * (j + 0.5), diameter)
    return picture
