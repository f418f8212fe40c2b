"""The web server as a process: uvicorn with this project's settings.

With TLS, a certificate that is renewed on disk is taken for new connections at once.
"""

from __future__ import annotations

import gc
import ssl
import threading
from pathlib import Path

import uvicorn

from demeter.core import logs
from demeter.core.settings import Settings, settings

APP = "demeter.app:create_app"
PROTOCOL = "demeter.core.http.connections:TimedConnection"
LOOK_EVERY_S = 10.0
ENDING_S = 5
log = logs.get(__name__)


def main() -> None:
    """Serve until asked to stop."""
    config = configuration(settings())
    _load(config)
    if isinstance(config.ssl, ssl.SSLContext):
        certificate, key = str(config.ssl_certfile), str(config.ssl_keyfile)
        watch = threading.Thread(
            target=_renew, args=(config.ssl, certificate, key), name="certificate", daemon=True
        )
        watch.start()
    uvicorn.Server(config).run()


def _load(config: uvicorn.Config) -> None:
    """Import and make the application.

    Hundreds of routes and their schemas are made here and kept to the end. Looking through
    them for garbage is a fifth of the time to start, and held requests up later.
    """
    gc.disable()
    try:
        config.load()
    finally:
        gc.freeze()
        gc.enable()


def configuration(configured: Settings) -> uvicorn.Config:
    """As these settings say; only proxies that are named are believed."""
    return uvicorn.Config(
        APP,
        factory=True,
        host=configured.host,
        port=configured.port,
        http=PROTOCOL,
        log_level="warning",
        timeout_graceful_shutdown=ENDING_S,
        server_header=False,
        proxy_headers=bool(configured.trusted_proxies),
        forwarded_allow_ips=configured.trusted_proxies,
        ssl_certfile=_text(configured.tls_certificate),
        ssl_keyfile=_text(configured.tls_key),
    )


def _text(path: Path | None) -> str | None:
    return str(path) if path else None


def _renew(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Take the certificate again whenever its file is another."""
    pause = threading.Event()
    taken = _stamp(certificate)
    while not pause.wait(LOOK_EVERY_S):
        stamp = _stamp(certificate)
        if stamp in (taken, None):
            continue
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            # Half of it may be there yet; what is served stays as it is until it can be read.
            log.warning("certificate_not_taken", path=certificate, error=str(error))
            continue
        taken = stamp
        log.info("certificate_taken", path=certificate)


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


if __name__ == "__main__":
    main()
