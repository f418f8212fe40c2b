"""The database: made, migrated, with its reference rows."""

from __future__ import annotations

import os
from pathlib import Path

from console import run, step
from home import CHECKOUT, fingerprint, is_done, log, note_done


def migrate(where: Path) -> None:
    """Bring the schema up to date if the migrations changed; leaves running what ran before."""
    url = os.environ.get("DEMETER_DATABASE_URL")
    wanted = fingerprint((CHECKOUT / "migrations").rglob("*.py"), url)
    made = url or (where / "database").exists()
    if made and is_done(where, "database", wanted):
        return
    with step("Database, schema and reference rows"):
        demeter = where / "venv" / "bin" / "demeter"
        mend = "Run `.venv/bin/demeter doctor`."
        run([demeter, "db", "migrate", "--stop-after"], log=log(where), mend=mend)
        note_done(where, "database", wanted)
