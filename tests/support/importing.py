"""Imports in few words: the sample files of a nursery, and a preview of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from demeter import tables
from demeter.accounts.models import User
from demeter.accounts.queries import find_user
from demeter.core.imports.kinds import ImportFile
from demeter.core.imports.plans import ACCEPTED_AT_ONCE
from demeter.imports import queries, service
from demeter.imports.models import ImportRun
from demeter.imports.schemas import ImportRowRead

assert tables.photos  # beds point at sessions

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
SURVEY = [SAMPLES / "survey" / f"{name}.geojson" for name in ("naves", "canteros", "claros")]
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the nursery's own files")


def files_at(paths: Iterable[Path]) -> list[ImportFile]:
    return [ImportFile(path.name, path.read_bytes()) for path in paths]


def a_file(text: str, name: str = "list.csv") -> ImportFile:
    return ImportFile(name, text.encode())


def service_user(session: Session) -> User:
    return find_user(session, None)


def previewed(
    session: Session, files: Sequence[ImportFile], kind: str | None = "places"
) -> ImportRun:
    return service.start_import(session, list(files), service_user(session), kind_name=kind)


def carried_out(
    session: Session, files: Sequence[ImportFile], kind: str | None = "places"
) -> ImportRun:
    """As `--yes` does it."""
    run = previewed(session, files, kind)
    service.apply_import(
        session, run, service_user(session), accept=sorted(ACCEPTED_AT_ONCE), leave_undecided=True
    )
    return run


def rows_of(session: Session, run: ImportRun) -> list[ImportRowRead]:
    return queries.all_rows(session, run)


def verdicts(session: Session, run: ImportRun) -> dict[str, int]:
    counts = queries.import_read(session, run).counts
    return {name: getattr(counts, name) for name in ("new", "changed", "same", "refused")}


def square(x: float, y: float, width: float = 1.0, height: float = 1.0) -> dict[str, Any]:
    """A polygon in degrees from its lower left corner."""
    ring = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def layer(name: str, *features: tuple[dict[str, Any] | None, dict[str, Any]]) -> ImportFile:
    """A GeoJSON file of shapes with their properties."""
    document = {
        "type": "FeatureCollection",
        "name": name,
        "features": [
            {"type": "Feature", "geometry": shape, "properties": properties}
            for shape, properties in features
        ],
    }
    return ImportFile(f"{name}.geojson", json.dumps(document).encode())
