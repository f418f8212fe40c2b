"""The nursery's own row over HTTP: its name, language and time zone."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from demeter.accounts.own_nursery import change_nursery, read_nursery
from demeter.accounts.schemas import NurseryRead, NurseryUpdate
from demeter.core.db import transaction
from demeter.core.http.etags import etag_of, require_match
from demeter.core.http.openapi import PROBLEM, PROBLEMS, IfMatch
from demeter.core.http.permissions import requires
from demeter.core.permissions import Permission

router = APIRouter(prefix="/api/v1/nursery", tags=["people"], responses=PROBLEMS | {409: PROBLEM})


@router.get("", summary="The nursery", **requires(Permission.SEE))
def get_nursery(response: Response) -> NurseryRead:
    """The `ETag` goes back as `If-Match` with a change."""
    with transaction() as session:
        return _tagged(session, response)


@router.patch(
    "",
    summary="Change the nursery's name, language or time zone",
    responses={412: PROBLEM},
    **requires(Permission.ADMINISTER),
)
def update_nursery(
    body: NurseryUpdate, response: Response, if_match: IfMatch = None
) -> NurseryRead:
    """What is absent stays. Other processes know of it within ten seconds."""
    with transaction() as session:
        require_match(read_nursery(session), if_match, "the nursery")
        change_nursery(session, body)
        return _tagged(session, response)


def _tagged(session: Session, response: Response) -> NurseryRead:
    read = read_nursery(session)
    response.headers["etag"] = etag_of(read)
    return read
