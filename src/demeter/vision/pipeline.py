"""A photo in, a count out: the five steps of vision in order, without any state."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from demeter.core.notices import Notice
from demeter.vision.containers.find import containers_of, inner_outlines, whole_frame
from demeter.vision.errors import ImageRefused
from demeter.vision.estimate.estimate import FEWEST_DETECTIONS, estimate_container, no_estimate
from demeter.vision.estimate.places import limit_interval, limit_to_places, limit_total
from demeter.vision.hints import Hints
from demeter.vision.interval.interval import (
    Evidence,
    container_interval,
    evidence_of,
    total_interval,
)
from demeter.vision.judgement.judge import plants_likelihood
from demeter.vision.networks.devices import core_count
from demeter.vision.networks.model_set import ModelSet
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detect import DetectionResult, DetectRule, detect_plants
from demeter.vision.plants.one_a_place import PlantPlaces, one_a_place, unit_of
from demeter.vision.plants.scale_search import usual_plant_px
from demeter.vision.values import (
    Container,
    ContainerTally,
    CountUnit,
    DetectedBox,
    PhotoCount,
    ResidualEstimate,
)

# The confidence of a container that may be empty: where all were found, and where some were missed.
_SURELY_A_CONTAINER, _SURELY_EMPTY = 0.6, 0.8
# Fewer plants than this outside containers, a smaller share of all, or less sure, are strays.
_STRAY_PLANTS, _STRAY_SHARE, _AS_SURE = 2, 0.1, 0.9


def count(
    rgb: NDArray[np.uint8],
    models: ModelSet,
    hints: Hints | None = None,
    on_progress: Callable[[float], None] | None = None,
    rule: DetectRule | None = None,
) -> PhotoCount:
    """Count an upright photo [H, W, 3], RGB, 8 bits a channel: its plants, or occupied places.

    Places are counted where ``hints`` ask for them, or leave it to the kind of containers. A pot
    then counts at most 1, a tray at most the cells of its grid, one for each that holds
    something; the others' empty boxes stay. A tray whose grid is not found counts as plants
    are, and a warning says so. So do segments, boxes and the frame, without a warning: nobody
    can see their places, and a plant is taken to have one of its own.

    Where no container is found and the photo is not ``framed_whole``, the count has no
    containers: nothing is known of the photo, and the caller decides.

    Args:
        rgb: the photo's pixels, orientation already applied.
        models: the networks to count with.
        hints: what is known of the photo.
        on_progress: called with the share that is done, 0 to 1, never backwards.
        rule: thresholds of detection other than the default ones.

    Raises:
        ImageRefused: ``rgb`` is no such array.
    """
    _check(rgb)
    hints, rule = hints or Hints(), rule or DetectRule()
    progress = _forward_only(on_progress or (lambda _: None))
    containers, warnings = containers_of(rgb, models.segmenter, framed_whole=hints.framed_whole)
    progress(0.05)
    containers, detection, detection_warnings = _detect_in_containers(
        rgb, containers, models, hints, rule, progress
    )
    estimations, shares = _estimations(rgb, containers, detection, hints, progress)
    unit = unit_of(containers, hints.count_unit)
    # The residual was what no plant at all explains; which of them count is asked only now.
    reduced, places, place_warnings = _places(containers, detection, hints, unit)
    estimations = tuple(limit_to_places(e, p) for e, p in zip(estimations, places, strict=True))
    evidence = [_evidence(reduced, e) for e in estimations]
    counts = tuple(
        _tally(reduced, e, evidence[e.container], shares[e.container], places[e.container], models)
        for e in estimations
    )
    result = PhotoCount(
        width_px=rgb.shape[1],
        height_px=rgb.shape[0],
        containers=containers,
        detections=_detections(reduced),
        estimations=estimations,
        counts=counts,
        interval_90=_total_interval(evidence, counts, unit, models),
        models={"detect": models.detector.identity, "segment": models.segmenter.identity},
        parameters=_parameters(models, detection, rule),
        warnings=warnings + detection_warnings + place_warnings,
        plants_likelihood=_likelihood(rgb, detection, models) if containers else None,
        unit=unit,
    )
    progress(1.0)
    return result


def _places(
    containers: tuple[Container, ...], detection: DetectionResult, hints: Hints, unit: CountUnit
) -> tuple[DetectionResult, tuple[PlantPlaces, ...], tuple[Notice, ...]]:
    """The detections that count, and the places of containers where these are counted."""
    if unit is CountUnit.PLANTS:
        return detection, tuple(PlantPlaces() for _ in containers), ()
    return one_a_place(containers, detection, hints)


def _tally(
    detection: DetectionResult,
    estimation: ResidualEstimate,
    evidence: Evidence,
    residual_share: float,
    places: PlantPlaces,
    models: ModelSet,
) -> ContainerTally:
    is_known = estimation.estimated is not None
    interval = container_interval(evidence, models.errors) if is_known else None
    return ContainerTally(
        container=estimation.container,
        detected=evidence.detected,
        empty=int((_boxes_in(detection, estimation.container).is_empty).sum()),
        estimated=estimation.estimated,
        residual_share=residual_share,
        interval_90=limit_interval(interval, places),
    )


def _total_interval(
    evidence: list[Evidence], counts: tuple[ContainerTally, ...], unit: CountUnit, models: ModelSet
) -> tuple[int, int] | None:
    parts = [c.interval_90 for c in counts if c.interval_90 is not None]
    if not counts or len(parts) < len(counts):
        return None
    total = total_interval(evidence, models.errors)
    return total if unit is CountUnit.PLANTS else limit_total(total, parts)


def _detect_in_containers(
    rgb: NDArray[np.uint8],
    containers: tuple[Container, ...],
    models: ModelSet,
    hints: Hints,
    rule: DetectRule,
    progress: Callable[[float], None],
) -> tuple[tuple[Container, ...], DetectionResult, tuple[Notice, ...]]:
    """Detect what is in the containers; in a photo framed whole, also what is in none of them.

    Where more than a stray plant stands outside every container, containers were missed, and
    the frame counts as the bed of what they hold. A container that holds nothing and is not
    surely one is then a part of that bed.
    """
    searches_frame = hints.framed_whole and not any(c.whole_frame for c in containers)
    searched = containers
    if searches_frame:
        searched = (*containers, whole_frame((rgb.shape[1], rgb.shape[0])))
    detection = detect_plants(
        rgb, searched, models.detector, hints, rule=rule, on_progress=progress
    )
    credible, warnings = _credible_containers(searched, detection)
    if searches_frame:
        frame = len(containers)
        missed = _missed_plants(detection, frame)
        if missed:
            warnings += (Notice("plants_outside", {"plants": missed}),)
            holding = set(detection.container.tolist()) | {frame}
            credible = [
                k for k in credible if k in holding or searched[k].confidence >= _SURELY_EMPTY
            ]
        elif credible != [frame]:
            credible.remove(frame)
    return tuple(searched[k] for k in credible), detection.in_containers(credible), warnings


def _missed_plants(detection: DetectionResult, frame: int) -> int:
    """How many plants stand outside every container, 0 where they are but strays.

    Pebbles and moss around containers are taken for plants now and then, by some in every
    photo and less surely than plants are.
    """
    plants, confidence = ~detection.boxes.is_empty, detection.boxes.confidence
    outside = plants & (detection.container == frame)
    inside = plants & ~outside
    count = int(outside.sum())
    if count <= max(_STRAY_PLANTS, _STRAY_SHARE * int(plants.sum())):
        return 0
    if not inside.any():
        return count
    as_sure = np.median(confidence[outside]) / np.median(confidence[inside])
    return count if as_sure >= _AS_SURE else 0


def _credible_containers(
    containers: tuple[Container, ...], detection: DetectionResult
) -> tuple[list[int], tuple[Notice, ...]]:
    """Indices of the containers that hold something or are surely ones, and a warning of others.

    A patch of moss or a shadow is taken for a container now and then; nothing stands in it.
    """
    holds = np.bincount(detection.container, minlength=len(containers))
    credible = [
        k
        for k, c in enumerate(containers)
        if c.whole_frame or holds[k] or c.confidence >= _SURELY_A_CONTAINER
    ]
    doubtful = len(containers) - len(credible)
    warning = Notice("regions_left_out", {"regions": doubtful})
    return credible, (warning,) if doubtful else ()


def _check(rgb: NDArray[np.uint8]) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:  # noqa: PLR2004
        raise ImageRefused(f"A picture [H, W, 3] of 8 bits is needed, not {rgb.shape} {rgb.dtype}.")


def _forward_only(report: Callable[[float], None]) -> Callable[[float], None]:
    furthest = 0.0

    def forward(share: float) -> None:
        nonlocal furthest
        if share > furthest:
            furthest = share
            report(share)

    return forward


def _boxes_in(detection: DetectionResult, container: int) -> Boxes:
    return detection.boxes.where(detection.container == container)


def _estimations(
    rgb: NDArray[np.uint8],
    containers: tuple[Container, ...],
    detection: DetectionResult,
    hints: Hints,
    progress: Callable[[float], None],
) -> tuple[tuple[ResidualEstimate, ...], list[float]]:
    plants = detection.boxes.size_px[~detection.boxes.is_empty]
    typical = float(np.median(plants)) if len(plants) >= FEWEST_DETECTIONS else None
    usual_px, within = usual_plant_px(detection.boxes), inner_outlines(containers)

    def estimate(index: int) -> tuple[ResidualEstimate, float]:
        container = containers[index]
        if container.whole_frame and len(containers) > 1:
            return no_estimate(index, container), 0.0
        return estimate_container(
            rgb,
            container,
            _boxes_in(detection, index),
            hints,
            index=index,
            photo_plant_px=typical,
            faint=detection.faint,
            usual_px=usual_px,
            within=within[index],
        )

    # Containers are independent, and most of the work is done outside Python's lock.
    results = []
    with ThreadPoolExecutor(core_count()) as pool:
        for done, result in enumerate(pool.map(estimate, range(len(containers)))):
            results.append(result)
            progress(0.8 + 0.2 * (done + 1) / len(containers))
    return tuple(e for e, _ in results), [share for _, share in results]


def _evidence(detection: DetectionResult, estimation: ResidualEstimate) -> Evidence:
    boxes = _boxes_in(detection, estimation.container)
    return evidence_of(boxes.confidence[~boxes.is_empty], estimation.estimated or 0)


def _likelihood(
    rgb: NDArray[np.uint8], detection: DetectionResult, models: ModelSet
) -> float | None:
    """How likely the photo shows plants, where there is a judge of that."""
    if models.judge is None:
        return None
    plants = detection.boxes.where(~detection.boxes.is_empty)
    return round(plants_likelihood(rgb, plants, models.judge), 4)


def _detections(detection: DetectionResult) -> tuple[DetectedBox, ...]:
    """In the order of containers, then top to bottom; tenths of a pixel are kept."""
    boxes = detection.boxes
    corners = np.round(boxes.xyxy_px.astype(np.float64), 1).tolist()
    confidence = np.round(boxes.confidence.astype(np.float64), 4).tolist()
    rows = zip(
        corners, confidence, boxes.is_empty.tolist(), detection.container.tolist(), strict=True
    )
    return tuple(DetectedBox(tuple(xyxy), c, empty, home) for xyxy, c, empty, home in rows)


def _parameters(
    models: ModelSet, detection: DetectionResult, rule: DetectRule
) -> dict[str, object]:
    plant_px = detection.scale_estimate.plant_px
    return {
        "precision": models.detector.precision,
        "tile_px": models.detector.tile_px,
        "tiles": detection.tiles,
        "scale": [round(s, 4) for s in detection.scale],
        "plant_px": None if plant_px is None else round(plant_px, 1),
        "scales_looked_at": [list(e) for e in detection.scale_estimate.evidence],
        "detect": asdict(rule),
        "error_model": models.errors.source,
    }
