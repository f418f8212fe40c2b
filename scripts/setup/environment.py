"""The virtual environment: pinned packages, then Demeter itself out of this checkout."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import apt
import debs
from console import SetupError, run, step
from home import CHECKOUT, fingerprint, forget, is_done, log, note_done

MEND_REGISTRY = "Check that pip reaches its package registry (`pip config list`), then try again."


def python(where: Path) -> Path:
    """The environment's Python."""
    return where / "venv" / "bin" / "python"


def prepare(where: Path) -> None:
    """Make the environment and find a pip for it; links `.venv` in the checkout to it."""
    _ensure_environment(where)
    _link(where)
    _pip_wheel(where)


def install(where: Path, *, dev: bool) -> None:
    """Bring the environment to what the lock files say."""
    install_locked(where, "requirements.lock", "Python packages")
    if dev:
        install_locked(where, "requirements-dev.lock", "Tools for tests")
    _install_demeter(where)


def install_locked(where: Path, lock: str, what: str) -> None:
    """Install exactly what one lock file names, each file checked by its hash."""
    file, note = CHECKOUT / lock, lock.removesuffix(".lock")
    wanted = fingerprint([file], sys.version)
    if is_done(where, note, wanted):
        return
    count = sum("==" in line for line in file.read_text().splitlines())
    with step(f"{what}: {count} from {lock}"):
        pip(where, "--require-hashes", "--no-deps", "-r", str(file))
        note_done(where, note, wanted)


def pip(where: Path, *arguments: str) -> None:
    """`pip install`; bytecode is left to the first import, which compiles only what is used."""
    program = _pip_wheel(where) / "pip"  # runs out of its wheel, uninstalled
    command = [python(where), program, "install", "--no-compile", "--no-input"]
    quiet = ["--disable-pip-version-check", "--progress-bar", "off", "--no-warn-script-location"]
    run([*command, *quiet, *arguments], log=log(where), mend=MEND_REGISTRY)


def _ensure_environment(where: Path) -> None:
    wanted = fingerprint([], sys.version, sys.base_prefix)
    if is_done(where, "venv", wanted) and python(where).exists():
        return
    with step(f"Virtual environment in {where / 'venv'}"):
        for made in ("venv", "requirements", "requirements-dev", "requirements-assets", "demeter"):
            forget(where, made)
        shutil.rmtree(where / "venv", ignore_errors=True)
        making = [sys.executable, "-m", "venv", "--without-pip", where / "venv"]
        run(making, log=log(where), mend="Install Python with its module venv (python3-venv).")
        note_done(where, "venv", wanted)


def _pip_wheel(where: Path) -> Path:
    """The pip that comes with Python; Debian keeps it in a package that need not be installed."""
    unpacked = where / "pip"
    if not _wheels(unpacked):
        if not apt.is_here():
            raise SetupError("Python comes without pip here: install python3-venv.")
        debs.unpack(where, ["python3-pip-whl"], unpacked, debs.lists(where, "python3-pip-whl"))
    return _wheels(unpacked)[-1]


def _wheels(unpacked: Path) -> list[Path]:
    bundled = importlib.util.find_spec("ensurepip")
    places = [unpacked / "usr/share/python-wheels", Path("/usr/share/python-wheels")]
    if bundled and bundled.submodule_search_locations:
        places += [Path(place, "_bundled") for place in bundled.submodule_search_locations]
    return sorted(wheel for place in places for wheel in place.glob("pip-*.whl"))


def _link(where: Path) -> None:
    """`.venv` in the checkout, for people and their editors."""
    link, target = CHECKOUT / ".venv", where / "venv"
    if link.is_symlink() and link.readlink() == target:
        return
    if link.exists() and not link.is_symlink():
        raise SetupError(f"{link} is an environment of your own: remove or rename it.")
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _install_demeter(where: Path) -> None:
    wanted = fingerprint([CHECKOUT / "pyproject.toml"], str(CHECKOUT))
    if is_done(where, "demeter", wanted):
        return
    with step(f"Demeter itself, from {CHECKOUT}"):
        pip(where, "--no-deps", "--no-build-isolation", "--editable", str(CHECKOUT))
        note_done(where, "demeter", wanted)
