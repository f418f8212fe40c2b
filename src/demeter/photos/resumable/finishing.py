"""The end of an upload in chunks: its photos are checked and kept as every upload's are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi.encoders import jsonable_encoder

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.http.commands import run_once
from demeter.core.http.idempotency import Once
from demeter.photos.receipts import receipt
from demeter.photos.resumable import service
from demeter.photos.upload import accept, look_through, room_to_keep, wish_of


def finish(upload_id: UUID, once: Once) -> Any:
    """The sessions of the photos; from memory where the upload is finished already.

    Raises:
        ResumableUploadNotFound: no such upload of this person.
        UploadIncomplete, HashDiffers: as `service.whole_photos`.
        DomainError: what an upload in one piece is refused for.
    """
    with transaction() as session:
        upload = service.find(session, upload_id, acting_user(session))
        assert upload.photos is not None  # read while there is a session
        if upload.answer is not None:
            return upload.answer
    with service.whole_photos(upload) as received:
        wish = wish_of(received.fields)
        photos = look_through(received, wish)
        with room_to_keep(photos):
            return run_once(
                once,
                [str(upload_id)],
                lambda session: _keep(session, upload_id, wish, photos),
            )


def _keep(session: Any, upload_id: UUID, wish: Any, photos: Any) -> Any:
    upload = service.lock(session, upload_id, acting_user(session))
    if upload.answer is None:
        answer = jsonable_encoder(receipt(accept(session, wish, photos)))
        service.close(session, upload, answer)
    return upload.answer
