"""What happened is told: with the fact, signed, again until heard, and never to a wrong place."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update

from demeter.core import jobs
from demeter.core.db import transaction
from demeter.core.settings import settings
from demeter.photos import sessions
from demeter.photos.models import PhotoSession
from demeter.webhooks import addresses, posting, sending
from demeter.webhooks.errors import WebhookAddressRefused
from demeter.webhooks.models import WebhookDelivery, WebhookEndpoint
from support.served import client, jpeg, record_answers, upload_session
from support.webhook_receiver import Program, program

__all__ = ["client"]

HOOKS = "/api/v1/webhooks"


@pytest.fixture
def receiver(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A program on this machine, which is allowed to be one."""
    monkeypatch.setenv("DEMETER_WEBHOOK_NETWORKS", "127.0.0.0/8")
    settings.cache_clear()
    with program() as running:
        yield running


def add(client: TestClient, receiver: Program, **more: Any) -> dict[str, Any]:
    answer = client.post(HOOKS, json={"name": "erp", "url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["webhook"] | {"secret": answer.json()["secret"]}


def happen(client: TestClient, seed: int = 1) -> str:
    """A session that waits for a person."""
    session_id = upload_session(client, jpeg(seed))
    record_answers(session_id, None)
    return session_id


def deliveries(client: TestClient, hook: dict[str, Any]) -> list[dict[str, Any]]:
    return client.get(f"{HOOKS}/{hook['id']}/deliveries").json()["items"]


def let_time_pass() -> None:
    """What waits is due, and no endpoint is paused."""
    with transaction() as session:
        session.execute(update(WebhookDelivery).values(next_at=datetime.now(UTC)))
        session.execute(update(WebhookEndpoint).values(paused_until=None))


def expected_signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """As a receiver checks it, by the standard's words and none of our code."""
    key = base64.b64decode(secret.split("_")[1])
    signed = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    )
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_a_session_that_waits_is_told_signed(client: TestClient, receiver: Program):
    hook = add(client, receiver)
    session_id = happen(client)
    assert sending.send_due() == 1
    (heard,) = receiver.heard
    message = json.loads(heard.body)
    assert message["type"] == "session.needs_person"
    assert message["data"]["session_id"] == session_id
    assert message["data"]["location_code"] == "A1"
    assert message["data"]["reason_code"] == "no_image_counted"
    assert heard.headers["content-type"] == "application/json"
    assert abs(int(heard.headers["webhook-timestamp"]) - time.time()) < 10
    wanted = expected_signature(hook["secret"], heard.headers, heard.body)
    assert heard.headers["webhook-signature"] == wanted
    (told,) = deliveries(client, hook)
    assert (told["status"], told["tries"]) == ("delivered", 1)
    assert heard.headers["webhook-id"] == f"msg_{UUID(told['event_id']).hex}"
    assert told["attempts"][0]["http_status"] == 200
    assert told["attempts"][0]["answer"] == "thanks"
    assert sending.send_due() == 0


def test_the_event_is_there_with_the_fact_or_not_at_all(client: TestClient, receiver: Program):
    add(client, receiver)
    session_id = upload_session(client, jpeg(3))
    for is_kept in (False, True):
        with transaction() as session:
            row = sessions.lock_by_uuid(session, UUID(session_id))
            sessions.fail(session, row.id, 1, ValueError("broken"))
            session.flush()
            if not is_kept:
                session.rollback()
        with transaction() as session:
            assert session.scalar(text("SELECT count(*) FROM webhook_events")) == int(is_kept)


def test_one_transaction_through_several_states_is_one_event(client: TestClient, receiver: Program):
    hook = add(client, receiver)
    session_id = happen(client)
    for reason in ("no_image_counted", "no_image_counted", "other_product"):
        with transaction() as session:
            row = sessions.lock_by_uuid(session, UUID(session_id))
            status, row.status = row.status, sessions.SessionStatus.PROCESSING
            session.flush()
            row.status, row.reason_code = status, reason
    reasons = [d["facts"]["reason_code"] for d in deliveries(client, hook)]
    assert reasons == ["other_product", "no_image_counted"]


def test_only_what_an_endpoint_asked_for_is_told(client: TestClient, receiver: Program):
    months = add(client, receiver, events=["period.closed"])
    off = add(client, receiver, name="off")
    client.patch(f"{HOOKS}/{off['id']}", json={"active": False})
    happen(client)
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO periods (code, boundary_at, grace_hours) VALUES ('2026-03', now(), 1)"
            )
        )
        session.execute(text("UPDATE periods SET status = 'closed', closed_at = now()"))
    assert [d["kind"] for d in deliveries(client, months)] == ["period.closed"]
    assert deliveries(client, off) == []
    sending.send_due()
    assert json.loads(receiver.heard[0].body)["data"]["period"] == "2026-03"


@pytest.mark.parametrize(
    ("behaviour", "status", "error"),
    [
        (500, 500, None),
        (404, 404, None),
        ("redirect", 302, None),
        ("die", None, "Remote"),
        ("hang", None, "no answer"),
        ("drip", None, "no answer"),
    ],
)
def test_what_is_not_heard_is_sent_again_with_its_id(
    client: TestClient,
    receiver: Program,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: int | str,
    status: int | None,
    error: str | None,
):
    monkeypatch.setattr(posting, "TOTAL_S", 0.6)
    hook = add(client, receiver)
    happen(client)
    receiver.behaviour = behaviour
    begin = time.perf_counter()
    assert sending.send_due() == 1
    assert time.perf_counter() - begin < 3
    (told,) = deliveries(client, hook)
    assert (told["status"], told["attempts"][0]["http_status"]) == ("waiting", status)
    assert (told["attempts"][0]["error"] is None) == (error is None)
    assert error is None or error in told["attempts"][0]["error"]
    assert client.get(f"{HOOKS}/{hook['id']}").json()["failing_since"]
    assert sending.send_due() == 0, "it waits"
    receiver.behaviour = 204
    let_time_pass()
    assert sending.send_due() == 1
    assert len(set(receiver.ids)) == 1
    assert len({heard.body for heard in receiver.heard}) == 1
    assert {heard.path for heard in receiver.heard} == {"/demeter"}
    (told,) = deliveries(client, hook)
    assert (told["status"], told["tries"], len(told["attempts"])) == ("delivered", 2, 2)
    assert client.get(f"{HOOKS}/{hook['id']}").json()["failing_since"] is None


def test_a_program_that_is_away_is_not_asked_for_each_event(client: TestClient, receiver: Program):
    hook = add(client, receiver)
    with transaction() as session:
        session.execute(update(WebhookEndpoint).values(url="http://127.0.0.1:1/"))
    for seed in range(3):
        happen(client, seed)
    assert sending.send_due() == 1
    assert len(deliveries(client, hook)) == 3
    assert [len(d["attempts"]) for d in deliveries(client, hook)] == [0, 0, 1]


def test_waits_grow_until_five_days_have_passed(client: TestClient, receiver: Program):
    assert [sending.wait_s(n) for n in (1, 2, 3, 10, 50)] == [5, 30, 120, 43_200, 43_200]
    hook = add(client, receiver)
    happen(client)
    receiver.behaviour = 503
    with transaction() as session:
        session.execute(update(WebhookDelivery).values(give_up_at=datetime.now(UTC)))
    sending.send_due()
    assert deliveries(client, hook)[0]["status"] == "failed"
    receiver.behaviour = 200
    assert client.post(f"{HOOKS}/{hook['id']}/replay-failed").json() == {"replayed": 1}
    assert sending.send_due() == 1
    assert deliveries(client, hook)[0]["status"] == "delivered"
    assert len(set(receiver.ids)) == 1


def test_an_endpoint_that_fails_for_days_is_switched_off_and_on_again(
    client: TestClient, receiver: Program
):
    hook = add(client, receiver)
    happen(client)
    receiver.behaviour = 500
    with transaction() as session:
        session.execute(
            update(WebhookEndpoint).values(failing_since=datetime.now(UTC) - timedelta(days=5))
        )
    sending.send_due()
    read = client.get(f"{HOOKS}/{hook['id']}").json()
    assert (read["is_active"], read["disabled_at"] is not None) == (False, True)
    metrics = client.get("/metrics").text
    assert 'demeter_webhook_disabled{endpoint="erp"} 1.0' in metrics
    let_time_pass()
    assert sending.send_due() == 0
    receiver.behaviour = 200
    on = client.patch(f"{HOOKS}/{hook['id']}", json={"active": True}).json()
    assert (on["is_active"], on["disabled_at"], on["failing_since"]) == (True, None, None)
    assert sending.send_due() == 1
    assert 'demeter_webhook_oldest_seconds{endpoint="erp"} 0.0' in client.get("/metrics").text


def test_a_delivery_is_sent_again_when_somebody_asks(client: TestClient, receiver: Program):
    hook = add(client, receiver)
    happen(client)
    sending.send_due()
    (told,) = deliveries(client, hook)
    path = f"{HOOKS}/{hook['id']}/deliveries/{told['id']}/replay"
    assert client.post(path).json()["status"] == "waiting"
    sending.send_due()
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    other = add(client, receiver, name="other")
    missing = client.post(f"{HOOKS}/{other['id']}/deliveries/{told['id']}/replay")
    assert missing.json()["code"] == "webhook_delivery_not_found"


def test_for_a_day_both_secrets_sign(client: TestClient, receiver: Program):
    hook = add(client, receiver)
    new = client.post(f"{HOOKS}/{hook['id']}/secret").json()["secret"]
    assert new != hook["secret"]
    happen(client)
    sending.send_due()
    (heard,) = receiver.heard
    wanted = [expected_signature(key, heard.headers, heard.body) for key in (new, hook["secret"])]
    assert heard.headers["webhook-signature"].split(" ") == wanted
    with transaction() as session:
        session.execute(update(WebhookEndpoint).values(previous_until=datetime.now(UTC)))
    happen(client, 2)
    sending.send_due()
    assert " " not in receiver.heard[1].headers["webhook-signature"]


def test_a_secret_is_shown_once_and_in_no_record(client: TestClient, receiver: Program):
    hook = add(client, receiver)
    secret = hook["secret"]
    assert secret.startswith("whsec_")
    for path in (HOOKS, f"{HOOKS}/{hook['id']}", "/api/v1/audit"):
        assert secret not in client.get(path).text
    key = {"Idempotency-Key": "one"}
    body = {"name": "again", "url": receiver.url}
    first, second = (client.post(HOOKS, json=body, headers=key).json() for _ in range(2))
    assert first["secret"]
    assert second["secret"] is None
    assert first["webhook"]["id"] == second["webhook"]["id"]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://10.0.0.7/x",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://224.0.0.1/",
        "https://100.64.0.1/",
        "http://93.184.215.14/",
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
        "https://user:word@93.184.215.14/",
        "https://nobody-has-this-name.invalid/",
        "https:///x",
        "https://93.184.215.14:99999/",
        "https://[::1/",
        "https://93.184.215.14/\r\nX: y",
    ],
)
def test_an_address_that_is_not_open_to_everybody_is_refused(client: TestClient, url: str):
    answer = client.post(HOOKS, json={"name": "evil", "url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook_address_refused")


def test_an_open_address_is_taken():
    target = addresses.resolve("https://93.184.215.14:8443/x?y=1")
    assert (target.address, target.port, target.path) == ("93.184.215.14", 8443, "/x?y=1")
    assert target.host_header == "93.184.215.14:8443"


def test_a_name_that_leads_elsewhere_later_is_refused_then(
    client: TestClient, receiver: Program, monkeypatch: pytest.MonkeyPatch
):
    hook = add(client, receiver)
    monkeypatch.setenv("DEMETER_WEBHOOK_NETWORKS", "10.0.0.0/8")
    settings.cache_clear()
    happen(client)
    sending.send_due()
    assert receiver.heard == []
    (told,) = deliveries(client, hook)
    assert told["attempts"][0]["error"].startswith("webhook_address_refused")


def test_one_private_address_among_several_is_enough(monkeypatch: pytest.MonkeyPatch):
    def two(*_: Any, **__: Any) -> list[Any]:
        tcp = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*tcp, ("93.184.215.14", 443)), (*tcp, ("127.0.0.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with pytest.raises(WebhookAddressRefused, match=r"127\.0\.0\.1"):
        addresses.resolve("https://two.example.org/")


KILLED = """
import os, signal, sys
from demeter import tables
from demeter.webhooks import sending
note = sending._note
def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)
sending._note = die
sending.send_due()
"""


def test_a_worker_killed_between_sending_and_writing_sends_again_with_the_same_id(
    client: TestClient, receiver: Program
):
    hook = add(client, receiver)
    happen(client)
    killed = subprocess.run([sys.executable, "-c", KILLED], env=dict(os.environ), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(receiver.heard) == 1
    assert deliveries(client, hook)[0]["status"] == "waiting"
    assert patient_send() == 1
    assert len(receiver.heard) == 2
    assert len(set(receiver.ids)) == 1
    assert deliveries(client, hook)[0]["status"] == "delivered"


def patient_send() -> int:
    """The server needs a moment to see that the dead process holds no lock any more."""
    for _ in range(50):
        if number := sending.send_due():
            return number
        time.sleep(0.1)
    return 0


def test_a_session_is_recorded_while_a_receiver_hangs(client: TestClient, receiver: Program):
    """The endpoint is locked while something is sent to it; who refers to it need not wait."""
    add(client, receiver)
    happen(client)
    with transaction() as session:
        assert sending._next_due(session) is not None
        session.connection().exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        begin = time.perf_counter()
        happen(client, 2)
        assert time.perf_counter() - begin < 5


def test_a_receiver_that_hangs_holds_up_no_photo(client: TestClient, receiver: Program):
    """While a worker of webhooks waits for an answer, photos are counted and stored by others."""
    add(client, receiver)
    receiver.behaviour = "hang"
    happen(client)
    words = [sys.executable, "-m", "demeter", "worker", "--queue", "webhooks"]
    with subprocess.Popen(words, env=os.environ, stderr=subprocess.DEVNULL) as worker:
        try:
            wait_until(lambda: receiver.heard)  # it is told, and does not answer
            session_id = upload_session(client, jpeg(2))
            jobs.work([queue for queue in jobs.QUEUES if queue != "webhooks"], wait=False)
            assert client.get(f"/api/v1/photos/sessions/{session_id}").json()["is_end"]
            with transaction() as session:
                assert session.scalar(text("SELECT count(*) FROM blob_inbox")) == 0
                told = session.scalars(text("SELECT status FROM webhook_deliveries")).all()
            assert "delivered" not in told  # it hung all the while
        finally:
            worker.kill()


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_no_job_of_another_queue_calls_other_programs():
    jobs.app.perform_import_paths()
    names = {n for n, task in jobs.app.tasks.items() if task.queue == "webhooks"}
    assert names == {"send_webhooks", "forget_webhooks"}


def test_old_events_are_let_go(client: TestClient, receiver: Program):
    hook = add(client, receiver)
    happen(client)
    with transaction() as session:
        session.execute(text("UPDATE webhook_events SET created_at = now() - interval '31 days'"))
        assert sending.forget_old(session) == 1
    assert deliveries(client, hook) == []


def test_without_an_endpoint_nothing_is_written(client: TestClient):
    happen(client)
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM webhook_events")) == 0
        assert session.scalar(select(PhotoSession.status)) == "needs_review"
