"""The page of a bed, and what is reported, undone, voided, moved and discarded there."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.accounts.models import UserRole
from demeter.core.db import transaction
from support.ledgerapi import (
    as_julia,
    count_by_hand,
    count_by_photo,
    key,
    on_hand,
    report_movement,
    session_read,
)
from support.nursery import photo_count
from support.served import client, jpeg, record_answers, upload_session
from support.signing_in import signed_in

__all__ = ["client"]

YEAR = "/beds/A1?months=60"  # the fixtures' days are past
SPANISH = {"accept": "text/html", "accept-language": "es"}


def page(
    client: TestClient, path: str, who: dict[str, str] | None = None, *, status: int = 200
) -> str:
    answer = client.get(path, headers=SPANISH | (who or {}))
    assert answer.status_code == status, answer.text
    return squeezed(answer.text)


def squeezed(text_of_page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(text_of_page))


def post(client: TestClient, path: str, who: dict[str, str] | None = None, /, **fields: Any) -> Any:
    """As a form of the page posts it."""
    return client.post(path, data=fields, headers=SPANISH | (who or {}), follow_redirects=False)


def write(
    client: TestClient, path: str, who: dict[str, str] | None = None, /, **fields: Any
) -> str:
    """Post a form that is carried out; the address it leads to."""
    answer = post(client, path, who, act="write", key=key(), **fields)
    assert answer.status_code == 303, squeezed(answer.text)
    return answer.headers["location"]


def worker(name: str = "ana") -> dict[str, str]:
    return signed_in(name, UserRole.WORKER)


def test_a_bed_that_nobody_counted_teaches_how(client: TestClient) -> None:
    shown = page(client, "/beds/A1")
    assert "Este claro nunca se contó" in shown
    assert 'href="/count?bed=A1"' in shown
    assert "Fotografiar bed A1" in shown
    assert 'class="fig x"' not in shown


def test_its_number_has_its_interval_and_its_change(client: TestClient) -> None:
    count_by_photo(client, 108, when=1, width=6)
    count_by_photo(client, 96, when=2, width=6)
    shown = page(client, "/beds/A1")
    assert "96<small>plantas</small>" in shown
    assert "entre 93 y 99" in shown
    assert "<b>−12</b>" in shown
    assert "desde el 3 mar" in shown


def test_after_a_report_the_counted_number_stays_beside_the_new_one(client: TestClient) -> None:
    count_by_hand(client, 96, when=1)
    there = write(client, "/beds/A1/deaths", quantity="5", reason="pudrición")
    shown = page(client, there)
    assert "91<small>plantas</small>" in shown
    assert "se contaron 96" in shown
    assert "5 muertes anotadas" in shown
    assert "pudrición" in shown


def test_a_photo_under_way_leaves_the_old_number_with_its_day(client: TestClient) -> None:
    count_by_hand(client, 96, when=1)
    upload_session(client, jpeg(5))
    shown = page(client, "/beds/A1")
    assert "Contándose ahora" in shown
    assert "El número de abajo es del conteo de 3 mar" in shown
    assert "96<small>plantas</small>" in shown


def test_a_bed_out_of_use_says_so_and_takes_no_report(client: TestClient) -> None:
    with transaction() as session:
        session.execute(text("UPDATE storage_locations SET active = false WHERE code = 'A1'"))
    shown = page(client, "/beds/A1")
    assert "Este claro está fuera de uso" in shown
    assert "/beds/A1/deaths" not in shown


def test_a_code_that_is_not_there_is_a_page_that_says_so(client: TestClient) -> None:
    shown = page(client, "/beds/a1", status=404)
    assert "No hay ningún claro «a1»" in shown
    assert 'href="/beds/A1"' in shown


@pytest.mark.parametrize(
    ("report", "fields", "after"),
    [
        ("planting", {"quantity": "12"}, 108),
        ("deaths", {"quantity": "5", "reason": "plaga"}, 91),
        ("sale", {"quantity": "20", "reason": "remito 7", "unit_price": "12,5"}, 76),
        ("transplant", {"quantity": "10", "to": "bed a2"}, 86),
        ("adjustment", {"quantity": "3", "direction": "missing", "reason": "no se sabe"}, 93),
        ("adjustment", {"quantity": "3", "direction": "surplus", "reason": "no se sabe"}, 99),
    ],
)
def test_a_report_is_shown_then_written_then_undone(
    client: TestClient, report: str, fields: dict[str, str], after: int
) -> None:
    count_by_hand(client, 96, when=1)
    path = f"/beds/A1/{report}"
    assert page(client, path).count('class="btn primary') == 1
    shown = post(client, path, as_julia(), act="show", **fields)
    assert f'96<span class="to">→</span>{after}' in squeezed(shown.text)
    assert on_hand(client) == 96

    there = write(client, path, as_julia(), **fields)
    assert on_hand(client) == after
    undo = re.search(r'action="(/beds/A1/movements/[^"]+/undo)"', page(client, there))
    assert undo
    for _ in range(2):  # the same again is answered alike
        assert post(client, undo[1], as_julia()).status_code == 303
    assert on_hand(client) == 96
    assert "deshecho" in page(client, "/beds/A1")


def test_the_same_form_sent_twice_is_written_once(client: TestClient) -> None:
    count_by_hand(client, 96, when=1)
    fields = {"quantity": "5", "act": "write", "key": key()}
    for _ in range(2):
        assert post(client, "/beds/A1/deaths", **fields).status_code == 303
    assert on_hand(client) == 91


def test_a_transplant_shows_both_beds(client: TestClient) -> None:
    count_by_hand(client, 96, when=1)
    count_by_hand(client, 10, when=1, code="A2")
    shown = squeezed(post(client, "/beds/A1/transplant", quantity="6", to_near="A2").text)
    assert 'Bed A1 quedará en</span><b class="fig m">96<span class="to">→</span>90' in shown
    assert 'Bed A2 quedará en</span><b class="fig m">10<span class="to">→</span>16' in shown
    write(client, "/beds/A1/transplant", quantity="6", to_near="A2")
    assert 'Trasplante <a href="/beds/A2">a bed A2</a>' in page(client, "/beds/A1")
    assert 'Trasplante <a href="/beds/A1">de bed A1</a>' in page(client, "/beds/A2")


@pytest.mark.parametrize("typed", ["", "0", "-3", "1.000", "12,5", "mil", "99999999999"])
def test_a_number_that_is_none_is_refused_in_spanish_beside_its_field(
    client: TestClient, typed: str
) -> None:
    count_by_hand(client, 96, when=1)
    answer = post(client, "/beds/A1/deaths", quantity=typed, act="write", key=key())
    assert answer.status_code == 422
    shown = squeezed(answer.text)
    assert "Escriba un número entero desde 1, sin puntos, por ejemplo 12." in shown
    assert 'aria-invalid="true"' in shown
    assert on_hand(client) == 96


@pytest.mark.parametrize(
    ("report", "fields", "status", "told"),
    [
        ("deaths", {"quantity": "97"}, 409, "Se pidieron 97; hay 96."),
        ("deaths", {"quantity": "1", "when": "mañana"}, 422, "Escriba el día y la hora"),
        ("deaths", {"quantity": "1", "when": "2199-01-01T10:00"}, 422, "está en el futuro"),
        ("transplant", {"quantity": "1"}, 422, "Elija el claro, o escriba su nombre."),
        ("transplant", {"quantity": "1", "to": "Z9"}, 422, "No está claro qué claro es"),
        ("transplant", {"quantity": "1", "to": "A1"}, 409, "El origen y el destino"),
        ("sale", {"quantity": "1", "unit_price": "mucho"}, 422, "Escriba el precio con números"),
        ("adjustment", {"quantity": "1"}, 422, "Diga si faltan o si sobran"),
        ("adjustment", {"quantity": "1", "direction": "missing"}, 422, "Falta"),
    ],
)
def test_what_is_refused_says_so_on_the_form(
    client: TestClient, report: str, fields: dict[str, str], status: int, told: str
) -> None:
    count_by_hand(client, 96, when=1)
    answer = post(client, f"/beds/A1/{report}", as_julia(), act="write", key=key(), **fields)
    assert (answer.status_code, told in squeezed(answer.text)) == (status, True), squeezed(
        answer.text
    )
    assert on_hand(client) == 96


@pytest.mark.parametrize("report", ["sale", "adjustment"])
def test_a_worker_neither_sees_nor_sends_what_supervisors_report(
    client: TestClient, report: str
) -> None:
    count_by_hand(client, 96, when=1)
    shown = page(client, "/beds/A1", worker())
    assert "/beds/A1/deaths" in shown
    assert f"/beds/A1/{report}" not in shown
    fields = {"quantity": "1", "act": "write", "key": key()}
    refused = post(client, f"/beds/A1/{report}", worker(), **fields)
    assert refused.status_code == 403
    assert on_hand(client) == 96


def test_a_viewer_sees_the_bed_and_no_button(client: TestClient) -> None:
    count_by_hand(client, 96, when=1)
    viewer = signed_in("vito", UserRole.VIEWER)
    shown = page(client, "/beds/A1", viewer)
    assert "96<small>plantas</small>" in shown
    for act in ("/deaths", "/count?bed", "/void", "/undo"):
        assert act not in shown
    assert post(client, "/beds/A1/deaths", viewer, quantity="1").status_code == 403


def test_a_worker_undoes_only_own_reports(client: TestClient) -> None:
    count_by_hand(client, 96, when=1)
    there = write(client, "/beds/A1/deaths", worker(), quantity="5")
    own = re.search(r'action="(/beds/A1/movements/[^"]+/undo)"', page(client, there, worker()))
    assert own
    assert own[1] not in page(client, "/beds/A1", worker("luis"))
    assert post(client, own[1], worker("luis")).status_code == 403
    assert post(client, own[1], worker()).status_code == 303
    assert on_hand(client) == 96


def test_a_count_is_voided_after_its_effect_was_shown(client: TestClient) -> None:
    count_by_hand(client, 96, when=1)
    count_by_hand(client, 21, when=2)
    ways = re.findall(r'href="(/beds/A1/counts/\d+/void)"', page(client, YEAR))
    shown = page(client, ways[0])
    assert '21<span class="to">→</span>96' in shown
    assert on_hand(client) == 21
    there = write(client, ways[0], as_julia())
    assert on_hand(client) == 96
    assert "Conteo anulado" in page(client, there)
    told = page(client, YEAR)
    assert "anulado: El conteo estaba mal" in told


def test_a_photo_of_another_bed_is_moved_there_in_three_steps(client: TestClient) -> None:
    count_by_photo(client, 40, when=1)
    shown = page(client, YEAR)
    (way,) = set(re.findall(r'href="(/beds/A1/counts/\d+/move)"', shown))
    assert 'value="A2"' in page(client, way)
    preview = squeezed(post(client, way, to_near="A2").text)
    assert '40<span class="to">→</span>0' in preview
    assert '0<span class="to">→</span>40' in preview
    assert "Pasar a bed A2" in preview
    there = write(client, way, to="A2")
    assert (on_hand(client), on_hand(client, "A2")) == (0, 40)
    assert 'href="/beds/A2"' in page(client, there)


def test_a_photo_that_waits_is_named_and_discarded_and_taken_back(client: TestClient) -> None:
    count_by_photo(client, 400, when=1)
    waiting = count_by_photo(client, 3, when=2)
    assert session_read(client, waiting)["status"] == "needs_review"
    shown = page(client, "/beds/A1")
    assert "Una foto espera a una persona" in shown
    assert f'href="/review/{waiting}"' in shown
    assert "El inventario no cambió" in shown
    assert "Descartar la foto" in page(client, f"/beds/A1/photos/{waiting}/discard")
    there = write_discard(client, waiting)
    assert session_read(client, waiting)["status"] == "discarded"
    assert "Foto descartada" in page(client, there)
    assert post(client, f"/beds/A1/photos/{waiting}/restore").status_code == 303
    assert session_read(client, waiting)["status"] == "needs_review"


def write_discard(client: TestClient, session_id: str) -> str:
    answer = post(client, f"/beds/A1/photos/{session_id}/discard")
    assert answer.status_code == 303
    return answer.headers["location"]


def test_several_photos_are_leafed_through(client: TestClient) -> None:
    session_id = upload_session(client, jpeg(1), jpeg(2))
    record_answers(session_id, photo_count((20, 0)), photo_count((22, 0)))
    assert "Foto 1 de 2" in page(client, "/beds/A1")
    assert "Foto 2 de 2" in page(client, "/beds/A1?photo=2")
    assert "Foto 2 de 2" in page(client, "/beds/A1?photo=9")


def test_a_month_without_a_count_is_a_dash_and_a_bar_opens_its_movements(
    client: TestClient,
) -> None:
    count_by_hand(client, 96, when=1)
    report_movement(client, "muerte", 5, when=33)
    shown = page(client, "/beds/A1?months=60&month=2026-04")
    assert re.search(r'<details class="bed-month" id="m-2026-04" open>', shown)
    assert 'href="?months=60&month=2026-03#m-2026-03"' in shown
    assert re.search(r'aria-label="— abr, abril[^"]*: sin conteo"', shown)
    assert ">—</text>" in shown


def test_a_sheet_is_the_form_alone_and_says_where_to_go(client: TestClient) -> None:
    count_by_hand(client, 96, when=1)
    part = page(client, "/beds/A1/deaths", {"hx-request": "true"})
    assert part.startswith((" <form", "<form"))
    fields = {"quantity": "5", "act": "write", "key": key()}
    answer = post(client, "/beds/A1/deaths", {"hx-request": "true"}, **fields)
    assert answer.status_code == 204
    assert answer.headers["hx-redirect"] == f"/beds/A1?done={fields['key']}"
