"""Points of a photo that can be found again in another.

SIFT (Lowe 2004) on a reduced, contrast-equalised grey picture. Everything is sorted and
descriptors hold whole numbers, so the same photo gives the same points on any number of
threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demeter.vision.geometry import resize
from demeter.vision.overlap.container_agreement import ContainerPlaces, container_places

SIDE_PX = 1400
MOST_IN_CONTAINERS, MOST_LOOSE = (
    4000,
    2000,
)  # points within containers, and on the ground about them
CONTRAST_LIMIT, CONTRAST_GRID = 3.0, (8, 8)

Outlines = Sequence[Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Features:
    """Points of one photo in one description.

    ``xy_px`` [n, 2] are in pixels of the reduced picture, ``descriptors`` [n, 128] hold
    whole numbers, ``in_container`` [n] says which points lie in containers.
    """

    xy_px: NDArray[np.float64]
    descriptors: NDArray[np.float32]
    in_container: NDArray[np.bool_]

    @property
    def of_containers(self) -> Features:
        """The points in containers alone."""
        in_container = self.in_container
        return Features(
            self.xy_px[in_container], self.descriptors[in_container], in_container[in_container]
        )


@dataclass(frozen=True, slots=True)
class PhotoFeatures:
    """What registration needs of a photo.

    ``grey`` [h, w] is its picture reduced to ``scale`` times its size. ``turned`` describes
    points along the direction of their surroundings and finds them in photos that are
    turned; ``upright`` describes them as the photo is held, and tells plants apart that look
    alike but are turned. ``containers`` are where its containers stand.
    """

    size_wh: tuple[int, int]
    scale: float
    grey: NDArray[np.uint8]
    turned: Features
    upright: Features
    containers: ContainerPlaces

    @property
    def reduced_wh(self) -> tuple[int, int]:
        """Width and height of the reduced picture."""
        return self.grey.shape[1], self.grey.shape[0]


def describe_photo(rgb: NDArray[np.uint8], containers: Outlines = ()) -> PhotoFeatures:
    """The points of an upright photo [H, W, 3], sorted by strength, then place.

    ``containers`` are outlines in pixels of the photo; without any, all of it is one.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    small = resize(rgb, (max(1, round(width * scale)), max(1, round(height * scale))))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    even = np.asarray(cv2.createCLAHE(CONTRAST_LIMIT, CONTRAST_GRID).apply(grey), np.uint8)
    mask = _mask(containers, scale, (even.shape[0], even.shape[1]))
    points = _strongest(cv2.SIFT.create().detect(even, None), mask)
    turned = _features(even, points, mask)
    upright = _features(even, _upright_points(points), mask)
    corners = [np.array(outline, np.float64) for outline in containers]
    return PhotoFeatures(
        (width, height),
        scale,
        even,
        turned,
        upright,
        container_places(corners, scale, (even.shape[1], even.shape[0])),
    )


def _strongest(points: Sequence[cv2.KeyPoint], mask: NDArray[np.bool_]) -> list[cv2.KeyPoint]:
    """Enough of either kind: a ground of gravel would leave no places to bland containers."""
    ranked = sorted(points, key=_rank)
    in_containers = [p for p in ranked if mask[int(p.pt[1]), int(p.pt[0])]]
    loose = [p for p in ranked if not mask[int(p.pt[1]), int(p.pt[0])]]
    return in_containers[:MOST_IN_CONTAINERS] + loose[:MOST_LOOSE]


def _rank(point: cv2.KeyPoint) -> tuple[float, ...]:
    return -point.response, point.pt[1], point.pt[0], point.size, point.angle


def _features(
    even: NDArray[np.uint8], points: Sequence[cv2.KeyPoint], mask: NDArray[np.bool_]
) -> Features:
    points, descriptors = cv2.SIFT.create().compute(even, list(points))
    if not points:
        nothing = np.zeros((0, 2)), np.zeros((0, 128), np.float32), np.zeros(0, np.bool_)
        return Features(*nothing)
    xy_px = np.array([p.pt for p in points], np.float64)
    in_container = mask[xy_px[:, 1].astype(int), xy_px[:, 0].astype(int)]
    return Features(xy_px + 0.5, np.asarray(descriptors, np.float32), in_container)


def _upright_points(points: Sequence[cv2.KeyPoint]) -> list[cv2.KeyPoint]:
    """The points without their direction, each place and size once."""
    single = {(p.pt, p.size): p for p in points}
    return [
        cv2.KeyPoint(p.pt[0], p.pt[1], p.size, 0.0, p.response, p.octave, p.class_id)
        for p in single.values()
    ]


def _mask(containers: Outlines, scale: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    if not containers:
        return np.ones(shape, np.bool_)
    mask = np.zeros(shape, np.uint8)
    for polygon in containers:
        outline = np.rint(np.array(polygon, np.float64) * scale).astype(np.int32)
        cv2.fillPoly(mask, [outline], (1,))
    return mask > 0
