"""A photo in, a count out: the five steps of vision in order, without any state."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from demeter.vision.containers.find import containers_of, whole_frame, within_each
from demeter.vision.errors import ImageRefused
from demeter.vision.estimate.estimate import FEWEST_DETECTIONS, estimated, not_estimated
from demeter.vision.hints import Hints
from demeter.vision.interval.interval import (
    Evidence,
    container_interval,
    evidence_of,
    total_interval,
)
from demeter.vision.networks.devices import cores
from demeter.vision.networks.model_set import Models
from demeter.vision.plants.boxes import Boxes
from demeter.vision.plants.detect import DetectRule, Found, detected
from demeter.vision.plants.scale_search import usual_plant_px
from demeter.vision.values import Container, ContainerCount, Detection, Estimation, PhotoCount

# The confidence of a container that may be empty: where all were found, and where some were missed.
_SURELY_A_CONTAINER, _SURELY_EMPTY = 0.6, 0.8
# Fewer plants than this outside containers, a smaller share of all, or less sure, are strays.
_STRAY_PLANTS, _STRAY_SHARE, _AS_SURE = 2, 0.1, 0.9


def count(
    rgb: NDArray[np.uint8],
    models: Models,
    hints: Hints | None = None,
    on_progress: Callable[[float], None] | None = None,
    rule: DetectRule | None = None,
) -> PhotoCount:
    """Count the plants of an upright photo [H, W, 3], RGB, 8 bits a channel.

    Where no container is found and the photo is not ``framed_whole``, the count has no
    containers: nothing is known of the photo, and the caller decides.

    Args:
        rgb: the photo's pixels, orientation already applied.
        models: what to look with.
        hints: what is known of the photo.
        on_progress: told how much is done, 0 to 1, never backwards.
        rule: thresholds of detection other than the default ones.

    Raises:
        ImageRefused: ``rgb`` is no such array.
    """
    _check(rgb)
    hints, rule = hints or Hints(), rule or DetectRule()
    progress = _forward_only(on_progress or (lambda _: None))
    containers, warnings = containers_of(rgb, models.segmenter, framed_whole=hints.framed_whole)
    progress(0.05)
    containers, found, outside = _detected(rgb, containers, models, hints, rule, progress)
    estimations, shares = _estimations(rgb, containers, found, hints, progress)
    evidence = [_evidence(found, e) for e in estimations]
    known = [e.estimated is not None for e in estimations]
    counts = tuple(
        ContainerCount(
            container=e.container,
            detected=evidence[e.container].detected,
            empty=int((_in(found, e.container).is_empty).sum()),
            estimated=e.estimated,
            residual_share=shares[e.container],
            interval_90=container_interval(evidence[e.container], models.errors)
            if known[e.container]
            else None,
        )
        for e in estimations
    )
    result = PhotoCount(
        width_px=rgb.shape[1],
        height_px=rgb.shape[0],
        containers=containers,
        detections=_detections(found),
        estimations=estimations,
        counts=counts,
        interval_90=total_interval(evidence, models.errors) if known and all(known) else None,
        models={"detect": models.detector.identity, "segment": models.segmenter.identity},
        parameters=_parameters(models, found, rule),
        warnings=warnings + outside,
    )
    progress(1.0)
    return result


def _detected(
    rgb: NDArray[np.uint8],
    containers: tuple[Container, ...],
    models: Models,
    hints: Hints,
    rule: DetectRule,
    progress: Callable[[float], None],
) -> tuple[tuple[Container, ...], Found, tuple[str, ...]]:
    """What is in the containers; in a photo framed whole, also what is in none of them.

    Where more than a stray plant stands outside every container found, containers were
    missed, and the frame counts as the bed of what they hold. What was found there, holds
    nothing and is not surely a container is then a part of that bed.
    """
    looks_outside = hints.framed_whole and not any(c.whole_frame for c in containers)
    asked = containers
    if looks_outside:
        asked = (*containers, whole_frame((rgb.shape[1], rgb.shape[0])))
    found = detected(rgb, asked, models.detector, hints, rule=rule, on_progress=progress)
    kept, said = _credible(asked, found)
    if looks_outside:
        frame = len(containers)
        outside = _missed(found, frame)
        if outside:
            said += (f"{outside} plants stand outside every container found: in the frame.",)
            holding = set(found.container.tolist()) | {frame}
            kept = [k for k in kept if k in holding or asked[k].confidence >= _SURELY_EMPTY]
        elif kept != [frame]:
            kept.remove(frame)
    return tuple(asked[k] for k in kept), found.keeping(kept), said


def _missed(found: Found, frame: int) -> int:
    """How many plants stand outside every container, 0 where they are but strays.

    Pebbles and moss around containers are taken for plants now and then, by some in every
    photo and less surely than plants are.
    """
    plants = ~found.boxes.is_empty
    outside = plants & (found.container == frame)
    inside = plants & ~outside
    count = int(outside.sum())
    if count <= max(_STRAY_PLANTS, _STRAY_SHARE * int(plants.sum())):
        return 0
    if not inside.any():
        return count
    surely = np.median(found.boxes.confidence[outside]) / np.median(found.boxes.confidence[inside])
    return count if surely >= _AS_SURE else 0


def _credible(containers: tuple[Container, ...], found: Found) -> tuple[list[int], tuple[str, ...]]:
    """The containers that hold something or are surely containers, and what to say of others.

    A patch of moss or a shadow is taken for a container now and then; nothing stands in it.
    """
    holds = np.bincount(found.container, minlength=len(containers))
    kept = [
        k
        for k, c in enumerate(containers)
        if c.whole_frame or holds[k] or c.confidence >= _SURELY_A_CONTAINER
    ]
    left = len(containers) - len(kept)
    said = f"{left} regions that hold nothing and hardly look like containers were left out."
    return kept, (said,) if left else ()


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


def _in(found: Found, container: int) -> Boxes:
    return found.boxes.where(found.container == container)


def _estimations(
    rgb: NDArray[np.uint8],
    containers: tuple[Container, ...],
    found: Found,
    hints: Hints,
    progress: Callable[[float], None],
) -> tuple[tuple[Estimation, ...], list[float]]:
    plants = found.boxes.size_px[~found.boxes.is_empty]
    typical = float(np.median(plants)) if len(plants) >= FEWEST_DETECTIONS else None
    seen_px, within = usual_plant_px(found.boxes), within_each(containers)

    def estimate(index: int) -> tuple[Estimation, float]:
        container = containers[index]
        if container.whole_frame and len(containers) > 1:
            return not_estimated(index, container), 0.0
        return estimated(
            rgb,
            container,
            _in(found, index),
            hints,
            index=index,
            photo_plant_px=typical,
            faint=found.faint,
            seen_px=seen_px,
            within=within[index],
        )

    # Containers are independent, and most of the work is done outside Python's lock.
    results = []
    with ThreadPoolExecutor(cores()) as pool:
        for done, result in enumerate(pool.map(estimate, range(len(containers)))):
            results.append(result)
            progress(0.8 + 0.2 * (done + 1) / len(containers))
    return tuple(e for e, _ in results), [share for _, share in results]


def _evidence(found: Found, estimation: Estimation) -> Evidence:
    boxes = _in(found, estimation.container)
    return evidence_of(boxes.confidence[~boxes.is_empty], estimation.estimated or 0)


def _detections(found: Found) -> tuple[Detection, ...]:
    """In the order of containers, then top to bottom; tenths of a pixel are kept."""
    boxes = found.boxes
    corners = np.round(boxes.xyxy_px.astype(np.float64), 1).tolist()
    confidence = np.round(boxes.confidence.astype(np.float64), 4).tolist()
    rows = zip(corners, confidence, boxes.is_empty.tolist(), found.container.tolist(), strict=True)
    return tuple(Detection(tuple(xyxy), c, empty, home) for xyxy, c, empty, home in rows)


def _parameters(models: Models, found: Found, rule: DetectRule) -> dict[str, object]:
    return {
        "precision": models.detector.precision,
        "tile_px": models.detector.tile_px,
        "tiles": found.tiles,
        "scale": [round(s, 4) for s in found.scale],
        "plant_px": None if found.look.plant_px is None else round(found.look.plant_px, 1),
        "scales_looked_at": [list(e) for e in found.look.evidence],
        "detect": asdict(rule),
        "error_model": models.errors.source,
    }
