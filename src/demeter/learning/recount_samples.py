"""Blind recounts as truth for the intervals: what people counted against what the machine saw."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.counts.models import BlindRecount, ContainerCount
from demeter.learning.calibration import CalibrationSample
from demeter.photos.models import Detection, PhotoSession, SessionStatus
from demeter.vision.interval.fit import Observation
from demeter.vision.interval.interval import Evidence
from demeter.vision.metrics.observations import NO_EVIDENCE
from demeter.vision_models import active


def samples_of_recounts(session: Session) -> list[CalibrationSample]:
    """Every blind recount of a count that the models now at work have made, oldest first.

    Counts made with other models, or whose estimate was unknown, say nothing about these.
    """
    _, rows, _ = active.choice_at_work(session)
    detect, segment = active.identities(*rows.values())
    hashes = {"detect": detect, "segment": segment}
    samples = []
    kept = (
        select(BlindRecount)
        .join(PhotoSession, PhotoSession.id == BlindRecount.session_id)
        .where(PhotoSession.status != SessionStatus.DISCARDED)
    )
    for recount in session.scalars(kept.order_by(BlindRecount.id)):
        if recount.machine_plants is None:
            continue
        containers = _containers(session, recount)
        if containers and all(_is_counted_by(c, hashes) for c in containers):
            samples.append(_sample(session, recount, containers))
    return samples


def _containers(session: Session, recount: BlindRecount) -> list[ContainerCount]:
    return list(
        session.scalars(
            select(ContainerCount)
            .where(
                ContainerCount.count_id == recount.count_id,
                ContainerCount.attempt == recount.attempt,
                ContainerCount.seen,
                ContainerCount.container_index.is_not(None),
            )
            .order_by(ContainerCount.container_index)
        )
    )


def _is_counted_by(row: ContainerCount, hashes: dict[str, str]) -> bool:
    return all(
        row.model_versions.get(task, "").endswith(f"@{sha256}") for task, sha256 in hashes.items()
    )


def _sample(
    session: Session, recount: BlindRecount, rows: list[ContainerCount]
) -> CalibrationSample:
    evidence = {row.container_index: _evidence(session, row) for row in rows}
    total = Observation(sum(evidence.values(), NO_EVIDENCE), recount.plants)
    plants_by_index = {int(index): plants for index, plants in recount.containers.items()}
    if len(rows) == 1:
        plants_by_index = {rows[0].container_index or 0: recount.plants}
    return CalibrationSample(
        total,
        tuple(Observation(evidence[index], n) for index, n in sorted(plants_by_index.items())),
    )


def _evidence(session: Session, row: ContainerCount) -> Evidence:
    """From the machine's own detections, whatever people removed or added since."""
    confidences = session.scalars(
        select(Detection.detection_confidence).where(
            Detection.container_count_id == row.id, Detection.is_empty_container.is_(False)
        )
    ).all()
    doubt = sum(c * (1 - c) for c in confidences)
    return Evidence(len(confidences), row.machine_estimated or 0, round(doubt, 6))
