"""Why a file's pixels are not read, as the reading process says it: no sentence, only facts."""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """``error`` is an error's code, ``notice`` what to say, ``params`` the notice's blanks."""

    def __init__(self, error: str, notice: str, **params: Any) -> None:
        self.error = error
        self.notice = notice
        self.params = params
        super().__init__(f"{error}: {notice} {params}")


def not_a_photo() -> Fault:
    """The bytes are no image of a kind that is read."""
    return Fault("not_a_photo", "photo_of_no_kind")


def damaged(cause: object) -> Fault:
    """The file begins well and then breaks off, or holds what its kind does not allow."""
    return Fault("photo_truncated", "photo_damaged", cause=str(cause)[:300])


def unread(what: str) -> Fault:
    """A picture of a known kind, in a form that is not read: ``what`` names the form."""
    return Fault("not_a_photo", "photo_form_unread", form=what)


def raw(maker: str) -> Fault:
    """A camera's raw file; what could be shown of it is only its preview."""
    return Fault("raw_photo", "photo_is_raw", kind=maker)
