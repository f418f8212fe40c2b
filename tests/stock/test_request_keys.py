"""When something happened: days are the site's, and what is reported today is not to come."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from demeter.core.settings import settings
from demeter.stock.errors import HappenedInFuture
from demeter.stock.request_keys import moment_of

ZONES = (
    "America/Argentina/Mendoza",
    "Europe/Madrid",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
    "Asia/Kathmandu",
)


@given(st.sampled_from(ZONES), st.integers(0, 400))
def test_a_day_ends_at_the_site_and_today_is_now(zone: str, days_ago: int) -> None:
    site = ZoneInfo(zone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEMETER_TIME_ZONE", zone)
        settings.cache_clear()
        before = datetime.now(UTC)
        today = before.astimezone(site).date()
        day = today - timedelta(days=days_ago)
        moment = moment_of(day)
        after = datetime.now(UTC)
    settings.cache_clear()
    if after.astimezone(site).date() != today:  # midnight has passed meanwhile
        return
    end = datetime.combine(day, time.max, site)
    assert moment == end if days_ago else before <= moment <= after
    assert moment <= after


@pytest.mark.parametrize("zone", ZONES)
def test_tomorrow_at_the_site_is_to_come(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMETER_TIME_ZONE", zone)
    settings.cache_clear()
    tomorrow = datetime.now(ZoneInfo(zone)).date() + timedelta(days=1)
    with pytest.raises(HappenedInFuture):
        moment_of(tomorrow + timedelta(days=1))
    monkeypatch.undo()
    settings.cache_clear()


def test_what_happens_after_a_count_of_today_counts(client: TestClient) -> None:
    """Counted 100 today, sold 10 today, counted 90 today: 90, and nothing is in the future."""
    today = datetime.now(ZoneInfo(settings().time_zone)).date().isoformat()
    said = {"location_code": "A1", "occurred_at": today}
    steps = [
        ("counts", {"plants": 100}),
        ("movements", {"movement_type": "ventas", "quantity": 10}),
        ("counts", {"plants": 90}),
        ("movements", {"movement_type": "plantar", "quantity": 5}),
    ]
    on_hand = []
    for path, body in steps:
        answer = client.post(
            f"/api/v1/stock/{path}", json=body | said | {"movement_id": str(uuid4())}
        )
        assert answer.is_success, answer.text
        rows = client.get("/api/v1/stock/on-hand", params={"by": "location"}).json()
        on_hand.append(sum(row["plants"] for row in rows))
    assert on_hand == [100, 90, 90, 95]
    rows = client.get("/api/v1/stock/movements").json()["items"]
    assert all(datetime.fromisoformat(row["occurred_at"]) <= datetime.now(UTC) for row in rows)
    assert date.fromisoformat(today)
