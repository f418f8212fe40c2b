"""Where a job comes from: the request whose lines of the log, and whose trace, it goes on with.

It travels in the job's arguments under a name of its own, which is taken out before the task
sees them. A worker of an earlier version does not know the name; such a job fails, and what
it was to do is queued again within a minute (`photos/recovery.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import JobContext
from procrastinate.worker import Worker

from demeter.core import logs, traces
from demeter.core.crash_points import step

NAME = "origin"
REQUEST_ID = "request_id"


def of_here() -> dict[str, Any]:
    """What a job that is queued now takes along; nothing where nobody asked for it."""
    origin: dict[str, str] = {}
    request_id = logs.bound().get(REQUEST_ID)
    if request_id is not None:
        origin[REQUEST_ID] = request_id
    traces.carry(origin)
    return {NAME: origin} if origin else {}


async def go_on(run: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker) -> Any:
    """Around every job that a worker runs: its lines and spans belong to where it came from."""
    del worker
    job = context.job
    origin: Any = job.task_kwargs.pop(NAME, None) or {}
    request_id = {REQUEST_ID: origin[REQUEST_ID]} if REQUEST_ID in origin else {}
    # A job has a context of its own, in which the worker also says how it ended.
    logs.keep(job_id=job.id, **request_id)
    if not traces.is_on() or not origin:
        answer = await run()
    else:
        facts: dict[str, Any] = {"job_id": job.id or 0, "queue": job.queue}
        with traces.continued(f"job {job.task_name}", origin, "CONSUMER", **facts, **request_id):
            logs.keep(**traces.ids())
            answer = await run()
    step("job.after_work")
    return answer
