"""The example for nginx, run: TLS, a large upload, and whose word about addresses is believed."""

from __future__ import annotations

import io
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from demeter.core.db import transaction
from demeter.core.tls import certificates
from support.nursery import plant_nursery
from support.signing_in import signed_in
from support.upserver import free_port, patiently

EXAMPLE = Path(__file__).parents[2] / "deploy" / "proxy" / "nginx.conf"
NAME = "plants.example.org"
WHOLE = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass
class Site:
    """Demeter behind nginx, and without it."""

    address: str
    direct: str
    log: Path

    def addresses(self, path: str, number: int) -> list[str]:
        """From where requests for a path came, by the log, which is written after the answer."""
        for _ in range(100):
            said = [json.loads(line) for line in self.log.read_text().splitlines()]
            seen = [line["address"] for line in said if line.get("path") == path]
            if len(seen) >= number:
                break
            time.sleep(0.1)
        return seen


@pytest.fixture
def site(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    program = os.environ.get("NGINX_PROGRAM") or shutil.which("nginx")
    if program is None:
        pytest.skip("no nginx here: Debian's package `nginx` has it, or set NGINX_PROGRAM")
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path))
    monkeypatch.setenv("DEMETER_LOG_FORMAT", "json")
    monkeypatch.setenv("DEMETER_HOST_NAMES", NAME)
    monkeypatch.setenv("DEMETER_TRUSTED_PROXIES", "127.0.0.1")
    with transaction() as session:
        plant_nursery(session)
    web, tls, plain = free_port(), free_port(), free_port()
    _write(tmp_path, web, tls, plain)
    log = tmp_path / "web.log"
    env = {**os.environ, "DEMETER_PORT": str(web)}
    server = [sys.executable, "-m", "demeter.ops.web_server"]
    with log.open("wb") as out, running(server, env=env, stderr=out):
        proxy = [program, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
        with running(proxy, env=env):
            one = Site(f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{web}", log)
            wait_for(one)
            yield one


def wait_for(site: Site) -> None:
    """Until the server behind the proxy answers."""
    end = time.monotonic() + 90
    while patiently(lambda: ask(site, "/health/live")).status_code != 200:
        assert time.monotonic() < end, site.log.read_text()
        time.sleep(0.2)


def _write(folder: Path, web: int, tls: int, plain: int) -> None:
    """The example with the ports and files of a test, and nothing else changed."""
    files = certificates.keep_certificate()
    text = EXAMPLE.read_text()
    for before, after in {
        "127.0.0.1:8000": f"127.0.0.1:{web}",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{tls} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen [::]:80;": "",
        "/etc/ssl/plants.pem": str(files.certificate),
        "/etc/ssl/plants.key": str(files.key),
    }.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(WHOLE.format(folder=folder))


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[None]:
    process = subprocess.Popen(command, **options)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def ask(site: Site, path: str, method: str = "GET", **more: Any) -> httpx2.Response:
    """A request through the proxy, by the site's name."""
    unknown = ssl.create_default_context()
    unknown.check_hostname, unknown.verify_mode = False, ssl.CERT_NONE
    headers = {"Host": NAME, **more.pop("headers", {})}
    with httpx2.Client(verify=unknown, timeout=120) as client:
        return client.request(method, f"{site.address}{path}", headers=headers, **more)


def large_photo() -> bytes:
    """Noise, which nothing makes smaller: a little less than 50 MB."""
    pixels = np.random.default_rng(1).integers(0, 256, (4070, 4070, 3), dtype=np.uint8)
    body = io.BytesIO()
    Image.fromarray(pixels).save(body, "PNG", compress_level=0)
    return body.getvalue()


@pytest.mark.timeout(300)
def test_demeter_behind_nginx(site: Site):
    header = signed_in()
    photo = large_photo()
    assert 49_000_000 < len(photo) < 50_000_000
    answer = ask(
        site,
        "/api/v1/stock/photo",
        "POST",
        files=[("files", ("bed.png", photo))],
        data={"location_code": "A1"},
        headers={**header, "X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6"},
    )
    assert answer.status_code == 202, answer.text
    assert list(site.log.parent.joinpath("body").rglob("*")) == []  # it went through
    # The client's address as nginx saw it, not what it said of itself.
    assert site.addresses("/api/v1/stock/photo", 1) == ["127.0.0.1"]
    page = ask(site, "/login")
    assert (page.status_code, page.http_version) == (200, "HTTP/1.1")
    assert page.headers["strict-transport-security"]
    assert ask(site, "/metrics").status_code == 404
    assert ask(site, "/login", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.timeout(300)
def test_only_the_proxy_is_believed_about_addresses(site: Site):
    said = {"X-Forwarded-For": "10.9.8.7", "X-Forwarded-Proto": "https", "Host": NAME}
    for source in ("127.0.0.1", "127.0.0.2"):
        transport = httpx2.HTTPTransport(local_address=source)
        with httpx2.Client(transport=transport) as client:
            client.get(f"{site.direct}/login", headers=said)
    assert site.addresses("/login", 2) == ["10.9.8.7", "127.0.0.2"]
