"""A page without TLS by which a phone comes to trust the local authority; all else is sent on."""

from __future__ import annotations

import uvicorn
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.middleware import Middleware

from demeter.core import logs
from demeter.core.http.guards import Guards
from demeter.core.http.requests import RequestIds
from demeter.core.settings import settings
from demeter.core.tls.authority import Authority, read_or_make
from demeter.core.tls.certificates import folder, own_names
from demeter.web import assets, language, render
from demeter.web.language import own_path

CERTIFICATE = "/demeter-authority.crt"


def create_app() -> FastAPI:
    """What is served at DEMETER_TRUST_PORT: the authority's certificate, which is no secret."""
    logs.configure()
    authority = read_or_make(folder(), own_names())
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(RequestIds), Middleware(Guards)],
    )

    @app.get("/")
    def show_trust(request: Request) -> Response:
        return _page(request, authority)

    @app.get(CERTIFICATE)
    def read_certificate() -> Response:
        body = authority.certificate.public_bytes(Encoding.DER)
        headers = {"content-disposition": 'attachment; filename="demeter-authority.crt"'}
        return Response(body, media_type="application/x-x509-ca-cert", headers=headers)

    app.include_router(language.router)
    app.mount("/static", assets.files(), name="static")

    @app.get("/{path:path}")
    def send_on(request: Request, path: str) -> Response:
        return RedirectResponse(f"{_address(request)}{own_path('/' + path)}", status_code=307)

    return app


def _page(request: Request, authority: Authority) -> Response:
    return render.page(
        request,
        "trust.html",
        certificate=CERTIFICATE,
        fingerprint=authority.fingerprint(),
        address=_address(request),
    )


def _address(request: Request) -> str:
    """The same machine by TLS."""
    host = request.url.hostname or "localhost"
    return f"https://{f'[{host}]' if ':' in host else host}:{settings().port}"


def main() -> None:
    """Serve until asked to stop."""
    uvicorn.run(
        create_app(),
        host=settings().host,
        port=settings().phone_port(),
        http="demeter.core.http.connections:TimedConnection",
        log_level="warning",
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
