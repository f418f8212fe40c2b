"""What the locks name: every package that is shipped or used to build and test, by its hash."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

PYTHON, NPM = "pypi", "npm"
SHIPPED = ("requirements.lock",)
OTHERS = ("requirements-dev.lock", "requirements-assets.lock")
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_OF_CLASSIFIER = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_OF_WORDS = {
    "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "mit license": "MIT",
}


@dataclass(frozen=True, slots=True)
class Package:
    """A package of a lock; ``licence`` is an SPDX expression, empty where nothing tells it."""

    kind: str
    name: str
    version: str
    licence: str
    hashes: tuple[tuple[str, str], ...]
    is_shipped: bool

    @property
    def purl(self) -> str:
        """Its name for every tool."""
        return f"pkg:{self.kind}/{self.name.replace('@', '%40')}@{self.version}"


def packages(root: Path) -> list[Package]:
    """Every package of every lock, once; shipped if one that is shipped names it."""
    found: dict[str, Package] = {}
    for lock in (*SHIPPED, *OTHERS):
        for package in _of_python(root / lock, is_shipped=lock in SHIPPED):
            found.setdefault(package.purl, package)
    for package in _of_npm(root / "frontend" / "package-lock.json"):
        found.setdefault(package.purl, package)
    return sorted(found.values(), key=lambda package: package.purl)


def _of_python(lock: Path, *, is_shipped: bool) -> Iterator[Package]:
    for block in re.split(r"\n(?=\S)", lock.read_text()):
        pin = _PIN.match(block)
        if pin is None:
            continue
        name = re.sub(r"[-_.]+", "-", pin["name"]).lower()
        hashes = tuple(("SHA-256", value) for value in _HASH.findall(block))
        yield Package(PYTHON, name, pin["version"], licence_of(name), hashes, is_shipped)


def licence_of(name: str) -> str:
    """What an installed package says of itself: an expression, its classifiers, a few words."""
    try:
        said = metadata(name)
    except PackageNotFoundError:  # of another system, or of a lock that is not installed here
        return ""
    if expression := said.get("License-Expression"):
        return expression
    classifiers = [c.split("::")[-1].strip() for c in said.get_all("Classifier") or []]
    known = sorted({_OF_CLASSIFIER[c] for c in classifiers if c in _OF_CLASSIFIER})
    if known:
        return " AND ".join(known)
    words = (said.get("License") or "").strip().splitlines()[:1]
    return _OF_WORDS.get(words[0].lower(), words[0]) if words else ""


def _of_npm(lock: Path) -> Iterator[Package]:
    for place, facts in json.loads(lock.read_text())["packages"].items():
        if not place:
            continue
        name = place.rpartition("node_modules/")[2]
        hashes = []
        if "-" in facts.get("integrity", ""):
            kind, _, value = facts["integrity"].partition("-")
            hashes = [(f"SHA-{kind[3:]}", base64.b64decode(value).hex())]
        # Only what is in the scripts reaches a person; the lock calls the rest `dev`.
        is_shipped = not facts.get("dev", False)
        licence = facts.get("license", "")
        yield Package(NPM, name, facts["version"], licence, tuple(hashes), is_shipped)
