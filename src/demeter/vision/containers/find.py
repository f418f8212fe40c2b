"""Step 1: which containers a photo shows, in the photo's own pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from demeter.core.notices import Notice
from demeter.vision.containers.segmenter import Region, Segmenter
from demeter.vision.geometry import Polygon, area_px, frame_polygon
from demeter.vision.values import Container, ContainerType, container_type_of


def containers_of(
    rgb: NDArray[np.uint8], segmenter: Segmenter, *, framed_whole: bool
) -> tuple[tuple[Container, ...], tuple[Notice, ...]]:
    """Containers in reading order, and warnings.

    Where nothing is found and ``framed_whole`` holds, the frame is the container; where it
    does not, there is none: what to do then is not decided here.
    """
    regions = sorted(segmenter(rgb), key=_reading_order)
    warnings = tuple(
        Notice("unknown_label", {"label": label})
        for label in sorted({r.label for r in regions if container_type_of(r.label) is None})
    )
    if regions:
        return tuple(_container(r) for r in regions), warnings
    if framed_whole:
        return (whole_frame((rgb.shape[1], rgb.shape[0])),), warnings
    return (), warnings


def whole_frame(size_wh: tuple[int, int]) -> Container:
    """The frame as the bed it shows from edge to edge; nobody measured that, so 1.0 is given."""
    return Container(
        label=ContainerType.SEGMENT.value,
        container_type=ContainerType.SEGMENT,
        polygon_px=frame_polygon(size_wh),
        area_px=size_wh[0] * size_wh[1],
        confidence=1.0,
        whole_frame=True,
    )


def inner_outlines(containers: tuple[Container, ...]) -> tuple[tuple[Polygon, ...], ...]:
    """For each container, outlines of the smaller ones that overlap it: a pot on a bed."""
    if not containers:
        return ()
    corners = [np.array(c.polygon_px) for c in containers]
    low = np.array([c.min(axis=0) for c in corners])
    high = np.array([c.max(axis=0) for c in corners])
    area = np.array([c.area_px for c in containers])
    meet = (low[:, None] < high[None]).all(axis=2)
    inside = meet & meet.T & (area[None] < area[:, None])
    return tuple(tuple(containers[k].polygon_px for k in np.flatnonzero(row)) for row in inside)


def _container(region: Region) -> Container:
    return Container(
        label=region.label,
        container_type=container_type_of(region.label) or ContainerType.SEGMENT,
        polygon_px=region.polygon_px,
        area_px=round(area_px(region.polygon_px)),
        confidence=region.confidence,
    )


def _reading_order(region: Region) -> tuple[int, int, str, float]:
    top = min(y for _, y in region.polygon_px)
    left = min(x for x, _ in region.polygon_px)
    return (top, left, region.label, region.confidence)
