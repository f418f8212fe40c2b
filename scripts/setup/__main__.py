"""Sets a checkout up: `python3 scripts/setup`, run by `make setup`, `make demo` and `make test`.

Only Python's standard library is here, because nothing else is installed yet. Everything local
goes under DEMETER_HOME; what is up to date is left alone.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apt
import assets
import browser
import cleaning
import database
import environment
import home
import interpreter
import port
import postgresql
from console import SetupError, say


def main() -> int:
    """Do every step that is not done; the exit status is 0 only if all is ready."""
    parser = argparse.ArgumentParser(description="Set up everything that Demeter needs.")
    parser.add_argument("--clean", action="store_true", help="remove what set-up made")
    parser.add_argument("--dev", action="store_true", help="also what `make test` needs")
    parser.add_argument("--serve", action="store_true", help="first see if the port is free")
    options = parser.parse_args()
    try:
        interpreter.ensure_supported()
        if options.serve:
            port.require_free()
        where = home.prepare()
        if options.clean:
            cleaning.clean(where)
        else:
            set_up(where, dev=options.dev)
    except SetupError as error:
        say(f"✗ {error}")
        return 1
    return 0


def set_up(where: Path, *, dev: bool) -> None:
    """Programs of the system and packages of Python side by side, then what stands on both."""
    environment.prepare(where)
    with ThreadPoolExecutor() as side_by_side:
        programs = side_by_side.submit(_programs, where, dev=dev)
        packages = side_by_side.submit(_packages, where, dev=dev)
    for done in (programs, packages):
        done.result()
    database.migrate(where)
    apt.forget_lists(where)


def _programs(where: Path, *, dev: bool) -> None:
    postgresql.install(where)
    if dev:
        browser.install(where)


def _packages(where: Path, *, dev: bool) -> None:
    environment.install(where, dev=dev)
    assets.build(where, dev=dev)


if __name__ == "__main__":
    sys.exit(main())
