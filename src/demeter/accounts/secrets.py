"""Secrets that are shown once and kept as their hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets

BYTES = 32


def new_secret(prefix: str = "") -> str:
    """256 bits from the system, for a cookie, a link or a token."""
    return prefix + secrets.token_urlsafe(BYTES)


def digest(secret: str) -> bytes:
    """What is kept of a secret. It has 256 bits of its own, so a fast hash does."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def form_token(secret: str) -> str:
    """What a page's forms carry to show that they are that session's own."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(secret: str, given: str) -> bool:
    """Whether a form came from a page of this session."""
    return hmac.compare_digest(form_token(secret).encode(), given.encode("utf-8", "replace"))
