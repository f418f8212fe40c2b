"""`/metrics`: figures for Prometheus."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from demeter.core.permissions import Permission
from demeter.core.settings import settings
from demeter.monitoring.exposition import CONTENT_TYPE, exposition

router = APIRouter()

# As a proxy adds them: who comes through one is not known by the address of the connection.
OF_A_PROXY = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


async def may_read(request: Request) -> None:
    """Let networks that are named in, and who may see the pages; nobody else.

    Raises:
        NotSignedIn: the request comes from elsewhere and names nobody.
    """
    if not is_from_a_named_network(request):
        await request.app.state.permission_check(request, Permission.SEE)


def is_from_a_named_network(request: Request) -> bool:
    """Whether it comes straight from an address of DEMETER_METRICS_NETWORKS."""
    if request.client is None or any(name in request.headers for name in OF_A_PROXY):
        return False
    try:
        address = ip_address(request.client.host.partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(network) for network in settings().networks_of_metrics())


@router.get("/metrics", include_in_schema=False, dependencies=[Depends(may_read)])
async def read_metrics() -> Response:
    """Text as Prometheus reads it; answered also while the database is away."""
    return Response(await run_in_threadpool(exposition), media_type=CONTENT_TYPE)
