"""A worker that dies over photos of one width, and whose decoders die over those of another."""

from __future__ import annotations

import os
import signal
from typing import Any

from demeter.core import jobs, logs
from demeter.vision import pipeline

KILLS_DECODERS_PX, KILLS_WORKERS_PX = 264, 272
# Python runs it as it starts, where it lies on the path: in readers, too.
SITECUSTOMIZE = f"""
import os, signal, sys
if "demeter.core.pixels.reader" in sys.orig_argv:
    from PIL import Image
    whole = Image.open
    def open_(*arguments, **options):
        image = whole(*arguments, **options)
        if image.width == {KILLS_DECODERS_PX}:
            os.kill(os.getpid(), signal.SIGSEGV)
        return image
    Image.open = open_
"""


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
