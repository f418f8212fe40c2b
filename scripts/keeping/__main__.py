"""Measure what keeping takes: years of a nursery and photos, kept, brought back, migrated.

    python -m scripts.keeping --years 5 --photos 500 --folder /tmp/keeping

One run gives every figure of docs/runbooks/backup-and-restore.md, as JSON on standard output. It
needs room for four times the database and twice the photos, and makes all of it in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

FIRST = "0013"  # migrations after this one are tried, down and up again
# Bytes that no packing makes smaller, as photos are; nothing here looks at their pixels.
SIZES = {"photo": 700_000, "overlay": 300_000, "thumbnail": 15_000}
IMAGES = """
INSERT INTO s3_images (image_id, s3_bucket, s3_key_original, s3_key_processed, s3_key_thumbnail,
    sha256, content_type, file_size_bytes, width_px, height_px, uploaded_by_user_id)
SELECT :id, 'local', :photo_key, :overlay_key, :thumbnail_key, :photo, 'image/jpeg', :bytes,
    4000, 3000, min(id) FROM users
"""


def main() -> None:
    """Each step in its turn; what was measured is written also where one fails."""
    options = _options()
    homes = [options.folder / name for name in ("home", "fresh")]
    figures: dict[str, Any] = {"years": options.years, "photos": options.photos, "load": _load()}
    try:
        _make(homes[0], options, figures)
        _keep_and_bring(homes, options.folder / "kept", figures)
        _refuse_a_flipped_byte(homes[1], options.folder / "kept", figures)
        figures["migrations"] = _migrate(homes[1])
    finally:
        for home in homes:
            _run(home, figures, None, "-m", "demeter", "db", "stop", is_needed=False)
        figures["load_at_end"] = _load()
        sys.stdout.write(json.dumps(figures, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--places", type=int, default=1290)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    return options


def _make(home: Path, options: argparse.Namespace, figures: dict[str, Any]) -> None:
    _run(home, figures, "migrate", "-m", "demeter", "db", "migrate")
    _inside(home, "make", str(options.years), str(options.places), str(options.photos))
    facts = json.loads(_inside(home, "facts"))
    figures |= facts


def _keep_and_bring(homes: list[Path], kept: Path, figures: dict[str, Any]) -> None:
    home, fresh = homes
    demeter = ("-m", "demeter")
    _run(home, figures, "first backup", *demeter, "backup", str(kept))
    _run(home, figures, "second backup", *demeter, "backup", str(kept))
    figures["kept_bytes"] = sum(f.stat().st_size for f in kept.rglob("*") if f.is_file())
    _run(home, figures, "check", *demeter, "restore", str(kept), "--check")
    _run(fresh, figures, "restore", *demeter, "restore", str(kept))
    _run(home, figures, "verify of the first", *demeter, "verify", "--deep")
    _run(fresh, figures, "verify of the restored", *demeter, "verify", "--deep")
    before, after = (json.loads(_inside(each, "sums")) for each in homes)
    figures |= {"same_ledger": before["ledger"] == after["ledger"], "ledger": after["ledger"]}
    figures |= {"same_blobs": before["blobs"] == after["blobs"], "blobs": len(after["blobs"])}
    # Of the first home the backup wrote down its own end after its moment.
    figures["other_tables"] = [t for t, n in before["tables"].items() if after["tables"][t] != n]


def _refuse_a_flipped_byte(home: Path, kept: Path, figures: dict[str, Any]) -> None:
    """In the middle of a photo, and of the dump; each is named."""
    photo = max((kept / "photos").rglob("*"), key=lambda f: f.is_file() and f.stat().st_size)
    dump = max(kept.rglob("database.dump"))
    for what, file in (("photo", photo), ("dump", dump)):
        body = bytearray(file.read_bytes())
        body[len(body) // 2] ^= 1
        file.write_bytes(body)
        words = ("-m", "demeter", "restore", str(kept), "--check")
        answer = _run(home, figures, f"flipped {what}", *words, is_needed=False)
        figures[f"flipped {what} refused"] = answer.returncode == 1 and file.name in answer.stderr
        body[len(body) // 2] ^= 1
        file.write_bytes(body)


def _migrate(home: Path) -> dict[str, list[float]]:
    return json.loads(_inside(home, "migrate"))


def _run(
    home: Path, figures: dict[str, Any], step: str | None, *words: str, is_needed: bool = True
) -> subprocess.CompletedProcess[str]:
    """A command in a home: its seconds, and the most memory that it took."""
    before = time.monotonic()
    with subprocess.Popen(
        [sys.executable, *words], env=_environment(home), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        output, errors = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if step is not None:
        seconds, memory = round(time.monotonic() - before, 1), usage.ru_maxrss // 1024
        figures[step] = {"seconds": seconds, "memory_mb": memory, "load": _load()}
        sys.stderr.write(
            f"{step}: {figures[step]} {output.strip()[:300]} {errors.strip()[-600:]}\n"
        )
    if is_needed and process.returncode:
        raise SystemExit(f"{words} ended with {process.returncode}: {errors}")
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def _inside(home: Path, *words: str) -> str:
    return _run(home, {}, None, "-m", "scripts.keeping", "--inside", *words).stdout


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {"DEMETER_HOME": str(home), "NO_COLOR": "1", "DEMETER_LOG_LEVEL": "WARNING"}


def _load() -> float:
    return round(os.getloadavg()[0], 1)


def inside(act: str, *words: str) -> None:
    """What is done within one home, in a process that lives there."""
    import demeter.tables  # noqa: F401, PLC0415  only here: the home is known now
    from demeter.accounts import identity  # noqa: PLC0415
    from demeter.core import blobs, db  # noqa: PLC0415

    identity.own_machine()
    if act == "make":
        _load_rows(int(words[0]), int(words[1]), int(words[2]), db, blobs)
        return
    answer = {"facts": _facts, "sums": _sums, "migrate": _each_migration}[act](db)
    sys.stdout.write(json.dumps(answer))


def _load_rows(years: int, places: int, photos: int, db: Any, blobs: Any) -> None:
    from sqlalchemy import text  # noqa: PLC0415

    from demeter.demo.years import load_years  # noqa: PLC0415

    with db.transaction() as session:
        load_years(session, years, places=places)
    chance = random.Random(1)  # noqa: S311  the same photos each time
    for _ in range(photos):
        with db.transaction() as session:
            row: dict[str, Any] = {"id": UUID(int=chance.getrandbits(128))}
            for name, size in SIZES.items():
                sha256 = blobs.accept(session, chance.randbytes(size), "image/jpeg")
                row |= {name: sha256, f"{name}_key": blobs.key_of(sha256)}
            session.execute(text(IMAGES), row | {"bytes": SIZES["photo"]})
        for name in SIZES:
            blobs.move_to_store(db.engine(), row[name])


def _facts(db: Any) -> dict[str, Any]:
    from sqlalchemy import text  # noqa: PLC0415

    with db.transaction() as session:
        return {
            "movements": session.scalar(text("SELECT count(*) FROM stock_movements")),
            "database_mb": session.scalar(text("SELECT pg_database_size(current_database())"))
            // 10**6,
        }


def _sums(db: Any) -> dict[str, Any]:
    from demeter.ops.backup import table_sums  # noqa: PLC0415
    from demeter.ops.backup.blob_list import NAMED  # noqa: PLC0415

    with db.engine().connect() as connection:
        driver = connection.connection.driver_connection
        driver.execute(table_sums.TEXT_SETTINGS)
        tables = dict(table_sums.table_sums(driver))
        names = [row[0] for row in driver.execute(NAMED)]
    return {
        "ledger": table_sums.ledger_hash(tables),
        "tables": {name: str(total) for name, total in tables.items()},
        "blobs": names,
    }


def _each_migration(db: Any) -> dict[str, list[float]]:
    """Seconds down to `FIRST` and up again, a step each."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    steps = [
        revision
        for revision in ScriptDirectory(str(db.migrations())).walk_revisions()
        if revision.revision > FIRST
    ]
    seconds: dict[str, list[float]] = {step.revision: [] for step in steps}
    for step in steps:
        seconds[step.revision].append(_timed(db, str(step.down_revision)))
    for step in reversed(steps):
        seconds[step.revision].append(_timed(db, step.revision))
    return {name: seconds[name] for name in sorted(seconds)}


def _timed(db: Any, revision: str) -> float:
    before = time.monotonic()
    db.migrate(db.engine(), revision)
    return round(time.monotonic() - before, 2)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(*sys.argv[2:])
    else:
        main()
