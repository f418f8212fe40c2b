"""Why a photo is not read; each is raised with the file's name in its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demeter.core.errors import DomainError, InvalidInput, Unavailable
from demeter.core.notices import Notice


class NotAPhoto(InvalidInput):
    """The bytes are no image of a kind that Demeter reads."""

    code = "not_a_photo"
    title = "This file is not a photo"
    next_action = "Send a JPEG, PNG, WebP, HEIC, AVIF or TIFF file."


class RawPhoto(InvalidInput):
    """A camera's raw file: all that could be shown of it is its small preview."""

    code = "raw_photo"
    title = "This is a camera's raw file"
    next_action = "Send the JPEG that the camera made beside it, or develop it first."


class PhotoTruncated(InvalidInput):
    """The image begins well and then breaks off or is damaged."""

    code = "photo_truncated"
    title = "This photo is incomplete or damaged"
    next_action = "Send the file again, or take the photo anew."


class PhotoTooSmall(InvalidInput):
    """Too few pixels to see a plant in."""

    code = "photo_too_small"
    title = "This photo is too small"
    next_action = "Send the photo in the size the camera took it."


class PhotoTooLarge(InvalidInput):
    """More bytes or pixels than a photo may have, or more memory or time than it may take."""

    code = "photo_too_large"
    title = "This photo is too large"
    next_action = "Send a smaller version of the photo."


class PhotoUnreadable(InvalidInput):
    """The program that unpacks photos failed on this one; the cause is chained."""

    code = "photo_unreadable"
    title = "This photo cannot be read"
    next_action = "Save it again as a JPEG and send that, or take the photo anew."


class DecoderBusy(Unavailable):
    """More photos wait to be unpacked than there is room for."""

    code = "decoder_busy"
    title = "Too many photos are being read at the moment"
    next_action = "Send them again in a moment; nothing of this upload was kept."
    retry_after_s = 10


class DecoderFailed(Exception):
    """What the process that unpacks photos left behind when it ended; the cause of a refusal."""


_REFUSALS: Mapping[str, type[InvalidInput]] = {
    refusal.code: refusal
    for refusal in (
        NotAPhoto,
        RawPhoto,
        PhotoTruncated,
        PhotoTooSmall,
        PhotoTooLarge,
        PhotoUnreadable,
    )
}


def refusal(code: str, notice: str, name: str, params: Mapping[str, Any]) -> DomainError:
    """The error of a code about the file ``name``; a ``cause`` in the params is chained."""
    sides = {f"{side}_px": params[side] for side in ("width", "height") if side in params}
    error = _REFUSALS[code](_notice(notice, name, params), file=name, **sides)
    if "cause" in params:
        error.__cause__ = DecoderFailed(params["cause"])
    return error


def _notice(code: str, name: str, params: Mapping[str, Any]) -> Notice:
    """What a reader of pictures says, by its code."""
    get = params.get
    notices = (
        Notice("photo_of_no_kind", {"name": name}),
        Notice("photo_damaged", {"name": name, "cause": get("cause")}),
        Notice("photo_form_unread", {"name": name, "form": get("form")}),
        Notice("photo_is_raw", {"name": name, "kind": get("kind")}),
        Notice("photo_of_bytes", {"name": name, "bytes": get("bytes"), "limit": get("limit")}),
        Notice(
            "photo_of_pixels",
            {"name": name, "width": get("width"), "height": get("height"), "limit": get("limit")},
        ),
        Notice(
            "photo_of_few_pixels",
            {"name": name, "width": get("width"), "height": get("height"), "limit": get("limit")},
        ),
        Notice("photo_of_many_scans", {"name": name, "scans": get("scans"), "limit": get("limit")}),
        Notice("photo_of_memory", {"name": name, "megabytes": get("megabytes")}),
        Notice("photo_needs_memory", {"name": name}),
        Notice("photo_needs_time", {"name": name, "seconds": get("seconds")}),
        Notice("photo_reader_failed", {"name": name, "cause": get("cause")}),
    )
    return next(notice for notice in notices if notice.code == code)
