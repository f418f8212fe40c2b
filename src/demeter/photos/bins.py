"""Storage bins from what vision saw: recognised where they were before, made where not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.errors import error_sentence
from demeter.core.settings import settings
from demeter.locations.bins import default_bin_type, photo_bins
from demeter.locations.models import BinStatus, StorageBin, StorageLocation
from demeter.photos.bin_recognition import (
    EarlierOutline,
    Outline,
    in_same_view,
    normalise_homography,
    outline,
    recognise,
    through_homographies,
)
from demeter.photos.errors import CannotCreateBins
from demeter.vision.values import ContainerType

log = logs.get(__name__)

CODE = re.compile(r"^[A-Z0-9_-]+-[A-Z0-9_-]+-[A-Z0-9_-]+-[A-Z0-9_-]+$")


@dataclass(frozen=True, slots=True)
class Segment:
    """One container as a session saw it; ``index`` runs over the whole session from 1.

    ``polygon_px`` is in pixels of the upright image of ``width_px`` by ``height_px``;
    ``view`` numbers that image within its session; ``returns`` are the homographies from
    pixels of earlier sessions' images, by their id, to pixels of that image. ``bin_id`` is
    the bin that a person says it is.
    """

    index: int
    image_id: UUID
    view: int
    category: ContainerType
    polygon_px: tuple[tuple[int, int], ...]
    area_px: int
    confidence: float
    width_px: int
    height_px: int
    model_version: str
    returns: Mapping[UUID, tuple[tuple[float, ...], ...]] = field(default_factory=dict)
    bin_id: int | None = None

    @property
    def outline(self) -> Outline:
        """For recognition."""
        return outline(self.category, self.view, self.polygon_px, self.width_px, self.height_px)


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Where and when segments were seen: a session's facts, by value."""

    session_id: int
    session_created_at: datetime
    detected_at: datetime


def create_storage_bins(
    session: Session, location: StorageLocation, facts: SessionFacts, segments: Sequence[Segment]
) -> list[StorageBin]:
    """One bin for each segment, in their order: a known one recognised, or a new one.

    Raises:
        CannotCreateBins: any failure on the way, with its cause chained.
    """
    try:
        known = photo_bins(session, location)
        matches = _matches(session, known, segments)
        offset = _highest_index(session, location, facts)
        bins = [
            _renew_metadata(session, known[matches[i]], facts, segment)
            if i in matches
            else _new_bin(session, location, facts, segment, offset)
            for i, segment in enumerate(segments)
        ]
        session.flush()
    except (SQLAlchemyError, KeyError, ValueError, TypeError) as error:
        raise CannotCreateBins(
            f"Cannot create StorageBins: {error_sentence(error)}",
            session_id=facts.session_id,
            location_code=location.code,
        ) from error
    log.info("bins_ready", session_id=facts.session_id, recognised=len(matches), bins=len(bins))
    return bins


@dataclass(frozen=True, slots=True)
class BinMatches:
    """Which known bin each segment is, by id, ``None`` for a new one; and the ids of all known."""

    by_segment: tuple[int | None, ...]
    known: frozenset[int]


def match_bins(
    session: Session, location: StorageLocation, segments: Sequence[Segment]
) -> BinMatches:
    """Recognise the bins that segments show, without making any."""
    known = photo_bins(session, location)
    matches = _matches(session, known, segments)
    ids = [known[matches[i]].bin_id if i in matches else None for i in range(len(segments))]
    return BinMatches(tuple(ids), frozenset(storage_bin.bin_id for storage_bin in known))


def _matches(
    session: Session, known: Sequence[StorageBin], segments: Sequence[Segment]
) -> dict[int, int]:
    """Indices of segments to indices of known bins: those that a person chose, then others."""
    places = {storage_bin.bin_id: k for k, storage_bin in enumerate(known)}
    chosen = {i: places[s.bin_id] for i, s in enumerate(segments) if s.bin_id in places}
    rest = [i for i in range(len(segments)) if i not in chosen]
    free = [k for k in range(len(known)) if k not in chosen.values()]
    views = _views(session, known)
    before = [_earlier_outline(known[k], views, segments) for k in free]
    found = recognise([segments[i].outline for i in rest], before, settings().bin_match_iou)
    return chosen | {rest[i]: free[k] for i, k in found.items()}


def metadata(facts: SessionFacts, segment: Segment) -> dict[str, Any]:
    """The bin's ``position_metadata``: pixels of the upright image (SPEC §3.5 step 3)."""
    xs = [x for x, _ in segment.polygon_px]
    ys = [y for _, y in segment.polygon_px]
    return {
        "segmentation_mask": [list(point) for point in segment.polygon_px],
        "bbox": {"x1": min(xs), "y1": min(ys), "x2": max(xs), "y2": max(ys)},
        "confidence": segment.confidence,
        "ml_model_version": segment.model_version,
        "detected_at": facts.detected_at.isoformat(),
        "container_type": segment.category.value,
        "area_pixels": segment.area_px,
        "session_id": facts.session_id,
        "image_id": str(segment.image_id),
        "image_width": segment.width_px,
        "image_height": segment.height_px,
    }


def bin_code(location_code: str, category: ContainerType, index: int, created_at: datetime) -> str:
    """``{location}-ML-{TYPE}{index}-{session's creation in UTC, to the microsecond}``."""
    return f"{location_code}-ML-{category.value}{index}-{_stamp(created_at)}".upper()


def retire_missed(
    session: Session, location: StorageLocation, at: datetime, missing: Sequence[StorageBin]
) -> list[StorageBin]:
    """Retire photo bins missed by this count and by the posted one before it.

    A miss counts only if the bin had been seen by then, and a bin that holds plants today
    is never retired.
    """
    retired = []
    for storage_bin in missing:
        if storage_bin.status is BinStatus.ACTIVE and _missed_twice(
            session, location, at, storage_bin
        ):
            storage_bin.status = BinStatus.RETIRED
            retired.append(storage_bin)
            log.info("bin_retired", bin=storage_bin.code, location=location.code)
    session.flush()
    return retired


def _missed_twice(
    session: Session, location: StorageLocation, at: datetime, storage_bin: StorageBin
) -> bool:
    return bool(
        session.scalar(
            text("""
            SELECT NOT EXISTS (
                SELECT FROM stock_batches
                WHERE current_storage_bin_id = :bin AND quantity_current > 0)
            AND coalesce((
                SELECT NOT cc.seen FROM counts c
                LEFT JOIN container_counts cc
                  ON cc.count_id = c.id AND cc.attempt = c.attempt AND cc.bin_id = :bin
                WHERE c.storage_location_id = :location AND c.posted_at IS NOT NULL
                  AND c.voided_at IS NULL AND c.captured_at < :at AND c.source_type = 'ia'
                ORDER BY c.captured_at DESC, c.id DESC LIMIT 1), false)
            """),
            {"bin": storage_bin.bin_id, "location": location.location_id, "at": at},
        )
    )


Views = Mapping[tuple[int, str], int]


def _views(session: Session, known: Sequence[StorageBin]) -> Views:
    """Which photo of its session a bin was last seen in, by the session and the image."""
    rows = session.execute(
        text(
            "SELECT session_id, CAST(image_id AS text) AS image_id, position "
            "FROM photo_session_images WHERE image_id = ANY(CAST(:images AS uuid[]))"
        ),
        {"images": sorted({(b.position_metadata or {})["image_id"] for b in known})},
    )
    return {(row.session_id, row.image_id): row.position for row in rows}


def _earlier_outline(
    known: StorageBin, views: Views, segments: Sequence[Segment]
) -> EarlierOutline:
    """The bin as the new photos show it: where its own was registered, else as it was."""
    meta = known.position_metadata or {}
    view = views[meta["session_id"], meta["image_id"]]
    size = meta["image_width"], meta["image_height"]
    before = outline(ContainerType(meta["container_type"]), view, meta["segmentation_mask"], *size)
    image = UUID(meta["image_id"])
    homographies = {
        s.view: normalise_homography(s.returns[image], size, (s.width_px, s.height_px))
        for s in segments
        if image in s.returns
    }
    return through_homographies(before, homographies) if homographies else in_same_view(before)


def _renew_metadata(
    session: Session, known: StorageBin, facts: SessionFacts, segment: Segment
) -> StorageBin:
    """Where it is now; a person who says that it is the same bin also says of what type."""
    known.position_metadata = metadata(facts, segment)
    bin_type = known.bin_type
    if segment.bin_id is not None and bin_type and bin_type.category is not segment.category:
        known.storage_bin_type_id = default_bin_type(session, segment.category).bin_type_id
    return known


def _new_bin(
    session: Session, location: StorageLocation, facts: SessionFacts, segment: Segment, offset: int
) -> StorageBin:
    code = bin_code(
        location.code, segment.category, segment.index + offset, facts.session_created_at
    )
    if not CODE.match(code):
        raise ValueError(f"{code!r} is not a bin code")
    title = segment.category.value.replace("_", " ")
    storage_bin = StorageBin(
        storage_location_id=location.location_id,
        storage_bin_type_id=default_bin_type(session, segment.category).bin_type_id,
        code=code,
        label=f"ML {title.title()} #{segment.index + offset}",
        description=(
            f"ML-detected {title} from session {facts.session_id} "
            f"(confidence: {segment.confidence:.3f})"
        ),
        position_metadata=metadata(facts, segment),
    )
    session.add(storage_bin)
    return storage_bin


def _highest_index(session: Session, location: StorageLocation, facts: SessionFacts) -> int:
    """The highest index that this session's codes have used: none is given twice."""
    ending = f"-{_stamp(facts.session_created_at)}"
    codes = session.scalars(
        select(StorageBin.code).where(
            StorageBin.storage_location_id == location.location_id,
            func.right(StorageBin.code, len(ending)) == ending,
        )
    )
    numbers = [re.search(r"(\d+)-\d+$", code) for code in codes]
    return max((int(m.group(1)) for m in numbers if m), default=0)


def _stamp(created_at: datetime) -> str:
    return f"{created_at:%Y%m%d%H%M%S%f}"
