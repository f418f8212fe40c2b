"""Debian's packages without root: chosen, downloaded, unpacked into a directory of our own.

apt checks their signatures and hashes as always; only what a package's own scripts would have
done is left undone.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import apt
from console import SetupError, run
from home import log


def closure(
    roots: Sequence[str], unwanted: re.Pattern[str], options: Sequence[str] = ()
) -> list[str]:
    """The packages to unpack: the roots, and what they need that the system does not have.

    ``unwanted`` packages are left out with all that only they need.
    """
    simulated = apt.ask(
        "apt-get", *options, "-s", "-o", "Debug::NoLocking=1", "--no-install-recommends",
        "install", *roots,
    )  # fmt: skip
    missing = {line.split()[1] for line in simulated.splitlines() if line.startswith("Inst ")}
    needs = _needs(missing | set(roots), options)
    found, waiting = set(roots), list(roots)
    while waiting:
        for name in sorted(needs.get(waiting.pop(), ())):
            if name in missing and name not in found and not unwanted.fullmatch(name):
                found.add(name)
                waiting.append(name)
    return sorted(found)


def _needs(packages: Iterable[str], options: Sequence[str]) -> dict[str, set[str]]:
    """For each package the names that its dependencies mention, all alternatives included."""
    shown = apt.ask("apt-cache", *options, "show", "--no-all-versions", *sorted(packages))
    needs: dict[str, set[str]] = {}
    provided: dict[str, set[str]] = {}
    for stanza in shown.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE))
        if "Package" in fields:
            mentioned = f"{fields.get('Depends', '')}, {fields.get('Pre-Depends', '')}"
            needs[fields["Package"]] = _names(mentioned)
            for virtual in _names(fields.get("Provides", "")):
                provided.setdefault(virtual, set()).add(fields["Package"])
    return {
        package: names | {real for name in names for real in provided.get(name, ())}
        for package, names in needs.items()
    }


def _names(relations: str) -> set[str]:
    words = (word.strip() for word in re.split(r"[,|]", relations))
    return {re.split(r"[ (:]", word)[0] for word in words if word}


def unpack(where: Path, packages: Sequence[str], into: Path, options: Sequence[str] = ()) -> None:
    """Download packages and unpack them so that ``into`` is there whole or not at all."""
    downloads, new = where / "apt" / into.name, into.with_name(f"{into.name}.new")
    for directory in (downloads, new):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
    run(["apt-get", *options, "download", *packages], cwd=downloads, log=log(where), mend=apt.MEND)
    for deb in sorted(downloads.glob("*.deb")):
        run(
            ["dpkg-deb", "-x", deb, new], log=log(where), mend="The download is damaged: try again."
        )
    shutil.rmtree(downloads)
    shutil.rmtree(into, ignore_errors=True)
    new.rename(into)


def lists(where: Path, package: str) -> list[str]:
    """The options that make apt know a package: none where the system's lists do.

    Raises:
        SetupError: no list names it.
    """
    options: list[str] = []
    if not apt.candidate(package):
        root = apt.as_root()
        if root is None:
            options = apt.private_lists(where)
        else:
            apt.update(where, root)
    if not apt.candidate(package, options):
        raise SetupError(
            f"apt knows no package {package}: add Debian's main archive to its sources."
        )
    return options
