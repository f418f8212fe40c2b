"""The work behind the pages: queues, workers, what failed, and trying it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from demeter.core import backup_runs, jobs, queue_state
from demeter.core.db import transaction
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos.queue_forecast import forecast_all
from demeter.photos.sessions import public_ids
from demeter.web import render
from demeter.web.waits import Waits

router = APIRouter(prefix="/jobs")


@router.get("", **requires(Permission.DECIDE))
def show_jobs(request: Request) -> Response:
    """Everything; the part of it that changes renews itself."""
    return _page(request, "jobs/page.html")


@router.get("/now", **requires(Permission.DECIDE))
def renew_jobs(request: Request) -> Response:
    """The part that changes."""
    return _page(request, "jobs/now.html")


@router.post("/{job_id}/retry", **requires(Permission.DECIDE))
def retry_job(job_id: Annotated[int, Path(ge=1, lt=2**53)]) -> RedirectResponse:
    """Queue a failed job again."""
    with transaction() as session:
        queue_state.retry_failed(session, job_id)
    return RedirectResponse("/jobs", status_code=303)


def _page(request: Request, template: str) -> Response:
    with transaction() as session:
        queues = queue_state.queues(session, jobs.QUEUES)
        running, failed = (queue_state.jobs_in(session, status) for status in ("doing", "failed"))
        numbers = {job.session_number for job in (*running, *failed) if job.session_number}
        return render.page(
            request,
            template,
            queues=queues,
            forecast=forecast_all(session),
            waits=Waits(render.words_of(request)),
            backup=backup_runs.backup_state(session),
            workers=queue_state.workers(session),
            running=running,
            failed=failed,
            sessions=public_ids(session, numbers),
        )
