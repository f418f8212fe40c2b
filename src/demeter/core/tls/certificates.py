"""The server's certificate: signed by the local authority, and renewed before it ends."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from demeter.core import logs
from demeter.core.settings import settings
from demeter.core.tls.authority import (
    A_MOMENT,
    Authority,
    general_name,
    pem_of_key,
    read_or_make,
    write_private,
)

VALID = timedelta(days=397)  # phones refuse longer ones
RENEW_BEFORE = timedelta(days=30)
log = logs.get(__name__)


class ServerFiles(NamedTuple):
    """Where a TLS server finds its certificate, with those above it, and its key."""

    certificate: Path
    key: Path


def folder() -> Path:
    """Where the authority and the certificate are kept."""
    return settings().home / "tls"


def keep_certificate(now: datetime | None = None) -> ServerFiles:
    """The local certificate; made anew where it ends soon or this machine has other addresses."""
    names = own_names()
    authority = read_or_make(folder(), names)
    files = ServerFiles(folder() / "server.pem", folder() / "server-key.pem")
    allowed = [name for name in names if authority.vouches_for(name)]
    for name in set(names) - set(allowed):
        log.warning("name_beyond_authority", name=name)
    if not _is_good(files, allowed, authority, now or datetime.now(UTC)):
        _write(files, authority, allowed, now or datetime.now(UTC))
        log.info("certificate_written", names=allowed)
    return files


def own_names() -> list[str]:
    """Addresses and names at which browsers reach this machine, the likeliest first."""
    configured = settings()
    host = socket.gethostname().lower()
    names = [*own_addresses(), *sorted(configured.own_names()), host, "localhost", "127.0.0.1"]
    if "." not in host:
        names.append(f"{host}.local")
    return list(dict.fromkeys(name for name in names if name))


def own_addresses() -> list[str]:
    """This machine's addresses in its networks, IPv4 first; none that one link alone knows."""
    addresses = [
        ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    reached = [a for a in addresses if not (a.is_loopback or a.is_link_local or a.is_unspecified)]
    return [str(a) for a in sorted(reached, key=lambda a: (a.version, not a.is_private, int(a)))]


def _is_good(files: ServerFiles, names: list[str], authority: Authority, now: datetime) -> bool:
    if not all(path.exists() for path in files):
        return False
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        certificate.issuer == authority.certificate.subject
        and certificate.not_valid_after_utc - RENEW_BEFORE > now
        and {general_name(name) for name in names} <= set(held)
    )


def _write(files: ServerFiles, authority: Authority, names: list[str], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - A_MOMENT)
        .not_valid_after(min(now + VALID, authority.certificate.not_valid_after_utc))
        .add_extension(
            x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    write_private(files.key, pem_of_key(key))
    chain = [certificate.public_bytes(pem), authority.certificate.public_bytes(pem)]
    write_private(files.certificate, b"".join(chain))
