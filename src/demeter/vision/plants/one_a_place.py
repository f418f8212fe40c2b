"""Detections where an occupied place counts one, whatever stands in it.

A place is a pot, a plug by itself, or a cell of a plug or seedling tray. Each occupied place
keeps its surest plant and no empty place; each other one keeps its surest empty place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from demeter.core.notices import Notice
from demeter.vision.hints import Hints
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detect import DetectionResult
from demeter.vision.plants.tray_grid import TrayGrid, find_grid
from demeter.vision.values import Container, ContainerType, CountUnit

TRAYS = frozenset({ContainerType.PLUG, ContainerType.SEEDLING_TRAY})
# Cells found one by one: how many at least, things in one usually and at most, its area in
# median areas at most, and a thing's size in widths of a cell at least.
_FEWEST_CELLS, _USUAL_IN_CELL, _MOST_IN_CELL = 4, 2, 3
_LARGEST_CELL, _SMALLEST_IN_CELL = 1.5, 0.2
_LEAST_POT = 0.5  # confidence from which a pot says what a photo is to be counted by


@dataclass(frozen=True, slots=True)
class PlantPlaces:
    """What is known of one container's places.

    ``number``: how many there are; ``None`` where nobody knows, as in a bed. ``free``: how many
    of them hold nothing that was detected; 0 where their number is unknown. ``grid``: a tray's.
    """

    number: int | None = None
    free: int = 0
    grid: TrayGrid | None = None


def unit_of(containers: Sequence[Container], asked: CountUnit | None) -> CountUnit:
    """What a photo's count counts: what was asked for, else by the kind of its containers.

    Places count where there are containers and all are pots, plugs and seedling trays; a pot
    that is hardly one, or a bed or box beside them, makes it plants.
    """
    if asked is not None:
        return asked
    have_places = all(
        not c.whole_frame
        and (
            c.container_type in TRAYS
            or (c.container_type is ContainerType.POT and c.confidence >= _LEAST_POT)
        )
        for c in containers
    )
    return CountUnit.CONTAINERS if containers and have_places else CountUnit.PLANTS


def one_a_place(
    containers: Sequence[Container], detection: DetectionResult, hints: Hints
) -> tuple[DetectionResult, tuple[PlantPlaces, ...], tuple[Notice, ...]]:
    """Keep one box a place.

    In segments, boxes and frames, and in trays whose grid is not found, all boxes stay: each
    plant is taken to have a place of its own. Where a place holds several plants a warning says
    so: it may be a clump, or several pots that were outlined as one.

    Returns:
        The detections kept, what is known of each container's places, and warnings.
    """
    members = [np.flatnonzero(detection.container == k) for k in range(len(containers))]
    boxes = [detection.boxes.where(m) for m in members]
    grids = [_grid_of(c, b, hints) for c, b in zip(containers, boxes, strict=True)]
    gridless = [
        k for k, c in enumerate(containers) if c.container_type in TRAYS and grids[k] is None
    ]
    single = _single_cells(containers, boxes, gridless)
    keep = np.ones(len(detection.boxes), np.bool_)
    places, crowded = [], 0
    for index, container in enumerate(containers):
        grid, own = grids[index], boxes[index]
        if grid is not None:
            row, column = grid.cells_of(own.centre_px).T
            cells, number = row * grid.columns + column, grid.cells
        elif container.container_type is ContainerType.POT or index in single:
            cells, number = np.zeros(len(own), np.intp), 1
        else:
            places.append(PlantPlaces())
            continue
        keep[members[index]] = _surest_of_each(own, cells)
        crowded += int((np.bincount(cells[~own.is_empty]) > 1).sum())
        places.append(PlantPlaces(number, number - len(np.unique(cells)), grid))
    unknown = len(gridless) - len(single)
    warnings = []
    if unknown:
        warnings.append(Notice("grid_not_found", {"trays": unknown}))
    if crowded:
        warnings.append(Notice("several_in_one_place", {"places": crowded}))
    reduced = replace(
        detection, boxes=detection.boxes.where(keep), container=detection.container[keep]
    )
    return reduced, tuple(places), tuple(warnings)


def _grid_of(container: Container, boxes: Boxes, hints: Hints) -> TrayGrid | None:
    if container.container_type not in TRAYS:
        return None
    hint = hints.grid_of(container.container_type)
    known = None if hint is None else (hint.rows, hint.columns)
    return find_grid(container.polygon_px, boxes.centre_px, known)


def _single_cells(
    containers: Sequence[Container], boxes: Sequence[Boxes], gridless: Sequence[int]
) -> set[int]:
    """Which of the trays without a grid are but one cell or plug each.

    From near by, the cells of a tray are found one by one. They are several of about one size,
    mostly with one thing or two in each, and of a width that such a thing takes a good part of.
    """
    holding = [len(boxes[k]) for k in gridless if len(boxes[k])]
    if len(gridless) < _FEWEST_CELLS or not holding or np.median(holding) > _USUAL_IN_CELL:
        return set()
    largest = _LARGEST_CELL * float(np.median([containers[k].area_px for k in gridless]))
    return {
        k
        for k in gridless
        if containers[k].area_px <= largest
        and len(boxes[k]) <= _MOST_IN_CELL
        and (boxes[k].size_px >= _SMALLEST_IN_CELL * np.sqrt(containers[k].area_px)).all()
    }


def _surest_of_each(boxes: Boxes, cells: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which boxes stay: of each cell a plant before an empty place, then the surest."""
    order = np.lexsort((-boxes.confidence, boxes.is_empty, cells))
    _, first = np.unique(cells[order], return_index=True)
    keep = np.zeros(len(boxes), np.bool_)
    keep[order[first]] = True
    return keep
