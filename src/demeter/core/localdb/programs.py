"""Where PostgreSQL's own programs are, and whether PostGIS stands beside them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from demeter.core.localdb.errors import PostgresProgramsMissing

INSTALLED_ROOT = Path("/")


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL whose share directory has PostGIS.

    ``environment`` is what its programs need besides the ordinary: nothing when installed,
    the places of libraries and of PROJ's data when merely unpacked.
    """

    bin_dir: Path
    major: int
    environment: Mapping[str, str] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """The full path of one program, such as ``initdb``."""
        return self.bin_dir / name


def unpacked_root(home: Path) -> Path:
    """Where set-up without root unpacks Debian's packages."""
    return home / "postgresql"


def find(home: Path, major: int | None = None) -> Programs:
    """The newest PostgreSQL with PostGIS; with ``major``, only that version.

    A cluster can be opened only by the major version that made it.

    Raises:
        PostgresProgramsMissing: none is here, or none of the version asked for.
    """
    installations = [p for p in _candidates(home) if major in (None, p.major)]
    if not installations:
        version = "PostgreSQL" if major is None else f"PostgreSQL {major}"
        raise PostgresProgramsMissing(
            f"No {version} with PostGIS was found: neither installed nor under "
            f"{unpacked_root(home)}.",
            major=major,
        )
    return max(installations, key=lambda p: p.major)


def _candidates(home: Path) -> Iterator[Programs]:
    yield from _debian_layout(INSTALLED_ROOT)
    yield from _debian_layout(unpacked_root(home))
    yield from _from_pg_config()


def _debian_layout(root: Path) -> Iterator[Programs]:
    for bin_dir in sorted((root / "usr/lib/postgresql").glob("*/bin")):
        name = bin_dir.parent.name
        share = root / "usr/share/postgresql" / name
        if name.isdigit() and _is_complete(bin_dir, share):
            environment = {} if root == INSTALLED_ROOT else _unpacked_environment(root)
            yield Programs(bin_dir, int(name), environment)


def _from_pg_config() -> Iterator[Programs]:
    """Other systems' layouts: what the ``pg_config`` on PATH says of itself."""
    if shutil.which("pg_config") is None:
        return
    command = ["pg_config", "--bindir", "--sharedir", "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = answer.stdout.splitlines()
    if answer.returncode == 0 and len(lines) == len(command) - 1:
        bin_dir, share, version = Path(lines[0]), Path(lines[1]), lines[2].split()[1]
        major = version.partition(".")[0]
        if major.isdigit() and _is_complete(bin_dir, share):
            yield Programs(bin_dir, int(major))


def _is_complete(bin_dir: Path, share: Path) -> bool:
    programs = all((bin_dir / name).exists() for name in ("postgres", "initdb", "pg_ctl"))
    return programs and (share / "extension" / "postgis.control").exists()


def _unpacked_environment(root: Path) -> dict[str, str]:
    libraries = sorted([*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")])
    # BLAS and LAPACK are found through links that dpkg's scripts would have made.
    numeric = [d / sub for d in libraries for sub in ("blas", "lapack")]
    paths = [str(d) for d in (*libraries, *numeric) if d.is_dir()]
    return {"LD_LIBRARY_PATH": ":".join(paths), "PROJ_DATA": str(root / "usr/share/proj")}
