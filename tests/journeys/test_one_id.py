"""One id from upload to ledger: in every line of every process's log, and in one trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from demeter.core import traces
from demeter.core.db import transaction
from support.nursery import location, plant_nursery
from support.otlp_receiver import Receiver, Span, receiving
from support.signing_in import signed_in
from support.upserver import free_port, patiently

REQUEST_ID = "the-walk-of-tuesday-7"
# Of a worker itself, or of the job that looks after all others every five seconds.
OF_NO_PHOTO = {"recover", "forget_uploads"}


@pytest.fixture(scope="module")
def photo() -> bytes:
    from demeter.demo import load  # noqa: PLC0415  draws scenes

    return next(load.shots()).upload.read()


@pytest.fixture
def nursery(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What processes are started with, and the header of a person."""
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path))
    monkeypatch.setenv("DEMETER_LOG_FORMAT", "json")
    monkeypatch.setenv("DEMETER_LOG_LEVEL", "INFO")
    with transaction() as session:
        plant_nursery(session)
        location(session).framed_whole = True
    return signed_in()


def upload(header: dict[str, str], photo: bytes, log: Path, **environment: str) -> httpx2.Response:
    """Send a photo to a web server as a process of its own, which then ends."""
    port = free_port()
    env = {**os.environ, "DEMETER_PORT": str(port), **environment}
    command = [sys.executable, "-m", "demeter.ops.web_server"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, stderr=out)
        try:
            address = f"http://127.0.0.1:{port}"
            patiently(lambda: httpx2.get(f"{address}/health/live", timeout=5).raise_for_status())
            return httpx2.post(
                f"{address}/api/v1/stock/photo",
                files=[("files", ("bed.jpg", photo))],
                data={"location_code": "A1"},
                headers={**header, "X-Request-ID": REQUEST_ID},
                timeout=60,
            )
        finally:
            process.terminate()
            process.wait(30)


def work(log: Path, **environment: str) -> None:
    """Do all jobs in a process of its own."""
    with log.open("wb") as out:
        subprocess.run(
            [sys.executable, "-m", "demeter", "worker", "--once"],
            env={**os.environ, **environment},
            stderr=out,
            check=True,
            timeout=240,
        )


def lines(*logs: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def is_of_the_photo(line: dict[str, Any]) -> bool:
    """Every line of a job or of the upload; a worker's own words have no job."""
    return "job_id" in line or line.get("path") == "/api/v1/stock/photo" or "session_id" in line


@pytest.mark.long
@pytest.mark.timeout(300)
def test_every_line_about_a_photo_has_the_id_of_its_upload(
    nursery: dict[str, str], photo: bytes, tmp_path: Path
):
    answer = upload(nursery, photo, tmp_path / "web.log")
    assert (answer.status_code, answer.headers["x-request-id"]) == (202, REQUEST_ID)
    work(tmp_path / "worker.log")
    said = assert_one_id(tmp_path)
    assert not any("trace_id" in line for line in said)


def assert_one_id(folder: Path) -> list[dict[str, Any]]:
    """Every line about the photo has the upload's id; gives these lines."""
    said = [
        line
        for line in lines(folder / "web.log", folder / "worker.log")
        if is_of_the_photo(line) and line.get("task") not in OF_NO_PHOTO
    ]
    events = {line["event"] for line in said}
    assert {
        "photos_accepted",
        "job_enqueued",
        "request",
        "session_processing",
        "image_counted",
        "session_recorded",
        "session_ended",
    } <= events
    assert [line for line in said if line.get("request_id") != REQUEST_ID] == []
    jobs = {line["task"] for line in said if line["event"] == "job_enqueued"}
    assert {"ml_parent_task", "ml_child_task", "ml_aggregation_callback", "store_blob"} <= jobs
    return said


@pytest.mark.timeout(300)
def test_one_trace_leads_from_the_upload_to_the_ledger(
    nursery: dict[str, str], photo: bytes, tmp_path: Path
):
    with receiving() as receiver:
        collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.address}
        answer = upload(nursery, photo, tmp_path / "web.log", **collector)
        assert answer.status_code == 202
        work(tmp_path / "worker.log", **collector)
        spans = of_the_upload(receiver)
    services = {span.service for span in spans}
    assert services == {"demeter-web", "demeter-worker"}
    names = {span.name for span in spans}
    assert {
        "POST /api/v1/stock/photo",
        "check photos",
        "job ml_parent_task",
        "job ml_child_task",
        "job store_blob",
        "read photo",
        "vision",
        "job ml_aggregation_callback",
        "record",
        "transaction",
    } <= names
    assert way_up(spans, "record") == [
        "record",
        "job ml_aggregation_callback",
        "transaction",
        "job ml_child_task",
        "transaction",
        "job ml_parent_task",
        "transaction",
        "POST /api/v1/stock/photo",
    ]
    recorded = next(s for s in spans if s.parent_id == span_of(spans, "record").span_id)
    assert recorded.attributes["db.statements"] > 5
    assert span_of(spans, "vision").attributes["plants"] > 0
    request = span_of(spans, "POST /api/v1/stock/photo")
    assert request.attributes["http.response.status_code"] == 202
    assert request.attributes["request_id"] == REQUEST_ID
    assert {line["trace_id"] for line in assert_one_id(tmp_path)} == {request.trace_id}


def of_the_upload(receiver: Receiver) -> list[Span]:
    """The spans of the trace of the upload; each of its parents is among them."""
    (request,) = (span for span in receiver.spans if span.name == "POST /api/v1/stock/photo")
    spans = [span for span in receiver.spans if span.trace_id == request.trace_id]
    known = {span.span_id for span in spans}
    assert [s for s in spans if s.parent_id not in known] == [request]
    return spans


def span_of(spans: list[Span], name: str) -> Span:
    return next(span for span in spans if span.name == name)


def way_up(spans: list[Span], name: str) -> list[str]:
    """The names from a span up to the first."""
    by_id = {span.span_id: span for span in spans}
    span: Span | None = span_of(spans, name)
    way = []
    while span is not None:
        way.append(span.name)
        span = by_id.get(span.parent_id)
    return way


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_collector_that_is_away_holds_up_nothing(
    nursery: dict[str, str], photo: bytes, tmp_path: Path
):
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    assert upload(nursery, photo, tmp_path / "web.log", **away).status_code == 202
    work(tmp_path / "worker.log", **away)
    ended = [line for line in lines(tmp_path / "worker.log") if line["event"] == "session_ended"]
    assert [line["status"] for line in ended] == ["completed"]


def test_without_a_collector_nothing_of_the_library_is_loaded():
    code = (
        "import sys, demeter.app; demeter.app.create_app();"
        "print([m for m in sys.modules if m.startswith('opentelemetry.sdk')])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
    assert traces.span("x") is traces.span("y")
