"""The gallery and the jobs page, as a person with a role meets them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update

from demeter.core.db import transaction
from demeter.core.queue_state import jobs_in
from demeter.core.site import day_at_site
from demeter.photos.models import PhotoSession
from support.nursery import photo_count
from support.served import client, jpeg, record_answers, send, upload_session

__all__ = ["client"]
PAGE = {"accept": "text/html", "accept-language": "es"}


def shown(html: str) -> list[str]:
    """The sessions whose photos are shown, in order."""
    return re.findall(r'class="chip \w+" href="/sessions/([0-9a-f-]+)"', html)


def gallery(client: TestClient, **filters: str) -> list[str]:
    answer = client.get("/gallery", params=filters, headers=PAGE)
    assert answer.status_code == 200
    return shown(answer.text)


@pytest.fixture
def three(client: TestClient) -> list[str]:
    """Of A1, counted; of A2; of nowhere."""
    ids = [
        upload_session(client, jpeg(1)),
        upload_session(client, jpeg(2), location_code="A2"),
        send(client, jpeg(3)).json()["session_id"],
    ]
    record_answers(ids[0], photo_count((3, 1)))
    return ids


def test_photos_are_found_by_place_state_day_sender_product_and_word(client, three):
    first, second, nowhere = three
    assert gallery(client) == [nowhere, second, first]
    assert gallery(client, place_code="a2") == [second]
    assert gallery(client, status="needs_location") == [nowhere]
    assert gallery(client, status="completed") == [first]
    assert gallery(client, text="a1") == [first]
    assert gallery(client, text="%") == []  # a sign, not a pattern
    assert gallery(client, username="nobody") == []
    with transaction() as session:
        old = session.scalars(select(PhotoSession).where(PhotoSession.session_id == second)).one()
        long_ago = old.captured_at - timedelta(days=40)
        session.execute(
            update(PhotoSession).where(PhotoSession.id == old.id).values(captured_at=long_ago)
        )
        product = session.scalar(
            text("""
            SELECT p.code FROM products p JOIN counts c ON c.product_id = p.id
            WHERE c.processing_session_id IS NOT NULL LIMIT 1
            """)
        )
    day = day_at_site(long_ago).isoformat()
    assert gallery(client, from_day=day, to_day=day) == [second]
    assert first in gallery(client, product_code=product.lower())
    assert nowhere not in gallery(client, product_code=product)


def test_a_day_that_is_none_is_said(client: TestClient):
    answer = client.get("/gallery", params={"from_day": "tomorrow"}, headers=PAGE)
    assert answer.status_code == 422
    assert "<h1>" in answer.text


def test_many_photos_are_discarded_at_once_and_what_is_refused_is_named(client, three):
    first, second, nowhere = three
    answer = client.post(
        "/gallery/discard",
        data={"session_id": [first, second, nowhere], "reason": "salió mal"},
        headers=PAGE,
    )
    assert "1 envío descartado" in answer.text  # nowhere; the others are posted or under way
    assert answer.text.count('">Este envío</a>') == 2
    assert gallery(client, status="discarded") == [nowhere]
    none = client.post("/gallery/discard", data={"reason": "x"}, headers=PAGE)
    assert "Elija al menos una foto" in none.text


def test_many_photos_are_counted_again_at_once(client, three):
    first, _, nowhere = three
    answer = client.post("/gallery/reprocess", data={"session_id": [first, nowhere]}, headers=PAGE)
    assert "1 envío se cuenta de nuevo" in answer.text
    assert client.get(f"/api/v1/photos/sessions/{first}").json()["attempt"] == 2


def test_a_photo_shows_its_file_and_what_became_of_it(client, three):
    image_id = client.get(f"/api/v1/photos/sessions/{three[0]}").json()["images"][0]["image_id"]
    page = client.get(f"/gallery/{image_id}", headers=PAGE).text
    assert f"/sessions/{three[0]}" in page
    assert "bed-1.jpg" in page
    missing = client.get(f"/gallery/{three[0]}", headers=PAGE)
    assert missing.status_code == 404


def test_a_failed_job_is_shown_and_tried_again(client: TestClient, three):
    with transaction() as session:
        failed = session.scalar(
            text("""
            UPDATE procrastinate_jobs SET status = 'failed'
            WHERE id = (SELECT id FROM procrastinate_jobs WHERE task_name = 'ml_parent_task'
                        AND status = 'todo' ORDER BY id LIMIT 1)
            RETURNING id
            """)
        )
    page = client.get("/jobs", headers=PAGE).text
    assert f'action="/jobs/{failed}/retry"' in page
    assert three[0] in page  # the session that it is about
    assert client.post(f"/jobs/{failed}/retry", headers=PAGE).status_code == 200
    with transaction() as session:
        assert jobs_in(session, "failed") == []
        assert failed in [job.job_id for job in jobs_in(session, "todo")]
    again = client.post(f"/jobs/{failed}/retry", headers=PAGE)
    assert again.status_code == 404
    assert "No existe ese trabajo fallido" in again.text
