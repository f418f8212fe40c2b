"""`/metrics`: what it says, to whom, and that it never hangs or fails."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from demeter.accounts.models import UserRole
from demeter.core import db, logs, step_times
from demeter.core.db import transaction
from demeter.core.settings import settings
from demeter.monitoring import exposition, own_process
from support.figures import figures
from support.served import client, jpeg, record_answers, send, upload_session
from support.signing_in import signed_in

__all__ = ["client"]


def scrape(client: TestClient) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return figures(answer.text)


def elsewhere(client: TestClient, **headers: str) -> TestClient:
    """The same server, asked from another machine."""
    return TestClient(
        client.app, base_url="http://localhost", client=("10.1.2.3", 7), headers=headers
    )


def test_an_installation_without_photos_says_so(client: TestClient):
    said = scrape(client)
    assert said["demeter_database_up",] == 1
    assert said["demeter_queue_jobs", "gpu", "todo"] == 0
    assert said["demeter_queue_oldest_seconds", "gpu"] == 0
    assert said["demeter_inbox_files",] == 0
    assert said["demeter_workers_alive",] == 0
    assert said["demeter_period_overdue_seconds",] == 0
    assert abs(said["demeter_clock_ahead_seconds",]) < 1
    assert said["demeter_model_file_ok", "plants.onnx"] == 1
    assert 0 < said["demeter_disk_free_bytes", "home"] <= said["demeter_disk_size_bytes", "home"]
    hashes = own_process.shipped_hashes()
    assert ("demeter_model_info", "shipped", hashes["plants.onnx"], "detect") in said
    assert not any(name[0].startswith("demeter_sessions_waiting") for name in said)


def test_a_photo_is_seen_in_queue_inbox_and_sessions(client: TestClient):
    photo = jpeg(1)
    upload_session(client, photo)
    said = scrape(client)
    assert said["demeter_queue_jobs", "cpu", "todo"] == 1
    assert said["demeter_queue_jobs", "io", "todo"] == 1
    assert 0 < said["demeter_queue_oldest_seconds", "cpu"] < 60
    assert said["demeter_inbox_files",] == 1
    assert said["demeter_inbox_bytes",] == len(photo)
    assert said["demeter_sessions", "", "pending"] == 1
    assert said["demeter_sessions_under_way_oldest_seconds",] > 0


def test_what_waits_for_a_person_is_named_by_its_reason(client: TestClient):
    record_answers(upload_session(client, jpeg(2)), None)
    said = scrape(client)
    assert said["demeter_sessions_waiting", "no_image_counted"] == 1
    assert said["demeter_sessions_waiting_oldest_seconds", "no_image_counted"] >= 0
    assert said["demeter_sessions", "no_image_counted", "needs_review"] == 1


def test_a_job_for_later_is_not_late(client: TestClient):
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at)"
                " VALUES ('gpu', 'x', now() + interval '1 hour')"
            )
        )
    said = scrape(client)
    assert said["demeter_queue_jobs", "gpu", "todo"] == 1
    assert said["demeter_queue_oldest_seconds", "gpu"] == 0
    with transaction() as session:
        session.execute(
            text("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 hour'")
        )
    assert 3600 <= scrape(client)["demeter_queue_oldest_seconds", "gpu"] < 3700


def test_steps_are_added_up_for_all_processes(client: TestClient):
    for seconds in (0.05, 0.2, 7, 100_000, -5):
        step_times.note("count", seconds)
    step_times.note("count", 3, "failed")
    said = scrape(client)
    assert said["demeter_step_seconds_bucket", "0.1", "done", "count"] == 2
    assert said["demeter_step_seconds_bucket", "0.25", "done", "count"] == 3
    assert said["demeter_step_seconds_bucket", "10.0", "done", "count"] == 4
    assert said["demeter_step_seconds_bucket", "+Inf", "done", "count"] == 5
    assert said["demeter_step_seconds_count", "done", "count"] == 5
    assert said["demeter_step_seconds_sum", "done", "count"] == pytest.approx(100_007.25)
    assert said["demeter_step_seconds_bucket", "5.0", "failed", "count"] == 1


def test_requests_are_counted_by_route_and_uploads_by_result(client: TestClient):
    before = scrape(client)
    send(client, jpeg(3), location_code="A1")
    send(client, jpeg(4), location_code="NOWHERE")
    client.get("/beds/A1")
    client.get("/nowhere/at/all")
    client.request("BREW", "/")
    said = scrape(client)

    def more(*name: str) -> float:
        return said.get(name, 0) - before.get(name, 0)

    assert more("demeter_uploads_total", "accepted") == 1
    assert more("demeter_uploads_total", "location_not_found") == 1
    assert more("demeter_http_refusals_total", "location_not_found") == 1
    route = ("POST", "/api/v1/stock/photo")
    assert more("demeter_http_requests_total", *route, "202") == 1
    assert more("demeter_http_requests_total", *route, "404") == 1
    assert more("demeter_http_request_seconds_count", *route) == 2
    assert more("demeter_http_requests_total", "GET", "/beds/{code}", "200") == 1
    assert more("demeter_http_requests_total", "GET", "unmatched", "404") == 1
    assert more("demeter_http_requests_total", "other", "unmatched", "405") == 1
    assert not any("A1" in label for name in said for label in name)


def test_other_machines_need_a_token_of_somebody_who_may_see(client: TestClient):
    assert elsewhere(client).get("/metrics").json()["code"] == "not_signed_in"
    header = signed_in("eva", UserRole.VIEWER)
    assert elsewhere(client, **header).get("/metrics").status_code == 200


def test_who_comes_through_a_proxy_is_not_this_machine(client: TestClient):
    here = TestClient(client.app, base_url="http://localhost", client=("127.0.0.1", 7))
    assert here.get("/metrics").status_code == 200
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert here.get("/metrics", headers={name: "1.2.3.4"}).status_code == 401


def test_networks_that_are_named_need_no_token(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEMETER_METRICS_NETWORKS", "10.1.0.0/16")
    settings.cache_clear()
    assert elsewhere(client).get("/metrics").status_code == 200
    here = TestClient(client.app, base_url="http://localhost", client=("127.0.0.1", 7))
    assert here.get("/metrics").status_code == 401


def test_what_is_no_network_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEMETER_METRICS_NETWORKS", "everybody")
    settings.cache_clear()
    with pytest.raises(ValueError, match="everybody"):
        settings()
    monkeypatch.undo()
    settings.cache_clear()


def test_without_a_database_it_says_what_the_process_knows(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    away = db.make_engine("postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setattr(db, "engine", lambda: away)
    monkeypatch.setattr(logs.output, "lost", 3)
    said = scrape(client)
    assert said["demeter_database_up",] == 0
    assert said["demeter_log_lines_lost_total",] == 3
    assert said["demeter_disk_free_bytes", "home"] > 0
    assert not any(name[0] == "demeter_queue_jobs" for name in said)


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening.getsockname()[1]


def test_a_database_that_hangs_holds_no_scrape(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exposition, "PATIENCE_S", 0.3)
    monkeypatch.setattr(exposition, "_database", exposition.DatabaseReader())
    with silent_server() as port:
        hanging = db.make_engine(f"postgresql://nobody@127.0.0.1:{port}/none?connect_timeout=4")
        monkeypatch.setattr(db, "engine", lambda: hanging)
        said = [scrape(client) for _ in range(5)]
        assert [one["demeter_database_up",] for one in said] == [0] * 5
        waited = [one["demeter_database_scrape_seconds",] for one in said]
        assert waited[0] > exposition.PATIENCE_S * 0.9
        # The open question is asked once: none waits for it again, but for a busy processor.
        assert median(waited[1:]) < exposition.PATIENCE_S
        threads = [t for t in threading.enumerate() if t.name.startswith("metrics")]
        assert len(threads) <= 2  # one of this reader, one of the process's own
    monkeypatch.undo()
    assert scrape(client)["demeter_database_up",] == 1


def test_a_shipped_model_that_is_damaged_is_named(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path
):
    folder = own_process.weights_folder()
    assert own_process.shipped_hashes()  # read where they really are
    (tmp_path / "plants.onnx").write_bytes((folder / "plants.onnx").read_bytes()[:-1])
    (tmp_path / "judge.onnx").write_bytes((folder / "judge.onnx").read_bytes())
    monkeypatch.setattr(own_process, "weights_folder", lambda: tmp_path)
    said = scrape(client)
    assert said["demeter_model_file_ok", "plants.onnx"] == 0
    assert said["demeter_model_file_ok", "containers.onnx"] == 0
    assert said["demeter_model_file_ok", "judge.onnx"] == 1


def test_the_age_of_the_last_backup_is_told_where_one_is_wanted(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    assert ("demeter_backup_age_seconds",) not in scrape(client)
    monkeypatch.setenv("DEMETER_BACKUP_PLACE", "/kept")
    settings.cache_clear()
    assert scrape(client)["demeter_backup_age_seconds",] == math.inf
    with transaction() as session:
        session.execute(
            text("""
            INSERT INTO backup_runs (place, started_at, ended_at, name, missing)
            VALUES ('/kept', now() - interval '2 days', now(), 'whole', 3)
            """)
        )
    said = scrape(client)
    assert said["demeter_backup_age_seconds",] == pytest.approx(172_800, abs=60)
    assert said["demeter_backup_missing_files",] == 3
