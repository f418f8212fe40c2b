"""Runs of the fault harness: a short one always, one of each kind of fault where there is time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness.ground import ground_in
from harness.plan import KINDS, Act, Fault, Plan, draw
from harness.run import Runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("faults")
    made = Runs(folder, ground_in(folder))
    yield made
    made.close()


@pytest.mark.timeout(600)
def test_a_death_before_recording_commits_loses_and_doubles_nothing(runs: Runs) -> None:
    acts = (
        Act(0.0, 0, "upload", {"photo": 0, "bed": "A1", "with_key": True}),
        Act(0.1, 1, "report_deaths", {"plants": 3}),
        Act(0.2, 0, "upload", {"photo": 0, "bed": "A1", "with_key": False}),
        Act(0.3, 1, "refused_upload", {"number": 1}),
    )
    fault = Fault(0.0, "crash_point", {"step": "recording.before_commit", "nth": 1})
    result = runs.make(Plan(0, acts, (fault,), has_bucket=False))
    assert result.fired == ["recording.before_commit"]
    assert result.findings == []
    assert result.accepted == 1


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_with_each_kind_of_fault(runs: Runs, kind: str) -> None:
    result = runs.make(draw(22, (kind,)))
    if result.left_out:
        pytest.skip(result.left_out)
    assert result.findings == []


def test_a_seed_draws_the_same_run_again() -> None:
    assert [draw(seed) for seed in range(50)] == [draw(seed) for seed in range(50)]
    kinds = {fault.kind for seed in range(300) for fault in draw(seed).faults}
    assert kinds == set(KINDS)
