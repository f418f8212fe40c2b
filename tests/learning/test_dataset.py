"""Accepted photos as a training set: what is truth, what is left out, what never leaks."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import yaml
from fastapi.testclient import TestClient
from PIL import Image
from typer.testing import CliRunner

from demeter.cli import dataset as cli
from demeter.core.db import engine, transaction
from demeter.core.errors import InvalidInput
from demeter.learning.dataset import Format, export
from demeter.learning.errors import TooLittleTruth
from demeter.learning.ground_truth import TruePhoto, accepted_photos
from demeter.learning.splits import Side, SplitRule, is_held_out, split
from demeter.vision.metrics.labels import read_marks
from demeter.vision.values import PhotoCount
from support.nursery import NOON, SIDE, photo_count
from support.served import SESSIONS, client, jpeg, record_answers, upload_session
from support.signing_in import signed_in

assert client  # pytest finds the fixture by its name here

A1_HELD_OUT = next(s / 100 for s in range(101) if is_held_out("A1", s / 100))


def accept_session(
    client: TestClient, answer: PhotoCount, seed: int, code: str = "A1", **edits
) -> str:
    """A session whose count a person has looked at."""
    session_id = upload_session(client, jpeg(seed), location_code=code)
    record_answers(session_id, answer)
    body = edits or {"accept": True}
    response = client.post(
        f"{SESSIONS}/{session_id}/corrections", json=body, headers=signed_in("rosa")
    )
    assert response.json()["status"] == "completed", response.text
    return session_id


def with_residual(answer: PhotoCount, *parts: list[list[int]]) -> PhotoCount:
    body = answer.to_json()
    body["estimations"][0]["residual_polygons_px"] = list(parts)
    return PhotoCount.from_json(body)


CLUMP = [[60, 60], [120, 60], [120, 120], [60, 120]]


def photos() -> list[TruePhoto]:
    with transaction() as session:
        return list(accepted_photos(session))


def test_only_what_a_person_has_looked_at_is_truth(client: TestClient, tmp_path: Path) -> None:
    session_id = upload_session(client)
    record_answers(session_id, photo_count((8, 0)))
    assert photos() == []
    with pytest.raises(TooLittleTruth):
        export(engine(), tmp_path / "set", Format.COCO, SplitRule())
    client.post(
        f"{SESSIONS}/{session_id}/corrections", json={"accept": True}, headers=signed_in("rosa")
    )
    (photo,) = photos()
    assert (photo.location_code, photo.accepted_by, len(photo.marks)) == ("A1", "rosa", 8)
    assert [(c.plants, c.source, c.unmarked_px) for c in photo.containers] == [(8, "accepted", ())]


def test_a_persons_marks_are_in_and_removed_ones_are_out(client: TestClient) -> None:
    session_id = upload_session(client)
    record_answers(session_id, photo_count((8, 0)))
    at = f"{SESSIONS}/{session_id}/corrections"
    first = client.get(at).json()["marks"][0]
    body = {"remove": [first["detection_id"]], "add": [{"box": [100, 100, 120, 130]}]}
    client.post(at, json=body | {"accept": True})
    (photo,) = photos()
    assert sorted(m.source for m in photo.marks) == ["accepted"] * 7 + ["person"]
    assert tuple(first["box"]) not in {m.xyxy_px for m in photo.marks}
    assert photo.containers[0].unmarked_px == ()


def test_where_plants_have_no_marks_nothing_is_called_background(client: TestClient) -> None:
    accept_session(client, with_residual(photo_count((8, 3)), CLUMP), 1)
    accept_session(
        client, photo_count((8, 0)), 2, code="A2", containers=[{"index": 1, "plants": 12}]
    )
    estimated, numbered = (p.containers[0] for p in photos())
    assert estimated.unmarked_px == (tuple(map(tuple, CLUMP)),)
    assert (numbered.plants, numbered.source) == (12, "person")
    assert numbered.unmarked_px == (numbered.polygon_px,)


def test_coco_folders_are_what_train_and_evaluate_read(client: TestClient, tmp_path: Path) -> None:
    accept_session(client, with_residual(photo_count((8, 3), empty=1), CLUMP), 1)
    accept_session(client, with_residual(photo_count((8, 3), empty=1), CLUMP), 2, code="A2")
    share = A1_HELD_OUT if not is_held_out("A2", A1_HELD_OUT) else 0.0
    document = export(engine(), tmp_path / "set", Format.COCO, SplitRule(share))
    assert [p["marked_whole"] for q in document["photos"] for p in q["containers"]] == [
        False,
        False,
    ]
    for side in {p["side"] for p in document["photos"]}:
        info = json.loads((tmp_path / "set" / side / "coco.json").read_text())["info"]
        assert {"description", "version", "year", "date_created"} <= info.keys()
        for marked in read_marks(tmp_path / "set" / side):
            assert (len(marked.plants), len(marked.empties)) == (8, 1)
            assert [c.plants for c in marked.containers] == [11]
            assert len(marked.ignore) == (side == Side.HELD_OUT)
            picture = np.asarray(Image.open(marked.file))
            inside = np.abs(picture[80:110, 80:110].astype(int) - 114).max() < 6
            assert inside == (side == Side.TRAIN)


def test_yolo_folders_have_plants_and_containers_apart(client: TestClient, tmp_path: Path) -> None:
    accept_session(client, photo_count((8, 0), (2, 0), empty=1), 1)
    export(engine(), tmp_path / "set", Format.YOLO, SplitRule(0.0))
    (plants,) = read_marks(tmp_path / "set" / "detect")
    assert (len(plants.plants), len(plants.empties), plants.containers) == (10, 2, None)
    (containers,) = read_marks(tmp_path / "set" / "segment")
    corners = [c.polygon_px[2] for c in containers.containers]
    assert corners == [(210, 210), (460, 210)]
    table = yaml.safe_load((tmp_path / "set" / "detect" / "data.yaml").read_text())
    assert table == {
        "path": str((tmp_path / "set" / "detect").resolve()),
        "train": "images/train",  # no photo is held out, so no val is named
        "nc": 2,
        "names": {0: "plant", 1: "empty_container"},
    }


def test_a_photo_is_exported_upright(client: TestClient, tmp_path: Path) -> None:
    rotated = Image.open(io.BytesIO(jpeg(3))).rotate(90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    stream = io.BytesIO()
    rotated.save(stream, "JPEG", exif=exif)
    session_id = upload_session(client, stream.getvalue())
    record_answers(session_id, photo_count((8, 0)))
    client.post(f"{SESSIONS}/{session_id}/corrections", json={"accept": True})
    export(engine(), tmp_path / "set", Format.COCO, SplitRule(0.0))
    (file,) = (tmp_path / "set" / "train" / "images").iterdir()
    with Image.open(file) as written:
        assert 0x0112 not in written.getexif()
        difference = np.abs(
            np.asarray(written, int) - np.asarray(Image.open(io.BytesIO(jpeg(3))), int)
        )
    assert difference.mean() < 10  # JPEG twice; turned otherwise it is over 50


def test_a_folder_that_holds_something_is_not_written_to(
    client: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="not an empty folder"):
        export(engine(), tmp_path, Format.COCO, SplitRule())


def test_the_command_tells_how_much_there_is_on_each_side(
    client: TestClient, tmp_path: Path
) -> None:
    accept_session(client, photo_count((8, 0)), 1)
    result = CliRunner().invoke(cli.app, ["export", str(tmp_path / "set"), "--held-out", "0"])
    assert result.exit_code == 0, result.output
    assert "train: 1 photos of 1 locations, 8 marks (0 by people)" in result.output
    assert "held_out: 0 photos" in result.output
    document = json.loads((tmp_path / "set" / "dataset.json").read_text())
    assert document["photos"][0]["models"] == {"detect": "plants@abc", "segment": "containers@def"}


def photo(code: str, at: datetime = NOON, sha256: str | None = None) -> TruePhoto:
    facts = dict.fromkeys(("accepted_by", "accepted_at"))
    return TruePhoto(
        session_id=uuid4(),
        image_id=uuid4(),
        sha256=sha256 or uuid4().hex,
        size_wh=(SIDE, SIDE),
        location_code=code,
        captured_at=at,
        models={},
        containers=(),
        marks=(),
        **facts,
    )


CODES = [f"N{n}-C{k}" for n in range(20) for k in range(20)]


def test_no_location_is_ever_on_both_sides() -> None:
    rows = [photo(code, NOON + timedelta(days=d)) for code in CODES for d in range(2)]
    sides, left_out = split(rows, SplitRule(0.2))
    places = {side: {p.location_code for p in sides[side]} for side in Side}
    assert not places[Side.TRAIN] & places[Side.HELD_OUT]
    assert 50 <= len(places[Side.HELD_OUT]) <= 110
    assert (left_out, sum(map(len, sides.values()))) == ([], 800)


def test_a_held_out_location_stays_held_out_whatever_comes_later() -> None:
    before = {code for code in CODES[:100] if is_held_out(code, 0.2)}
    sides, _ = split([photo(code) for code in reversed(CODES)], SplitRule(0.2))
    assert before <= {p.location_code for p in sides[Side.HELD_OUT]}


def test_with_a_date_models_learn_from_before_and_are_judged_after() -> None:
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    rows = [photo(c, moment + timedelta(days=d)) for c in CODES for d in (-1, 0)]
    sides, left_out = split(rows, SplitRule(0.2, moment))
    assert all(p.captured_at < moment for p in sides[Side.TRAIN])
    assert all(p.captured_at >= moment for p in sides[Side.HELD_OUT])
    assert len(left_out) == 400


def test_the_same_picture_at_two_locations_is_never_on_both_sides() -> None:
    held_out_code = next(c for c in CODES if is_held_out(c, 0.2))
    learnt_code = next(c for c in CODES if not is_held_out(c, 0.2))
    sides, left_out = split(
        [photo(learnt_code, sha256="x"), photo(held_out_code, sha256="x")], SplitRule(0.2)
    )
    assert [len(sides[s]) for s in Side] == [0, 1]
    assert [entry.photo.location_code for entry in left_out] == [learnt_code]


def test_nothing_splits_into_nothing() -> None:
    assert split([], SplitRule()) == ({Side.TRAIN: [], Side.HELD_OUT: []}, [])
