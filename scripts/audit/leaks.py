"""Secrets that were committed: forms that are nothing else, and long random values of a key."""

from __future__ import annotations

import math
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

KNOWN = Path(__file__).with_name("leaks.toml")
LARGEST_BYTES = 2_000_000
# Hashes of packages, and what no person wrote.
LEFT_OUT = re.compile(r"\.(lock|onnx|webp|png|jpg|pdf|woff2)$|package-lock\.json$|SHA256SUMS$")
FORMS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*\n[A-Za-z0-9+/=]{40}",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b",
    "GitLab token": r"glpat-[A-Za-z0-9_-]{20}\b",
    "Slack token": r"xox[abposr]-[A-Za-z0-9-]{10,}\b",
    "Slack webhook": r"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}",
    "Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{20,}\b",
    "Google key": r"AIza[0-9A-Za-z_-]{35}\b",
    "npm token": r"npm_[A-Za-z0-9]{36}\b",
    "PyPI token": r"pypi-AgE[A-Za-z0-9_-]{50,}",
    "JSON web token": r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    "Demeter token": r"dmt_[A-Za-z0-9_-]{43}\b",
    "webhook secret": r"whsec_[A-Za-z0-9+/]{43}=",
    "password in an address": r"\b[a-z][a-z0-9+]{2,15}://[^\s/:@\"'{}$<]+:[^\s/:@\"'{}$<]{6,}@",
}
VALUE = re.compile(
    r"(?i)(?:password|passwd|secret|token|api_?key|access_?key)[\w-]*[\"']?\s*[:=]\s*[bf]?"
    r"[\"']?(?P<value>[A-Za-z0-9+/_=-]{24,})(?=[\"'\s,;)]|$)"
)
RANDOM_BITS = 3.9  # a character; names and sentences have less, random base64 of 32 has 4.5
_FORMS = {kind: re.compile(form) for kind, form in FORMS.items()}


def leaks(root: Path, files: Iterable[Path] | None = None, known: Path = KNOWN) -> list[str]:
    """A line for each find that `leaks.toml` does not explain, and each of its that is gone."""
    explained = {(e["file"], e["kind"]) for e in tomllib.loads(known.read_text())["known"]}
    met: set[tuple[str, str]] = set()
    found = []
    for path in files if files is not None else committed(root):
        name = str(path.relative_to(root))
        for line, kind in finds(path):
            met.add((name, kind))
            if (name, kind) not in explained:
                found.append(f"{name}:{line}: {kind}")
    gone = [f"{file}: {kind} is explained and not there" for file, kind in explained - met]
    return [*found, *(sorted(gone) if files is None else [])]


def committed(root: Path) -> Iterator[Path]:
    """Every file that git knows, and those that it would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    for name in sorted(set(names.decode().split("\0")) - {""}):
        path = root / name
        if path.is_file() and not LEFT_OUT.search(name) and path.stat().st_size < LARGEST_BYTES:
            yield path


def finds(path: Path) -> Iterator[tuple[int, str]]:
    """Line and kind of each secret in a file; the secret itself is not told."""
    text = path.read_bytes().decode("utf-8", "replace")
    for kind, form in _FORMS.items():  # one by one: together they are five times as slow
        for match in form.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, kind
    for match in VALUE.finditer(text):
        value = match["value"]
        if _bits(value) >= RANDOM_BITS and any(c.isdigit() for c in value):
            yield text.count("\n", 0, match.start()) + 1, "random value of a secret's name"


def _bits(value: str) -> float:
    """Shannon's entropy of a character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
