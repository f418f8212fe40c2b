"""How many files a reader opens to follow one act: those whose functions the act calls.

    python -m benchmarks.files_entered [--list]

Each act goes through the HTTP API on a database of its own; what vision would say of the photo
is given. Files of core, tables, schemas and errors are left out: nobody follows an act through
them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "demeter"
APART = ("models.py", "schemas.py", "errors.py", "app.py", "__init__.py")
STOCK = "/api/v1/stock"
sys.path.insert(0, str(ROOT / "tests"))

entered: set[str] = set()


def note_call(frame: FrameType, event: str, _: object) -> None:
    """As the interpreter calls it for every function of every thread."""
    if event == "call" and frame.f_code.co_name != "<module>":
        entered.add(frame.f_code.co_filename)


def files_below(source: Path) -> list[str]:
    """The files entered, but for those that nobody follows an act through."""
    names = [
        str(Path(f).relative_to(source)) for f in tuple(entered) if Path(f).is_relative_to(source)
    ]
    return sorted(n for n in names if not n.startswith("core/") and not n.endswith(APART))


def acts(client: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each act with its name, in the order in which a nursery does them."""
    from support import served  # noqa: PLC0415  after the environment is set
    from support.nursery import photo_count  # noqa: PLC0415

    def post(path: str, **body: Any) -> None:
        answer = client.post(path, json=body)
        assert answer.is_success, answer.text

    session_ids: list[str] = []
    yield "upload", lambda: session_ids.append(served.upload_session(client))
    session = f"{served.SESSIONS}/{session_ids[0]}"
    yield "record", lambda: served.record_answers(session_ids[0], photo_count((8, 2), (5, 0)))
    yield "read back", lambda: client.get(session)
    death = {"movement_type": "muerte", "location_code": "A1", "quantity": 1}
    yield (
        "report a death",
        lambda: post(f"{STOCK}/movements", movement_id=str(uuid4()), **death),
    )
    numbers = [{"index": 1, "plants": 9}]
    yield "correct, by the session", lambda: post(f"{session}/corrections", containers=numbers)
    count = f"{STOCK}/counts/{client.get(f'{STOCK}/counts').json()['items'][0]['count_id']}"
    container = client.get(count).json()["containers"][0]["container_id"]
    said = [{"container_id": container, "plants": 11}]
    yield (
        "correct, by the count",
        lambda: post(f"{count}/correct", movement_id=str(uuid4()), containers=said),
    )
    reason = {"reason": "blurred"}
    yield "void", lambda: post(f"{count}/void", movement_id=str(uuid4()), **reason)


def report(name: str, files: list[str], *, listed: bool) -> None:
    """One act's line, and its files if they are asked for."""
    rooms = sorted({file.split("/")[0] for file in files})
    print(f"{name}: {len(files)} files in {len(rooms)} rooms ({', '.join(rooms)})")
    for file in files if listed else ():
        print(f"    {file}")


def main() -> None:
    """Print a line an act."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the files, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="demeter-files-") as home:
        os.environ["DEMETER_HOME"] = home
        from fastapi.testclient import TestClient  # noqa: PLC0415  after the environment is set

        from demeter.app import create_app  # noqa: PLC0415
        from demeter.core.db import engine, migrate, transaction  # noqa: PLC0415
        from demeter.core.localdb import LocalDatabase  # noqa: PLC0415
        from support.nursery import plant_nursery  # noqa: PLC0415
        from support.signing_in import signed_in  # noqa: PLC0415

        migrate(engine())
        with transaction() as session:
            plant_nursery(session)
        headers = signed_in()
        threading.setprofile(note_call)
        sys.setprofile(note_call)
        with TestClient(create_app(), base_url="http://localhost", headers=headers) as client:
            for name, act in acts(client):
                entered.clear()
                act()
                report(name, files_below(SOURCE), listed=arguments.list)
        engine().dispose()
        LocalDatabase(Path(home)).stop()


if __name__ == "__main__":
    main()
