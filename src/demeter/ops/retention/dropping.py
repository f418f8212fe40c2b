"""What is due is let go, one content at a time: the row that says so first, then the bytes.

A run that was cut off leaves rows whose bytes are still there; the next one ends them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from demeter.core import blob_drops, blobs, logs, retention_runs
from demeter.core.blob_drops import DroppedBlob, DroppedKind
from demeter.core.db import transaction
from demeter.core.errors import DomainError, chain
from demeter.core.notices import Notice
from demeter.core.retention_runs import RetentionRun
from demeter.core.settings import settings
from demeter.ops.backup.run import alone
from demeter.ops.retention.rules import RetentionRule, due_contents, rules_of

Progress = Callable[[str, int, int], None]
log = logs.get(__name__)


@dataclass
class LetGo:
    """What a run let go so far."""

    counts: Counter[DroppedKind] = field(default_factory=Counter)
    freed_bytes: int = 0

    def write_end(self, run_id: int, failure: Notice | None = None) -> RetentionRun:
        """Into the run's row."""
        with transaction() as session:
            return retention_runs.end(
                session,
                run_id,
                photos=self.counts[DroppedKind.PHOTO],
                overlays=self.counts[DroppedKind.OVERLAY],
                freed_bytes=self.freed_bytes,
                failure=failure,
            )


def let_go_of_due(progress: Progress) -> RetentionRun:
    """Let go of all that the settings no longer keep; no backup or restore runs meanwhile.

    Raises:
        BackupUnderWay: one of them runs.
        ObjectStoreUnavailable: what was said to be dropped is removed by the next run.
    """
    rules = rules_of(settings())
    with alone():
        with transaction() as session:
            run_id = retention_runs.begin(session, {rule.kind: rule.words for rule in rules})
        gone = LetGo()
        try:
            _end_removals(gone)
            for rule in rules:
                _apply(rule, run_id, gone, progress)
        except Exception as error:
            code = error.code if isinstance(error, DomainError) else "unexpected_error"
            failure = Notice("retention_failed", {"why": chain(error)[:500], "code": code})
            gone.write_end(run_id, failure)
            raise
        run = gone.write_end(run_id)
    log.info("retention_ended", photos=run.photos, overlays=run.overlays, bytes=run.freed_bytes)
    return run


def _end_removals(gone: LetGo) -> None:
    """The bytes of rows that a run before this one left behind."""
    with transaction() as session:
        hashes = session.scalars(
            select(DroppedBlob.sha256)
            .where(DroppedBlob.removed_at.is_(None), DroppedBlob.returned_at.is_(None))
            .order_by(DroppedBlob.sha256)
        ).all()
    for sha256 in hashes:
        gone.freed_bytes += remove(sha256)


def _apply(rule: RetentionRule, run_id: int, gone: LetGo, progress: Progress) -> None:
    with transaction() as session:
        contents = due_contents(session, rule)
    for done, content in enumerate(contents):
        progress(rule.kind, done, len(contents))
        if mark_dropped(content.sha256, rule, run_id):
            gone.counts[rule.kind] += 1
            gone.freed_bytes += remove(content.sha256)
    progress(rule.kind, len(contents), len(contents))


def mark_dropped(sha256: str, rule: RetentionRule, run_id: int) -> bool:
    """Say that a content is dropped, if it still is to be, now that nobody else keeps it."""
    with transaction() as session:
        blob_drops.hold_alone(session, sha256)
        if not due_contents(session, rule, sha256):
            return False
        values = {"kind": rule.kind, "rule": rule.words, "retention_run_id": run_id}
        anew = {"removed_at": None, "returned_at": None, "size_bytes": None}
        session.execute(
            insert(DroppedBlob)
            .values(sha256=sha256, **values)
            .on_conflict_do_update(
                index_elements=["sha256"],
                set_=values | anew | {"dropped_at": func.clock_timestamp()},
            )
        )
    return True


def remove(sha256: str) -> int:
    """Remove the bytes of a dropped content, unless they came again; how many bytes went."""
    with transaction() as session:
        blob_drops.hold_alone(session, sha256)
        row = session.get_one(DroppedBlob, sha256)
        if row.returned_at is not None or row.removed_at is not None:
            return 0
        row.size_bytes = blobs.let_go(sha256)
        row.removed_at = datetime.now(UTC)
    log.info("blob_dropped", sha256=sha256, kind=row.kind, rule=row.rule, bytes=row.size_bytes)
    return row.size_bytes or 0
