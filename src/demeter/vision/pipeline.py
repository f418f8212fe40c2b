"""A photo in, a count out: the five steps of vision in order, without any state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from demeter.vision.boxes import Boxes
from demeter.vision.detect import DetectRule, Found, detected
from demeter.vision.errors import ImageRefused
from demeter.vision.estimate import FEWEST_DETECTIONS, estimated
from demeter.vision.hints import Hints
from demeter.vision.interval import Evidence, container_interval, evidence_of, total_interval
from demeter.vision.models import Models
from demeter.vision.segment import containers_of, whole_frame, within
from demeter.vision.values import Container, ContainerCount, Detection, Estimation, PhotoCount

# Fewer plants than this, or a smaller share of all, outside containers are strays.
_SURELY_A_CONTAINER = 0.6  # the confidence of one that may be empty
_STRAY_PLANTS, _STRAY_SHARE = 2, 0.05


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
    missed, and the frame counts as the bed of what they hold.
    """
    looks_outside = hints.framed_whole and not any(c.whole_frame for c in containers)
    asked = containers
    if looks_outside:
        asked = (*containers, whole_frame((rgb.shape[1], rgb.shape[0])))
    found = detected(rgb, asked, models.detector, hints, rule=rule, on_progress=progress)
    kept, said = _credible(asked, found)
    if looks_outside:
        frame = len(containers)
        outside = int((~found.boxes.is_empty & (found.container == frame)).sum())
        plants = int((~found.boxes.is_empty).sum())
        if outside > max(_STRAY_PLANTS, _STRAY_SHARE * plants):
            said += (f"{outside} plants stand outside every container found: in the frame.",)
        elif kept != [frame]:
            kept.remove(frame)
    return tuple(asked[k] for k in kept), found.keeping(kept), said


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
    results = []
    for index, container in enumerate(containers):
        boxes = _in(found, index)
        results.append(
            estimated(
                rgb,
                container,
                boxes,
                hints,
                index=index,
                photo_plant_px=typical,
                faint=found.faint,
                within=within(index, containers),
            )
        )
        progress(0.8 + 0.2 * (index + 1) / len(containers))
    return tuple(e for e, _ in results), [share for _, share in results]


def _evidence(found: Found, estimation: Estimation) -> Evidence:
    boxes = _in(found, estimation.container)
    return evidence_of(boxes.confidence[~boxes.is_empty], estimation.estimated or 0)


def _detections(found: Found) -> tuple[Detection, ...]:
    """In the order of containers, then top to bottom; tenths of a pixel are kept."""
    boxes = found.boxes
    return tuple(
        Detection(
            xyxy_px=tuple(round(float(v), 1) for v in boxes.xyxy_px[i]),  # type: ignore[arg-type]
            confidence=round(float(boxes.confidence[i]), 4),
            is_empty_container=bool(boxes.is_empty[i]),
            container=int(found.container[i]),
        )
        for i in range(len(boxes))
    )


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
