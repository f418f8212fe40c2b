"""What set-up says while it works, and where the whole output of its commands goes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LINES_SHOWN_ON_FAILURE = 15


class SetupError(Exception):
    """Set-up cannot go on; the message is one line that says what to do."""


def say(text: str) -> None:
    """One line for the person, at once."""
    print(text, flush=True)  # noqa: T201 - set-up talks to a person


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Say what is being done, then how long it took."""
    say(f"→ {doing} …")
    began = time.monotonic()
    yield
    say(f"✓ {doing}: {time.monotonic() - began:.1f} s")


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    mend: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command to its end, its output in ``log`` and its last line on a terminal.

    Raises:
        SetupError: it failed; ``mend`` says what to do about it.
    """
    words = [str(word) for word in command]
    environment = {**os.environ, **(env or {})}
    recent: list[str] = []
    with log.open("a", encoding="utf-8") as out:
        out.write(f"\n$ {' '.join(words)}\n")
        with _started(words, cwd, environment) as process:
            for line in process.stdout or ():
                out.write(line)
                recent = [*recent, line.rstrip()][-LINES_SHOWN_ON_FAILURE:]
                _show_on_terminal(line.strip())
    _show_on_terminal("")
    if process.returncode != 0:
        for line in recent:
            say(f"    {line}")
        raise SetupError(f"`{Path(words[0]).name}` failed. {mend} (All of its output: {log})")


def _started(
    words: Sequence[str], cwd: Path | None, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            words,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise SetupError(f"{words[0]} cannot be run: {error}") from error


def _show_on_terminal(line: str) -> None:
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 5
        sys.stdout.write(f"\r\033[K    {line[:width]}" if line else "\r\033[K")
        sys.stdout.flush()
