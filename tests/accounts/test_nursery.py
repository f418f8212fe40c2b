"""The nursery's own row: read by all, changed by its admins, known to every process."""

from __future__ import annotations

import json

from fastapi.testclient import TestClient

from demeter.accounts.models import UserRole
from support.commands import demeter
from support.served import client
from support.signing_in import entrance, signed_in

__all__ = ["client"]

NURSERY = "/api/v1/nursery"


def test_an_admin_changes_it_and_two_admins_see_each_other(client: TestClient) -> None:
    first = client.get(NURSERY)
    assert first.json()["name"] == ""
    tag = {"if-match": first.headers["etag"]}
    changed = client.patch(NURSERY, json={"name": "Los Cardones"}, headers=tag)
    assert changed.json() | {"updated_at": None} == {
        "name": "Los Cardones",
        "language": "es",
        "time_zone": "America/Argentina/Mendoza",
        "updated_at": None,
    }
    second = client.patch(NURSERY, json={"name": "Otro"}, headers=tag)
    assert second.status_code == 412
    assert second.json()["now"]["name"] == "Los Cardones"
    wrong = client.patch(NURSERY, json={"time_zone": "Mars/Olympus"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "time_zone_unknown")
    supervisor = signed_in("luis", UserRole.SUPERVISOR)
    assert client.patch(NURSERY, json={"name": "Mío"}, headers=supervisor).status_code == 403
    audit = client.get("/api/v1/audit", params={"subject": "nursery"}).json()["items"]
    assert audit[0]["after"]["name"] == "Los Cardones"


def test_a_command_changes_it_shows_times_in_it_and_is_recorded(client: TestClient) -> None:
    answer = demeter("nursery", "change", "--name", "Tierra", "--time-zone", "Asia/Tokyo")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "Tierra: es, Asia/Tokyo"
    assert json.loads(demeter("nursery", "show", "--json").stdout)["time_zone"] == "Asia/Tokyo"
    for words in (["--language", "fr"], ["--time-zone", "caf\udce9"]):
        refused = demeter("nursery", "change", *words)
        assert refused.returncode == 1
        assert refused.stderr.startswith("The input is not valid: ")
    added = demeter("people", "add", "Ana Quiroga", "--role", "worker")
    assert added.returncode == 0, added.stderr
    changes = client.get("/api/v1/audit").json()["items"]
    assert {row["subject"] for row in changes} >= {"nursery", "users"}
    assert {row["username"] for row in changes[:2]} == {"demeter-service"}


def test_pages_of_it_and_of_changes(client: TestClient) -> None:
    browser = TestClient(client.app, base_url="http://localhost", client=("127.0.0.1", 5))
    browser.headers["accept"] = "text/html"
    browser.get(entrance("eva", UserRole.ADMIN))
    page = browser.get("/nursery")
    assert page.status_code == 200
    token = page.text.split('name="form_token" value="')[1].split('"')[0]
    values = {"form_token": token, "name": "Los Cardones", "language": "en"}
    refused = browser.post("/nursery", data=values | {"time_zone": "Mars/Olympus"})
    assert refused.status_code == 422
    assert "Los Cardones" in refused.text
    saved = browser.post("/nursery", data=values | {"time_zone": "Europe/Madrid"})
    assert saved.url.path == "/nursery"
    assert 'value="Europe/Madrid"' in saved.text
    changes = browser.get("/changes", params={"subject": "nursery", "username": "eva"})
    assert "Los Cardones" in changes.text
    worker = TestClient(client.app, base_url="http://localhost", client=("127.0.0.1", 6))
    worker.get(entrance("walter", UserRole.WORKER))
    assert worker.get("/nursery").status_code == 403
    assert worker.get("/changes").status_code == 403
