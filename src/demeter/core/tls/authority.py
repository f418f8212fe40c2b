"""The local authority: made once, and able to vouch for this machine's network only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demeter.core.private_files import make_directory

VALID = timedelta(days=3650)
A_MOMENT = timedelta(days=1)  # clocks of phones may be behind
Address = IPv4Address | IPv6Address

# It may vouch for these and for the names it was made with: whoever steals its key cannot stand
# for anybody else towards a phone that trusts it.
NETWORKS = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
DOMAINS = ("localhost", "local", "lan", "home.arpa", "internal")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs others, with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as phones show it: pairs of capital digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def vouches_for(self, name: str) -> bool:
        """Whether its constraints let it sign a certificate of this name or address."""
        constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints)
        permitted = constraints.value.permitted_subtrees or []
        try:
            address = ip_address(name)
        except ValueError:
            domains = [s.value for s in permitted if isinstance(s, x509.DNSName)]
            return any(name == domain or name.endswith(f".{domain}") for domain in domains)
        networks = [s.value for s in permitted if isinstance(s, x509.IPAddress)]
        return any(address in network for network in networks)  # type: ignore[operator]


def read_or_make(folder: Path, names: list[str]) -> Authority:
    """The authority kept in a folder; made on the first call, for ``names`` among others."""
    certificate_path, key_path = folder / "authority.pem", folder / "authority-key.pem"
    if certificate_path.exists() and key_path.exists():
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return Authority(certificate, key)
    make_directory(folder)
    authority = _make(names)
    write_private(key_path, pem_of_key(authority.key))
    write_private(certificate_path, authority.certificate.public_bytes(_PEM))
    return authority


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as it is kept: in a file that is its owner's alone."""
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def write_private(path: Path, body: bytes) -> None:
    """Replace a file whole, closed to others from its first byte on."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def general_name(name: str) -> x509.GeneralName:
    """An address or a host's name, as certificates have them."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make(names: list[str]) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Demeter"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Demeter {os.uname().nodename}"[:64]),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - A_MOMENT)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_only_signs(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_constraints(names), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _constraints(names: list[str]) -> x509.NameConstraints:
    permitted: list[x509.GeneralName] = [x509.IPAddress(network) for network in NETWORKS]
    domains: list[str] = list(DOMAINS)
    for name in names:
        try:
            permitted.append(x509.IPAddress(ip_network(name)))
        except ValueError:
            domains.append(name)
    permitted += [x509.DNSName(domain) for domain in dict.fromkeys(domains)]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _only_signs() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


_PEM = serialization.Encoding.PEM
