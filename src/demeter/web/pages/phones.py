"""How a phone comes to trust this machine, and where it then opens Demeter."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.core.settings import settings
from demeter.core.tls import authority, certificates
from demeter.web import render
from demeter.web.qr_codes import qr_code

router = APIRouter()


@router.get("/phones", **requires(Permission.SEE))
def show_phones(request: Request) -> Response:
    """Two codes where the local authority signs; one where phones know who does."""
    configured = settings()
    is_local = configured.tls_certificate == certificates.folder() / "server.pem"
    host = _host(request)
    own_address = f"https://{host}:{configured.port}/"
    trust_address = f"http://{host}:{configured.phone_port()}/" if is_local else None
    return render.page(
        request,
        "phones.html",
        is_tls=configured.tls_certificate is not None,
        own_address=own_address,
        own_qr=qr_code(own_address),
        trust_address=trust_address,
        trust_qr=qr_code(trust_address) if trust_address else None,
        fingerprint=_fingerprint() if is_local else None,
    )


def _fingerprint() -> str:
    return authority.read_or_make(certificates.folder(), certificates.own_names()).fingerprint()


def _host(request: Request) -> str:
    """The name by which this page was opened; on this machine itself, one that others reach."""
    host = request.url.hostname or "localhost"
    if host in ("localhost", "127.0.0.1", "::1"):
        host = next(iter(certificates.own_addresses()), host)
    return f"[{host}]" if ":" in host else host
