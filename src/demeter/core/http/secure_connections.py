"""Passwords travel by TLS, or not at all beyond this machine."""

from __future__ import annotations

from fastapi import Request

from demeter.core.errors import DomainError
from demeter.core.loopback import is_loopback
from demeter.core.settings import settings


class InsecureConnection(DomainError):
    """Anybody on the way could read what is sent."""

    status = 403
    code = "insecure_connection"
    title = "This connection is not encrypted"
    next_action = (
        "Start Demeter with `demeter up --https`, or put a proxy with TLS before it "
        "(docs/runbooks/https.md)."
    )


def require_secure(request: Request) -> None:
    """For routes that take a password, or a link that stands for one.

    Raises:
        InsecureConnection: it came from another machine without TLS, and
            DEMETER_PLAIN_PASSWORDS does not allow that.
    """
    if not is_secure(request):
        raise InsecureConnection(
            "a password sent from another machine without TLS can be read on the way"
        )


def is_secure(request: Request) -> bool:
    """Whether nobody between the person and this server can read along, or that is allowed."""
    if request.url.scheme == "https" or settings().plain_passwords:
        return True
    return request.client is not None and is_loopback(request.client.host)
