"""Recording: one transaction, one lock on the location, all or nothing (SPEC §3.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from demeter.catalog.models import LocationConfig
from demeter.catalog.queries import active_config
from demeter.core import logs
from demeter.core.crash_points import step
from demeter.core.notices import Notice
from demeter.counts import blind_recounts, ledger_writes, stocktake
from demeter.counts.models import ContainerCount, Count
from demeter.counts.queries import standing_count
from demeter.locations import lock
from demeter.locations.errors import LocationGone
from demeter.locations.models import StorageLocation
from demeter.photos import bins, classification, evidence, review_reasons, sessions
from demeter.photos.bins import SessionFacts, create_storage_bins
from demeter.photos.errors import CannotCreateBins
from demeter.photos.evidence import Results, segments_of
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.photos.review_reasons import Reason
from demeter.stock.errors import StockWouldBeNegative
from demeter.stock.ledger import Author
from demeter.stock.models import SourceType, StockBatch
from demeter.stock.period_lock import closed_until

log = logs.get(__name__)


def record_session(session: Session, photo_session: PhotoSession) -> None:
    """Bring a session whose images have all ended to its own end."""
    persist_ml_results(session, photo_session, evidence.results_of(photo_session))


def persist_ml_results(
    session: Session,
    photo_session: PhotoSession,
    results: Results,
    *,
    amend: Callable[[Count], None] | None = None,
    author: Author | None = None,
    confirmed: bool = False,
) -> None:
    """Keep the evidence and, where nothing speaks against it, post the count.

    ``amend`` writes what people say of the evidence before it is posted; ``author`` and
    ``confirmed`` are those of `post_again`.

    Raises:
        CannotCreateBins: the location is gone, or its bins could not be made.
    """
    location = _locked_location(session, photo_session)
    with logs.bind(session_id=photo_session.id, location=location.code):
        evidence.summarise(photo_session, results)
        if not results.counted:
            _wait(photo_session, [review_reasons.unread(results)])
        elif not results.containers:
            _wait(
                photo_session,
                [*review_reasons.of_images(results), review_reasons.no_container(photo_session)],
            )
        else:
            count = evidence.keep_evidence(session, photo_session, location, results)
            step("recording.evidence_kept")
            if amend is not None:
                amend(count)
            _post_or_wait(
                session,
                photo_session,
                location,
                count,
                lambda: results,
                confirmed=confirmed,
                author=author,
            )


def post_again(
    session: Session,
    photo_session: PhotoSession,
    author: Author | None = None,
    *,
    confirmed: bool = False,
) -> None:
    """Try to post kept evidence: after a config was set, a fact reported, or acceptance.

    ``author`` is the person whose correction this posts; ``confirmed`` says that a person
    stands for the numbers whatever speaks against them.

    Raises:
        CannotCreateBins: as `persist_ml_results` does.
    """
    location = _locked_location(session, photo_session)
    _resume(photo_session)
    with logs.bind(session_id=photo_session.id, location=location.code):
        count = standing_count(session, photo_session.id)
        assert count is not None
        _post_or_wait(
            session,
            photo_session,
            location,
            count,
            lambda: evidence.results_of(photo_session),
            confirmed=confirmed,
            author=author,
        )


def confirm_empty(session: Session, photo_session: PhotoSession) -> None:
    """A person says that the bed is empty: a count of zero containers is posted."""
    location = _locked_location(session, photo_session)
    results = evidence.results_of(photo_session)
    _resume(photo_session)
    photo_session.total_detected = photo_session.total_estimated = 0
    photo_session.interval_low = photo_session.interval_high = 0
    with logs.bind(session_id=photo_session.id, location=location.code):
        count = evidence.keep_evidence(session, photo_session, location, results)
        _post_or_wait(session, photo_session, location, count, lambda: results, confirmed=True)


def _locked_location(session: Session, photo_session: PhotoSession) -> StorageLocation:
    location_id = photo_session.storage_location_id
    location = lock.lock_location(session, location_id) if location_id is not None else None
    if location is not None:
        return location
    requested_id = photo_session.requested_location_id
    cause = LocationGone(
        f"location {requested_id} ({photo_session.requested_location_code}) "
        "does not exist any more",
        location_id=requested_id,
        location_code=photo_session.requested_location_code,
    )
    raise CannotCreateBins(
        f"Cannot create StorageBins: location {requested_id} "
        f"({photo_session.requested_location_code}) does not exist",
        session_id=photo_session.id,
    ) from cause


def _resume(photo_session: PhotoSession) -> None:
    """Under way again, within this transaction: no end is left standing beside a new one."""
    photo_session.status = SessionStatus.PROCESSING
    sessions.clear_reason(photo_session)


def _wait(photo_session: PhotoSession, why: Sequence[Reason]) -> None:
    first = why[0]
    adjustments = dict(photo_session.manual_adjustments or {})
    adjustments["waiting_for"] = [reason.code for reason in why if reason.waivable]
    photo_session.manual_adjustments = adjustments
    sessions.wait_for(
        photo_session,
        first.status,
        first.code,
        "\n".join(reason.message for reason in why),
        first.next_action,
        [reason.notice for reason in why],
    )
    log.info("session_waits", reason=first.code, reasons=[reason.code for reason in why])


def _post_or_wait(
    session: Session,
    photo_session: PhotoSession,
    location: StorageLocation,
    count: Count,
    read_results: Callable[[], Results],
    *,
    confirmed: bool = False,
    author: Author | None = None,
) -> None:
    if blind_recounts.is_blind(count):
        _wait(photo_session, [review_reasons.blind_recount()])
        return
    until = closed_until(session, location.location_id)
    if until is not None and count.captured_at <= until:
        _wait(photo_session, [review_reasons.period_closed(count.captured_at, until)])
        return
    config = active_config(session, location.location_id)
    if config is None:
        _wait(photo_session, [review_reasons.no_config(location.code)])
        return
    if not confirmed:
        doubts = review_reasons.of_count(session, count, config, read_results())
        open_doubts = [d for d in doubts if d.code not in _accepted_codes(photo_session)]
        if open_doubts:
            _wait(photo_session, open_doubts)
            return
    try:
        _post(session, photo_session, location, count, config, read_results, author)
    except StockWouldBeNegative as error:
        _wait(photo_session, [Reason(error.notice, waivable=False)])


def _accepted_codes(photo_session: PhotoSession) -> set[str]:
    """Reasons that a person has looked at and accepted for this attempt."""
    acceptances = (photo_session.manual_adjustments or {}).get("accepted", [])
    return {
        code
        for acceptance in acceptances
        if acceptance["attempt"] == photo_session.attempt
        for code in acceptance["reasons"]
    }


def _post(
    session: Session,
    photo_session: PhotoSession,
    location: StorageLocation,
    count: Count,
    config: LocationConfig,
    read_results: Callable[[], Results],
    author: Author | None,
) -> None:
    with session.begin_nested():  # a plan that is refused takes the bins along
        seen = [c for c in count.containers if c.seen]
        if any(c.bin_id is None for c in seen):  # posting again keeps the bins it had
            _assign_bins(session, photo_session, location, seen, read_results())
            step("recording.bins_made")
        by_photo = Author(
            photo_session.uploaded_by_user_id,
            SourceType.IA,
            Notice("count_by_photo", {"count_id": count.id}),
        )
        posted = stocktake.post(session, location, count, config, author or by_photo)
        step("recording.stock_posted")
    classification.link_evidence(session, config, seen)
    if posted.is_latest:
        _note_empty_containers(session, seen, ledger_writes.expected_lot(config))
        bins.retire_missed(
            session,
            location,
            count.captured_at,
            [m.bin for m in posted.unseen if m.bin is not None],
        )
    _complete(session, photo_session, location, count, is_latest=posted.is_latest)


def _assign_bins(
    session: Session,
    photo_session: PhotoSession,
    location: StorageLocation,
    seen: Sequence[ContainerCount],
    results: Results,
) -> None:
    facts = SessionFacts(photo_session.id, photo_session.created_at, datetime.now(UTC))
    storage_bins = create_storage_bins(session, location, facts, segments_of(results))
    for row, storage_bin in zip(seen, storage_bins, strict=True):
        row.bin_id = storage_bin.bin_id
    session.flush()


def _note_empty_containers(
    session: Session, seen: Sequence[ContainerCount], expected: ledger_writes.ExpectedLot
) -> None:
    for row in seen:
        youngest = (
            select(StockBatch.id)
            .where(
                StockBatch.current_storage_bin_id == row.bin_id,
                StockBatch.product_id == expected.product_id,
            )
            .order_by(StockBatch.created_at.desc(), StockBatch.id.desc())
            .limit(1)
        )
        session.execute(
            update(StockBatch)
            .where(StockBatch.id == youngest.scalar_subquery())
            .values(quantity_empty_containers=row.machine_empty or 0)
            .execution_options(synchronize_session=False)
        )


def _complete(
    session: Session,
    photo_session: PhotoSession,
    location: StorageLocation,
    count: Count,
    *,
    is_latest: bool,
) -> None:
    now = datetime.now(UTC)
    if is_latest:
        location.photo_session_id = photo_session.id
    photo_session.processed_image_id = photo_session.original_image_id
    photo_session.posted_at = now
    session.flush()
    photo_session.status = SessionStatus.COMPLETED  # the last word: all of it is there
    session.flush()
    log.info(
        "session_recorded",
        bins=sum(c.seen for c in count.containers),
        plants=sum(c.answer or 0 for c in count.containers),
    )
