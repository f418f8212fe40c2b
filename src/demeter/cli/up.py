"""``demeter up``: database, web and workers together."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from demeter.accounts import first_start
from demeter.cli.address import require_free
from demeter.core import db, logs
from demeter.core.localdb import LocalDatabase
from demeter.core.private_files import close_to_others, make_directory
from demeter.core.settings import settings
from demeter.ops.restore_mark import require_finished
from demeter.ops.service import Service
from demeter.ops.supervisor import Crew, DatabaseKeeper, Relay, Role, pass_on

WORKERS = {
    "worker gpu": ("gpu",),
    "worker cpu io": ("cpu", "io"),
    "worker webhooks": ("webhooks",),  # others' programs answer as slowly as they like
}
RENEWAL_EVERY_S = 3600.0
Say = Callable[[str], None]
_err = Console(stderr=True, highlight=False)
log = logs.get(__name__)


def up(
    *,
    https: Annotated[
        bool, typer.Option("--https", help="by TLS, with a certificate that phones can trust")
    ] = False,
) -> None:
    """Run database, web and workers together; Ctrl-C or SIGTERM stops them all."""
    if logs.is_json():
        run(say=_log, relay=_relay_as_json, https=https)
    else:
        run(https=https)


def _say(line: str) -> None:
    with _err.capture() as rendered:
        _err.print(f"[bold]demeter[/] {escape(line)}", soft_wrap=True)
    logs.output.write(rendered.get().rstrip("\n"))


def _log(line: str) -> None:
    log.info("supervisor", message=line)


def run(
    page: str = "/",
    say: Say = _say,
    relay: Relay = pass_on,
    *,
    first_link: bool = True,
    https: bool = False,
) -> None:
    """As `up`; ``page`` is the path that a person is pointed to once it answers.

    ``first_link`` also shows the link that makes the first admin, where there is none.
    ``say`` takes lines for the person, ``relay`` those of the processes.

    Raises:
        AddressInUse, AddressUnknown: something listens there already, or nothing can.
        CertificateUnusable: the certificate and key that are set cannot be served with.
    """
    require_finished()
    configured = settings()
    require_free(configured.host, configured.port)
    embedded = None if configured.database_url else LocalDatabase(configured.home)
    started_here = embedded is not None and embedded.status().is_down
    try:
        make_directory(configured.home)
        close_to_others(configured.home)
        service = Service.prepare(configured, https=https)
        db.migrate(db.engine())
        db.engine().dispose()
        roles = _roles(service)
        keeper = DatabaseKeeper(embedded, say) if embedded is not None else None
        Crew(roles, say, _tend(service, keeper, page, say, first_link=first_link), relay).run()
    finally:
        if embedded is not None and started_here:
            embedded.stop()
    say("Stopped.")


def _roles(service: Service) -> list[Role]:
    """The web server and the workers; their logs are written as this process's is."""
    environment = {"DEMETER_LOG_FORMAT": "json" if logs.is_json() else "console"}
    web = environment | service.environment
    roles = [Role("web", [sys.executable, "-m", "demeter.ops.web_server"], web)]
    if service.is_local_authority:
        roles.append(Role("trust", [sys.executable, "-m", "demeter.ops.trust_server"], web))
    return [*roles, *(Role(name, _worker(queues), environment) for name, queues in WORKERS.items())]


def _worker(queues: tuple[str, ...]) -> list[str]:
    options = [word for queue in queues for word in ("--queue", queue)]
    return [sys.executable, "-m", "demeter", "worker", *options]


def _tend(
    service: Service, keeper: DatabaseKeeper | None, page: str, say: Say, *, first_link: bool
) -> Callable[[], None]:
    """What is looked at between the processes: the database lives, the address is told once."""
    announced = False
    next_renewal = time.monotonic() + RENEWAL_EVERY_S

    def tend() -> None:
        nonlocal announced, next_renewal
        if not announced and service.is_answering():
            for line in service.describe(page):
                say(line)
            if first_link:
                _tell_first_link(service.address, say)
            announced = True
        if keeper is not None:
            keeper.look()
        if time.monotonic() > next_renewal:
            next_renewal = time.monotonic() + RENEWAL_EVERY_S
            service.renew()

    return tend


def _tell_first_link(address: str, say: Say) -> None:
    """Where nobody can come in yet, the link that makes the first admin, once."""
    with db.transaction() as session:
        path = first_start.create_link(session) if first_start.is_due(session) else None
    db.engine().dispose()
    if path is not None:
        say(f"First of all, open {address}{path} and say who you are (works once, for a day)")


def _relay_as_json(role: str, line: str) -> None:
    """Pass on a process's line; what is no JSON becomes a field of a line."""
    if _is_object(line):
        pass_on(role, line)
    elif line.strip():
        log.warning("process_output", process=role, output=line)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
