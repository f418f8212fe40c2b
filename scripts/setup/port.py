"""The port of the pages: looked at before minutes of work, not after."""

from __future__ import annotations

import errno
import os
import socket

from console import SetupError


def require_free() -> None:
    """See whether the web server could listen.

    Raises:
        SetupError: another program does.
    """
    host = os.environ.get("DEMETER_HOST", "127.0.0.1")
    number = os.environ.get("DEMETER_PORT", "8000")
    if not number.isdecimal():
        return  # the settings refuse it by name
    try:
        with socket.create_server((host, int(number))):
            return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = (
                f"Something listens at {host}:{number} already: stop it, "
                "or set DEMETER_PORT to another port."
            )
            raise SetupError(message) from error
