"""Which photos are here already."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.photos import urls
from demeter.photos.models import Image, PhotoSession, SessionImage
from demeter.photos.resumable.schemas import KnownPhoto


def known_photos(session: Session, hashes: Sequence[str]) -> list[KnownPhoto]:
    """The photos of these hashes with the first session that each is in, in the order asked.

    Who may send photos sees every session, so nothing is said here that they may not see; and
    it is said only to whoever has the bytes, of which the hash is made.
    """
    rows = session.execute(
        select(
            Image.sha256,
            PhotoSession.session_id,
            PhotoSession.status,
            PhotoSession.requested_location_code,
        )
        .join(SessionImage, SessionImage.image_id == Image.image_id)
        .join(PhotoSession, PhotoSession.id == SessionImage.session_id)
        .where(Image.sha256.in_(hashes))
        .order_by(PhotoSession.id.desc())
    )
    first = {
        row.sha256: KnownPhoto(
            sha256=row.sha256,
            session_id=row.session_id,
            status=row.status,
            location_code=row.requested_location_code,
            page_url=urls.of_session(row.session_id)["page_url"],
        )
        for row in rows
    }
    return [first[sha256] for sha256 in dict.fromkeys(hashes) if sha256 in first]
