"""What is refused about people."""

from __future__ import annotations

from demeter.core.errors import NotFound


class UserNotFound(NotFound):
    """No user has this name."""

    code = "user_not_found"
    title = "No such user"
    next_action = "Name a user that exists, or create one."
