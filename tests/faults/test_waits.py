"""What people are told of a long queue, beside how long it took: a hundred photos, one worker.

DEMETER_FIGURES names a folder for what was measured.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import pytest

from demeter.core.db import transaction
from demeter.photos import queue_forecast, session_detail
from support.one_worker import home, one_worker
from support.rows import count, until
from support.small_photos import take_in

assert home  # pytest finds the fixture by its name here

A_SESSION = (1, 2, 1, 4)
UNDER_WAY = "photo_processing_sessions WHERE status IN ('pending', 'processing')"
EVERY_S = 3.0
STEPS_S = ((60, 5), (600, 15))  # what is foretold is no finer than this: up to, step


@dataclass(frozen=True)
class Foretold:
    """What was said at a moment, in seconds from the first look."""

    at_s: float
    photos_ahead: int
    low_s: int
    high_s: int

    def held(self, end_s: float) -> bool:
        """Whether it took so long, as finely as it is said."""
        took = end_s - self.at_s
        step = next((step for most, step in STEPS_S if took < most), 60)
        return self.low_s - step / 2 <= took <= self.high_s + step / 2


def look(session_id: str, at_s: float) -> Foretold | None:
    with transaction() as session:
        photo_session = session_detail.find(session, UUID(session_id))
        forecast = queue_forecast.forecast_of(session, photo_session)
    if forecast.wait is None:
        return None
    return Foretold(at_s, forecast.photos_ahead, forecast.wait.low_s, forecast.wait.high_s)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_what_is_said_of_a_hundred_photos_comes_true(home: Path) -> None:
    photos = int(os.environ.get("PHOTOS", "100"))
    said: list[Foretold] = []
    with one_worker(home):
        take_in(0, 4)
        until(lambda: not count(UNDER_WAY))  # the models are loaded, four photos are measured
        first, turn, session_id = 4, 0, ""
        while first < photos + 4:
            size = min(A_SESSION[turn % len(A_SESSION)], photos + 4 - first)
            session_id = take_in(first, size, place=f"A{turn % 2 + 1}")
            first, turn = first + size, turn + 1
        begin = time.monotonic()
        with transaction() as session:
            number = session_detail.find(session, UUID(session_id)).id
        waits = f"photo_session_images WHERE session_id = {number} AND finished_at IS NULL"
        while count(waits):
            told = look(session_id, time.monotonic() - begin)
            said += [told] if told else []
            time.sleep(EVERY_S)
        end_s = time.monotonic() - begin
    held = [told.held(end_s) for told in said]
    figures = {
        "photos": photos,
        "took_s": round(end_s, 1),
        "said": len(said),
        "held": sum(held),
        "widest_s": max(told.high_s - told.low_s for told in said),
        "load": round(os.getloadavg()[0], 1),
        "each": [asdict(told) | {"held": kept} for told, kept in zip(said, held, strict=True)],
    }
    folder = Path(os.environ.get("DEMETER_FIGURES", home))
    (folder / "waits.json").write_text(json.dumps(figures, indent=1))
    assert len(said) >= 10
    assert sum(held) >= 0.8 * len(said)
