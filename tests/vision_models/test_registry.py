"""People's own models: recognised, refused, kept, put to work, rolled back."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from demeter.cli import models as cli
from demeter.core import blobs
from demeter.core.db import engine, transaction
from demeter.learning import preview
from demeter.photos import inference
from demeter.vision.errors import ModelRefused
from demeter.vision_models import active, inspect_file, registry
from demeter.vision_models.errors import ModelNotFound, ModelStays
from demeter.vision_models.models import VisionModel, VisionTask
from support.model_files import add_file, classifier, detector, own_segmenter, segmenter
from support.nursery import plant_nursery, user

DETECT, SEGMENT = VisionTask.DETECT, VisionTask.SEGMENT


@pytest.fixture
def db(session: Session) -> Session:
    plant_nursery(session)
    return session


def add(db: Session, path: Path, **facts) -> VisionModel:
    return add_file(db, user(db), path, **facts)


def test_a_model_is_kept_with_what_it_is(db: Session, tmp_path: Path) -> None:
    row = add(db, detector(tmp_path), licence="AGPL-3.0")
    assert (row.task, row.family, row.format) == (DETECT, "yolo", "openvino")
    assert (row.classes, row.input_side_px, row.licence) == (["plant", "pot"], 64, "AGPL-3.0")
    assert row.added_by_user_id == user(db).id
    blob_sha256 = db.scalar(select(blobs.BlobInbox.sha256))
    assert blob_sha256 == row.blob_sha256


def test_the_same_file_again_is_the_same_model(db: Session, tmp_path: Path) -> None:
    first = add(db, detector(tmp_path / "a"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert add(db, tmp_path / "b") is first
    assert db.scalar(select(func.count()).select_from(VisionModel)) == 1


@pytest.mark.parametrize("how", ["pair", "folder", "archive"])
def test_an_openvino_pair_comes_in_three_wrappings(db: Session, tmp_path: Path, how: str) -> None:
    xml = detector(tmp_path / "best_openvino_model")
    path = {"pair": xml, "folder": xml.parent, "archive": tmp_path / "best.zip"}[how]
    if how == "archive":
        with zipfile.ZipFile(path, "w") as archive:
            for part in sorted(xml.parent.iterdir()):
                archive.write(part, f"export/../../{part.name}")
    assert add(db, path).name == "best"
    assert not list(tmp_path.parent.glob("best*"))


def test_what_is_no_model_for_us_is_refused_with_the_reason(tmp_path: Path) -> None:
    random = tmp_path / "noise.onnx"
    random.write_bytes(bytes(range(256)) * 40)
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w"):
        pass
    lonely = detector(tmp_path / "lonely")
    lonely.with_suffix(".bin").unlink()
    cases = {
        classifier(tmp_path): "its task is classify",
        random: "not an ONNX or OpenVINO network",
        tmp_path / "absent.onnx": "no such file",
        empty: "holds none",
        lonely: "best.bin is not beside it",
        detector(tmp_path / "cats", classes=("cat", "dog")): "none of its classes is a plant",
    }
    for path, says in cases.items():
        with pytest.raises(ModelRefused, match=says):
            registry.inspect_model(path, tmp_path / "unpacked")


def test_a_model_is_run_once_before_it_is_said_to_run(tmp_path: Path) -> None:
    fits = registry.inspect_model(own_segmenter(tmp_path), tmp_path / "unpacked")
    assert (fits.kind.family, fits.kind.input_side_px) == (inspect_file.OWN, 64)
    odd = own_segmenter(tmp_path, depth_side=16)
    kind = inspect_file.kind_of(odd)
    assert inspect_file.load_network(odd, kind, {}, inspect_file.Precision.F32, 1)
    with pytest.raises(ModelRefused, match=r"beds\.xml: does not run on a grey picture"):
        registry.inspect_model(odd, tmp_path / "unpacked")


@pytest.mark.parametrize(
    ("shape", "says"),
    [((1, 3, -1, -1), "fixed side"), ((1, 3, 64, 32), "square"), ((1, 3), "boxes")],
)
def test_a_segmenter_of_no_fixed_square_is_refused(tmp_path: Path, shape, says: str) -> None:
    with pytest.raises(ModelRefused, match=says):
        registry.inspect_model(own_segmenter(tmp_path, input_shape=shape), tmp_path / "unpacked")


def test_classes_are_mapped_and_an_unknown_one_is_refused(db: Session, tmp_path: Path) -> None:
    path = detector(tmp_path, classes=("echeveria", "hueco"))
    with pytest.raises(ModelRefused, match="has no class lechuga; it has echeveria, hueco"):
        add(db, path, mapping={"lechuga": "plant"})
    row = add(db, path, mapping={"echeveria": "plant", "hueco": "empty_container"})
    assert preview.meanings(row.task, row.classes, row.class_mapping) == {
        "echeveria": "plant",
        "hueco": "empty_container",
    }


def test_a_mapping_can_be_changed_until_the_model_was_at_work(db: Session, tmp_path: Path) -> None:
    path = detector(tmp_path, classes=("plant", "hueco"))
    row = add(db, path)
    assert add(db, path, mapping={"hueco": "empty_container"}) is row
    registry.activate(db, user(db), row, DETECT)
    with pytest.raises(ModelRefused, match="was at work"):
        add(db, path)


def test_a_class_that_is_ignored_is_no_container(tmp_path: Path) -> None:
    path = segmenter(tmp_path)
    kind = inspect_file.kind_of(path)
    picture = np.zeros((320, 320, 3), np.uint8)
    region_sets = [
        inspect_file.load_network(path, kind, mapping, inspect_file.Precision.F32, 1)(picture)
        for mapping in ({}, {"person": "ignore"}, {"person": "plant"})
    ]
    assert [sorted(r.label for r in regions) for regions in region_sets] == [
        ["maceta", "person"],
        ["maceta"],
        ["maceta"],
    ]


def test_models_are_put_to_work_one_a_task_and_rolled_back_in_order(
    db: Session, tmp_path: Path
) -> None:
    person = user(db)
    first, second = add(db, detector(tmp_path / "1")), add(db, detector(tmp_path / "2", score=0.8))
    assert registry.active(db, DETECT) is None
    registry.activate(db, person, first, DETECT)
    registry.activate(db, person, second, DETECT, reason="finer")
    assert (registry.active(db, DETECT), registry.active(db, SEGMENT)) == (second, None)
    registry.roll_back(db, person, DETECT)
    assert registry.active(db, DETECT) is first
    registry.roll_back(db, person, DETECT)
    assert registry.active(db, DETECT) is None
    with pytest.raises(ModelStays):
        registry.roll_back(db, person, DETECT)
    assert [(a.kind.value, a.model and a.model.id) for a in registry.history(db, DETECT)] == [
        ("activate", first.id),
        ("activate", second.id),
        ("rollback", first.id),
        ("rollback", None),
    ]


def test_the_shipped_model_can_be_put_to_work_and_is_rolled_back_from(
    db: Session, tmp_path: Path
) -> None:
    row = add(db, detector(tmp_path))
    registry.activate(db, user(db), row, DETECT)
    registry.activate(db, user(db), None, DETECT)
    assert registry.active(db, DETECT) is None
    registry.roll_back(db, user(db), DETECT)
    assert registry.active(db, DETECT) is row


def test_a_model_at_work_or_of_another_task_is_refused(db: Session, tmp_path: Path) -> None:
    plants, containers = add(db, detector(tmp_path / "1")), add(db, segmenter(tmp_path / "2"))
    registry.activate(db, user(db), plants, DETECT)
    with pytest.raises(ModelStays, match="at work already"):
        registry.activate(db, user(db), plants, DETECT)
    with pytest.raises(ModelStays, match="is for segment"):
        registry.activate(db, user(db), containers, DETECT)


def test_models_are_found_by_name_or_by_the_beginning_of_their_hash(
    db: Session, tmp_path: Path
) -> None:
    first, second = add(db, detector(tmp_path / "1")), add(db, detector(tmp_path / "2", score=0.8))
    assert registry.find(db, first.sha256[:10].upper()) is first
    with pytest.raises(ModelNotFound, match=second.sha256[:12]):
        registry.find(db, "best")
    with pytest.raises(ModelNotFound, match="none"):
        registry.find(db, "worst")


def test_activations_are_never_changed_even_from_psql(db: Session, tmp_path: Path) -> None:
    registry.activate(db, user(db), add(db, detector(tmp_path)), DETECT)
    with pytest.raises(DBAPIError, match="never changed or removed"), db.begin_nested():
        db.connection().exec_driver_sql("UPDATE vision_model_activations SET user_id = user_id")


@pytest.fixture
def home(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "home"))
    active.settings.cache_clear()
    active._loaded.clear()
    with transaction() as session:
        plant_nursery(session)
    return tmp_path


def run(*words: str) -> str:
    result = CliRunner().invoke(cli.app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()[-1]


@pytest.mark.long
def test_a_model_put_to_work_counts_the_next_photo_and_is_loaded_once(home: Path) -> None:
    shipped = inference.models()
    assert inference.models() is shipped
    run("add", str(detector(home / "new")), "--user", "rosa")
    assert inference.models() is shipped
    run("activate", "best", "--reason", "ours")
    used = inference.models()
    assert used.detector.identity.startswith("best@")
    assert used.segmenter.identity == shipped.segmenter.identity
    assert inference.models() is used
    run("rollback", "detect")
    assert inference.models().detector.identity == shipped.detector.identity


def test_a_models_files_are_written_again_where_they_are_missing_or_damaged(home: Path) -> None:
    run("add", str(detector(home / "new")))
    with transaction() as session:
        row = registry.find(session, "best")
    path = active.files_of(engine(), row)
    shutil.rmtree(path.parent)
    assert active.files_of(engine(), row) == path
    path.with_suffix(".bin").write_bytes(b"damaged")
    active.files_of(engine(), row)
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "best.bin",
        "best.xml",
        "metadata.yaml",
    ]
    assert active.sha256_of(path) == row.sha256


def test_the_commands_list_and_show_what_is_there(home: Path) -> None:
    before = json.loads(run("list", "--json"))
    assert [(m["name"], m["task"], m["active"]) for m in before] == [
        ("shipped", "detect", True),
        ("shipped", "segment", True),
    ]
    added = json.loads(run("add", str(detector(home / "new")), "--map", "pot=ignore", "--json"))
    assert added["meanings"] == {"plant": "plant", "pot": "left out"}
    run("activate", added["sha256"][:12])
    after = json.loads(run("list", "--json"))
    assert [m["active"] for m in after] == [False, True, True]
    assert [a["kind"] for a in json.loads(run("show", "best", "--json"))["activations"]] == [
        "activate"
    ]
