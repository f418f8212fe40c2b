"""Sessions on a terminal: as JSON, as a table, and with progress while they run."""

from __future__ import annotations

import time
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import select, text

from demeter.cli.output import number_text
from demeter.cli.tables import RowTable
from demeter.core import jobs
from demeter.core.db import transaction
from demeter.photos import session_detail
from demeter.photos.models import PhotoSession, SessionImage, SessionStatus
from demeter.photos.schemas import Interval, SessionRead
from demeter.vision.values import CountUnit

POLL_S = 0.3
PATIENCE_S = 2.0  # a job that nobody takes within this time is done here


def read_session(session_id: UUID) -> SessionRead:
    """A session as every reader gets it: unknown numbers are null, hidden ones too.

    Raises:
        SessionNotFound: there is none of this id.
    """
    with transaction() as session:
        return session_detail.answer(session, session_detail.find(session, session_id))


def print_session(answer: SessionRead, console: Console | None = None) -> None:
    """The session as people read it."""
    out = console or Console(highlight=False)
    out.print(f"[bold]{answer.session_id}[/bold]  {answer.status.value}", soft_wrap=True)
    rows = [row for row in answer.containers if row.seen]
    if rows:
        table = RowTable("container", "detected", "estimated", "90 %", "empty", "change", "bin")
        for row in rows:
            table.add_row(
                row.container_type.value if row.container_type else None,
                number_text(row.machine_detected),
                number_text(row.machine_estimated),
                span(row.interval_90),
                number_text(row.machine_empty),
                "" if row.difference is None else f"{row.difference:+d}",
                row.bin.code if row.bin else "–",
            )
        table.print(out)
    if answer.status is SessionStatus.COMPLETED:
        out.print(
            f"{answer.unit or CountUnit.PLANTS}: {number_text(answer.total_detected)} detected, "
            f"{number_text(answer.total_estimated)} estimated, 90 % {span(answer.interval_90)}"
        )
    elif answer.error_message:
        out.print(f"{answer.error_message}\n→ {answer.next_action}", soft_wrap=True)
    for warning in answer.warnings:
        out.print(f"[yellow]note:[/yellow] {warning}", soft_wrap=True)


def span(interval: Interval | None) -> str:
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
        tasks = {each: bar.add_task(str(each)[:8], total=1.0) for each in ids}
        idle_since = time.monotonic()
        while True:
            states = [_state(each) for each in ids]
            for each, (label, share, _) in zip(ids, states, strict=True):
                bar.update(tasks[each], description=f"{str(each)[:8]} {label}", completed=share)
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
        photo_session = session.scalars(
            select(PhotoSession).where(PhotoSession.session_id == session_id)
        ).one()
        shares = session.scalars(
            select(SessionImage.progress).where(SessionImage.session_id == photo_session.id)
        ).all()
        share = 1.0 if photo_session.status.is_end else 0.95 * sum(shares) / max(len(shares), 1)
        return photo_session.status.value, share, photo_session.status.is_end


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
