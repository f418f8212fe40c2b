"""A photo's count in containers that a person drew: the same plants, sorted anew.

Nothing is looked at again. What was detected stands where it stood; what was estimated is
divided by where its residual lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from shapely.geometry.base import BaseGeometry

from demeter.vision.containers.estimate_shares import (
    EstimateShare,
    divide_estimates,
    join_shares,
)
from demeter.vision.containers.territories import Territories, shape_of
from demeter.vision.interval.interval import (
    ErrorModel,
    Evidence,
    container_interval,
    evidence_of,
    total_interval,
)
from demeter.vision.values import (
    Container,
    ContainerTally,
    DetectedBox,
    PhotoCount,
    ResidualEstimate,
)

Interval = tuple[int, int] | None
_SHARED = 0.02  # of a container: less is a border that two have in common


@dataclass(frozen=True, slots=True)
class Redrawing:
    """A photo in its new containers, and the plants that were estimated outside of all."""

    photo: PhotoCount
    estimated_outside: int


def redraw(
    machine: PhotoCount,
    containers: Sequence[Container],
    territories: Territories,
    detections: Sequence[DetectedBox],
    errors: ErrorModel | None,
) -> Redrawing:
    """Count in ``containers`` what the machine saw; ``detections`` are sorted into them already.

    A container whose outline is one of the machine's keeps that one's estimate. Other
    estimates go to the outlines by the share of their residual on each one's ground; an
    unknown estimate stays unknown wherever part of it lies.

    Intervals are made anew from the confidences and the estimate with ``errors``, the error
    model that the machine's were made with. Where that is not at hand (``None``) the
    distances of the machine's containers that a new one has plants of are added in squares:
    wide rather than narrow. The photo's own interval stays while all its plants do.
    """
    kept = _kept_outlines(machine, containers)
    parts, outside = divide_estimates(machine, territories, kept)
    grounds = territories.grounds
    own = [[d for d in detections if d.container == i] for i in range(len(containers))]
    estimations = [
        join_shares(i, parts[i], grounds[i], is_kept=i in kept) for i in range(len(containers))
    ]
    tallies = [
        _tally(machine, container, own[i], estimations[i], parts[i])
        for i, container in enumerate(containers)
    ]
    photo = replace(
        machine,
        containers=tuple(containers),
        detections=tuple(detections),
        estimations=tuple(estimations),
        counts=tuple(
            _as_before(machine, tally, kept)
            or replace(tally, interval_90=_interval(machine, own[i], tally, grounds[i], errors))
            for i, tally in enumerate(tallies)
        ),
    )
    return Redrawing(replace(photo, interval_90=_total_interval(machine, photo, errors)), outside)


def _kept_outlines(machine: PhotoCount, containers: Sequence[Container]) -> dict[int, int]:
    """New containers by the machine's of the very same outline; each of those once."""
    free = {c.polygon_px: k for k, c in enumerate(machine.containers)}
    kept = {}
    for i, container in enumerate(containers):
        k = free.pop(container.polygon_px, None)
        if k is not None:
            kept[i] = k
    return kept


def _as_before(
    machine: PhotoCount, tally: ContainerTally, kept: Mapping[int, int]
) -> ContainerTally | None:
    """The machine's own answer where nothing of a container changed."""
    if tally.container not in kept:
        return None
    before = replace(machine.counts[kept[tally.container]], container=tally.container)
    same = (before.detected, before.empty, before.estimated)
    return before if same == (tally.detected, tally.empty, tally.estimated) else None


def _tally(
    machine: PhotoCount,
    container: Container,
    own: Sequence[DetectedBox],
    estimation: ResidualEstimate,
    parts: Sequence[EstimateShare],
) -> ContainerTally:
    detected = sum(not d.is_empty_container for d in own)
    unexplained = sum(
        machine.counts[p.of.container].residual_share
        * machine.containers[p.of.container].area_px
        * p.share
        for p in parts
    )
    return ContainerTally(
        container=estimation.container,
        detected=detected,
        empty=len(own) - detected,
        estimated=estimation.estimated,
        residual_share=round(min(1.0, unexplained / max(1, container.area_px)), 4),
        interval_90=None,
    )


def _interval(
    machine: PhotoCount,
    own: Sequence[DetectedBox],
    tally: ContainerTally,
    ground: BaseGeometry,
    errors: ErrorModel | None,
) -> Interval:
    if tally.estimated is None:
        return None
    if errors is not None:
        return container_interval(_evidence(own, tally.estimated), errors)
    return _widen(machine, tally.detected + tally.estimated, ground)


def _widen(machine: PhotoCount, count: int, ground: BaseGeometry) -> Interval:
    """A count with the distances of the machine's containers on whose ground it stands."""
    below = above = 0.0
    for container, before in zip(machine.containers, machine.counts, strict=True):
        if not shape_of(container.polygon_px).intersection(ground).area >= _SHARED * ground.area:
            continue
        if before.interval_90 is None:
            return None
        answer = before.detected + (before.estimated or 0)
        below += (answer - before.interval_90[0]) ** 2
        above += (before.interval_90[1] - answer) ** 2
    return max(0, round(count - below**0.5)), round(count + above**0.5)


def _total_interval(machine: PhotoCount, photo: PhotoCount, errors: ErrorModel | None) -> Interval:
    if photo.estimated is None:
        return None
    before, now = (p.detected + (p.estimated or 0) for p in (machine, photo))
    if machine.interval_90 is not None and (before == now or errors is None):
        low, high = machine.interval_90
        return max(0, low + now - before), high + now - before
    if errors is None:
        return None
    return total_interval([_evidence_in(photo, c) for c in photo.counts], errors)


def _evidence_in(photo: PhotoCount, tally: ContainerTally) -> Evidence:
    own = [d for d in photo.detections if d.container == tally.container]
    return _evidence(own, tally.estimated or 0)


def _evidence(own: Sequence[DetectedBox], estimated: int) -> Evidence:
    sure = np.array([d.confidence for d in own if not d.is_empty_container], np.float32)
    return evidence_of(sure, estimated)
