"""A query parameter that a route does not know is refused: a filter is never ignored in silence."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from demeter.core.errors import InvalidInput


class UnknownParameter(InvalidInput):
    """The address has a query parameter that the route does not know."""

    code = "unknown_parameter"
    title = "This query parameter is not known here"
    next_action = "Leave it out, or use one of those that are named."


def refuse_unknown(request: Request) -> None:
    """For all routes of an app, as a dependency.

    Raises:
        UnknownParameter: it names the parameters that are unknown and those that are known.
    """
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = _known(route)
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        raise UnknownParameter(_sentence(unknown, known), parameters=unknown, known=sorted(known))


def _known(route: APIRoute) -> frozenset[str]:
    """The names that a route reads, with those of what it depends on."""
    fields = get_flat_params(route.dependant)
    return frozenset(field.alias for field in fields if isinstance(field.field_info, Query))


def _sentence(unknown: Iterable[str], known: frozenset[str]) -> str:
    names = [f"{name!r}{_meant(name, known)}" for name in unknown]
    there_are = f"known are {', '.join(sorted(known))}" if known else "there are none here"
    return f"{', '.join(names)}: {there_are}"


def _meant(name: str, known: frozenset[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f" (perhaps {near[0]})" if near else ""
