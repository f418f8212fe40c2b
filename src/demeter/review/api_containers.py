"""Containers of a session, drawn anew, over HTTP."""

from __future__ import annotations

from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.core.db import transaction
from demeter.core.http.idempotency import OnceOnly
from demeter.core.http.openapi import PROBLEM, PROBLEMS, IfMatch
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission
from demeter.photos.session_detail import find
from demeter.review import container_edits, container_shapes, queries
from demeter.review.container_edits import ContainerEdits
from demeter.review.container_plan import DrawnContainer
from demeter.review.container_schemas import ContainersEdit, ContainersEdited, SessionContainers
from demeter.review.mark_edits import NewMark
from demeter.stock.ledger import LedgerCommand

CHANGED = PROBLEM | {"description": "it is not as `If-Match` says"}
router = APIRouter(
    prefix="/api/v1/photos/sessions/{session_id}",
    tags=["corrections"],
    responses=PROBLEMS | {409: PROBLEM},
)


@router.get(
    "/containers",
    summary="Containers as they stand, and the bins that they may be",
    **requires(Permission.SEE),
)
def get_containers(session_id: UUID, response: Response) -> SessionContainers:
    """With the outlines in the photo; the `ETag` goes back with an edit."""
    with transaction() as session:
        photo_session = find(session, session_id)
        answer = container_shapes.session_containers(session, photo_session)
        count = queries.require_count(session, photo_session)
        response.headers["etag"] = queries.count_etag(session, count)
        response.headers["cache-control"] = "no-cache"
        return answer


@router.put(
    "/containers",
    summary="Draw the containers anew: outlines, types, split, merged, which bin each is",
    responses={412: CHANGED},
    **requires(Permission.DECIDE),
)
def put_containers(
    session_id: UUID,
    once: OnceOnly,
    response: Response,
    body: ContainersEdit,
    if_match: IfMatch = None,
) -> ContainersEdited:
    """A new attempt by the person; the machine's stays. Counts and intervals follow."""
    with transaction() as session:
        answer = once.answer(
            session,
            body.model_dump(mode="json"),
            lambda: _edit(session, session_id, body, if_match),
        )
        count = queries.require_count(session, find(session, session_id))
        response.headers["etag"] = queries.count_etag(session, count)
        return answer


def _edit(
    session: Session, session_id: UUID, body: ContainersEdit, if_match: str | None
) -> ContainersEdited:
    photo_session = find(session, session_id)
    count = queries.require_count(session, photo_session)
    command = LedgerCommand(uuid4(), acting_user(session, body.user).id, None, body.reason)
    effect = container_edits.edit_containers(
        session, command, count.id, _edits(body), accept=body.accept, if_match=if_match
    )
    return container_shapes.containers_edited(session, photo_session, effect)


def _edits(body: ContainersEdit) -> ContainerEdits:
    return ContainerEdits(
        containers=tuple(
            DrawnContainer(
                one.position,
                tuple(one.outline),
                one.container_type,
                tuple(dict.fromkeys(one.former)),
                one.bin_id,
            )
            for one in body.containers
        ),
        add=tuple(NewMark(m.box, None, m.position, m.is_empty_container) for m in body.marks.add),
        remove=tuple(body.marks.remove),
        undo=tuple(body.marks.undo),
        leaves_out=body.leave_out,
    )
