"""What vision says about a photo: frozen values that a test makes without a database.

Coordinates named ``_px`` are pixels of the upright image, x to the right and y down.
A count of ``None`` means "not known", never zero.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from demeter.core.notices import Notice, read_notice, read_notices

Box = tuple[float, float, float, float]  # corners x1, y1, x2, y2


class ContainerType(StrEnum):
    """The five kinds of container that a nursery keeps plants in."""

    SEGMENT = "segment"
    BOX = "box"
    PLUG = "plug"
    SEEDLING_TRAY = "seedling_tray"
    POT = "pot"


class EstimationMethod(StrEnum):
    """How plants that detection could not separate were counted."""

    BANDS = "band_estimation"
    DENSITY = "density_estimation"
    GRID = "grid_analysis"


class CountUnit(StrEnum):
    """What a count counts: plants, or places that are occupied, whatever stands in each."""

    PLANTS = "plants"
    CONTAINERS = "containers"


@dataclass(frozen=True, slots=True)
class Container:
    """One container: where it is, what it is, and how sure that is.

    ``label`` is what the model called it; an unknown label becomes a segment and is
    named in the photo's warnings. ``whole_frame`` is true where no container was found
    and the frame itself stands for the bed (SPEC "framed_whole").
    """

    label: str
    container_type: ContainerType
    polygon_px: tuple[tuple[int, int], ...]
    area_px: int
    confidence: float
    whole_frame: bool = False


@dataclass(frozen=True, slots=True)
class DetectedBox:
    """One plant or one empty container; ``container`` indexes ``PhotoCount.containers``."""

    xyxy_px: Box
    confidence: float
    is_empty_container: bool
    container: int


@dataclass(frozen=True, slots=True)
class Band:
    """A horizontal strip of a container: how much is unexplained and what it may hold."""

    top_px: int
    bottom_px: int
    residual_area_px: int
    plant_area_px: float
    estimated: int


@dataclass(frozen=True, slots=True)
class ResidualEstimate:
    """Plants in the residual of one container.

    ``estimated`` is ``None`` where neither detections nor a density parameter could say;
    ``unknown_reason`` then says why. ``polygon_px`` is the convex hull of the residual and
    ``residual_polygons_px`` the outlines of its parts; both are empty where there is none.
    """

    container: int
    method: EstimationMethod
    estimated: int | None
    unknown_reason: Notice | None
    confidence: float
    polygon_px: tuple[tuple[int, int], ...]
    residual_area_px: int
    residual_area_cm2: float | None
    bands: tuple[Band, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    residual_polygons_px: tuple[tuple[tuple[int, int], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerTally:
    """The machine's answer for one container, with its 90 % interval (inclusive bounds).

    ``residual_share`` is the part of the container's area that detections leave
    unexplained and that looks like plants, 0 to 1.
    """

    container: int
    detected: int
    empty: int
    estimated: int | None
    residual_share: float
    interval_90: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class PhotoCount:
    """Everything vision says about one photo; sorted, so that two runs are equal.

    ``models`` maps a task (``detect``, ``segment``) to ``name@sha256``; ``parameters``
    holds what shaped the detections (tile size, scales, thresholds, precision).
    ``counts`` has one row a container, in the order of ``containers``. ``plants_likelihood`` is
    how likely the photo shows plants at all, 0 to 1; ``None`` where nothing judged that.
    ``unit`` is what all its numbers count.
    """

    width_px: int
    height_px: int
    containers: tuple[Container, ...]
    detections: tuple[DetectedBox, ...]
    estimations: tuple[ResidualEstimate, ...]
    counts: tuple[ContainerTally, ...]
    interval_90: tuple[int, int] | None
    models: dict[str, str]
    parameters: dict[str, Any]
    warnings: tuple[Notice, ...] = ()
    plants_likelihood: float | None = None
    unit: CountUnit = CountUnit.PLANTS

    @property
    def detected(self) -> int:
        """Plants detected, empties not among them."""
        return sum(c.detected for c in self.counts)

    @property
    def estimated(self) -> int | None:
        """Plants estimated beyond the detected; ``None`` when any container is unknown."""
        parts = [c.estimated for c in self.counts]
        return None if any(p is None for p in parts) else sum(p or 0 for p in parts)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values: ``segments`` as in SPEC §3.4, ``detections``, ``estimations``.

        ``segments[i]["bbox"]`` is normalised to 0..1 by the upright image's size.
        """
        body = asdict(self)
        body["segments"] = [
            {
                "container_type": c.label,
                "bbox": self._normalised_bbox(c),
                "polygon": [list(p) for p in c.polygon_px],
                "area_pixels": c.area_px,
                "confidence": c.confidence,
                "whole_frame": c.whole_frame,
            }
            for c in self.containers
        ]
        del body["containers"]
        return body

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> PhotoCount:
        """The inverse of `to_json`.

        Raises:
            KeyError: a part is missing, named by the key.
        """
        containers = tuple(
            Container(
                label=s["container_type"],
                container_type=container_type_of(s["container_type"]) or ContainerType.SEGMENT,
                polygon_px=tuple((int(x), int(y)) for x, y in s["polygon"]),
                area_px=int(s["area_pixels"]),
                confidence=float(s["confidence"]),
                whole_frame=bool(s.get("whole_frame", False)),
            )
            for s in body["segments"]
        )
        detections = tuple(
            DetectedBox(
                tuple(d["xyxy_px"]), d["confidence"], d["is_empty_container"], d["container"]
            )
            for d in body["detections"]
        )
        estimations = tuple(
            ResidualEstimate(
                container=e["container"],
                method=EstimationMethod(e["method"]),
                estimated=e["estimated"],
                unknown_reason=read_notice(e["unknown_reason"]),
                confidence=e["confidence"],
                polygon_px=tuple((int(x), int(y)) for x, y in e["polygon_px"]),
                residual_area_px=e["residual_area_px"],
                residual_area_cm2=e["residual_area_cm2"],
                bands=tuple(Band(**b) for b in e["bands"]),
                parameters=e["parameters"],
                residual_polygons_px=tuple(
                    tuple((int(x), int(y)) for x, y in part)
                    for part in e.get("residual_polygons_px", ())
                ),
            )
            for e in body["estimations"]
        )
        counts = tuple(
            ContainerTally(
                container=c["container"],
                detected=c["detected"],
                empty=c["empty"],
                estimated=c["estimated"],
                residual_share=c["residual_share"],
                interval_90=_pair(c["interval_90"]),
            )
            for c in body["counts"]
        )
        return cls(
            width_px=body["width_px"],
            height_px=body["height_px"],
            containers=containers,
            detections=detections,
            estimations=estimations,
            counts=counts,
            interval_90=_pair(body["interval_90"]),
            models=body["models"],
            parameters=body["parameters"],
            warnings=tuple(read_notices(body["warnings"])),
            plants_likelihood=body.get("plants_likelihood"),
            unit=CountUnit(body.get("unit", CountUnit.PLANTS)),
        )

    def _normalised_bbox(self, container: Container) -> list[float]:
        xs = [x for x, _ in container.polygon_px]
        ys = [y for _, y in container.polygon_px]
        w, h = self.width_px, self.height_px
        return [min(xs) / w, min(ys) / h, max(xs) / w, max(ys) / h]


_LABELS = {
    "segment": ContainerType.SEGMENT,
    "claro-cajon": ContainerType.SEGMENT,
    "segmento": ContainerType.SEGMENT,
    "box": ContainerType.BOX,
    "cajon": ContainerType.BOX,
    "plug": ContainerType.PLUG,
    "almacigo": ContainerType.SEEDLING_TRAY,
    "seedling_tray": ContainerType.SEEDLING_TRAY,
    "pot": ContainerType.POT,
    "maceta": ContainerType.POT,
}


def plain_label(label: str) -> str:
    """A label as labels are compared: no capitals, no accents, ``_`` for blanks."""
    letters = unicodedata.normalize("NFKD", "_".join(label.split()).lower())
    return "".join(c for c in letters if not unicodedata.combining(c))


def container_type_of(label: str) -> ContainerType | None:
    """The kind a model's label means, by its `plain_label`; ``None`` if unknown."""
    return _LABELS.get(plain_label(label))


def _pair(bounds: list[int] | tuple[int, int] | None) -> tuple[int, int] | None:
    return None if bounds is None else (int(bounds[0]), int(bounds[1]))
