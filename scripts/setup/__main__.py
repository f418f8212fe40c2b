"""Sets a checkout up: `python3 scripts/setup`, run by `make setup`, `make demo` and `make test`.

Only Python's standard library is here, because nothing else is installed yet. Everything local
goes under DEMETER_HOME; what is up to date is left alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import apt
import assets
import cleaning
import database
import environment
import home
import interpreter
import postgresql
from console import SetupError, say


def main() -> int:
    """Do every step that is not done; the exit status is 0 only if all is ready."""
    parser = argparse.ArgumentParser(description="Set up everything that Demeter needs.")
    parser.add_argument("--clean", action="store_true", help="remove what set-up made")
    parser.add_argument("--dev", action="store_true", help="also what `make test` needs")
    options = parser.parse_args()
    try:
        interpreter.ensure_supported()
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
    """The steps in order: programs, packages, pages, database."""
    postgresql.install(where)
    environment.install(where, dev=dev)
    assets.build(where)
    if dev:
        assets.install_browser(where)
    database.migrate(where)
    apt.forget_lists(where)


if __name__ == "__main__":
    sys.exit(main())
