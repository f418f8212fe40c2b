"""Sessions on a terminal: as JSON, as a table, and with progress while they run."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from demeter.core import jobs
from demeter.core.db import transaction
from demeter.counts.models import ContainerCount, Count
from demeter.photos.models import PhotoSession, SessionImage

POLL_S = 0.3
PATIENCE_S = 2.0  # a job that nobody takes within this time is done here


def as_json(session: Session, session_id: UUID) -> dict[str, Any]:
    """A session for scripts: unknown numbers are null, never 0."""
    found = session.scalars(select(PhotoSession).where(PhotoSession.session_id == session_id)).one()
    interval = [found.interval_low, found.interval_high]
    return {
        "session_id": str(found.session_id),
        "status": found.status.value,
        "reason_code": found.reason_code,
        "error_message": found.error_message,
        "next_action": found.next_action,
        "warnings": found.warnings,
        "attempt": found.attempt,
        "captured_at": found.captured_at.isoformat(),
        "posted_at": found.posted_at.isoformat() if found.posted_at else None,
        "total_detected": found.total_detected,
        "total_estimated": found.total_estimated,
        "total_empty_containers": found.total_empty_containers,
        "interval_90": None if None in interval else interval,
        "bins": [_bin(row) for row in containers_of(session, found)],
    }


def containers_of(session: Session, found: PhotoSession) -> list[ContainerCount]:
    """The containers seen by the session's present attempt, in order."""
    return list(
        session.scalars(
            select(ContainerCount)
            .join(Count, Count.id == ContainerCount.count_id)
            .where(
                Count.processing_session_id == found.id,
                ContainerCount.attempt == found.attempt,
                ContainerCount.seen,
            )
            .order_by(ContainerCount.container_index)
        )
    )


def _bin(row: ContainerCount) -> dict[str, Any]:
    interval = [row.interval_low, row.interval_high]
    return {
        "bin_id": row.bin_id,
        "code": row.bin.code if row.bin else None,
        "container_type": row.container_type.value if row.container_type else None,
        "detected": row.machine_detected,
        "estimated": row.machine_estimated,
        "corrected": row.human_corrected,
        "empty": row.machine_empty,
        "interval_90": None if None in interval else interval,
        "difference": row.difference,
    }


def print_session(told: dict[str, Any], console: Console | None = None) -> None:
    """The session as people read it."""
    out = console or Console(highlight=False)
    out.print(f"[bold]{told['session_id']}[/bold]  {told['status']}", soft_wrap=True)
    if told["bins"]:
        table = Table("container", "plants", "estimated", "90 %", "empty", "change", "bin")
        for row in told["bins"]:
            table.add_row(
                row["container_type"],
                known(row["detected"]),
                known(row["estimated"]),
                span(row["interval_90"]),
                known(row["empty"]),
                "" if row["difference"] is None else f"{row['difference']:+d}",
                row["code"] or "–",
            )
        out.print(table)
    if told["status"] == "completed":
        out.print(
            f"{known(told['total_detected'])} detected, {known(told['total_estimated'])} "
            f"estimated, 90 % {span(told['interval_90'])}"
        )
    elif told["error_message"]:
        out.print(f"{told['error_message']}\n→ {told['next_action']}", soft_wrap=True)
    for warning in told["warnings"]:
        out.print(f"[yellow]note:[/yellow] {warning}", soft_wrap=True)


def known(number: int | None) -> str:
    """A number, or that it is not known: never 0 for unknown."""
    return "unknown" if number is None else str(number)


def span(interval: list[int] | None) -> str:
    """An interval as text."""
    return "unknown" if interval is None else f"{interval[0]}–{interval[1]}"


def wait_for_end(ids: list[UUID], console: Console) -> None:
    """Show progress until every session has ended, working here where no worker does."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bar:
        rows = {one: bar.add_task(str(one)[:8], total=1.0) for one in ids}
        idle_since = time.monotonic()
        while True:
            states = [_state(one) for one in ids]
            for one, (label, share, _) in zip(ids, states, strict=True):
                bar.update(rows[one], description=f"{str(one)[:8]} {label}", completed=share)
            if all(ended for _, _, ended in states):
                return
            if _somebody_works():
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > PATIENCE_S or not _workers():
                jobs.work(wait=False)
                idle_since = time.monotonic()
            time.sleep(POLL_S)


def _state(session_id: UUID) -> tuple[str, float, bool]:
    with transaction() as session:
        found = session.scalars(
            select(PhotoSession).where(PhotoSession.session_id == session_id)
        ).one()
        shares = session.scalars(
            select(SessionImage.progress).where(SessionImage.session_id == found.id)
        ).all()
        share = 1.0 if found.status.is_end else 0.95 * sum(shares) / max(len(shares), 1)
        return found.status.value, share, found.status.is_end


def _workers() -> int:
    with transaction() as session:
        return jobs.workers_alive(session)


def _somebody_works() -> bool:
    """Whether a live worker has a job of ours in hand."""
    with transaction() as session:
        return bool(
            session.execute(
                text("""
                SELECT EXISTS (
                    SELECT FROM procrastinate_jobs j
                    JOIN procrastinate_workers w ON w.id = j.worker_id
                    WHERE j.status = 'doing' AND j.task_name LIKE 'ml\\_%'
                      AND w.last_heartbeat > now() - interval '12 seconds')
                """)
            ).scalar()
        )
