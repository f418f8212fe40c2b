"""Before a session is recorded: how its photos overlap, and how they lie to the last count's.

Photos that surely overlap are split, so that each plant counts in one of them; photos that
surely do not are added; of the rest a person decides. The photos in which the location's
bins were last seen are registered too, so that bins are recognised after the camera moved.
All of it is written into the images' results before anything is recorded from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

from sqlalchemy.orm import Session

from demeter.core import logs
from demeter.core.db import engine, transaction
from demeter.core.notices import Notice
from demeter.photos.evidence import ImageCount, results_of
from demeter.photos.models import PhotoSession, SessionImage
from demeter.photos.pair_results import APART, BEFORE, PAIRS, REGISTERED, RETURNS, UNSURE
from demeter.photos.photo_features import FeatureCache, PhotoRef, earlier_photos, photo_ref
from demeter.photos.sessions import lock_session
from demeter.vision.overlap.homography import inverse
from demeter.vision.overlap.plant_agreement import agreement, disagreement
from demeter.vision.overlap.registration import NotRegistered, Registration
from demeter.vision.overlap.seam import Matrices, divide_counts
from demeter.vision.overlap.split_counts import SplitPhoto, split_at_seam
from demeter.vision.values import PhotoCount

log = logs.get(__name__)

MOST_PHOTOS = 12  # of which each is compared with each


@dataclass(frozen=True, slots=True)
class OverlapResolution:
    """How each image lies: its result as it will be recorded, and what changed in it."""

    results: Mapping[int, dict[str, Any]]
    changed: Mapping[int, SplitPhoto]


def resolve_overlaps(session_id: int, attempt: int) -> None:
    """Find out and write it into the images' results; nothing to do for what is settled.

    Raises:
        ObjectStoreUnavailable: photos cannot be read now; it is tried again.
    """
    with transaction() as session:
        photo_session = lock_session(session, session_id, attempt)
        if photo_session is None or photo_session.status.is_end:
            return
        if not photo_session.has_all_images_ended:  # with one more photo others may overlap
            return
        results = results_of(photo_session)
        showing = [i for i in results.counted if i.photo.containers]
        own_photos = [photo_ref(i.row, i.photo) for i in showing]
        earlier = earlier_photos(session, photo_session.storage_location_id, photo_session.id)
    is_resolved = any(PAIRS in (i.row.result or {}) for i in showing)
    if is_resolved or not showing or (len(showing) < 2 and not earlier):  # noqa: PLR2004
        return
    cache = FeatureCache(engine())
    resolution = _resolve(showing, cache, own_photos, earlier)
    pictures = {
        i.row.id: cache.overlay(ref, resolution.changed[i.row.id])
        for i, ref in zip(showing, own_photos, strict=True)
        if i.row.id in resolution.changed
    }
    with transaction() as session:
        photo_session_now = lock_session(session, session_id, attempt)
        if photo_session_now is not None and not photo_session_now.status.is_end:
            _write(session, photo_session_now, resolution, pictures)


def _resolve(
    showing: Sequence[ImageCount],
    cache: FeatureCache,
    own_photos: Sequence[PhotoRef],
    earlier: Sequence[PhotoRef],
) -> OverlapResolution:
    photos = [i.photo for i in showing]
    pairs, matrices = _pairs(cache, own_photos, photos)
    bodies, changed = {}, {}
    shares = divide_counts(photos, matrices)
    for n, image in enumerate(showing):
        part = split_at_seam(photos, n, shares[n], matrices)
        body = dict(image.row.result or {})
        if part.is_changed:
            changed[image.row.id] = part
            body = _changed_body(body, part)
        body[PAIRS] = [
            {"with": showing[b if a == n else a].row.position, **pair}
            for (a, b), pair in pairs.items()
            if n in (a, b)
        ]
        body[RETURNS] = [cache.earlier_photo_body(old, own_photos[n]) for old in earlier]
        if earlier and not any(r["state"] == REGISTERED for r in body[RETURNS]):
            body["warnings"] = [*body.get("warnings", ()), Notice("return_unsure").to_json()]
        bodies[image.row.id] = body
    return OverlapResolution(bodies, changed)


def _pairs(
    cache: FeatureCache, own_photos: Sequence[PhotoRef], photos: Sequence[PhotoCount]
) -> tuple[dict[tuple[int, int], dict[str, Any]], Matrices]:
    """What is known of each pair, and the homographies, both ways, of the registered ones."""
    bodies: dict[tuple[int, int], dict[str, Any]] = {}
    matrices = {}
    for i, j in combinations(range(len(own_photos)), 2):
        if len(own_photos) > MOST_PHOTOS:
            why = Notice("too_many_to_compare", {"photos": len(own_photos)})
            bodies[i, j] = {"state": UNSURE, "told": why.to_json()}
            continue
        registration = cache.register(
            own_photos[i], own_photos[j], partial(disagreement, photos[i], photos[j])
        )
        bodies[i, j] = _pair(registration, photos[i], photos[j])
        if isinstance(registration, Registration):
            matrices[i, j], matrices[j, i] = registration.matrix, inverse(registration.matrix)
    return bodies, matrices


def _pair(
    registration: Registration | NotRegistered, first: PhotoCount, second: PhotoCount
) -> dict[str, Any]:
    if isinstance(registration, NotRegistered):
        state = APART if registration.is_apart else UNSURE
        return {"state": state, "told": registration.why.to_json()}
    plants_asked, share = agreement(first, second, registration.matrix)
    return {
        "homography": [list(row) for row in registration.homography],
        "inliers": registration.inliers,
        "overlap_share": registration.overlap_share,
        "likeness": registration.likeness,
        "second": registration.second,
        "plants_asked": plants_asked,
        "plants_agreed": round(share, 4),
        "state": REGISTERED,
        "told": Notice("photos_share", {"share": registration.overlap_share}).to_json(),
    }


def _changed_body(body: dict[str, Any], part: SplitPhoto) -> dict[str, Any]:
    """The image's result as it counts; what the machine said of it alone stays beside."""
    return part.photo.to_json() | {
        BEFORE: body,
        "elsewhere_xyxy_px": [list(box) for box in part.elsewhere_xyxy_px],
        "beyond_seam_px": [[list(point) for point in outline] for outline in part.beyond_px],
    }


def _write(
    session: Session,
    photo_session: PhotoSession,
    resolution: OverlapResolution,
    pictures: Mapping[int, bytes],
) -> None:
    from demeter.core.blob_jobs import keep_picture  # noqa: PLC0415  it loads the vision runtime

    for row_id, body in resolution.results.items():
        row = session.get_one(SessionImage, row_id)
        row.result = body
        if row_id in pictures:
            row.image.s3_key_processed = keep_picture(session, pictures[row_id])
    log.info("overlaps_settled", session_id=photo_session.id, parted=len(resolution.changed))
