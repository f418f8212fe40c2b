"""Bytes that wait for the store hold up nothing that can be done without it."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from procrastinate.jobs import Job

from demeter.core.blob_jobs import store_blob
from demeter.core.blobs import ObjectStoreUnavailable


def test_a_photo_that_the_store_did_not_take_stands_behind_those_to_be_counted():
    job = Job(id=1, queue="io", lock=None, queueing_lock=None, task_name="store_blob", attempts=7)
    strategy = store_blob.retry_strategy
    assert strategy is not None
    again = strategy.get_retry_decision(exception=ObjectStoreUnavailable("away"), job=job)
    assert again is not None
    assert again.priority == -5
    assert again.retry_at is not None
    assert again.retry_at > datetime.now(UTC)
    assert strategy.get_retry_decision(exception=psycopg.DataError("no"), job=job) is None
