"""The same endpoints on a page and on a terminal; for admins alone."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from demeter.accounts.models import UserRole
from demeter.cli.webhooks import app
from demeter.core.settings import settings
from demeter.webhooks import sending
from support.served import client, jpeg, record_answers, upload_session
from support.signing_in import entrance, signed_in
from support.webhook_receiver import program

__all__ = ["client"]


def browser(client: TestClient) -> TestClient:
    """An admin's, with the token of its forms."""
    own = TestClient(client.app, base_url="http://localhost", client=("127.0.0.1", 9))
    own.get(entrance("marta"))
    return own


def token_in(page: str) -> str:
    return re.search(r'name="form-token" content="([^"]+)"', page)[1]


def test_an_admin_adds_a_program_and_sees_how_it_goes(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DEMETER_WEBHOOK_NETWORKS", "127.0.0.0/8")
    settings.cache_clear()
    own = browser(client)
    first = own.get("/webhooks")
    assert "Ningún programa recibe avisos." in first.text
    form = {"form_token": token_in(first.text), "name": "ERP del vivero"}
    with program() as receiver:
        receiver.behaviour, receiver.answer = 503, b"<b>back soon</b>"
        form |= {"url": receiver.url, "events": ["session.needs_person", "period.closed"]}
        made = own.post("/webhooks", data=form)
        assert made.status_code == 200, made.text
        secret = re.search(r"whsec_[A-Za-z0-9+/=]+", made.text)[0]
        record_answers(upload_session(client, jpeg(5)), None)
        sending.send_due()
        page = own.get("/webhooks/1").text
        assert secret not in page
        assert "Espera a una persona" in page
        assert "503" in page
        assert "&lt;b&gt;back soon&lt;/b&gt;" in page
        assert "No contesta" in own.get("/webhooks").text
        receiver.behaviour = 200
        own.post("/webhooks/1/deliveries/1/replay", data=form)
        sending.send_due()
        assert "Recibido" in own.get("/webhooks/1").text
    assert "whsec_" in own.post("/webhooks/1/secret", data=form).text
    own.post("/webhooks/1/switch", data=form | {"active": "false"})
    assert "Apagado" in own.get("/webhooks").text
    own.post("/webhooks/1/delete", data=form)
    assert "Ningún programa recibe avisos." in own.get("/webhooks").text


def test_what_is_wrong_is_said_in_its_field(client: TestClient):
    own = browser(client)
    form = {"form_token": token_in(own.get("/webhooks").text), "name": "erp"}
    empty = own.post("/webhooks", data=form | {"url": "https://a.example/"})
    assert (empty.status_code, "Escriba nombre y dirección" in empty.text) == (422, True)
    wrong = form | {"url": "https://169.254.169.254/", "events": ["period.closed"]}
    refused = own.post("/webhooks", data=wrong)
    assert refused.status_code == 422
    assert 'value="https://169.254.169.254/"' in refused.text
    assert "DEMETER_WEBHOOK_NETWORKS" in refused.text


@pytest.mark.parametrize("role", [UserRole.SUPERVISOR, UserRole.WORKER, UserRole.VIEWER])
def test_only_admins_know_of_them(client: TestClient, role: UserRole):
    header = signed_in("eva", role)
    other = TestClient(client.app, base_url="http://localhost", headers=header)
    for path in ("/webhooks", "/api/v1/webhooks", "/api/v1/webhooks/1/deliveries"):
        assert other.get(path).status_code == 403
    assert other.post("/api/v1/webhooks", json={}).status_code == 403
    assert "/webhooks" not in other.get("/more").text


def test_the_same_on_a_terminal(client: TestClient):
    url = "https://93.184.215.14/demeter"
    run = CliRunner().invoke
    secret = run(app, ["add", "erp", url, "--event", "period.closed"]).stdout.strip()
    assert secret.startswith("whsec_")
    listed = run(app, ["list"]).stdout
    assert "period.closed" in listed
    assert "works" in listed
    assert run(app, ["change", "1", "--off"]).exit_code == 0
    assert "switched off" in run(app, ["list"]).stdout
    assert run(app, ["secret", "1"]).stdout.strip() != secret
    assert run(app, ["deliveries", "1", "--json"]).stdout.strip() == "[]"
    assert "Sent again: 0" in run(app, ["replay", "1"]).stdout
    assert run(app, ["delete", "1"]).exit_code == 0
    assert client.get("/api/v1/webhooks").json()["items"] == []
