"""Maps of an import, drawn into the page: the polygons are the map."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demeter.core.notices import Notice
from demeter.imports.schemas import ImportRowRead

WIDE = 1000.0  # units of a drawing across
PADDING = 0.04


@dataclass(frozen=True, slots=True)
class MapShape:
    """A polygon as the path of an SVG; ``kind`` is a class of its own."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class MapWord:
    """A name on a map."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class MapDrawing:
    """A drawing with its frame."""

    width: float
    height: float
    shapes: list[MapShape]
    words: list[MapWord]


def whole_map(outline: Sequence[dict[str, Any]]) -> MapDrawing:
    """All places; beds that overlap stand out, greenhouses have their names."""
    lying = {code for place in outline for code in place["overlaps"]}
    lying |= {place["code"] for place in outline if place["overlaps"]}
    frame = _Frame(point for place in outline for point in place["ring"])
    shapes = [
        MapShape(frame.path(place["ring"]), _kind(place, lying))
        for place in outline
        if place["level"] != "area"
    ]
    shapes.sort(key=lambda shape: shape.kind == "over")
    words = [
        MapWord(*frame.middle(place["ring"]), place["name"])
        for place in outline
        if place["level"] == "warehouse"
    ]
    return MapDrawing(frame.width, frame.height, shapes, words)


def pair_map(
    outline: Sequence[dict[str, Any]], pairs: Sequence[tuple[ImportRowRead, Notice]]
) -> MapDrawing | None:
    """The two beds that overlap most, enlarged; ``None`` where none do."""
    if not pairs:
        return None
    row, notice = pairs[0]
    codes = (row.code, notice.params["code"])
    both = [place for place in outline if place["code"] in codes and place["level"] == "location"]
    frame = _Frame(point for place in both for point in place["ring"])
    shapes = [MapShape(frame.path(place["ring"]), "over") for place in both]
    words = [MapWord(*frame.middle(place["ring"]), place["code"]) for place in both]
    return MapDrawing(frame.width, frame.height, shapes, words)


def _kind(place: dict[str, Any], lying: set[str]) -> str:
    if place["level"] == "warehouse":
        return "house"
    return "over" if place["code"] in lying else "bed"


class _Frame:
    """Degrees as units of a drawing: north is up, and a metre as long both ways."""

    def __init__(self, points: Iterable[Sequence[float]]) -> None:
        known = [(float(x), float(y)) for x, y in points] or [(0.0, 0.0)]
        self._west = min(x for x, _ in known)
        self._north = max(y for _, y in known)
        south = min(y for _, y in known)
        self._narrow = math.cos(math.radians((self._north + south) / 2))
        across = (max(x for x, _ in known) - self._west) * self._narrow
        down = self._north - south
        self._scale = WIDE / (max(across, down) or 1.0)
        self._pad = WIDE * PADDING
        self.width = round(across * self._scale + 2 * self._pad, 1)
        self.height = round(down * self._scale + 2 * self._pad, 1)

    def path(self, ring: Sequence[Sequence[float]]) -> str:
        """A ring as the data of an SVG's path."""
        points = [self._at(x, y) for x, y in ring]
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"

    def middle(self, ring: Sequence[Sequence[float]]) -> tuple[float, float]:
        """The middle of a ring's frame."""
        points = [self._at(x, y) for x, y in ring]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return round((min(xs) + max(xs)) / 2, 1), round((min(ys) + max(ys)) / 2, 1)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return (
            (x - self._west) * self._narrow * self._scale + self._pad,
            (self._north - y) * self._scale + self._pad,
        )
