"""``demeter worker``: run jobs until told to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from demeter.core import jobs
from demeter.core.errors import InvalidInput


def worker(
    queue: Annotated[
        list[str] | None, typer.Option(help=f"one of {', '.join(jobs.QUEUES)}; else all")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="jobs at the same time")] = 1,
    *,
    once: Annotated[bool, typer.Option("--once", help="stop when no job is left")] = False,
) -> None:
    """Run jobs of these queues; SIGTERM lets the one in hand finish."""
    queues = queue or list(jobs.QUEUES)
    unknown = sorted(set(queues) - set(jobs.QUEUES))
    if unknown:
        raise InvalidInput(f"no queue is called {', '.join(unknown)}: {', '.join(jobs.QUEUES)}")
    jobs.work(queues, wait=not once, concurrency=concurrency)
