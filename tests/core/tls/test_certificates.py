"""The local authority: a browser that trusts it trusts this machine, and nobody else by it."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from demeter.core.settings import settings
from demeter.core.tls import certificates
from demeter.core.tls.authority import general_name, read_or_make


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEMETER_HOST_NAMES", "plants.example.org")
    settings.cache_clear()
    return tmp_path / "home"


def verified(files: certificates.ServerFiles, name: str, at: datetime | None = None) -> bool:
    """Whether who trusts the authority trusts this certificate for a name or address."""
    leaf, root = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    builder = PolicyBuilder().store(Store([root])).time(at or datetime.now(UTC))
    subject = general_name(name)
    assert isinstance(subject, x509.DNSName | x509.IPAddress)
    try:
        builder.build_server_verifier(subject).verify(leaf, [])
    except VerificationError:
        return False
    return True


def test_a_certificate_is_good_for_this_machine(home: Path) -> None:
    files = certificates.keep_certificate()
    for name in ("127.0.0.1", "localhost", "plants.example.org", *certificates.own_addresses()):
        assert verified(files, name), name
    assert not verified(files, "bank.example.com")
    assert not verified(files, "8.8.8.8")


def test_what_it_is_made_of_is_its_owners_alone(home: Path) -> None:
    certificates.keep_certificate()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home / "tls").iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((home / "tls").stat().st_mode) == 0o700


def test_it_is_kept_until_it_ends_soon(home: Path) -> None:
    files = certificates.keep_certificate()
    first = files.certificate.read_bytes()
    assert certificates.keep_certificate() == files
    assert files.certificate.read_bytes() == first
    later = datetime.now(UTC) + certificates.VALID - timedelta(days=29)
    certificates.keep_certificate(now=later)
    assert files.certificate.read_bytes() != first
    assert verified(files, "localhost", at=later + timedelta(days=60))


def test_another_address_makes_another_certificate_by_the_same_authority(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificates.keep_certificate()
    root = x509.load_pem_x509_certificates(files.certificate.read_bytes())[1]
    monkeypatch.setattr(certificates, "own_addresses", lambda: ["192.168.77.5"])
    certificates.keep_certificate()
    assert verified(files, "192.168.77.5")
    assert x509.load_pem_x509_certificates(files.certificate.read_bytes())[1] == root


def test_a_name_beyond_what_the_authority_may_say_is_left_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates.keep_certificate()
    monkeypatch.setenv("DEMETER_HOST_NAMES", "other.example.com")
    settings.cache_clear()
    files = certificates.keep_certificate()
    assert not verified(files, "other.example.com")
    assert verified(files, "localhost")


def test_an_authority_can_be_made_for_a_public_address(tmp_path: Path) -> None:
    authority = read_or_make(tmp_path, ["203.0.113.9", "plants.example.org"])
    assert authority.vouches_for("203.0.113.9")
    assert authority.vouches_for("www.plants.example.org")
    assert not authority.vouches_for("203.0.113.10")
    assert len(authority.fingerprint()) == 95
