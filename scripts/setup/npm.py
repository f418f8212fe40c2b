"""Runs npm in frontend/ with the Node.js that set-up uses: `python3 scripts/setup/npm.py test`."""

from __future__ import annotations

import os
import subprocess
import sys

import assets
import home
import interpreter
from console import SetupError, say


def main() -> int:
    """The exit status of npm, or 1 with one line that says what is in its way."""
    try:
        interpreter.ensure_supported()
        npm = assets.npm_command(home.prepare())
    except SetupError as error:
        say(f"✗ {error}")
        return 1
    words = [str(word) for word in (*npm, *sys.argv[1:])]
    environment = {**os.environ, **assets.with_node(npm)}
    return subprocess.run(words, cwd=assets.FRONTEND, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
