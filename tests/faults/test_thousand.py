"""One worker, a thousand photos: memory, descriptors and temporary files stay as they are.

The curve goes to the file that DEMETER_CURVE names, or to the test's own folder.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median

import pytest

from support.one_worker import home, one_worker
from support.process_watch import Look, Watch, children_of
from support.rows import count, until
from support.small_photos import take_in

assert home  # pytest finds the fixture by its name here

A_SESSION = (1, 2, 1, 4)  # photos of one session after the other
AHEAD = 12  # photos that wait, so that counting and recording take turns as in a nursery
OVER = "photo_session_images WHERE status IN ('succeeded', 'failed')"
UNDER_WAY = "photo_processing_sessions WHERE status IN ('pending', 'processing')"


def feed(photos: int) -> None:
    """Sessions of one to four photos, on two beds by turns, a few ahead of the worker."""
    first, turn = 0, 0
    while first < photos:
        until(lambda ahead=first - AHEAD: count(OVER) >= ahead)
        size = min(A_SESSION[turn % len(A_SESSION)], photos - first)
        take_in(first, size, place=f"A{turn % 2 + 1}")
        first, turn = first + size, turn + 1


def count_all(home: Path, photos: int, every_s: float) -> list[Look]:
    """Feed a worker so many photos and watch it until it has counted them."""
    curve = Path(os.environ.get("DEMETER_CURVE", home / "curve.csv"))
    with one_worker(home) as work:
        with Watch(work.process.pid, lambda: count(OVER), work.temporary, curve, every_s) as watch:
            feed(photos)
            until(lambda: not count(UNDER_WAY), within_s=6000)
            until(lambda: not count("blob_inbox"), within_s=120)
            time.sleep(every_s)  # one more look, at rest
        assert work.process.poll() is None, "the worker ended"
        assert list(work.temporary.iterdir()) == []
        readers = children_of(work.process.pid)
    assert count(OVER) == photos
    assert count("photo_session_images WHERE status = 'failed'") == 0
    assert count("procrastinate_jobs WHERE task_name LIKE 'ml\\_%'") == 0
    assert not any(Path(f"/proc/{child}").exists() for child in readers), "a reader outlived it"
    return watch.looks


def middle(looks: list[Look], begin: int, end: int, name: str) -> float:
    """The median of a figure while photos ``begin`` to ``end`` were counted."""
    return median(getattr(look, name) for look in looks if begin <= look.ended <= end)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_memory_is_flat_over_a_thousand_photos(home: Path) -> None:
    looks = count_all(home, photos=1000, every_s=10)
    for name, more in (("rss", 1.05), ("children_rss", 1.05), ("descriptors", 1.2)):
        early, late = middle(looks, 200, 300, name), middle(looks, 900, 1000, name)
        assert late <= more * early, (name, early, late)
    assert max(look.temporary for look in looks) <= 4  # of the photo in hand
