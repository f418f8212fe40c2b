"""Which addresses may be called: nobody makes Demeter talk to what only this machine reaches."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from demeter.core.settings import settings
from demeter.webhooks.errors import WebhookAddressRefused

LONGEST_URL = 2000
PORTS = {"http": 80, "https": 443}
# Addresses of IPv6 in which one of IPv4 is hidden: what they lead to cannot be told from them.
HIDING = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: the name for TLS and the header, the one address to connect to."""

    is_tls: bool
    host: str
    port: int
    path: str
    address: str

    @property
    def host_header(self) -> str:
        """As the request names the receiver."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "https" if self.is_tls else "http"
        return host if self.port == PORTS[scheme] else f"{host}:{self.port}"


def resolve(url: str) -> Target:
    """The address behind a URL, looked up now; it is connected to as it was checked.

    Raises:
        WebhookAddressRefused: no such name, an address that is not open to everybody, or no TLS
            to one that is.
    """
    scheme, host, port, path = _parts(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebhookAddressRefused(f"{host} leads nowhere: {error}", field="url") from error
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    # One bad address among several is enough: which one a connection takes is chance.
    for address in addresses:
        if not (_is_open(address) or _is_allowed(address)):
            raise WebhookAddressRefused(
                f"{host} leads to {address}, which is not open to everybody", field="url"
            )
    if scheme == "http" and not all(map(_is_allowed, addresses)):
        raise WebhookAddressRefused("only https is sent beyond networks of your own", field="url")
    return Target(scheme == "https", host, port, path, str(addresses[0]))


def _parts(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise WebhookAddressRefused(f"this is no address: {error}", field="url") from error
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_URL
    if not is_plain or parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc:
        raise WebhookAddressRefused(
            "an address is https://name/path, without user or password", field="url"
        )
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme], path


def _is_open(address: Address) -> bool:
    """Whether it is an address of the Internet, and hides no other."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return _is_open(mapped)
    if isinstance(address, IPv6Address) and any(address in network for network in HIDING):
        return False
    return address.is_global and not address.is_multicast


def _is_allowed(address: Address) -> bool:
    """Whether DEMETER_WEBHOOK_NETWORKS names it."""
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain in ip_network(network) for network in settings().networks_of_webhooks())
