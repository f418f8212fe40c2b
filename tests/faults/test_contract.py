"""The API against its own document, by Schemathesis: no server error, no answer undocumented.

More of it: ``CONTRACT_SECONDS=1200 CONTRACT_EXAMPLES=200 CONTRACT_SEED=7 pytest -k contract``.
"""

from __future__ import annotations

import os
import sys

import pytest
from fastapi.testclient import TestClient

from demeter.core.settings import settings
from support.fuzzing import fuzz
from support.nursery import photo_count
from support.served import client, record_answers, upload_session
from support.signing_in import signed_in

__all__ = ["client"]

SEED = int(os.environ.get("CONTRACT_SEED", "19"))
SECONDS = int(os.environ.get("CONTRACT_SECONDS", "60"))
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "5"))


@pytest.mark.timeout(3600)
def test_the_api_keeps_to_its_document(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMETER_HOST_NAMES", "testserver")  # as Schemathesis calls it
    settings.cache_clear()
    record_answers(upload_session(client), photo_count((4, 0)))
    findings = fuzz(
        client.app,
        "/api/v1/openapi.json",
        sign_in=signed_in,
        seed=SEED,
        seconds=SECONDS,
        examples=EXAMPLES,
    )
    sys.stdout.write(f"{findings.facts()}\n")
    assert findings.errors == []
    assert not findings.failures, findings.report()
