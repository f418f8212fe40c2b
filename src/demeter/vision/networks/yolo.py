"""People's own YOLO11 and YOLOv8 exports, as detectors and segmenters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.containers.segmenter import Region
from demeter.vision.errors import ModelRefused
from demeter.vision.geometry import (
    Letterbox,
    area_px,
    close_and_fill,
    letterbox,
    outline,
    simplify,
)
from demeter.vision.networks.class_names import Meaning, meanings_of
from demeter.vision.networks.devices import runner_for
from demeter.vision.networks.openvino_runner import (
    Outputs,
    Precision,
    Preparation,
    Runner,
    open_model,
)
from demeter.vision.networks.yolo_layout import YoloLayout, yolo_layout
from demeter.vision.networks.yolo_rows import YoloRows, masks_of, rows_of, suppress_overlaps
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detector import pad_tile

_PREPARATION = Preparation(bgr=False, divisor=255.0)
# What such exports are run with by default where they come from.
CONFIDENCE, IOU, MOST = 0.25, 0.7, 300
_PLANT_SHARE = 0.09


@dataclass(frozen=True, slots=True)
class YoloDetector:
    """A detection export; tiles are not scaled."""

    identity: str
    tile_px: int
    plant_px: float
    layout: YoloLayout
    meanings: tuple[Meaning, ...]
    runner: Runner

    @property
    def precision(self) -> str:
        """The arithmetic it runs in."""
        return self.runner.precision

    def __call__(self, tiles: Iterable[NDArray[np.uint8]], floor: float) -> list[Boxes]:
        """Plants and empties of each tile, unmerged; other classes are left out."""
        outputs = self.runner(pad_tile(t, self.tile_px) for t in tiles)
        return [self._boxes(rows_of(o, self.layout, floor)) for o in outputs]

    def answer(self, tile: NDArray[np.uint8]) -> Outputs:
        """What the network itself says of a tile."""
        (outputs,) = self.runner([pad_tile(tile, self.tile_px)])
        return outputs

    def _boxes(self, rows: YoloRows) -> Boxes:
        plant = np.array([m.is_plant for m in self.meanings])
        empty = np.array([m.is_empty for m in self.meanings])
        keep = plant[rows.label] | empty[rows.label]
        return Boxes(rows.xyxy_px[keep], rows.confidence[keep], empty[rows.label[keep]])


@dataclass(frozen=True, slots=True)
class YoloSegmenter:
    """A segmentation export, run on the whole photo."""

    identity: str
    layout: YoloLayout
    mapping: Mapping[str, str]
    runner: Runner

    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[Region, ...]:
        """One region a mask; its label is the class's name, mapped where that was asked."""
        rows, masks, framed = self.predict(rgb)
        regions = []
        for label, confidence, mask in zip(rows.label, rows.confidence, masks, strict=True):
            polygon_px = _polygon(mask, framed, (rgb.shape[1], rgb.shape[0]))
            if polygon_px:
                name = self.layout.names[label]
                region = Region(
                    self.mapping.get(name, name), polygon_px, round(float(confidence), 4)
                )
                regions.append(region)
        return tuple(regions)

    def answer(self, rgb: NDArray[np.uint8]) -> Outputs:
        """What the network itself says of a photo."""
        framed = letterbox(rgb, self.layout.side_px, centred=True, interpolation=cv2.INTER_LINEAR)
        (outputs,) = self.runner([framed.square])
        return outputs

    def predict(self, rgb: NDArray[np.uint8]) -> tuple[YoloRows, NDArray[np.bool_], Letterbox]:
        """Run the network: rows and masks [n, side, side] in pixels of the letterboxed photo."""
        framed = letterbox(rgb, self.layout.side_px, centred=True, interpolation=cv2.INTER_LINEAR)
        (output,) = self.runner([framed.square])
        rows = suppress_overlaps(rows_of(output, self.layout, CONFIDENCE), IOU, MOST)
        return rows, masks_of(output, rows, self.layout.side_px), framed


def load_yolo_detector(
    path: Path, precision: Precision, threads: int, mapping: Mapping[str, str] | None = None
) -> YoloDetector:
    """Load a detection export; ``mapping`` says what its class names mean here.

    Raises:
        ModelRefused: it is none, or none of its classes is a plant.
    """
    layout, identity, runner = _load(path, "detect", precision, threads)
    meanings = tuple(meanings_of(layout.names, mapping))
    if not any(m.is_plant for m in meanings):
        class_names = ", ".join(layout.names)
        raise ModelRefused(
            path.name, f"none of its classes is a plant: {class_names}; map one to it"
        )
    side = layout.side_px
    return YoloDetector(identity, side, side * _PLANT_SHARE, layout, meanings, runner)


def load_yolo_segmenter(
    path: Path, precision: Precision, threads: int, mapping: Mapping[str, str] | None = None
) -> YoloSegmenter:
    """Load a segmentation export; ``mapping`` says what its class names mean here.

    Raises:
        ModelRefused: it is none.
    """
    layout, identity, runner = _load(path, "segment", precision, threads)
    return YoloSegmenter(identity, layout, dict(mapping or {}), runner)


def _load(
    path: Path, task: str, precision: Precision, threads: int
) -> tuple[YoloLayout, str, Runner]:
    file = open_model(path)
    layout = yolo_layout(file)
    if layout.task != task:
        raise ModelRefused(path.name, f"its task is {layout.task}, {task} is needed")
    runner = runner_for(file, _PREPARATION, layout.side_px, precision, threads)
    return layout, file.identity, runner


def _polygon(
    mask: NDArray[np.bool_], framed: Letterbox, size_wh: tuple[int, int]
) -> tuple[tuple[int, int], ...]:
    """The outline of a mask in pixels of the photo, empty for a mask without area."""
    corners = framed.to_picture(outline(close_and_fill(mask, 2)))
    if len(corners) < 3:  # noqa: PLR2004
        return ()
    polygon = simplify(corners, 1 / framed.scale, size_wh)
    return polygon if len(polygon) > 2 and area_px(polygon) > 0 else ()  # noqa: PLR2004
