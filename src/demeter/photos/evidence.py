"""What was seen, as rows: a count, its containers, detections and estimations.

Evidence is written for every session whose photos were read, posted or not; posting
later needs no new inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from demeter.core.notices import read_notices
from demeter.core.wording import english
from demeter.counts import blind_recounts
from demeter.counts.models import ContainerCount, Count
from demeter.counts.queries import standing_count
from demeter.locations.models import StorageLocation
from demeter.photos import pair_results, person_edits
from demeter.photos.bins import Segment
from demeter.photos.models import (
    Detection,
    Estimation,
    PhotoSession,
    SessionImage,
    SessionImageStatus,
)
from demeter.stock.models import SourceType
from demeter.vision.values import ContainerType, CountUnit, PhotoCount


@dataclass(frozen=True, slots=True)
class ImageCount:
    """One image of a session that was counted."""

    row: SessionImage
    photo: PhotoCount


@dataclass(frozen=True, slots=True)
class Results:
    """What the children of a session left: the counted images and the failed ones."""

    counted: tuple[ImageCount, ...]
    failed: tuple[SessionImage, ...]

    @property
    def containers(self) -> int:
        """How many containers were found over all images."""
        return sum(len(image.photo.containers) for image in self.counted)

    @property
    def units(self) -> dict[CountUnit, list[int]]:
        """The positions of the images that show containers, by what was counted in them."""
        units: dict[CountUnit, list[int]] = {}
        for image in self.counted:
            if image.photo.containers:
                units.setdefault(image.photo.unit, []).append(image.row.position)
        return units

    @property
    def unit(self) -> CountUnit | None:
        """What the whole counts: places where all images do, else plants; of nothing, neither."""
        if not self.units:
            return None
        places = set(self.units) == {CountUnit.CONTAINERS}
        return CountUnit.CONTAINERS if places else CountUnit.PLANTS


def results_of(photo_session: PhotoSession) -> Results:
    """Read the answers that the children kept, in the order of the images."""
    counted = [
        ImageCount(row, PhotoCount.from_json(row.result))
        for row in photo_session.images
        if row.status is SessionImageStatus.SUCCEEDED and row.result is not None
    ]
    failed = [r for r in photo_session.images if r.status is SessionImageStatus.FAILED]
    return Results(tuple(counted), tuple(failed))


def summarise(photo_session: PhotoSession, results: Results) -> None:
    """Totals onto the session; what any image could not say is unknown for the whole."""
    photos = [image.photo for image in results.counted]
    plants = [d for p in photos for d in p.detections if not d.is_empty_container]
    photo_session.total_detected = sum(p.detected for p in photos) if photos else None
    estimates = [p.estimated for p in photos]
    unknown = not photos or any(e is None for e in estimates)
    photo_session.total_estimated = None if unknown else sum(e or 0 for e in estimates)
    photo_session.total_empty_containers = (
        sum(c.empty for p in photos for c in p.counts) if photos else None
    )
    photo_session.avg_confidence = (
        sum(d.confidence for d in plants) / len(plants) if plants else None
    )
    low, high = total_interval(photos)
    photo_session.interval_low, photo_session.interval_high = low, high
    photo_session.category_counts = {
        kind.value: sum(c.container_type is kind for p in photos for c in p.containers)
        for kind in ContainerType
    }
    warnings = {*read_notices(photo_session.warnings), *(w for p in photos for w in p.warnings)}
    photo_session.warnings = [w.to_json() for w in sorted(warnings, key=english)]


def has_containers(photo_session: PhotoSession) -> bool:
    """Whether this attempt found any container."""
    return any((photo_session.category_counts or {}).values())


def total_interval(photos: Sequence[PhotoCount]) -> tuple[int | None, int | None]:
    """The 90 % interval of the sum, for images whose errors are independent.

    Distances from each answer to its bounds add in squares (variance of a sum of
    independent errors); ``(None, None)`` where an image has no interval.
    """
    if not photos or any(p.interval_90 is None for p in photos):
        return None, None
    total = sum(p.detected + (p.estimated or 0) for p in photos)
    below = above = 0.0
    for photo in photos:
        assert photo.interval_90 is not None
        answer = photo.detected + (photo.estimated or 0)
        below += (answer - photo.interval_90[0]) ** 2
        above += (photo.interval_90[1] - answer) ** 2
    return max(0, round(total - below**0.5)), round(total + above**0.5)


def segments_of(results: Results) -> list[Segment]:
    """The containers of all images as segments, numbered over the whole session."""
    segments: list[Segment] = []
    for image in results.counted:
        returns = pair_results.returns_of(image.row)
        chosen = person_edits.chosen_bins(image.row)
        for place, container in enumerate(image.photo.containers):
            segments.append(
                Segment(
                    index=len(segments) + 1,
                    image_id=image.row.image_id,
                    view=image.row.position,
                    category=container.container_type,
                    polygon_px=container.polygon_px,
                    area_px=container.area_px,
                    confidence=container.confidence,
                    width_px=image.photo.width_px,
                    height_px=image.photo.height_px,
                    model_version=image.photo.models.get("segment", "unknown"),
                    returns=returns,
                    bin_id=chosen[place] if chosen else None,
                )
            )
    return segments


def keep_evidence(
    session: Session, photo_session: PhotoSession, location: StorageLocation, results: Results
) -> Count:
    """Write the session's count for this attempt with all that it rests on; unposted."""
    count = standing_count(session, photo_session.id)
    if count is None:
        count = Count(
            blind_until=_blind_until(session, photo_session, results),
            storage_location_id=location.location_id,
            captured_at=photo_session.captured_at,
            source_type=SourceType.IA,
            processing_session_id=photo_session.id,
            counted_by_user_id=photo_session.uploaded_by_user_id,
        )
        session.add(count)
    count.attempt = photo_session.attempt
    count.unit = results.unit
    count.interval_low = photo_session.interval_low
    count.interval_high = photo_session.interval_high
    session.flush()
    index = 0
    for image in results.counted:
        rows = _container_rows(image, count, first_index=index + 1)
        index += len(rows)
        session.add_all(rows)
        session.flush()
        _insert_detections(session, image, rows)
        _insert_estimations(session, image, rows)
    session.expire(count)
    return count


def _blind_until(
    session: Session, photo_session: PhotoSession, results: Results
) -> datetime | None:
    """An empty bed that a person confirms has nothing to recount."""
    if not results.containers:
        return None
    return blind_recounts.blind_until(session, photo_session.id, photo_session.session_id)


def _container_rows(image: ImageCount, count: Count, first_index: int) -> list[ContainerCount]:
    photo = image.photo
    estimations = {e.container: e for e in photo.estimations}
    segments = photo.to_json()["segments"]
    rows = []
    for container, counted in zip(photo.containers, photo.counts, strict=True):
        estimation = estimations.get(counted.container)
        why = estimation.unknown_reason if estimation else None
        low, high = counted.interval_90 or (None, None)
        rows.append(
            ContainerCount(
                count_id=count.id,
                processing_session_id=count.processing_session_id,
                attempt=count.attempt,
                image_id=image.row.image_id,
                container_index=first_index + counted.container,
                container_type=container.container_type,
                segment=segments[counted.container],
                machine_detected=counted.detected,
                machine_estimated=counted.estimated,
                machine_empty=counted.empty,
                unknown_reason=english(why) if why else None,
                unknown_notice=why.to_json() if why else None,
                residual_share=min(max(counted.residual_share, 0.0), 1.0),
                interval_low=low,
                interval_high=high,
                confidence=container.confidence,
                model_versions=photo.models,
                parameters=photo.parameters,
            )
        )
    return rows


def _insert_detections(session: Session, image: ImageCount, rows: Sequence[ContainerCount]) -> None:
    values: list[dict[str, Any]] = []
    for detection in image.photo.detections:
        x1, y1, x2, y2 = detection.xyxy_px
        values.append(
            _ties(image, rows[detection.container])
            | {
                "center_x_px": (x1 + x2) / 2,
                "center_y_px": (y1 + y2) / 2,
                "width_px": x2 - x1,
                "height_px": y2 - y1,
                "bbox_coordinates": {"x1": x1, "y1": y1, "x2": x2, "y2": y2},
                "detection_confidence": detection.confidence,
                "is_empty_container": detection.is_empty_container,
            }
        )
    if values:
        session.execute(insert(Detection), values)


def _insert_estimations(
    session: Session, image: ImageCount, rows: Sequence[ContainerCount]
) -> None:
    values = [
        _ties(image, rows[estimation.container])
        | {
            "vegetation_polygon": [list(point) for point in estimation.polygon_px],
            "residual_area_px": estimation.residual_area_px,
            "detected_area_cm2": estimation.residual_area_cm2,
            "estimated_count": estimation.estimated,
            "unknown_reason": english(estimation.unknown_reason)
            if estimation.unknown_reason
            else None,
            "calculation_method": estimation.method.value,
            "estimation_confidence": estimation.confidence,
            "used_density_parameters": estimation.method.value == "density_estimation",
            "bands": [asdict(band) for band in estimation.bands],
            "parameters": estimation.parameters,
        }
        for estimation in image.photo.estimations
    ]
    if values:
        session.execute(insert(Estimation), values)


def _ties(image: ImageCount, row: ContainerCount) -> dict[str, Any]:
    return {
        "session_id": row.processing_session_id,
        "attempt": row.attempt,
        "image_id": image.row.image_id,
        "container_count_id": row.id,
    }
