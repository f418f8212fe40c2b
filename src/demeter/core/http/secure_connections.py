"""Passwords travel by TLS, or not at all beyond this machine."""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import Request

from demeter.core.errors import DomainError
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


def is_loopback(address: str) -> bool:
    """Whether this is an address of this machine alone."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
