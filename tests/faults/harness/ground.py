"""What every run begins with, made once: a nursery in a database, and photos with known counts."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
import psycopg
from PIL import Image, ImageOps
from sqlalchemy.orm import Session

from demeter.accounts.identity import MachineOwner, act_as
from demeter.accounts.secrets import digest
from demeter.core import db
from demeter.core.localdb import LocalDatabase
from demeter.core.settings import settings
from demeter.periods import service as periods
from support import ledgersteps
from support.nursery import NURSERY_SQL
from support.upserver import TOKEN

BEDS = ("A1", "A2", "B1", "B2")  # that are photographed
COUNTED_BED, BASE_PLANTS = "C1", 400  # counted by hand; what people report happens there
PERIOD = "MARCH"
CODE_OF_THE_GROUND = 5  # another number makes all of it anew
SCENES, SIDE_PX = 2, 480

MORE_BEDS = """
INSERT INTO storage_locations (storage_area_id, code, name, location_type, geojson_coordinates)
SELECT storage_area_id, bed, 'Bed ' || bed, 'growing_bed',
       ST_GeomFromText(format('POINT(%s 55)', 30 + row_number() OVER ()), 4326)
FROM storage_areas, unnest(ARRAY['B1', 'B2', 'C1']) AS bed WHERE storage_areas.code = 'NORTH';
INSERT INTO storage_location_config
    (storage_location_id, product_id, expected_product_state_id, packaging_catalog_id, active)
SELECT l.location_id, p.id, s.product_state_id, NULL, true
FROM storage_locations l, products p, product_states s
WHERE l.code IN ('B1', 'B2', 'C1') AND p.code = 'ECHEVERIA-01' AND s.name = 'SEEDLING';
"""
LET_IN = """
INSERT INTO api_tokens (token_sha256, user_id, name, role, created_by_user_id)
SELECT %s, id, 'faults', 'admin', id FROM users WHERE username = 'demeter-service'
"""


@dataclass(frozen=True)
class Photo:
    """A photo, and how many plants the machine counts on it when nothing goes wrong."""

    name: str
    body: bytes
    plants: int

    @property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Ground:
    """The home that runs are copies of, and the photos."""

    home: Path
    photos: tuple[Photo, ...]


def ground_in(folder: Path) -> Ground:
    """Made where it is not there yet."""
    place = folder / f"ground-{CODE_OF_THE_GROUND}"
    if not (place / "ready").exists():
        shutil.rmtree(place, ignore_errors=True)
        (place / "home").mkdir(parents=True)
        _make_home(place / "home")
        _make_photos(place / "photos")
        (place / "ready").touch()
    plants = json.loads((place / "photos" / "plants.json").read_text())
    photos = (
        Photo(name, (place / "photos" / name).read_bytes(), number)
        for name, number in plants.items()
    )
    return Ground(place / "home", tuple(photos))


def copy_home(ground: Ground, home: Path) -> None:
    """A home of a run's own; PostgreSQL's files keep their owner."""
    home.mkdir(mode=0o700, exist_ok=True)
    shutil.copytree(ground.home, home, dirs_exist_ok=True, symlinks=True)
    if os.geteuid() == 0:
        for path in (ground.home / "database", *(ground.home / "database").rglob("*")):
            status = path.lstat()
            copied = home / path.relative_to(ground.home)
            os.chown(copied, status.st_uid, status.st_gid, follow_symlinks=False)
    link_programs(home)


def link_programs(home: Path) -> None:
    """Where PostgreSQL was unpacked without root, the homes of runs share it."""
    unpacked = settings().home / "postgresql"
    if unpacked.exists() and not (home / "postgresql").exists():
        (home / "postgresql").symlink_to(unpacked.resolve())


def _make_home(home: Path) -> None:
    link_programs(home)
    database = LocalDatabase(home, durable=False)
    url = database.ensure_running()
    try:
        engine = db.make_engine(url)
        db.migrate(engine)
        with psycopg.connect(url) as connection:
            connection.execute(NURSERY_SQL)  # type: ignore[arg-type]
            connection.execute(MORE_BEDS)
            connection.execute("UPDATE users SET role = 'admin' WHERE username = 'demeter-service'")
            connection.execute(LET_IN, [digest(TOKEN)])
        act_as(MachineOwner())
        with db.transaction(engine) as session:
            _live_through_march(session)
        engine.dispose()
    finally:
        database.stop()
    (home / "postgresql").unlink(missing_ok=True)


def _live_through_march(session: Session) -> None:
    """A month that can be closed: more plants went than anybody reported."""
    code = COUNTED_BED
    ledgersteps.count(session, 500, 0, code)
    ledgersteps.die(session, 20, 10, code)
    ledgersteps.count(session, BASE_PLANTS, 30, code)
    period = periods.open_period(
        session, ledgersteps.supervisor(session), PERIOD, ledgersteps.day(30), 48
    )
    exceptions = periods.explained_exceptions(
        session, period, periods.period_lines(session, period)
    )
    for explained in exceptions:
        chosen = periods.Chosen(explained.line.location_code, explained.line.product_code)
        periods.explain(session, period, ledgersteps.supervisor(session), "looked into", chosen)


def _make_photos(folder: Path) -> None:
    """Drawn beds, cut small, counted here once."""
    from demeter.vision import pipeline  # noqa: PLC0415  loads the vision runtime
    from demeter.vision.hints import Hints  # noqa: PLC0415
    from demeter.vision.networks.shipped import default_models  # noqa: PLC0415
    from demeter_training.scenes.demo import demo_photos  # noqa: PLC0415

    folder.mkdir()
    models, plants = default_models(threads=1), {}
    for scene in islice(demo_photos(), SCENES):
        picture = Image.fromarray(scene.rgb)
        picture.thumbnail((SIDE_PX, SIDE_PX))
        for turn in ("", "-mirrored"):
            stream = io.BytesIO()
            (ImageOps.mirror(picture) if turn else picture).save(stream, "JPEG", quality=85)
            name = f"{scene.name}{turn}.jpg"
            (folder / name).write_bytes(stream.getvalue())
            rgb = np.asarray(Image.open(stream).convert("RGB"))
            plants[name] = pipeline.count(rgb, models, Hints()).detected
    (folder / "plants.json").write_text(json.dumps(plants))
