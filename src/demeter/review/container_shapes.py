"""A session's containers as they stand, read for who draws them anew."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy.orm import Session

from demeter.accounts.models import User
from demeter.counts import blind_recounts
from demeter.counts.models import Count
from demeter.locations.models import StorageLocation
from demeter.photos import bins, evidence, person_edits
from demeter.photos.bins import Segment
from demeter.photos.models import PhotoSession
from demeter.review.container_schemas import (
    ContainersEdited,
    ContainerShape,
    KnownBinRead,
    MarkOutside,
    SessionContainers,
)
from demeter.review.known_bins import known_bins
from demeter.review.mark_pool import marks_outside
from demeter.review.queries import correction_done, require_count
from demeter.stock.changes import LedgerChange


def session_containers(session: Session, photo_session: PhotoSession) -> SessionContainers:
    """Every container with its outline, and the bins that it may be.

    Raises:
        CountState: the session has no standing count.
        BlindRecountFirst: a person counts it before the machine's answer is shown.
    """
    count = require_count(session, photo_session)
    blind_recounts.require_not_blind(count)
    edits = [e for row in photo_session.images if (e := person_edits.edit_of(row))]
    return SessionContainers(
        session_id=photo_session.session_id,
        status=photo_session.status,
        attempt=count.attempt,
        drawn_by=session.get_one(User, edits[0].user_id).username if edits else None,
        containers=_shapes(session, photo_session, count),
        outside=[
            MarkOutside(
                position=mark.position, box=mark.xyxy_px, is_empty_container=mark.is_empty_container
            )
            for mark in marks_outside(photo_session)
            if mark.removed is None
        ],
        estimated_outside=sum(edit.estimated_outside for edit in edits),
        bins=[KnownBinRead.model_validate(asdict(one)) for one in known_bins(session, count)],
    )


def containers_edited(
    session: Session, photo_session: PhotoSession, effect: LedgerChange
) -> ContainersEdited:
    """What an edit changed, with the session as it stands then."""
    done = correction_done(session, photo_session, effect)
    last = (photo_session.manual_adjustments or {})["redrawn"][-1]
    return ContainersEdited(
        **done.model_dump(),
        attempt=photo_session.attempt,
        left_out=last["left_out"],
        numbers_lost=last["numbers_lost"],
    )


def _shapes(session: Session, photo_session: PhotoSession, count: Count) -> list[ContainerShape]:
    segments = evidence.segments_of(evidence.results_of(photo_session))
    posted = {row.container_index: row.bin_id for row in count.containers if row.seen}
    location = session.get_one(StorageLocation, count.storage_location_id)
    matches = bins.match_bins(session, location, segments)
    return [
        _shape(segment, posted.get(segment.index) or match)
        for segment, match in zip(segments, matches.by_segment, strict=True)
    ]


def _shape(segment: Segment, bin_id: int | None) -> ContainerShape:
    return ContainerShape(
        index=segment.index,
        position=segment.view,
        container_type=segment.category,
        outline=list(segment.polygon_px),
        bin_id=bin_id,
        is_chosen=segment.bin_id is not None,
    )
