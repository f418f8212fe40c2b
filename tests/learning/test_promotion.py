"""Judging models on the nursery's own held-out photos, and the gate."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select, text
from typer.testing import CliRunner

from demeter.cli import models as cli
from demeter.core.db import engine, transaction
from demeter.learning import promotion
from demeter.learning.errors import TooLittleTruth
from demeter.vision_models import active, registry
from demeter.vision_models.errors import ModelStays
from demeter.vision_models.models import ModelComparison, VisionModel, VisionTask
from learning.test_dataset import accept_session
from support.model_files import add_file, detector
from support.nursery import photo_count, user
from support.served import client
from support.standins import planted_grid, stand_in_models

assert client  # pytest finds the fixture by its name here

DETECT = VisionTask.DETECT


@pytest.fixture
def marked_folder(tmp_path: Path) -> Path:
    """Six pictures of beds with every plant marked by a point."""
    folder, labels = tmp_path / "marked", {}
    folder.mkdir()
    for n in range(6):
        columns, rows = 2 + n, 3
        Image.fromarray(planted_grid(columns, rows)).save(folder / f"{n}.png")
        size = Image.open(folder / f"{n}.png").size
        spots = [
            (50 + 60 * (i + 0.5), 50 + 60 * (j + 0.5)) for i in range(columns) for j in range(rows)
        ]
        labels[f"{n}.png"] = {
            "width": size[0],
            "height": size[1],
            "points": [[x, y, 20] for x, y in spots],
        }
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


@pytest.fixture
def models(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Two models in the registry: one that sees plants, one that is blind; the shipped one sees."""
    with transaction() as session:
        rows = {
            "sees": add_file(session, user(session), detector(tmp_path / "a", "sees")),
            "blind": add_file(session, user(session), detector(tmp_path / "b", "blind", score=0.8)),
        }
        hashes = {name: row.sha256 for name, row in rows.items()}

    def load(bound_to, detect: VisionModel | None, segment: VisionModel | None):
        is_blind = detect is not None and detect.name == "blind"
        return stand_in_models(largest=0.1) if is_blind else stand_in_models()

    monkeypatch.setattr(active, "load_models", load)
    return hashes


def run(*words: str, fails: bool = False) -> str:
    result = CliRunner().invoke(cli.app, list(words))
    assert (result.exit_code != 0) == fails, result.output
    return result.stdout.splitlines()[-1] if not fails else str(result.exception)


def test_a_model_that_is_not_worse_passes_the_gate(models, marked_folder: Path) -> None:
    run("promote", "sees", str(marked_folder), "--user", "rosa")
    with transaction() as session:
        assert registry.active(session, DETECT).name == "sees"
        (row,) = registry.history(session, DETECT)
        comparison = session.get_one(ModelComparison, row.model_comparison_id)
        assert (row.kind, row.user.username) == ("promote", "rosa")
        assert (comparison.passed, comparison.photos, comparison.incumbent_sha256) == (
            True,
            6,
            None,
        )
        assert registry.find(session, "sees").metrics["marked"]["f1"] == 1.0


def test_a_worse_model_is_refused_with_the_figures_and_the_old_one_stays(
    models, marked_folder: Path
) -> None:
    refusal = run("promote", "blind", str(marked_folder), fails=True)
    assert "on 6 photos F1 changes by -1.000" in refusal
    with transaction() as session:
        assert registry.active(session, DETECT) is None
        assert [row.passed for row in session.scalars(select(ModelComparison))] == [False]


def test_two_models_are_compared_both_ways(models, marked_folder: Path) -> None:
    worse = json.loads(run("compare", "sees", "blind", str(marked_folder), "--json"))
    better = json.loads(run("compare", "blind", "sees", str(marked_folder), "--json"))
    assert worse["f1"]["difference"] == -better["f1"]["difference"] == -1
    assert (worse["passed"], better["passed"]) == (False, True)


def test_a_comparison_with_what_is_no_longer_at_work_promotes_nothing(
    models, marked_folder: Path
) -> None:
    with transaction() as session:
        sees = registry.find(session, "sees")
    judgement = promotion.judge_models(engine(), DETECT, None, sees, marked_folder)
    with transaction() as session:
        row = promotion.keep_comparison(session, user(session), judgement)
        registry.activate(session, user(session), registry.find(session, "blind"), DETECT)
        with pytest.raises(ModelStays, match="compare again"):
            promotion.promote(session, user(session), judgement, row)


def test_of_two_promotions_compared_with_the_same_model_the_second_fails(
    models, marked_folder: Path
) -> None:
    with transaction() as session:
        sees, blind = (registry.find(session, name) for name in ("sees", "blind"))
    first = promotion.judge_models(engine(), DETECT, None, sees, marked_folder)
    second = replace(first, candidate=blind)
    with transaction() as session:
        rows = [
            promotion.keep_comparison(session, user(session), judgement)
            for judgement in (first, second)
        ]

    def promote_second() -> None:
        with transaction() as session:
            promotion.promote(session, user(session), second, session.merge(rows[1]))

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            promotion.promote(session, user(session), first, session.merge(rows[0]))
            waiting = pool.submit(promote_second)
            wait_until_one_waits_for_the_lock(waiting)
        with pytest.raises(ModelStays, match="compare again"):
            waiting.result(timeout=30)
    with transaction() as session:
        assert [row.model.name for row in registry.history(session, DETECT)] == ["sees"]


def wait_until_one_waits_for_the_lock(waiting: Future[None]) -> None:
    query = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    for _ in range(500):
        with transaction() as session:
            if session.scalar(query):
                return
        assert not waiting.done(), "it did not wait for the lock"
        time.sleep(0.02)
    pytest.fail("nobody came to wait for the lock")


def test_without_accepted_photos_there_is_nothing_to_judge_on(models) -> None:
    with pytest.raises(TooLittleTruth):
        promotion.judge_models(engine(), DETECT, None, None)


def test_few_held_out_photos_are_too_few(models, client: TestClient, monkeypatch) -> None:
    accept_session(client, photo_count((8, 0)), 1)
    monkeypatch.setattr(promotion.settings(), "held_out_share", 1.0)
    refusal = run("promote", "sees", fails=True)
    assert "1 held-out photos with plants are too few" in refusal
