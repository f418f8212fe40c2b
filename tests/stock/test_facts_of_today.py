"""What is reported today is not to come, and what comes after it counts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

from fastapi.testclient import TestClient

from demeter.core.site import site_zone


def test_what_happens_after_a_count_of_today_counts(client: TestClient) -> None:
    """Counted 100 today, sold 10 today, counted 90 today: 90, and nothing is in the future."""
    today = datetime.now(site_zone()).date().isoformat()
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
