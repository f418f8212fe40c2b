"""Every command of `demeter --help`, with right and with wrong arguments for each."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from demeter.cli import COMMANDS, imported_command

OF_TYPER = ("help", "install_completion", "show_completion")
NO_UTF8 = "caf\udce9"  # Latin-1 as the system hands it over
HOSTILE = (
    "", " ", "nonsense", "2026-11b", "0000-13", "9999-12", "x" * 300, NO_UTF8, "ñandú 🌵", "-1",
    "1e3", "NaN", "9" * 30, "0001-01-01", "9999-12-31T23:59:59+14:00", "/dev/null/nothing", "[red]",
)  # fmt: skip


@dataclass(frozen=True)
class Leaf:
    """One command: the words that lead to it, and what it takes."""

    words: tuple[str, ...]
    parameters: tuple[Any, ...]

    @property
    def name(self) -> str:
        return " ".join(self.words)


def leaves() -> list[Leaf]:
    """All commands, by walking the tree as it is."""
    found = [leaf for name in COMMANDS for leaf in _walk((name,), imported_command(name))]
    return sorted(found, key=lambda leaf: leaf.words)


def _walk(words: tuple[str, ...], command: Any) -> Iterator[Leaf]:
    children = getattr(command, "commands", {})
    if not children:
        yield Leaf(words, tuple(command.params))
    for name, child in children.items():
        yield from _walk((*words, name), child)


def wrong_arguments(leaf: Leaf, folder: Path) -> Iterator[list[str]]:
    """Arguments that click itself must refuse, then each parameter with each hostile value."""
    yield [*leaf.words, "--no-such-option"]
    if any(p.required for p in leaf.parameters):
        yield list(leaf.words)
    for parameter in leaf.parameters:
        if parameter.name in OF_TYPER or parameter.type_descriptor.annotation is bool:
            continue
        for value in (*HOSTILE, str(folder), str(folder / "empty"), str(folder / NO_UTF8)):
            yield [*leaf.words, *_filled(leaf, parameter, value)]


def _filled(leaf: Leaf, hostile: Any, value: str) -> list[str]:
    """The required parameters plausible, and one as it should not be."""
    options: list[str] = []
    arguments: list[str] = []
    for parameter in leaf.parameters:
        if parameter is not hostile and not parameter.required:
            continue
        word = value if parameter is hostile else _plausible(parameter)
        if parameter.param_type_name == "argument":
            arguments.append(word)
        else:
            options += [f"{parameter.opts[0]}={word}"]
    return [*options, "--", *arguments]


def _plausible(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    if kind is UUID:
        return "3f0e7c2a-6b1d-4d0b-9d3e-0a5f1c9b7e21"
    if kind in (int, float):
        return "1"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return str(next(iter(kind)).value)
    return "A1"


# Imports once what commands import, then forks for each of them: orders come as lines of JSON,
# and so does what became of them.
NURSERY_OF_PROCESSES = """
import io, json, os, sys, tempfile, time
from importlib import import_module
from demeter import cli

for source in cli.COMMANDS.values():
    import_module(source.module)
import demeter.photos.inference

def text(stream):
    return io.TextIOWrapper(os.fdopen(stream, "wb", closefd=False), encoding="utf-8")

def obey(order, out, err):
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.stdout, sys.stderr = text(1), text(2)
    sys.argv = ["demeter", *order["words"]]
    status = 0
    try:
        cli.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback
        traceback.print_exc()
        status = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

def run(order):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            obey(order, out, err)
        deadline = time.monotonic() + order["timeout_s"]
        while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, 9)
                ended = os.waitpid(pid, 0)
                break
            time.sleep(0.005)
        out.seek(0)
        err.seek(0)
        said = [stream.read().decode(errors="backslashreplace") for stream in (out, err)]
        return os.waitstatus_to_exitcode(ended[1]), *said

for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
"""


class CommandRunner:
    """Runs many commands, each in a process of its own, for the price of their own work."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY_OF_PROCESSES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, words: Sequence[str], env: Mapping[str, str], cwd: Path | str, timeout_s: float
    ) -> Done:
        """Let a command run to its end; one that takes longer is killed (status -9)."""
        order = {"words": words, "env": dict(env), "cwd": str(cwd), "timeout_s": timeout_s}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Done(*json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        """Start no more."""
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


NOT_THE_SOURCES = tempfile.gettempdir()  # what a wrong name makes lands there


@cache
def _runner() -> CommandRunner:
    runner = CommandRunner()
    atexit.register(runner.end)
    return runner


def demeter(
    *words: str,
    cwd: Path | str = NOT_THE_SOURCES,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 120,
) -> Done:
    """Run ``demeter WORDS`` as a process of its own, by default in this one's environment.

    Lines are 200 characters long and have no colours; standard input is empty.
    """
    plain = {"NO_COLOR": "1", "COLUMNS": "200"}
    return _runner().run(words, plain | dict(env or os.environ), cwd, timeout_s)


def fill_folder(folder: Path) -> None:
    """The files that hostile values name."""
    folder.mkdir()
    (folder / "empty").touch()
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).write_bytes(b"no photo")
