"""Where the API answers about photos: one place for its paths."""

from __future__ import annotations

from uuid import UUID

SESSIONS = "/api/v1/photos/sessions"
IMAGES = "/api/v1/photos/images"


def of_session(session_id: UUID) -> dict[str, str]:
    """Where to poll, watch and look at a session."""
    poll = f"{SESSIONS}/{session_id}"
    return {
        "poll_url": poll,
        "watch_url": f"{poll}/events",
        "page_url": f"/sessions/{session_id}",
    }


def of_image(image_id: UUID, variant: str, key: str | None = None) -> str:
    """One of an image's pictures: original, view, screen, processed, thumbnail.

    ``key`` is where the object store keeps a made picture; with it the address changes when
    the picture does.
    """
    address = f"{IMAGES}/{image_id}/{variant}"
    return f"{address}?v={version(key)}" if key else address


def version(key: str) -> str:
    """The beginning of the content's hash, by which addresses tell versions apart."""
    return key.rsplit("/", 1)[-1][:12]
