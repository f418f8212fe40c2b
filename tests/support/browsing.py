"""A browser of a test's own, with a camera that shows a moving picture, and a server to visit."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, Playwright, sync_playwright

from demeter.app import create_app

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
UNPACKED = Path(sys.prefix).parent / "chromium"


def browser_program() -> str:
    """Chromium of the system, or the one that set-up unpacked; a test is skipped without."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    unpacked = UNPACKED / "chromium"
    if program is None and not unpacked.exists():
        pytest.skip("no Chromium here: `make setup-dev` installs it where it may")
    return program or str(unpacked)


@contextmanager
def driver() -> Iterator[Playwright]:
    """What starts browsers."""
    libraries = [os.environ.get("LD_LIBRARY_PATH", ""), *map(str, UNPACKED.glob("usr/lib/*-gnu*"))]
    with pytest.MonkeyPatch.context() as patch:
        # The client's own Node.js may want a library that only lies there.
        patch.setenv("LD_LIBRARY_PATH", ":".join(filter(None, libraries)))
        started = sync_playwright().start()
    try:
        yield started
    finally:
        started.stop()


def open_phone(started: Playwright, folder: Path, **options: Any) -> BrowserContext:
    """A browser that keeps what it knows in a folder, as a phone does when it is closed."""
    phone: dict[str, Any] = {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "locale": "es-AR",
        "permissions": ["camera"],
        **options,
    }
    return started.chromium.launch_persistent_context(
        str(folder), executable_path=browser_program(), args=[*QUIET, *CAMERA], **phone
    )


class Site:
    """The server on a port of its own, on the test's database; it can be stopped."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve."""
        config = uvicorn.Config(
            create_app(), port=self.port, log_level="critical", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)

    def stop(self) -> None:
        """Serve no more."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
