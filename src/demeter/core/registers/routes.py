"""The routes of a register: list, make, read, change, put out of use, delete."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from demeter.core.db import transaction
from demeter.core.http.commands import run_once
from demeter.core.http.etags import etag_of
from demeter.core.http.idempotency import Once, OnceOnly
from demeter.core.http.openapi import PROBLEM, IfMatch
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.core.registers import files, queries, service
from demeter.core.registers.description import Register
from demeter.core.registers.queries import Wanted

Text = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=40)]
KeyText = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00/]+$")]
KeyNumber = Annotated[int, Path(ge=1, lt=2**53)]
Endpoint = Callable[..., Any]

TAKEN: dict[int | str, dict[str, Any]] = {409: PROBLEM}
CHANGED = TAKEN | {412: PROBLEM}


def add_routes(router: APIRouter, *registers: Register) -> None:
    """Serve these registers on a router, each under ``/api/v1/ROOM/NAME``."""
    for register in registers:
        _add_reads(router, register)
        if not register.read_only:
            _add_changes(router, register)


def file_of(session: Session, register: Register, wanted: Wanted, kind: str) -> Response:
    """Every row as a file to keep; ``kind`` is csv or xlsx."""
    rows = queries.read_all(session, register, wanted)
    return files.file_of_rows(register.name, register.read, rows, kind)


def _add_reads(router: APIRouter, register: Register) -> None:
    words = register.name.replace("-", " ")
    router.get(
        register.path,
        name=f"list_{_python(register)}",
        summary=f"List {words}",
        response_model=register.page,
        responses=files.AS_TABLE,
        **requires(Permission.SEE),
    )(_lister(register))
    router.get(
        f"{register.path}/{{key}}",
        name=f"get_{_python(register)}",
        summary=f"One of the {words}",
        response_model=register.read,
        **requires(Permission.SEE),
    )(_reader(register))


def _add_changes(router: APIRouter, register: Register) -> None:
    words, row = register.name.replace("-", " "), f"{register.path}/{{key}}"
    router.post(
        register.path,
        name=f"create_{_python(register)}",
        summary=f"Add to the {words}",
        status_code=201,
        response_model=register.read,
        responses=TAKEN,
        **requires(register.writes),
    )(_creator(register))
    router.patch(
        row,
        name=f"change_{_python(register)}",
        summary=f"Change one of the {words}",
        response_model=register.read,
        responses=CHANGED,
        **requires(register.writes),
    )(_changer(register))
    router.delete(
        row,
        name=f"delete_{_python(register)}",
        summary=f"Delete one of the {words} that nothing holds",
        status_code=204,
        responses=CHANGED,
        **requires(register.deletes),
    )(_deleter(register))
    for verb in ("deactivate", "activate") if register.can_retire else ():
        router.post(
            f"{row}/{verb}",
            name=f"{verb}_{_python(register)}",
            summary=f"{verb.capitalize()} one of the {words}",
            response_model=register.read,
            responses=TAKEN,
            **requires(register.writes),
        )(_switch(register, active=verb == "activate"))


def _lister(register: Register) -> Endpoint:
    def list_rows(request: Request, limit: int, cursor: str | None, **asked: Any) -> Any:
        """Narrowed by what is asked for; `next_cursor` leads on."""
        wanted = _wanted(asked)
        with transaction() as session:
            kind = files.file_kind(request)
            if kind:
                return file_of(session, register, wanted, kind)
            return queries.read_page(session, register, wanted, limit=limit, cursor=cursor)

    parameters: dict[str, Any] = {
        "request": (Request, ...),
        "limit": (Limit, 100),
        "cursor": (Cursor, None),
    }
    if register.search:
        parameters["search"] = (Text, None)
    if register.has_active:
        parameters["active"] = (bool | None, None)
    return typed_endpoint(list_rows, parameters | filter_parameters(register))


def _reader(register: Register) -> Endpoint:
    def get_row(key: str | int, response: Response) -> Any:
        """The `ETag` goes back as `If-Match` with a change."""
        with transaction() as session:
            read = queries.read_row(session, register, queries.find_row(session, register, key))
        response.headers["etag"] = etag_of(read)
        return read

    return typed_endpoint(get_row, {"key": _key(register), "response": (Response, ...)})


def _creator(register: Register) -> Endpoint:
    def create_row(body: Any, once: Once, response: Response) -> Any:
        """A code is given once."""

        def act(session: Session) -> Any:
            row = service.create_row(session, register, body)
            return queries.read_row(session, register, row)

        return _tagged(register, response, run_once(once, body, act))

    kinds = {"body": (register.create, ...), "once": (OnceOnly, ...), "response": (Response, ...)}
    return typed_endpoint(create_row, kinds)


def _changer(register: Register) -> Endpoint:
    def change_row(
        key: str | int, body: Any, once: Once, response: Response, if_match: str | None
    ) -> Any:
        """What is absent stays; who comes second, with an `If-Match`, is told and sees both."""

        def act(session: Session) -> Any:
            row = service.change_row(session, register, key, body, if_match=if_match)
            return queries.read_row(session, register, row)

        asked = body.model_dump(exclude_unset=True)
        return _tagged(register, response, run_once(once, [key, asked, if_match], act))

    return typed_endpoint(
        change_row,
        {
            "key": _key(register),
            "body": (register.changes, ...),
            "once": (OnceOnly, ...),
            "response": (Response, ...),
            "if_match": (IfMatch, None),
        },
    )


def _deleter(register: Register) -> Endpoint:
    def delete_row(key: str | int, once: Once, if_match: str | None) -> None:
        """Where other rows hold it, it is refused with their tables and numbers."""
        run_once(
            once,
            [key, if_match],
            lambda session: service.delete_row(session, register, key, if_match=if_match),
        )

    kinds = {"key": _key(register), "once": (OnceOnly, ...), "if_match": (IfMatch, None)}
    return typed_endpoint(delete_row, kinds)


def _switch(register: Register, *, active: bool) -> Endpoint:
    def set_active(key: str | int, once: Once, response: Response) -> Any:
        """Doing it again changes nothing; what happened with it stays."""

        def act(session: Session) -> Any:
            row = service.set_active(session, register, key, active=active)
            return queries.read_row(session, register, row)

        return _tagged(register, response, run_once(once, [key, active], act))

    kinds = {"key": _key(register), "once": (OnceOnly, ...), "response": (Response, ...)}
    return typed_endpoint(set_active, kinds)


def _tagged(register: Register, response: Response, answer: Any) -> Any:
    read = register.read.model_validate(answer)  # one that is repeated is JSON
    response.headers["etag"] = etag_of(read)
    return read


def typed_endpoint(act: Endpoint, parameters: dict[str, Any]) -> Endpoint:
    """The endpoint with these types and defaults: FastAPI reads them from the signature."""
    act.__signature__ = Signature(  # type: ignore[attr-defined]  functions have one
        [
            Parameter(
                name,
                Parameter.KEYWORD_ONLY,
                annotation=kind,
                default=Parameter.empty if default is ... else default,
            )
            for name, (kind, default) in parameters.items()
        ]
    )
    return act


def _key(register: Register) -> tuple[Any, Any]:
    return (KeyNumber if register.key is None else KeyText, ...)


def filter_parameters(register: Register) -> dict[str, Any]:
    """Types and defaults of the query parameters that narrow a list."""
    kinds: dict[str, Any] = {}
    for name in register.filters:
        kind = register.read.model_fields[name].annotation
        kinds[name] = (Text if kind in (str, str | None) else kind | None, None)  # type: ignore[operator]
    return kinds


def _wanted(asked: dict[str, Any]) -> Wanted:
    own = {name: asked.pop(name, None) for name in ("search", "active")}
    given = {name: value for name, value in asked.items() if value is not None}
    return Wanted(own["search"], own["active"], given)


def _python(register: Register) -> str:
    return register.name.replace("-", "_")
