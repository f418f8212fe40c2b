"""How long photos wait, foretold from those that were counted before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.core.db import transaction
from demeter.photos.queue_forecast import Pace, PhotoTimes, Wait, current_pace, pace_of
from demeter.web.language import read
from demeter.web.waits import Waits
from support.served import SESSIONS, client, jpeg, upload_session

assert client  # pytest finds the fixture by its name here

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def line(photos: int, each_s: float, workers: int, pause_s: float = 0) -> list[PhotoTimes]:
    """Photos that came at once, counted by so many at a time; the last ended just now."""
    ended = []
    for n in range(photos):
        start_s = (n // workers) * (each_s + pause_s) + (n % workers) * each_s / workers
        begun = NOW - timedelta(minutes=10) + timedelta(seconds=start_s)
        ended.append(
            PhotoTimes(NOW - timedelta(minutes=12), begun, begun + timedelta(seconds=each_s))
        )
    return ended


@pytest.mark.parametrize(("workers", "pause_s"), [(1, 0), (2, 0), (4, 0), (1, 3)])
def test_a_line_shows_its_own_pace(workers: int, pause_s: float) -> None:
    pace = pace_of(line(40, 4, workers, pause_s), workers, NOW)
    assert pace is not None
    assert pace.between_s == pytest.approx((4 + pause_s) / workers, rel=0.1)


def test_without_a_line_photos_at_work_share_the_time() -> None:
    apart = [
        PhotoTimes(at, at + timedelta(seconds=1), at + timedelta(seconds=5))
        for at in (NOW - timedelta(minutes=2 * n + 1) for n in range(5))
    ]
    pace = pace_of(apart, 2, NOW)
    assert pace is not None
    assert pace == Pace(2, 0, 4, 5)
    assert pace.wait(0.5).high_s <= 5
    assert pace.wait(30) == Wait(60, 60)


def test_an_outage_or_the_models_loading_stretch_it_little() -> None:
    ended = line(40, 4, 1)
    late = timedelta(minutes=8)
    torn = ended[:20] + [
        PhotoTimes(e.created_at, e.started_at + late, e.finished_at + late) for e in ended[20:]
    ]
    pace = pace_of(torn, 1, NOW + late)
    assert pace is not None
    assert pace.between_s < 5


def test_of_two_photos_nothing_is_foretold() -> None:
    assert pace_of(line(2, 4, 1), 1, NOW) is None


def test_a_range_is_wider_where_less_is_known() -> None:
    few, many = Pace(4, 2, 4, 5).wait(100), Pace(4, 2, 4, 60).wait(100)
    assert few.low_s < many.low_s < 400 < many.high_s < few.high_s


@pytest.mark.parametrize(
    ("wait", "es", "en"),
    [
        (Wait(20, 50), "menos de un minuto", "less than a minute"),
        (Wait(50, 75), "más o menos un minuto", "about a minute"),
        (Wait(230, 260), "unos 4 minutos", "about 4 minutes"),
        (Wait(400, 900), "entre 6 y 15 minutos", "6 to 15 minutes"),
        (Wait(7000, 7300), "unas 2 horas", "about 2 hours"),
        (Wait(7200, 18_000), "entre 2 y 5 horas", "2 to 5 hours"),
    ],
)
def test_it_is_said_in_both_languages(wait: Wait, es: str, en: str) -> None:
    assert (Waits(read("es"))(wait), Waits(read("en"))(wait)) == (es, en)


def count_as_measured(session_id: str, seconds: float) -> None:
    """As if a worker had counted its photos, one after the other, in so many seconds each."""
    with transaction() as session:
        session.execute(
            text("""
            UPDATE photo_session_images m SET status = 'succeeded', progress = 1,
                created_at = now() - interval '10 minutes',
                started_at = now() - make_interval(secs => (21 - m.position) * :each),
                finished_at = now() - make_interval(secs => (20 - m.position) * :each)
            FROM photo_processing_sessions f WHERE f.id = m.session_id AND f.session_id = :id
            """),
            {"id": session_id, "each": seconds},
        )
        session.execute(
            text(
                "UPDATE photo_processing_sessions SET status = 'needs_review', "
                "reason_code = 'estimate_unknown', next_action = 'Look.' "
                "WHERE session_id = :id"
            ),
            {"id": session_id},
        )


def test_pages_and_api_say_how_long_and_what_stands_before(client: TestClient) -> None:
    count_as_measured(upload_session(client, *(jpeg(n) for n in range(20))), seconds=12)
    first = upload_session(client, *(jpeg(n) for n in range(20, 30)))
    second = upload_session(client, jpeg(31), location_code="A2")
    with transaction() as session:
        assert current_pace(session) is None  # nobody works
    assert client.get(f"{SESSIONS}/{second}/progress").json()["seconds_left"] is None
    with transaction() as session:
        session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    told = client.get(f"{SESSIONS}/{second}/progress").json()
    assert told["photos_ahead"] == 10
    assert told["seconds_left"] == {"low": 135, "high": 135}  # of eleven photos, 132
    assert client.get(f"{SESSIONS}/{first}/progress").json()["photos_ahead"] == 0
    for language, before, ready in (
        ("es", "Hay 10 fotos antes.", "unos 2 minutos"),
        ("en", "10 photos are before it.", "about 2 minutes"),
    ):
        asked = {"accept-language": language}
        page = client.get(f"/sessions/{second}", headers=asked).text
        assert before in page
        assert ready in page
        assert ready in client.get(f"/parts/sessions/{second}/wait", headers=asked).text
        assert ready in client.get("/parts/counting", headers=asked).text
        assert ready in client.get("/jobs", headers=asked).text
        assert ready in client.get("/parts/count/today", headers=asked).text
