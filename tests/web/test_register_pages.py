"""Master data on pages, without scripts: a list with search, a form, what was changed."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from demeter.web.language import read
from support.served import client
from support.signing_in import entrance, signed_in

__all__ = ["client"]
LIST = "/catalog/products"
HTML = {"accept": "text/html", "accept-language": "es"}
HAWORTHIA = {"code": "HAWORTHIA-01", "name": "Haworthia cooperi", "category_code": "SUCCULENT"}


@pytest.fixture
def page(client: TestClient) -> TestClient:
    """A browser in which an admin is signed in."""
    del client.headers["Authorization"]
    client.get(entrance("marta"))
    client.headers.update(HTML)
    return client


def token(page: TestClient) -> dict[str, str]:
    found = re.search(r'name="form_token" value="([^"]+)"', page.get(f"{LIST}/new").text)
    assert found
    return {"form_token": found[1]}


def test_a_product_is_added_found_changed_and_retired(page: TestClient):
    form = token(page)
    added = page.post(f"{LIST}/new", data=form | HAWORTHIA | {"current_height_mm": "12,5"})
    assert added.url.path == f"{LIST}/rows/HAWORTHIA-01"
    assert 'value="12,5"' in added.text
    assert "Haworthia cooperi" in page.get(LIST, params={"search": "cooper"}).text
    assert "Nada se llama así" in page.get(LIST, params={"search": "nothing"}).text
    row = f"{LIST}/rows/HAWORTHIA-01"
    changed = page.post(f"{row}/change", data=form | HAWORTHIA | {"name": "Otra"})
    assert "Haworthia cooperi → Otra" in changed.text
    page.post(f"{row}/deactivate", data=form)
    assert "HAWORTHIA-01" not in page.get(LIST).text
    assert "Inactivo" in page.get(LIST, params={"inactive": "true"}).text
    page.post(f"{row}/activate", data=form)
    assert page.post(f"{row}/delete", data=form).url.path == LIST


def test_each_wrong_field_is_said_and_what_was_typed_stays(page: TestClient):
    wrong = {"code": "a/b", "name": "", "category_code": "CACTI", "current_height_mm": "1.250"}
    answer = page.post(f"{LIST}/new", data=token(page) | wrong)
    assert answer.status_code == 422
    assert "Complete este campo." in answer.text
    assert "Escriba un número, por ejemplo 12,5." in answer.text
    assert 'value="a/b"' in answer.text


def test_who_comes_second_sees_both(page: TestClient):
    form = token(page)
    row = f"{LIST}/rows/ECHEVERIA-01"
    etag = re.search(r'name="etag" value="([^"]+)"', page.get(row).text)
    assert etag
    tag = etag[1].replace("&#34;", '"')
    fields = {"code": "ECHEVERIA-01", "category_code": "SUCCULENT", "etag": tag}
    page.post(f"{row}/change", data=form | fields | {"name": "Primera"})
    second = page.post(f"{row}/change", data=form | fields | {"name": "Segunda"})
    assert second.status_code == 412
    assert "<td>Primera</td><td>Segunda</td>" in second.text


def test_what_is_held_says_by_whom(page: TestClient):
    answer = page.post(f"{LIST}/rows/ECHEVERIA-01/delete", data=token(page))
    assert answer.status_code == 409
    assert "qué se cultiva: 2" in answer.text


def test_who_may_only_look_sees_no_buttons(client: TestClient):
    header = HTML | signed_in("luis", UserRole.WORKER)
    shown = client.get(f"{LIST}/rows/ECHEVERIA-01", headers=header).text
    assert "Guardar" not in shown
    assert "Eliminar" not in shown
    assert f"{LIST}/new" not in client.get(LIST, headers=header).text


def test_every_name_of_a_field_and_a_list_has_its_text():
    from demeter.core.registers.entries import entries  # noqa: PLC0415
    from demeter.web.pages.catalog import SHELF  # noqa: PLC0415

    known, missing = read("es").by_key, set()
    for register in SHELF.registers:
        names = [entry.name for entry in entries(register)] + [*register.columns, *register.extra]
        missing |= {f"field.{name}" for name in names} - set(known)
        parts = ("title", "add", "about")
        missing |= {f"register.{register.name}.{part}" for part in parts} - set(known)
        choices = {c for entry in entries(register) for c in entry.choices}
        missing |= {f"choice.{choice}" for choice in choices} - set(known)
    assert sorted(missing) == []
