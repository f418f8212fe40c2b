"""PostgreSQL with PostGIS: found, installed with apt where we may, or unpacked without root."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import apt
import debs
from console import SetupError, say, step

PACKAGE = re.compile(r"postgresql-(\d+)-postgis-3")
# What only packages' own scripts, compiled queries (JIT) and rasters need.
UNWANTED = re.compile(
    r"postgresql(-client)?-common|ssl-cert|openssl|debconf.*|perl.*|libperl.*|ucf|sensible-utils|"
    r"locales.*|netbase|lsb-.*|libllvm.*|libgdal.*|libsfcgal.*"
)
ONE_LINE = (
    "PostgreSQL with PostGIS is needed: install it with this system's package manager (on Fedora "
    "`sudo dnf install postgresql-server postgis`), or set DEMETER_DATABASE_URL to a server."
)


def install(where: Path) -> None:
    """Make sure that there is a PostgreSQL with PostGIS to run."""
    if os.environ.get("DEMETER_DATABASE_URL"):
        return
    if _has_postgis(Path("/")) or _has_postgis(_unpacked(where)) or _announced():
        return
    if not apt.is_here():
        raise SetupError(ONE_LINE)
    root = apt.as_root()
    if root is None:
        _unpack(where)
    else:
        _install(where, root)


def _unpacked(where: Path) -> Path:
    return where / "postgresql"


def _has_postgis(root: Path) -> bool:
    controls = (root / "usr/share/postgresql").glob("*/extension/postgis.control")
    versions = (control.parents[1].name for control in controls)
    return any((root / "usr/lib/postgresql" / v / "bin" / "initdb").exists() for v in versions)


def _announced() -> bool:
    """Other systems' layouts: whether the ``pg_config`` on PATH belongs to one with PostGIS."""
    if not shutil.which("pg_config"):
        return False
    share = Path(apt.ask("pg_config", "--sharedir").strip())
    return (share / "extension" / "postgis.control").exists()


def _install(where: Path, root: list[str]) -> None:
    if not _newest():
        with step("Debian's package lists"):
            apt.update(where, root)
    package = _newest()
    if not package:
        raise SetupError(ONE_LINE)
    with step(f"{package}, installed with apt"):
        apt.install(where, [package], root)


def _unpack(where: Path) -> None:
    options: list[str] = []
    if not _newest():
        with step("Debian's package lists, kept under DEMETER_HOME"):
            options = apt.private_lists(where)
    package = _newest(options)
    if not package:
        raise SetupError(ONE_LINE)
    with step(f"{package}, unpacked into {_unpacked(where)} (no root needed)"):
        try:
            _unpack_package(where, package, options)
        except SetupError as error:
            if options:
                raise
            say(f"    The system's package lists are too old ({error}); fetching new ones.")
            _unpack_package(where, package, apt.private_lists(where))


def _newest(options: list[str] | None = None) -> str | None:
    """The PostGIS package of the newest PostgreSQL that apt can fetch."""
    known = [name for name in apt.names("postgresql-", options or []) if PACKAGE.fullmatch(name)]
    having = [name for name in known if apt.candidate(name, options or [])]
    return max(having, key=lambda name: int(name.split("-")[1]), default=None)


def _unpack_package(where: Path, package: str, options: list[str]) -> None:
    version = package.split("-")[1]
    roots = [f"postgresql-{version}", f"postgresql-client-{version}", "libpq5", package]
    debs.unpack(where, debs.closure(roots, UNWANTED, options), _unpacked(where), options)
    _link_controls(_unpacked(where) / "usr/share/postgresql" / version / "extension")


def _link_controls(extension: Path) -> None:
    """Make the links that the package's own scripts would have made."""
    for control in extension.glob("postgis*-3.control"):
        link = control.with_name(control.name.replace("-3.control", ".control"))
        link.unlink(missing_ok=True)
        link.symlink_to(control.name)
