"""Before a session is recorded: how its photos lie to each other and to the last count's.

Photos that surely overlap are parted, so that each plant counts in one of them; photos that
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
from demeter.photos.photo_features import Looked, Looks, known_looks, looked_of
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
class Settled:
    """How each image lies: its result as it will be recorded, and what changed in it."""

    results: Mapping[int, dict[str, Any]]
    changed: Mapping[int, SplitPhoto]


def settle(session_id: int, attempt: int) -> None:
    """Find out and write it into the images' results; nothing to do for what is settled.

    Raises:
        ObjectStoreUnavailable: photos cannot be read now; it is tried again.
    """
    with transaction() as session:
        found = lock_session(session, session_id, attempt)
        if found is None or found.status.is_end:
            return
        results = results_of(found)
        showing = [i for i in results.counted if i.photo.containers]
        mine = [looked_of(i.row, i.photo) for i in showing]
        known = known_looks(session, found.storage_location_id, found.id)
    is_settled = any(PAIRS in (i.row.result or {}) for i in showing)
    if is_settled or not showing or (len(showing) < 2 and not known):  # noqa: PLR2004
        return
    looks = Looks(engine())
    made = _settled(showing, looks, mine, known)
    pictures = {
        i.row.id: looks.overlay(one, made.changed[i.row.id])
        for i, one in zip(showing, mine, strict=True)
        if i.row.id in made.changed
    }
    with transaction() as session:
        again = lock_session(session, session_id, attempt)
        if again is not None and not again.status.is_end:
            _write(session, again, made, pictures)


def _settled(
    showing: Sequence[ImageCount], looks: Looks, mine: Sequence[Looked], known: Sequence[Looked]
) -> Settled:
    photos = [i.photo for i in showing]
    pairs, matrices = _pairs(looks, mine, photos)
    bodies, changed = {}, {}
    shares = divide_counts(photos, matrices)
    for n, image in enumerate(showing):
        part = split_at_seam(photos, n, shares[n], matrices)
        body = dict(image.row.result or {})
        if part.is_changed:
            changed[image.row.id] = part
            body = _changed_body(body, part)
        body[PAIRS] = [
            {"with": showing[b if a == n else a].row.position, **told}
            for (a, b), told in pairs.items()
            if n in (a, b)
        ]
        body[RETURNS] = [looks.returned(old, mine[n]) for old in known]
        if known and not any(r["state"] == REGISTERED for r in body[RETURNS]):
            body["warnings"] = [*body.get("warnings", ()), Notice("return_unsure").to_json()]
        bodies[image.row.id] = body
    return Settled(bodies, changed)


def _pairs(
    looks: Looks, mine: Sequence[Looked], photos: Sequence[PhotoCount]
) -> tuple[dict[tuple[int, int], dict[str, Any]], Matrices]:
    """What is known of each pair, and the homographies, both ways, of the registered ones."""
    told: dict[tuple[int, int], dict[str, Any]] = {}
    matrices = {}
    for i, j in combinations(range(len(mine)), 2):
        if len(mine) > MOST_PHOTOS:
            why = Notice("too_many_to_compare", {"photos": len(mine)})
            told[i, j] = {"state": UNSURE, "told": why.to_json()}
            continue
        found = looks.registered(mine[i], mine[j], partial(disagreement, photos[i], photos[j]))
        told[i, j] = _pair(found, photos[i], photos[j])
        if isinstance(found, Registration):
            matrices[i, j], matrices[j, i] = found.matrix, inverse(found.matrix)
    return told, matrices


def _pair(
    found: Registration | NotRegistered, one: PhotoCount, other: PhotoCount
) -> dict[str, Any]:
    if isinstance(found, NotRegistered):
        state = APART if found.is_apart else UNSURE
        return {"state": state, "told": found.why.to_json()}
    asked, share = agreement(one, other, found.matrix)
    return {
        "homography": [list(row) for row in found.homography],
        "inliers": found.inliers,
        "overlap_share": found.overlap_share,
        "likeness": found.likeness,
        "second": found.second,
        "plants_asked": asked,
        "plants_agreed": round(share, 4),
        "state": REGISTERED,
        "told": Notice("photos_share", {"share": found.overlap_share}).to_json(),
    }


def _changed_body(body: dict[str, Any], part: SplitPhoto) -> dict[str, Any]:
    """The image's result as it counts; what the machine said of it alone stays beside."""
    return part.photo.to_json() | {
        BEFORE: body,
        "elsewhere_xyxy_px": [list(box) for box in part.elsewhere_xyxy_px],
        "beyond_seam_px": [[list(point) for point in outline] for outline in part.beyond_px],
    }


def _write(
    session: Session, found: PhotoSession, made: Settled, pictures: Mapping[int, bytes]
) -> None:
    from demeter.core.blob_jobs import keep_picture  # noqa: PLC0415  it loads the vision runtime

    for row_id, body in made.results.items():
        row = session.get_one(SessionImage, row_id)
        row.result = body
        if row_id in pictures:
            row.image.s3_key_processed = keep_picture(session, pictures[row_id])
    log.info("overlaps_settled", session_id=found.id, parted=len(made.changed))
