"""What an upload is answered with: its sessions, once its photos are safe."""

from __future__ import annotations

from collections.abc import Sequence

from demeter.core.notices import Notice, read_notices
from demeter.core.wording import english_each
from demeter.photos import urls
from demeter.photos.intake import Accepted
from demeter.photos.schemas import UploadRead


def receipt(
    accepted: Sequence[Accepted], ignored: tuple[str, ...] = ()
) -> list[UploadRead] | UploadRead:
    """One session, or a list where the photos fall on several locations."""
    uploads = [_receipt_of_session(each, ignored) for each in accepted]
    return uploads[0] if len(uploads) == 1 else uploads


def _receipt_of_session(accepted: Accepted, ignored: tuple[str, ...]) -> UploadRead:
    photo_session = accepted.session
    unknown = [Notice("field_ignored", {"name": name}) for name in ignored]
    warnings = [*read_notices(photo_session.warnings), *unknown]
    return UploadRead(
        session_id=photo_session.session_id,
        status=photo_session.status,
        is_new=accepted.is_new,
        location_code=photo_session.requested_location_code,
        reason_code=photo_session.reason_code,
        next_action=photo_session.next_action,
        warnings=english_each(warnings),
        notices=warnings,
        **urls.of_session(photo_session.session_id),
    )
