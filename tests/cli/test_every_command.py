"""Every command as a process of its own: no traceback, and what is wrong is named."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from sqlalchemy import select

from demeter.core.db import transaction
from demeter.photos.models import Image
from support.commands import NO_UTF8, Leaf, demeter, fill_folder, leaves, wrong_arguments
from support.nursery import counted_session, photo_count, plant_nursery
from support.pictures import encoded, picture

LEAVES = leaves()
ENDLESS = ("up", "worker", "db shell")  # with right arguments they go on
DEAR = ("demo", "synth", "train", "evaluate", "models compare", "models calibrate")
SEED = int(os.environ.get("COMMANDS_SEED", "19"))
CASES = int(os.environ.get("COMMANDS_CASES", "40"))
KEY = "0f6f1f3d-0a3e-4f59-9d1c-6a1f6a7f2b11"

# In this order, on one database; {session} and {folder} are filled in.
RIGHT = """
--version
--help
db url
db migrate
doctor --json
verify --json
photos show {session} --json
photos add {folder}/bed.jpg --location A2 --json
photos add {folder}/caf\udce9.jpg --location A2
stock report plantar 500 --location A1
stock show --json
stock show --at 2026-03-01
stock movements --json
counts list
counts add A2 90 --product ECHEVERIA-01 --state SEEDLING
periods open 2026-02
periods open 2026-03
periods list --json
periods show 2026-02 --json
periods close 2026-02
periods reopen 2026-02 --reason again
periods report 2026-02 {folder}/report.xlsx
counts sheet NAVE1 {folder}/sheet.xlsx
models list
dataset densities
worker --once --queue io
""".strip().splitlines()


@pytest.fixture
def place(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A nursery with a counted session, and files to name."""
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "home"))
    folder = tmp_path / "folder"
    fill_folder(folder)
    (folder / "bed.jpg").write_bytes(encoded(picture(seed=1)))
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg")).write_bytes(encoded(picture(seed=2)))
    with transaction() as session:
        plant_nursery(session)
        photo_session = counted_session(session, photo_count((4, 0)))
        session.flush()
        session_id = photo_session.session_id
    return {"session": str(session_id), "folder": str(folder)}


def faults_of(words: list[str], status: int, said: str) -> list[str]:
    faults = [sign for sign in ("Traceback", "did not expect", "sqlalche.me") if sign in said]
    if status and not said.strip():
        faults.append("it says nothing")
    if status < 0:
        faults.append(f"signal {-status}")
    return [f"demeter {words!r}: {fault}\n{said[-1500:]}" for fault in faults]


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_command_does_what_it_is_asked(place: dict[str, str]) -> None:
    faults: list[str] = []
    for line in RIGHT:
        words = line.format(**place).split()
        answer = demeter(*words)
        faults += faults_of(words, answer.returncode, answer.stdout + answer.stderr)
        if answer.returncode:
            faults.append(f"demeter {words!r}: status {answer.returncode}\n{answer.stderr[-1500:]}")
    assert not faults, "\n\n".join(faults)


def wrong_cases(leaf: Leaf, folder: Path) -> list[list[str]]:
    cases = list(wrong_arguments(leaf, folder))
    return cases[:2] if leaf.name in (*ENDLESS, *DEAR) else cases


def check_wrong(cases: list[list[str]]) -> None:
    faults: list[str] = []
    for words in cases:
        done = demeter(*words)
        faults += faults_of(words, done.returncode, done.stdout + done.stderr)
        if "--no-such-option" in words and done.returncode == 0:
            faults.append(f"demeter {words!r}: taken")
    assert not faults, f"{len(faults)} of {len(cases)}\n" + "\n\n".join(faults)


def test_some_commands_name_what_is_wrong(place: dict[str, str]) -> None:
    """Some cases of the next test: others with COMMANDS_SEED, more with COMMANDS_CASES."""
    folder = Path(place["folder"])
    cases = [case for leaf in LEAVES for case in wrong_cases(leaf, folder)]
    check_wrong(random.Random(SEED).sample(cases, CASES))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_command_names_what_is_wrong(place: dict[str, str]) -> None:
    folder = Path(place["folder"])
    check_wrong([case for leaf in LEAVES for case in wrong_cases(leaf, folder)])


@pytest.mark.parametrize(
    "words",
    [
        ["periods", "open", "2026-11b"],
        ["periods", "close", "2026-01"],
        ["periods", "reopen", "2026-01", "--reason", "again"],
        ["db", "migrate", "--revision", "nonsense"],
        ["db", "migrate", "--revision", ""],
        ["db", "migrate", "--revision", "0001-01-01"],
        ["photos", "add", "no-such-file.jpg"],
    ],
)
def test_what_used_to_end_in_a_traceback_is_named(place: dict[str, str], words: list[str]) -> None:
    answer = demeter(*words)
    assert not faults_of(words, answer.returncode, answer.stdout + answer.stderr)
    assert answer.returncode == 1
    assert ": " in answer.stderr


def test_a_photo_may_have_any_bytes_as_its_name(place: dict[str, str]) -> None:
    words = ["photos", "add", f"{place['folder']}/{NO_UTF8}.jpg", "--location", "A2", "--json"]
    answer = demeter(*words)
    assert not faults_of(words, answer.returncode, answer.stdout + answer.stderr)
    assert answer.returncode == 0
    with transaction() as session:
        assert "café.jpg" in session.scalars(select(Image.original_filename)).all()
