"""Sleeping where libfaketime stands before the C library; Python imports this by its name.

`time.sleep` waits until a moment, which libfaketime shifts with the faked clock although the
monotonic one is not faked: after a jump it fails with EINVAL. Waiting for a duration is right.
"""

import select
import time


def _sleep(seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        select.select([], [], [], left)


time.sleep = _sleep
