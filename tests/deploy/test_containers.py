"""The image and its parts: what they name is there. No container runtime is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from demeter.cli import COMMANDS
from demeter.core import jobs
from demeter.core.settings import Settings

ROOT = Path(__file__).parents[2]
CONTAINERS = ROOT / "deploy" / "containers"
COMPOSE: dict[str, Any] = yaml.safe_load((CONTAINERS / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"] == "demeter:latest"}
SETTINGS = {f"DEMETER_{name.upper()}" for name in Settings.model_fields}
IMAGE = (CONTAINERS / "Containerfile").read_text()


def test_every_queue_has_its_worker():
    commands = [one["command"] for one in OURS.values() if "worker" in one.get("command", [])]
    assert sorted(command[-1] for command in commands) == sorted(jobs.QUEUES)
    assert {command[1] for command in commands} <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_parts_of_ours_are_closed_and_set_up_alike(name: str):
    one = OURS[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["environment"] == OURS["web"]["environment"]
    named = {key for key in one["environment"] if key.startswith("DEMETER_")}
    assert named <= SETTINGS


def test_what_parts_refer_to_is_there():
    for name, one in SERVICES.items():
        volumes = {volume.split(":")[0] for volume in one.get("volumes", [])}
        assert volumes <= set(COMPOSE["volumes"]), name
        assert set(one["networks"]) <= set(COMPOSE["networks"]), name
        assert set(one.get("depends_on", [])) <= set(SERVICES), name


def test_the_database_and_the_store_are_reached_from_inside_alone():
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["database"]["networks"] == SERVICES["store"]["networks"] == ["inside"]
    assert [name for name, one in SERVICES.items() if "ports" in one] == ["proxy"]


def test_other_peoples_images_have_a_version_and_secrets_have_none_here():
    images = [one["image"] for one in SERVICES.values() if one["image"] != "demeter:latest"]
    assert all(re.search(r":\d", image) for image in images)
    given = (CONTAINERS / "env.example").read_text()
    text = (CONTAINERS / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    assert asked == set(re.findall(r"^#?([A-Z_]+)=", given, re.MULTILINE))
    assert re.findall(r"^(?:DATABASE_PASSWORD|STORE_SECRET)=.+$", given, re.MULTILINE) == []


def test_the_image_copies_what_there_is_and_runs_as_nobody_in_particular():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", IMAGE, re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []
    allowed = (ROOT / ".containerignore").read_text().splitlines()
    assert [name for name in names if f"!{name}" not in allowed] == []
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()
    assert re.findall(r"^USER (.+)$", IMAGE, re.MULTILINE) == ["demeter"]
    assert set(re.findall(r"\b(DEMETER_[A-Z_]+)=", IMAGE)) <= SETTINGS
    assert "--require-hashes" in IMAGE
