"""The review's pages: each reason with its figures and its likeliest act, and what acts do."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from demeter.accounts.models import UserRole
from demeter.core import db
from support.ledgerapi import (
    STOCK,
    close_period,
    count_by_photo,
    key,
    ok,
    on_hand,
    open_period,
    report_movement,
    session_read,
)
from support.nursery import photo_count
from support.served import SESSIONS, client, jpeg, record_answers, send, upload_session
from support.signing_in import signed_in

__all__ = ["client"]

SPANISH = {"accept-language": "es", "accept": "text/html"}


def page(client: TestClient, path: str, headers: dict[str, str] | None = None) -> str:
    answer = client.get(path, headers=SPANISH | (headers or {}))
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", html.unescape(answer.text))


def shown(client: TestClient, session: str, role: UserRole = UserRole.SUPERVISOR) -> str:
    return page(client, f"/review/{session}", signed_in(f"una-{role}", role))


def primary_of(shown_page: str) -> tuple[str, str]:
    """The words and the key of the page's one filled button."""
    buttons = re.findall(
        r'class="btn primary"[^>]* data-key="(.)"[^>]*><span[^>]*>([^<]+)</span>', shown_page
    )
    assert len(buttons) == 1, buttons
    return buttons[0][1].strip(), buttons[0][0]


def version_of(shown_page: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', shown_page)
    assert found
    return found[1]


def act(client: TestClient, session: str, name: str, **fields: Any) -> str:
    """Where the page leads after an act."""
    answer = client.post(f"/review/{session}/{name}", data=fields, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


# What waits, by its reason.


def implausible(client: TestClient) -> str:
    count_by_photo(client, 125, when=0, width=2)
    return count_by_photo(client, 21, when=1, width=2)


def without_bed(client: TestClient) -> str:
    upload_session(client, jpeg(90), location_code="A1")
    return send(client, jpeg(91)).json()["session_id"]


def without_config(client: TestClient) -> str:
    return count_by_photo(client, 7, when=0, code="A3")


def other_product(client: TestClient) -> str:
    count_by_photo(client, 10, when=0, width=2)
    body = {"product_code": "MAMMILLARIA-01", "state": "SEEDLING"}
    ok(client.post("/api/v1/locations/A1/config", json=body))
    return count_by_photo(client, 9, when=1, width=2)


def _recorded(client: TestClient, *answers: Any) -> str:
    photos = [jpeg(40 + n) for n in range(len(answers))]
    session = upload_session(client, *photos)
    record_answers(session, *answers)
    return session


def without_plants(client: TestClient) -> str:
    return _recorded(client, replace(photo_count((12, 0)), plants_likelihood=0.1))


def too_wide(client: TestClient) -> str:
    return _recorded(client, replace(photo_count((10, 0)), interval_90=(4, 15)))


def not_estimated(client: TestClient) -> str:
    return _recorded(client, photo_count((4, None), residual_share=0.4))


def overlapping(client: TestClient) -> str:
    return _recorded(client, photo_count((4, 0)), photo_count((5, 0)))


def one_failed(client: TestClient) -> str:
    return _recorded(client, photo_count((4, 0)), None)


def no_container(client: TestClient) -> str:
    return _recorded(client, photo_count())


def unread(client: TestClient) -> str:
    return _recorded(client, None)


def negative(client: TestClient) -> str:
    count_by_photo(client, 120, when=0, width=2)
    report_movement(client, "ventas", 110, 2)
    return count_by_photo(client, 100, when=1, width=2)


def after_closing(client: TestClient) -> str:
    count_by_photo(client, 100, when=0, width=2)
    count_by_photo(client, 90, when=3, width=2)
    open_period(client, "2026-03", ends=3.5, grace_hours=1)
    close_period(client, "2026-03")
    return count_by_photo(client, 95, when=2, width=2)


def taken_back(client: TestClient) -> str:
    session = count_by_photo(client, 10, when=0, width=2)
    (count,) = session_read(client, session)["counts"]
    body = {"movement_id": key(), "reason": "otro"}
    ok(client.post(f"{STOCK}/counts/{count['count_id']}/void", json=body))
    return session


REASONS: list[tuple[Callable[[TestClient], str], str, tuple[str, str], list[str]]] = [
    (
        implausible,
        "implausible_change",
        ("Aceptar 21", "A"),
        ["125</span>", "Faltan 104 plantas y no hay ventas ni muertes", "−104</span> Echeveria"],
    ),
    (without_bed, "location_unknown", ("Es Bed A2", "1"), ['value="A1"', "Bed A2"]),
    (without_config, "no_config", ("Poner Echeveria", "1"), ["Poner Echeveria", "7"]),
    (
        other_product,
        "other_product",
        ("Cambiar lo que crece", "1"),
        ["El claro tiene Echeveria; la foto se cuenta como Mammillaria.", 'value="ECHEVERIA-01"'],
    ),
    (without_plants, "may_show_no_plants", ("El claro está vacío", "1"), ["12", "Descartar"]),
    (too_wide, "interval_too_wide", ("Corregir", "E"), ["entre 4 y 15"]),
    (not_estimated, "estimate_unknown", ("Corregir", "E"), ["≥ 4", "40 % sin explicar"]),
    (overlapping, "photos_may_overlap", ("Aceptar 9", "A"), ["fotos 1 y 2"]),
    (one_failed, "image_failed", ("Pedir otra foto", "1"), ["La foto está incompleta o dañada"]),
    (no_container, "no_container_found", ("El claro está vacío", "1"), []),
    (unread, "no_image_counted", ("Pedir otra foto", "1"), ["La foto está incompleta o dañada"]),
    (negative, "stock_would_be_negative", ("Probar otra vez", "1"), ["120</span>", "100"]),
    (after_closing, "period_closed", ("Probar otra vez", "1"), ["95"]),
    (taken_back, "voided", ("Pasar otra vez al inventario", "1"), ["otro"]),
]


@pytest.mark.parametrize(
    ("waiting", "reason", "primary", "words"), REASONS, ids=[reason for _, reason, *_ in REASONS]
)
def test_a_reason_has_its_page_with_figures_and_the_likeliest_act(
    client: TestClient,
    waiting: Callable[[TestClient], str],
    reason: str,
    primary: tuple[str, str],
    words: list[str],
):
    session = waiting(client)
    assert session_read(client, session)["reason_code"] == reason
    seen = shown(client, session)
    assert primary_of(seen) == primary
    for word in words:
        assert word in seen, word
    assert 'class="btn danger"' in seen
    by_worker = shown(client, session, UserRole.WORKER)
    for decision in ("accept", "correct", "confirm-empty", "config", "post", "repost", "discard"):
        assert f"/{decision}" not in by_worker.replace("/parts/review", "")
    assert ("/location" in by_worker) == (reason == "location_unknown")
    listed = page(client, f"/review?reason={reason}", signed_in("una-supervisor"))
    assert f'data-session="{session}"' in listed


# What acts do.


def test_accepting_posts_the_count_and_shows_the_next_with_undo(client: TestClient):
    session = implausible(client)
    later = without_config(client)
    version = version_of(shown(client, session))
    led_to = act(client, session, "accept", seen=version, note="vendidas ayer")
    assert led_to == f"/review/{later}?did=accept&of={session}"
    assert on_hand(client) == 21
    following = page(client, led_to)
    assert "Bed A1 aceptado" in following
    assert f'action="/review/{session}/undo"' in following
    assert "1 de 1" in following
    led_to = act(client, session, "undo", did="accept")
    assert session_read(client, session)["reason_code"] == "voided"
    assert on_hand(client) == 125
    back = page(client, led_to)
    assert "decisión deshecha" in back
    assert "«vendidas ayer»" in back


def test_a_discarded_photo_is_taken_back_with_undo(client: TestClient):
    session = too_wide(client)
    led_to = act(client, session, "discard", reason="Borrosa u oscura")
    assert led_to == f"/review?did=discard&of={session}"
    shown_page = page(client, led_to)
    assert "No queda nada por revisar" in shown_page
    assert "Bed A1 descartado" in shown_page
    act(client, session, "undo", did="discard")
    assert session_read(client, session)["reason_code"] == "interval_too_wide"


def test_a_count_of_another_bed_is_moved_there_and_back(client: TestClient):
    session = implausible(client)
    led_to = act(client, session, "move", location_code="A2", was="A1")
    assert session_read(client, session)["location"]["code"] == "A2"
    assert (on_hand(client, "A1"), on_hand(client, "A2")) == (125, 21)
    assert "Movido a Bed A2" in page(client, led_to)
    act(client, session, "undo", did="move", was="A1")
    assert session_read(client, session)["reason_code"] == "implausible_change"
    assert (on_hand(client, "A1"), on_hand(client, "A2")) == (125, 0)


def test_a_bed_is_chosen_for_a_photo_without_one(client: TestClient):
    session = without_bed(client)
    assert "did=location" in act(client, session, "location", location_code=" a2 ")
    assert session_read(client, session)["location"]["code"] == "A2"


@pytest.mark.parametrize(
    ("waiting", "product", "plants"),
    [(without_config, "ECHEVERIA-01", 7), (other_product, "ECHEVERIA-01", 9)],
)
def test_saying_what_grows_posts_the_count(
    client: TestClient, waiting: Callable[[TestClient], str], product: str, plants: int
):
    session = waiting(client)
    act(client, session, "config", product_code=product, state="SEEDLING")
    read = session_read(client, session)
    assert read["status"] == "completed"
    assert on_hand(client, read["location"]["code"], product=product) == plants


@pytest.mark.parametrize("waiting", [without_plants, no_container])
def test_an_empty_bed_is_confirmed(client: TestClient, waiting: Callable[[TestClient], str]):
    session = waiting(client)
    led_to = act(client, session, "confirm-empty")
    assert session_read(client, session)["status"] == "completed"
    assert on_hand(client) == 0
    assert "Bed A1 quedó vacío" in page(client, led_to)


def test_plants_that_are_none_are_corrected_to_zero_over_http(client: TestClient):
    session = without_plants(client)
    assert session_read(client, session)["actions"][:2] == ["accept", "confirm-empty"]
    ok(client.post(f"{SESSIONS}/{session}/confirm-empty", json={}))
    read = session_read(client, session)
    assert (read["status"], read["total"], read["total_detected"]) == ("completed", 0, 12)
    assert [c["human_corrected"] for c in read["containers"]] == [0]


def test_numbers_are_corrected_without_scripts(client: TestClient):
    session = not_estimated(client)
    assert 'name="index" value="1"' in shown(client, session)
    led_to = act(client, session, "correct", index=1, plants=6)
    assert on_hand(client) == 6
    assert "corregido y aceptado" in page(client, led_to)


def test_asking_for_another_photo_puts_this_one_aside(client: TestClient):
    session = unread(client)
    led_to = act(client, session, "another-photo")
    read = session_read(client, session)
    assert (read["status"], "Se pidió otra foto" in read["error_message"]) == ("discarded", True)
    assert "vuelve a la ronda" in page(client, led_to)


def test_a_count_that_was_taken_back_is_booked_again(client: TestClient):
    session = taken_back(client)
    act(client, session, "repost")
    assert session_read(client, session)["status"] == "completed"


def test_what_still_waits_says_so_and_stays(client: TestClient):
    session = negative(client)
    led_to = act(client, session, "post")
    assert led_to == f"/review/{session}?did=still&of={session}"
    assert "Sigue esperando: El inventario quedaría en negativo" in page(client, led_to)


def test_who_comes_second_is_told_who_decided(client: TestClient):
    session = implausible(client)
    later = without_config(client)
    version = version_of(shown(client, session))
    marta = signed_in("marta", UserRole.SUPERVISOR)
    ok(client.post(f"{SESSIONS}/{session}/accept", json={}, headers=marta))
    led_to = act(client, session, "discard", seen=version, reason="Borrosa")
    assert session_read(client, session)["status"] == "completed"
    assert led_to.startswith("/review?did=elsewhere")
    assert "Bed A1: Marta lo aceptó hace 1 min" in page(client, led_to)
    assert f'data-session="{later}"' in page(client, led_to)
    assert "Marta lo aceptó hace 1 min" in shown(client, session)


def test_the_queue_is_walked_by_reason_and_age(client: TestClient):
    wide, bed, grows = too_wide(client), without_bed(client), without_config(client)
    order = []
    at = "/review"
    for _ in range(3):
        seen = page(client, at)
        found = re.search(r'data-session="([\w-]+)"', seen)
        following = re.search(r'href="(/review/[\w-]+)" data-key="J"', seen)
        assert found
        order.append(found[1])
        at = following[1] if following else ""
    assert order == [bed, grows, wide]
    assert at == ""
    assert "1 de 1" in page(client, "/review?reason=interval_too_wide")
    assert "Nada más espera por este motivo" in page(client, "/review?reason=voided")


def test_a_blind_recount_shows_no_number_and_takes_one(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    count_by_photo(client, 98, when=0, width=2)
    monkeypatch.setenv("DEMETER_BLIND_SHARE", "1")
    db.settings.cache_clear()
    session = count_by_photo(client, 87, when=1, width=2)
    seen = shown(client, session, UserRole.WORKER)
    assert primary_of(seen) == ("Anotar mi conteo", "1")
    body = seen[seen.index("<main") : seen.index("</main")]
    assert not re.search(r">[^<]*\b(87|98)\b", body)
    led_to = act(client, session, "blind-recount", plants=85)
    assert on_hand(client) == 87
    assert "su conteo quedó anotado" in page(client, led_to)


def test_a_hundred_containers_are_tiles_with_a_list_behind_them(client: TestClient):
    places = [(5 + 7 * n, 5) for n in range(100)]
    session = _recorded(client, photo_count(*[(1, None)] * 100, at=places, residual_share=0.4))
    seen = shown(client, session)
    assert seen.count('<i class="new"></i>') == 100
    assert "100 segmentos" in seen
    assert "Ver lista" in seen
    assert "/review/" + session in page(client, f"/sessions/{session}")


def test_the_number_in_the_navigation_is_of_who_decides(client: TestClient):
    assert client.get("/parts/waiting").status_code == 204
    too_wide(client)
    assert '<span class="dot">1' in client.get("/parts/waiting").text
    luis = signed_in("luis", UserRole.WORKER)
    assert client.get("/parts/waiting", headers=luis).status_code == 204
    assert 'href="/review"' not in client.get("/", headers=luis).text
    assert 'href="/review"' in client.get("/").text


def test_a_page_asks_the_database_as_often_for_many_containers(client: TestClient):
    asked: list[str] = []

    def statements(code: str, containers: int) -> int:
        session = upload_session(client, jpeg(60 + containers), location_code=code)
        places = [(5 + 7 * n, 5) for n in range(containers)]
        answers = photo_count(*[(1, None)] * containers, at=places, residual_share=0.4)
        record_answers(session, answers)
        asked.clear()
        shown(client, session)
        return len(asked)

    statements("A1", 1)  # what is read once in a process
    event.listen(db.engine(), "before_cursor_execute", lambda *facts: asked.append(facts[2]))
    assert statements("A2", 60) <= statements("A1", 2) + 3
