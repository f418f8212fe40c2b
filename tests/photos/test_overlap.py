"""Sessions of several photos, and beds photographed again from elsewhere: real pictures."""

from __future__ import annotations

import io
from functools import cache
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from shapely import Polygon
from sqlalchemy import select, update

from demeter.core.db import transaction
from demeter.counts.models import ContainerCount
from demeter.learning.ground_truth import accepted_photos
from demeter.locations.models import StorageBin
from demeter.photos import overlap, record
from demeter.photos.models import Image as Stored
from demeter.photos.models import PhotoSession, SessionImage, SessionImageStatus, SessionStatus
from demeter.vision.values import PhotoCount
from demeter_training.scenes.demo import photos_on_two_dates
from demeter_training.scenes.layout import draw_world
from demeter_training.scenes.values import Scene
from support.exact import exact_count, visible_plants
from support.nursery import NOON
from support.scene_pairs import overlapping_photos
from support.served import SESSIONS, client, upload_session

assert client  # pytest finds the fixture by its name here

SIZE = (1200, 900)


@cache
def pair() -> tuple[Scene, Scene]:
    """Two photos along a bench of seedling trays that share about half of their width."""
    return overlapping_photos(draw_world(7002, "seedling_tray", 150), SIZE, 0.5, 2)


@cache
def month() -> tuple[Scene, Scene]:
    """A bench of seedling trays, and a month later from another place."""
    return photos_on_two_dates(draw_world(8022, "seedling_tray", 150), SIZE, 0.2, 12)


def jpeg_of(rgb: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def noise(seed: int) -> np.ndarray:
    """A picture rich in points that has nothing in common with another seed's."""
    small = np.random.default_rng(seed).integers(0, 256, (450, 600, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC))


def seen(client: TestClient, *photos: tuple[np.ndarray, PhotoCount], **fields: str) -> str:
    """Upload these photos and let vision have said this of them; settle, record."""
    session_id = upload_session(client, *(jpeg_of(rgb) for rgb, _ in photos), **fields)
    with transaction() as session:
        found = _found(session, session_id)
        found.status = SessionStatus.PROCESSING
        for row, (_, answer) in zip(found.images, photos, strict=True):
            row.status, row.result = SessionImageStatus.SUCCEEDED, answer.to_json()
        number, attempt = found.id, found.attempt
    overlap.resolve_overlaps(number, attempt)
    with transaction() as session:
        record.record_session(session, _found(session, session_id))
    return session_id


def _found(session, session_id: str) -> PhotoSession:
    query = select(PhotoSession).where(PhotoSession.session_id == UUID(session_id))
    return session.scalars(query).one()


def exact(scene: Scene) -> tuple[np.ndarray, PhotoCount]:
    return scene.rgb, exact_count(scene)


def test_photos_that_overlap_are_counted_once_without_asking(client: TestClient) -> None:
    body = client.get(f"{SESSIONS}/{seen(client, *map(exact, pair()))}").json()
    worlds = [{w for _, w in visible_plants(scene)} for scene in pair()]
    assert len(worlds[0] & worlds[1]) >= 20
    assert (body["status"], body["reason_code"]) == ("completed", None)
    assert body["total"] == pytest.approx(len(worlds[0] | worlds[1]), rel=0.02)


@pytest.mark.long
def test_what_another_photo_counts_is_kept_and_shown(client: TestClient) -> None:
    session_id = seen(client, *map(exact, pair()))
    with transaction() as session:
        rows = session.scalars(
            select(SessionImage).where(SessionImage.session_id == _found(session, session_id).id)
        ).all()
        results = [row.result for row in rows]
        assert all(row.image.s3_key_processed for row in rows)
        assert list(accepted_photos(session)) == []
    for result, scene in zip(results, pair(), strict=True):
        (told,) = result[overlap.PAIRS]
        assert (told["state"], len(told["homography"])) == ("registered", 3)
        assert PhotoCount.from_json(result[overlap.BEFORE]) == exact_count(scene)
        assert len(result["elsewhere_xyxy_px"]) == (
            len(exact_count(scene).detections) - len(result["detections"])
        )
        assert result["beyond_seam_px"]


@pytest.mark.long
def test_settling_twice_changes_nothing(client: TestClient) -> None:
    session_id = seen(client, *map(exact, pair()))
    with transaction() as session:
        found = _found(session, session_id)
        before = [row.result for row in found.images]
        found.status = SessionStatus.PROCESSING
        number = found.id
    overlap.resolve_overlaps(number, 1)
    with transaction() as session:
        assert [row.result for row in _found(session, session_id).images] == before


@pytest.mark.long
def test_photos_with_nothing_in_common_are_added(client: TestClient) -> None:
    answer = exact_count(pair()[0])
    session_id = seen(client, (noise(1), answer), (noise(2), answer))
    body = client.get(f"{SESSIONS}/{session_id}").json()
    assert (body["status"], body["total"]) == ("completed", 2 * answer.detected)


def test_where_it_is_not_sure_a_person_decides_and_is_told_why(client: TestClient) -> None:
    plain = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    other = plain.copy()
    other[:20, :20] = 0
    answer = exact_count(pair()[0])
    session_id = seen(client, (plain, answer), (other, answer))
    body = client.get(f"{SESSIONS}/{session_id}").json()
    assert (body["status"], body["reason_code"]) == ("needs_review", "photos_may_overlap")
    assert "photos 1 and 2 (" in body["error_message"]


@pytest.mark.long
def test_plants_that_disagree_leave_it_to_a_person(client: TestClient) -> None:
    first, second = map(exact, pair())
    moved = second[1].to_json()
    for row in moved["detections"]:
        x1, y1, x2, y2 = row["xyxy_px"]
        away = 0.5 * (x2 - x1)
        row["xyxy_px"] = (x1 + away, y1 + away, x2 + away, y2 + away)
    session_id = seen(client, first, (second[0], PhotoCount.from_json(moved)))
    body = client.get(f"{SESSIONS}/{session_id}").json()
    assert body["reason_code"] == "photos_may_overlap"
    assert "plants agree" in body["error_message"]


def bins_of(session_id: str) -> list[tuple[int, list]]:
    """Bins of a session's containers, in the order of the containers, with their outlines."""
    with transaction() as session:
        rows = session.scalars(
            select(ContainerCount)
            .where(
                ContainerCount.processing_session_id == _found(session, session_id).id,
                ContainerCount.seen,
            )
            .order_by(ContainerCount.container_index)
        ).all()
        return [(row.bin_id, row.segment["polygon"]) for row in rows]


def worlds_of(scene: Scene, outlines: list) -> list[int]:
    """Which container of the world each outline is."""
    shapes = {c.world: Polygon(c.polygon_px).buffer(0) for c in scene.containers}
    return [
        max(shapes, key=lambda w: shapes[w].intersection(Polygon(o).buffer(0)).area)
        for o in outlines
    ]


def by_world(scene: Scene, session_id: str) -> dict[int, int]:
    rows = bins_of(session_id)
    return dict(zip(worlds_of(scene, [o for _, o in rows]), (b for b, _ in rows), strict=True))


def test_bins_are_recognised_after_the_camera_moved(client: TestClient) -> None:
    first, second = month()
    before = by_world(first, seen(client, exact(first), captured_at=NOON.isoformat()))
    session_id = seen(client, exact(second), captured_at=NOON.replace(month=4).isoformat())
    after = by_world(second, session_id)
    both = before.keys() & after.keys()
    assert len(both) >= 5
    assert {w: after[w] for w in both} == {w: before[w] for w in both}
    assert client.get(f"{SESSIONS}/{session_id}").json()["warnings"] == []


def shifted(answer: PhotoCount, by_px: int) -> PhotoCount:
    """The answer as a camera would give it that stood so many pixels further left."""
    body = answer.to_json()
    for one in body["segments"]:
        one["polygon"] = [(min(x + by_px, SIZE[0]), y) for x, y in one["polygon"]]
    keep = [n for n, one in enumerate(body["segments"]) if width_of(one["polygon"]) > 30]
    body["segments"] = [body["segments"][n] for n in keep]
    body["detections"] = [d for d in body["detections"] if d["container"] in keep]
    for row in body["detections"]:
        x1, y1, x2, y2 = row["xyxy_px"]
        row["xyxy_px"] = (x1 + by_px, y1, x2 + by_px, y2)
        row["container"] = keep.index(row["container"])
    body["counts"] = [body["counts"][n] | {"container": k} for k, n in enumerate(keep)]
    return PhotoCount.from_json(body)


def width_of(polygon) -> int:
    return max(x for x, _ in polygon) - min(x for x, _ in polygon)


@pytest.mark.long
def test_a_camera_moved_by_one_tray_swaps_no_bins(client: TestClient) -> None:
    """By their place in the photo alone each tray would be taken for its neighbour."""
    scene = month()[0]
    rgb, answer = exact(scene)
    by_px = round(1.05 * float(np.median([width_of(c.polygon_px) for c in answer.containers])))
    moved = np.full_like(rgb, 90)
    moved[:, by_px:] = rgb[:, :-by_px]
    later = NOON.replace(month=4).isoformat()
    first = bins_of(seen(client, (rgb, answer), captured_at=NOON.isoformat()))
    second = bins_of(seen(client, (moved, shifted(answer, by_px)), captured_at=later))
    place = {Polygon(o).centroid.x + by_px: b for b, o in first}
    whole = [(b, o) for b, o in second if max(x for x, _ in o) < SIZE[0]]
    assert len(whole) >= 2
    for one, outline in whole:
        nearest = min(place, key=lambda x: abs(x - Polygon(outline).centroid.x))
        same = [b for b, o in first if abs(Polygon(o).centroid.x + by_px - nearest) < 2]
        assert one in same


def test_where_the_photos_cannot_be_laid_on_each_other_it_says_so(client: TestClient) -> None:
    answer = exact_count(month()[0])
    first = bins_of(seen(client, (noise(1), answer), captured_at=NOON.isoformat()))
    later = NOON.replace(month=4).isoformat()
    session_id = seen(client, (noise(2), answer), captured_at=later)
    assert bins_of(session_id) == first
    (warning,) = client.get(f"{SESSIONS}/{session_id}").json()["warnings"]
    assert "by their place" in warning


def test_a_photo_of_before_that_is_gone_stops_nothing(client: TestClient) -> None:
    answer = exact_count(month()[0])
    seen(client, (noise(1), answer), captured_at=NOON.isoformat())
    with transaction() as session:
        one = session.scalars(select(StorageBin).limit(1)).one()
        image = UUID(one.position_metadata["image_id"])
        session.execute(update(Stored).where(Stored.image_id == image).values(sha256="0" * 64))
    session_id = seen(client, (noise(2), answer), captured_at=NOON.replace(month=4).isoformat())
    assert client.get(f"{SESSIONS}/{session_id}").json()["status"] == "completed"
