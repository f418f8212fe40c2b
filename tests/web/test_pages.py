"""Pages in every state a session can be in, without a browser."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from demeter import web
from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from demeter.core.notices import Notice
from demeter.core.settings import settings
from demeter.photos.models import PhotoSession
from demeter.photos.session_detail import SETTLES
from demeter.web.pages.session import ASKS
from support.nursery import photo_count
from support.served import SESSIONS, client, jpeg, record_answers, row_count, send, upload_session
from support.signing_in import signed_in

__all__ = ["client"]

ENGLISH = {"accept-language": "en"}
BROWSER = {"accept": "text/html", "accept-language": "en"}


def page(client: TestClient, path: str, language: str = "en") -> str:
    answer = client.get(path, headers=BROWSER | {"accept-language": language})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return re.sub(r"\s+", " ", html.unescape(answer.text))


def session_page(client: TestClient, session_id: str, language: str = "en") -> str:
    return page(client, f"/sessions/{session_id}", language)


def test_the_list_says_that_there_are_no_counts_yet(client: TestClient):
    assert "No counts yet." in page(client, "/sessions")


def test_counting_has_a_form_that_offers_beds(client: TestClient):
    shown = page(client, "/count")
    assert 'enctype="multipart/form-data"' in shown
    assert 'capture="environment"' in shown
    assert '<option value="A1">Bed A1 · NORTH</option>' in shown


def test_what_needs_a_person_comes_first(client: TestClient):
    waiting = send(client, jpeg(1)).json()["session_id"]
    done = upload_session(client, jpeg(2))
    record_answers(done, photo_count((3, 1)))
    pending = upload_session(client, jpeg(3))
    shown = re.findall(r'href="/sessions/([0-9a-f-]{36})"', page(client, "/sessions"))
    assert shown == [waiting, pending, done]


def test_the_list_renews_itself_only_when_something_changed(client: TestClient):
    upload_session(client)
    address = re.search(r'hx-get="(/parts/sessions[^"]+)"', page(client, "/sessions"))
    assert address
    assert client.get(address[1], headers=ENGLISH).status_code == 204
    upload_session(client, jpeg(1))
    answer = client.get(address[1], headers=ENGLISH)
    assert answer.status_code == 200
    assert answer.text.startswith('<div id="sessions"')


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("a1", ["A1"]), ("bed", ["A1", "A2", "A3"]), ("not", ["A3"]), ("%", []), ("_", []), ("x", [])],
)
def test_locations_are_offered_by_code_and_name(client: TestClient, typed: str, offered: list):
    answer = client.get("/parts/locations", params={"location_code": typed}, headers=ENGLISH)
    assert re.findall(r'value="([^"]+)"', answer.text) == offered


def test_without_scripts_the_form_leads_to_the_session(client: TestClient):
    files = [("files", ("bed.jpg", jpeg()))]
    empty = [("files", ("", b""))]  # what a browser sends for a file field left alone
    answer = client.post(
        "/upload", files=[*empty, *files], data={"location_code": "A1"}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert re.fullmatch("/sessions/[0-9a-f-]{36}", answer.headers["location"])
    answer = client.post("/upload", files=empty, headers=BROWSER)
    assert answer.status_code == 422
    assert "Choose at least one photo." in answer.text
    assert row_count(PhotoSession) == 1


def test_a_session_that_waits_for_a_worker_says_so(client: TestClient):
    shown = session_page(client, upload_session(client))
    assert "Waiting for a worker" in shown
    assert "No worker is running" in shown
    assert "Not counted yet." in shown
    assert "<dd>0</dd>" not in shown


def test_a_counted_session_shows_containers_bins_batches_and_movements(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((1200, 34), (5, 0)))
    shown = session_page(client, session_id)
    told = client.get(f"{SESSIONS}/{session_id}").json()
    assert "In stock" in shown
    assert "1,239" in shown
    assert "+1,234" in shown
    for container in told["containers"]:
        assert container["bin"]["code"] in shown
    for batch in told["batches"]:
        assert batch["batch_code"] in shown
    assert "plants@abc" in shown
    assert "tile_px" in shown
    assert told["images"][0]["processed_url"] in shown


def test_an_unknown_estimate_is_a_dash_with_its_reason(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((12, None), residual_share=0.4))
    shown = session_page(client, session_id)
    assert "Part of a container could not be estimated" in shown
    assert "≥ 12" in shown
    assert "40 % not separated. Fewer than 5 plants detected" in shown
    assert 'data-label="Estimated">—</td>' in shown
    assert f'action="/sessions/{session_id}/accept"' in shown


def test_a_spanish_page_says_why_in_spanish(client: TestClient):
    session_id = upload_session(client)
    noticed = (Notice("plants_outside", {"plants": 1234}), Notice.from_json("kept as it was"))
    record_answers(
        session_id, replace(photo_count((12, None), residual_share=0.4), warnings=noticed)
    )
    shown = session_page(client, session_id, "es")
    assert "1.234 plantas están fuera de los contenedores" in shown
    assert "kept as it was" in shown
    assert "No se puede estimar donde queda sin explicar más del 10 %" in shown
    assert "contenedor 1: 40 % sin explicar (Se detectaron menos de 5 plantas" in shown
    assert "40 % sin separar. Se detectaron menos de 5 plantas" in shown
    answer = client.get(f"{SESSIONS}/{session_id}").json()
    for sentence in (answer["error_message"], answer["next_action"], answer["warnings"][0]):
        assert sentence not in shown


def test_a_failed_photo_is_explained_in_spanish_with_the_message_beside_it(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, None)
    shown = session_page(client, session_id, "es")
    assert "La foto no se pudo contar." in shown
    assert "La foto está incompleta o dañada" in shown
    assert '<p class="machine" lang="en">PhotoTruncated: it breaks off</p>' in shown


def test_a_session_of_before_shows_its_message_as_it_was_written(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count())
    with transaction() as session:
        session.execute(update(PhotoSession).values(reason_notices=None))
    shown = session_page(client, session_id, "es")
    assert '<p class="machine" lang="en">No StorageBins created for session' in shown


def test_no_container_is_not_a_zero(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count())
    shown = session_page(client, session_id)
    assert "No container was found" in shown
    assert "<dd>0</dd>" not in shown
    assert f'action="/sessions/{session_id}/confirm-empty"' in shown


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_state_has_a_page_in_both_languages(client: TestClient, language: str):
    made = {
        "needs_location": send(client, jpeg(1)).json()["session_id"],
        "pending": upload_session(client, jpeg(2)),
        "completed": upload_session(client, jpeg(3)),
        "needs_config": upload_session(client, jpeg(4), location_code="A3"),
        "needs_review": upload_session(client, jpeg(5)),
    }
    record_answers(made["completed"], photo_count((3, 1), (0, 0)))
    record_answers(made["needs_config"], photo_count((3, 1)))
    record_answers(made["needs_review"], None)
    for status, session_id in made.items():
        answer = client.get(f"/sessions/{session_id}", headers={"accept-language": language})
        assert answer.status_code == 200
        assert f'<html lang="{language}">' in answer.text
        assert client.get(f"{SESSIONS}/{session_id}").json()["status"] == status
        assert f'class="chip large {status}"' in answer.text


@pytest.mark.parametrize(
    ("action", "fields", "answers"),
    [
        ("accept", {"note": "fine"}, [photo_count((2, None), residual_share=0.4)]),
        ("confirm-empty", {}, [photo_count()]),
        ("reprocess", {}, [None]),
    ],
)
def test_a_button_does_what_it_says_and_shows_the_session_again(
    client: TestClient, action: str, fields: dict, answers: list
):
    session_id = upload_session(client)
    record_answers(session_id, *answers)
    answer = client.post(f"/sessions/{session_id}/{action}", data=fields, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sessions/{session_id}"
    status = client.get(f"{SESSIONS}/{session_id}").json()["status"]
    assert status == ("pending" if action == "reprocess" else "completed")


def test_a_location_is_chosen_on_the_page(client: TestClient):
    session_id = send(client, jpeg()).json()["session_id"]
    client.post(f"/sessions/{session_id}/location", data={"location_code": " a2 "})
    assert client.get(f"{SESSIONS}/{session_id}").json()["location"]["code"] == "A2"


def test_a_photo_that_is_counted_blind_shows_no_number_before_the_person_s(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DEMETER_BLIND_SHARE", "1")
    settings.cache_clear()
    session_id = upload_session(client)
    record_answers(session_id, photo_count((1234, 3)))
    shown = session_page(client, session_id)
    assert "Count it yourself first" in shown
    assert "1,23" not in shown
    assert "processed" not in shown
    client.post(f"/sessions/{session_id}/blind-recount", data={"plants": "1200"})
    assert "1,237" in session_page(client, session_id)


def test_a_button_that_came_too_late_explains_itself(client: TestClient):
    answer = client.post(f"/sessions/{upload_session(client)}/accept", headers=BROWSER)
    assert answer.status_code == 409
    assert "This can no longer be done" in answer.text


def test_a_session_that_does_not_exist_is_a_page_with_advice(client: TestClient):
    answer = client.get(f"/sessions/{uuid4()}", headers=BROWSER)
    assert answer.status_code == 404
    assert "There is no such count" in answer.text
    assert "Back to the first page" in answer.text


def test_what_people_write_is_shown_as_text(client: TestClient):
    files = [("files", ('<img src=x onerror="alert(1)">.jpg', b"no photo"))]
    answer = client.post("/upload", files=files, data={"location_code": "A1"}, headers=BROWSER)
    assert answer.status_code == 422
    assert "<img src=x" not in answer.text
    assert "&lt;img src=x" in answer.text


def test_pages_load_nothing_from_other_hosts(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((3, 0)))
    for path in ("/", "/count", "/sessions", f"/sessions/{session_id}"):
        loads = re.findall(r'(?:src|href|action)="([^"]+)"', client.get(path).text)
        assert [address for address in loads if not address.startswith(("/", "#"))] == []


def test_who_may_not_decide_is_not_offered_to(client: TestClient):
    session_id = upload_session(client)
    record_answers(session_id, photo_count((4, 0)))
    offered = {}
    for role in (UserRole.SUPERVISOR, UserRole.WORKER, UserRole.VIEWER):
        headers = signed_in(f"a-{role}", role) | {"accept": "text/html", "accept-language": "es"}
        page = client.get(f"/sessions/{session_id}", headers=headers)
        offered[role] = [word for word in ("/accept", "/reprocess") if word in page.text]
    assert offered[UserRole.SUPERVISOR] == ["/accept", "/reprocess"]
    assert offered[UserRole.WORKER] == offered[UserRole.VIEWER] == []


def test_every_action_of_a_session_says_whom_it_takes():
    settling = {action for actions in SETTLES.values() for action in actions}
    assert settling | {"accept", "config", "discard", "location", "post", "restore"} <= set(ASKS)


def test_no_form_is_for_one_width_only():
    templates = Path(web.__file__).parent / "templates"
    whole = re.compile(r'<(?:form|section|main)\b[^>]*class="[^"]*\b(?:narrow|wide)\b')
    hidden = [path.name for path in templates.rglob("*.html") if whole.search(path.read_text())]
    assert hidden == []
