"""A worker that dies over photos of one width."""

from __future__ import annotations

import os
import signal
from typing import Any

from demeter.core import jobs, logs
from demeter.vision import pipeline

KILLS_WORKERS_PX = 272


def main() -> None:
    logs.configure()
    count = pipeline.count

    def die_of_some(rgb: Any, *arguments: Any, **options: Any) -> Any:
        if rgb.shape[1] == KILLS_WORKERS_PX:
            os.kill(os.getpid(), signal.SIGKILL)
        return count(rgb, *arguments, **options)

    pipeline.count = die_of_some
    jobs.work()


if __name__ == "__main__":
    main()
