"""How the web server is reached: host, port, and TLS with which certificate."""

from __future__ import annotations

import http.client
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from demeter.core import logs
from demeter.core.errors import InvalidInput
from demeter.core.loopback import is_loopback
from demeter.core.settings import Settings
from demeter.core.tls import certificates

log = logs.get(__name__)


class CertificateUnusable(InvalidInput):
    """A certificate or its key cannot be served with."""

    code = "certificate_unusable"
    title = "The certificate cannot be used"
    next_action = "Set DEMETER_TLS_CERTIFICATE and DEMETER_TLS_KEY to two PEM files that fit."


@dataclass(frozen=True, slots=True)
class Service:
    """Where people find the pages of one installation.

    ``environment`` is what the web server's process is started with; ``is_local_authority``
    says that its certificate is signed by this machine's own authority.
    """

    host: str
    port: int
    phone_port: int
    is_tls: bool
    is_local_authority: bool
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def prepare(cls, configured: Settings, *, https: bool) -> Service:
        """Read the certificate that is set, or with ``https`` make one where none is.

        Raises:
            CertificateUnusable: what is set cannot be read, or does not fit.
        """
        given = configured.tls_certificate, configured.tls_key
        is_given = any(given)
        environment: dict[str, str] = {}
        if is_given:
            _check(configured)
        elif https:
            files = certificates.keep_certificate()
            environment = {
                "DEMETER_TLS_CERTIFICATE": str(files.certificate),
                "DEMETER_TLS_KEY": str(files.key),
            }
        return cls(
            host=configured.host,
            port=configured.port,
            phone_port=configured.phone_port(),
            is_tls=is_given or https,
            is_local_authority=https and not is_given,
            environment=environment,
        )

    @property
    def address(self) -> str:
        """As a person opens it on this machine, or on another where it listens there."""
        scheme = "https" if self.is_tls else "http"
        return f"{scheme}://{_in_url(self._host_to_show())}:{self.port}"

    def describe(self, page: str) -> Iterator[str]:
        """Lines for the person who started it."""
        yield f"Demeter is at {self.address}{page} (Ctrl-C stops it)"
        if self._is_here_only():
            if self.is_tls:
                yield "Only this machine reaches it; DEMETER_HOST=0.0.0.0 lets others in, too."
            return
        if self.is_local_authority:
            host = _in_url(self._host_to_show())
            yield f"A phone learns to trust it at http://{host}:{self.phone_port}"
        elif not self.is_tls:
            yield (
                "Other machines reach it without TLS: passwords are taken from this machine only. "
                "`demeter up --https` serves with TLS."
            )

    def is_answering(self) -> bool:
        """Whether the web server serves requests."""
        context = ssl.create_default_context()
        context.check_hostname = False  # only whether it lives is asked, and of this machine
        context.verify_mode = ssl.CERT_NONE
        scheme = "https" if self.is_tls else "http"
        url = f"{scheme}://{_in_url(self._host_to_ask())}:{self.port}/health/live"
        try:
            with urllib.request.urlopen(url, timeout=1, context=context) as answer:  # noqa: S310
                return answer.status == 200  # noqa: PLR2004
        except (OSError, http.client.HTTPException):
            return False

    def renew(self) -> None:
        """Renew the local certificate where it is due; the web server takes it by itself."""
        if not self.is_local_authority:
            return
        try:
            certificates.keep_certificate()
        except OSError as error:
            log.warning("certificate_not_renewed", error=str(error))

    def _is_here_only(self) -> bool:
        return self.host == "localhost" or is_loopback(self.host)

    def _host_to_ask(self) -> str:
        if _is_any(self.host):
            return "127.0.0.1" if self.host != "::" else "::1"
        return self.host

    def _host_to_show(self) -> str:
        if not _is_any(self.host) or not self.is_tls:
            return self._host_to_ask()
        addresses = certificates.own_addresses()
        return addresses[0] if addresses else self._host_to_ask()


def _check(configured: Settings) -> None:
    if not (configured.tls_certificate and configured.tls_key):
        raise CertificateUnusable("one of DEMETER_TLS_CERTIFICATE and DEMETER_TLS_KEY is missing")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            configured.tls_certificate, configured.tls_key
        )
    except OSError as error:  # ssl.SSLError is one
        raise CertificateUnusable(
            f"{configured.tls_certificate} with {configured.tls_key}: {error}"
        ) from error


def _is_any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return not host


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
