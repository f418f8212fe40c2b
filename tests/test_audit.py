"""The supply chain: no secret, no licence that nobody looked at, a valid bill of materials."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AUDIT = ROOT / "scripts" / "audit"
sys.path.insert(0, str(AUDIT))

import advisories  # noqa: E402  of the folder above
import leaks  # noqa: E402
import licences  # noqa: E402
import locks  # noqa: E402

NOTHING = "known = []\n"


@pytest.fixture
def nothing_known(tmp_path: Path) -> Path:
    known = tmp_path / "known.toml"
    known.write_text(NOTHING)
    return known


def found(folder: Path, known: Path, text: str) -> list[str]:
    path = folder / "file.txt"
    path.write_text(text)
    return leaks.leaks(folder, [path], known)


def test_this_checkout_passes_and_its_bill_names_every_package(tmp_path: Path):
    bill = tmp_path / "bill.json"
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    answer = subprocess.run(
        [sys.executable, str(AUDIT), "--offline", "--bill", str(bill)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 10
    document = json.loads(bill.read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    parts = {part["name"]: part for part in document["components"]}
    assert {"sqlalchemy", "openvino", "htmx.org", "plants.onnx"} <= set(parts)
    assert parts["htmx.org"]["purl"].startswith("pkg:npm/htmx.org@")
    assert parts["plants.onnx"]["hashes"][0]["alg"] == "SHA-256"
    assert parts["ruff"]["scope"] == "excluded"
    assert parts["sqlalchemy"]["licenses"][0]["license"]["name"] == "MIT"


# Put together here, so that this file holds none.
SECRETS = {
    "private key": "-----BEGIN PRIVATE" + " KEY-----\n" + "A1b2" * 12,
    "AWS key": "AKIA" + "ABCDEFGH12345678",
    "GitHub token": "ghp" + "_" + "a1B2" * 9,
    "GitLab token": "glpat" + "-" + "a1B2c" * 4,
    "Slack token": "xoxb" + "-1234567890-abc",
    "Stripe key": "sk" + "_live_" + "a1B2" * 6,
    "Google key": "AIza" + "a1B2c" * 7,
    "npm token": "npm" + "_" + "a1B2" * 9,
    "JSON web token": "eyJ" + "hbGciOiJI" * 2 + ".eyJ" + "zdWIiOiIx" * 2 + "." + "a1B2" * 8,
    "Demeter token": "dmt" + "_" + "a1B2c" * 8 + "xyz",
    "webhook secret": "whsec" + "_" + "a1B2" * 10 + "xyz=",
    "password in an address": "postgresql://demeter:" + "hunter2x@db/demeter",
    "random value of a secret's name": 'api_key = "' + "q7Zp1Xc9Vb3Nm5Lk2Jh8Gf4D" + '"',
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_planted_secret_is_found_and_not_told(tmp_path: Path, nothing_known: Path, kind: str):
    (line,) = found(tmp_path, nothing_known, f"one\ntwo\nkey: {SECRETS[kind]}\n")
    assert line == f"file.txt:3: {kind}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        'secret = os.environ["DEMETER_SECRET"]',
        "password: str = Field(min_length=12)",
        "DEMETER_DATABASE_URL=postgresql://demeter@db/demeter",
        "postgresql://demeter:${DATABASE_PASSWORD:?}@database/demeter",
        "token = secrets.token_urlsafe(BYTES)",
        "the_secret_name = this_is_a_long_name_of_a_function",
    ],
)
def test_what_is_none_is_not_found(tmp_path: Path, nothing_known: Path, text: str):
    assert found(tmp_path, nothing_known, text) == []


@pytest.mark.parametrize(
    ("expression", "is_allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND (GPL-2.0-only OR ISC)", True),
        ("(MIT OR ISC) AND GPL-2.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("", False),
        ("MIT AND", False),
        ("MIT, more in words", False),
    ],
)
def test_an_expression_is_read_as_spdx_has_it(expression: str, is_allowed: bool):
    assert licences.is_allowed(expression, {"MIT", "ISC", "Apache-2.0"}) is is_allowed


def test_a_licence_nobody_looked_at_and_an_exception_of_nothing_are_faults(tmp_path: Path):
    rules = tmp_path / "rules.toml"
    rules.write_text('allowed = ["MIT"]\n[exceptions]\nb = "looked at"\ngone = "x"\n')
    said = {"a": "MIT", "b": "LGPL-3.0-only", "c": "AGPL-3.0-only", "d": ""}
    packages = [
        locks.Package("pypi", name, "1", licence, (), is_shipped=True)
        for name, licence in said.items()
    ]
    assert licences.faults(packages, rules) == [
        "c 1: its licence is AGPL-3.0-only",
        "d 1: its licence is unknown",
        "gone: an exception of no package",
    ]


def test_every_exception_has_a_reason():
    text = (AUDIT / "licences.toml").read_text().partition("[exceptions]")[2]
    for line in filter(None, text.splitlines()):
        assert len(line.partition("=")[2].split()) >= 2, line


def answer(monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str = "") -> None:
    said = subprocess.CompletedProcess([], 1, stdout, stderr)
    monkeypatch.setattr(advisories, "_run", lambda *_: said)


def test_a_service_that_is_away_is_said_and_is_not_taken_for_a_clean_bill(
    monkeypatch: pytest.MonkeyPatch,
):
    skipped = {"name": "a", "skip_reason": "not found on PyPI"}
    for stdout in ("", "no JSON", json.dumps({"dependencies": [skipped]}), '{"message": "405"}'):
        answer(monkeypatch, stdout, "connection refused")
        for one in advisories.advice(ROOT):
            assert one.faults is None
            assert "NOT LOOKED AT" in one.lines()[0]


def test_known_faults_are_named(monkeypatch: pytest.MonkeyPatch):
    fault = {"id": "PYSEC-1", "fix_versions": ["2.11"]}
    one = {"name": "jinja2", "version": "2.10", "vulns": [fault]}
    answer(monkeypatch, json.dumps({"dependencies": [one, {"name": "b", "skip_reason": "x"}]}))
    (line,) = advisories._of_python(ROOT / "requirements.lock").lines()
    assert "jinja2 2.10: PYSEC-1" in line
    answer(monkeypatch, json.dumps({"vulnerabilities": {"x": {"severity": "high"}}}))
    assert advisories._of_npm(ROOT / "frontend").lines() == ["package-lock.json: x: high"]
    answer(monkeypatch, json.dumps({"vulnerabilities": {}}))
    assert advisories._of_npm(ROOT / "frontend").lines() == ["package-lock.json: no fault is known"]
