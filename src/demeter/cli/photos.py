"""``demeter photos …``: add photos, watch them become stock, settle what waits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from sqlalchemy.orm import Session

from demeter.accounts.identity import acting_user
from demeter.accounts.models import User
from demeter.cli.groups import command_group
from demeter.cli.output import file_name, number_text, out, print_json
from demeter.cli.session_output import print_session, read_session, wait_for_end
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.core.errors import InvalidInput
from demeter.core.formats import UNKNOWN, site_text
from demeter.photos import intake, location_guess, queries
from demeter.photos.capture_time import captured_moment
from demeter.photos.models import PhotoSession, SessionStatus
from demeter.review import session_decisions

app = command_group(help="Photos: add them, watch them become stock, settle what waits.")
_err = Console(stderr=True, highlight=False)

Name = Annotated[str | None, typer.Option("--user", help="who did it; else the service user")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object a session")]
Wait = Annotated[bool, typer.Option("--wait", help="show progress until the session ends")]
SessionId = Annotated[UUID, typer.Argument(help="its id, as `demeter photos list` shows it")]


@app.command("add")
def add(
    files: Annotated[list[Path], typer.Argument(help="photos of one location")],
    location: Annotated[str | None, typer.Option(help="the location's code")] = None,
    captured_at: Annotated[
        str | None,
        typer.Option(help="a time or a date: when they were taken; else EXIF, else now"),
    ] = None,
    user: Name = None,
    wait: Wait = False,
    as_json_: AsJson = False,
) -> None:
    """Keep photos, count them, and post the count as stock."""
    uploads = [intake.Upload(file_name(path), _reader(path)) for path in files]
    photos = intake.inspect_all(uploads, read_labels=location is None)
    with transaction() as session:
        accepted = intake.add_photos(
            session,
            photos,
            user=acting_user(session, user),
            location=location_guess.by_code(session, location) if location else None,
            captured_at=captured_moment(captured_at) if captured_at else None,
        )
        ids = [intaken.session.session_id for intaken in accepted]
    _follow(ids, wait=wait, as_json_=as_json_)


@app.command("show")
def show(session_id: SessionId, wait: Wait = False, as_json_: AsJson = False) -> None:
    """Show a session: its state, what was counted, and what it changed."""
    read_session(session_id)  # one that does not exist is refused before it is waited for
    _follow([session_id], wait=wait, as_json_=as_json_, must_complete=wait)


@app.command("list")
def list_(
    status: Annotated[list[SessionStatus] | None, typer.Option(help="only these")] = None,
    location: Annotated[str | None, typer.Option(help="only of this location")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option(help="the page after this one")] = None,
    *,
    waiting: Annotated[bool, typer.Option("--waiting", help="only what waits or failed")] = False,
    as_json_: AsJson = False,
) -> None:
    """Sessions with their ids, latest first."""
    asked = [*(status or []), *(queries.NEEDS_A_PERSON if waiting else ())]
    with transaction() as session:
        page = queries.page(
            session, limit=limit, cursor=cursor, status=asked, location_code=location
        )
    if as_json_:
        print_json(page)
        return
    table = RowTable("session", "location", "taken", "plants", "status", "why")
    for row in page.items:
        table.add_row(
            str(row.session_id),
            row.location_code or UNKNOWN,
            site_text(row.captured_at),
            number_text(row.total, row.total_detected or None),
            row.status.value,
            row.reason_code or "",
        )
    table.print()
    if page.next_cursor:
        out.print(f"more: --cursor {page.next_cursor}")


@app.command("discard")
def discard(
    session_id: SessionId,
    reason: Annotated[str, typer.Option(help="why nothing is to be made of these photos")],
    user: Name = None,
    as_json_: AsJson = False,
) -> None:
    """Put a session aside that waits or failed; nothing is posted, its evidence stays."""
    _decide(
        session_id,
        user,
        as_json_,
        lambda s, who: session_decisions.discard(s, session_id, who, reason),
        must_complete=False,
    )


@app.command("restore")
def restore(session_id: SessionId, user: Name = None, as_json_: AsJson = False) -> None:
    """Take a discarded session back: it waits for what it waited for before."""
    _decide(
        session_id,
        user,
        as_json_,
        lambda s, who: session_decisions.restore(s, session_id, who),
        must_complete=False,
    )


@app.command("accept")
def accept(
    session_id: SessionId,
    user: Name = None,
    note: Annotated[str | None, typer.Option(help="why it is right")] = None,
    as_json_: AsJson = False,
) -> None:
    """Accept a count that waits for review, and post it; one in stock is marked as right."""
    _decide(
        session_id,
        user,
        as_json_,
        lambda s, who: session_decisions.accept(s, session_id, who, note),
    )


@app.command("confirm-empty")
def confirm_empty(session_id: SessionId, user: Name = None, as_json_: AsJson = False) -> None:
    """Say that the bed in the photo is empty: posts zero."""
    _decide(
        session_id,
        user,
        as_json_,
        lambda s, who: session_decisions.confirm_empty(s, session_id, who),
    )


@app.command("post")
def post(session_id: SessionId, user: Name = None, as_json_: AsJson = False) -> None:
    """Post a kept count again, without new processing: after a configuration was set."""
    _decide(
        session_id,
        user,
        as_json_,
        lambda s, who: session_decisions.retry_posting(s, session_id, who),
    )


@app.command("locate")
def locate_(
    session_id: SessionId,
    location: Annotated[str, typer.Option(help="the location's code")],
    user: Name = None,
    wait: Wait = False,
    as_json_: AsJson = False,
) -> None:
    """Say where photos were taken, also after their location was deleted; processing begins."""
    with transaction() as session:
        place = location_guess.by_code(session, location)
        session_decisions.choose_location(session, session_id, acting_user(session, user), place)
    _follow([session_id], wait=wait, as_json_=as_json_)


@app.command("reprocess")
def reprocess(
    session_id: SessionId, user: Name = None, wait: Wait = False, as_json_: AsJson = False
) -> None:
    """Count a session's photos anew from their originals; adds no stock twice."""
    with transaction() as session:
        session_decisions.reprocess(session, session_id, acting_user(session, user))
    _follow([session_id], wait=wait, as_json_=as_json_)


def _reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise InvalidInput(
                f"{path} cannot be read: {error.strerror}", file=str(path)
            ) from error

    return read


def _decide(
    session_id: UUID,
    user: str | None,
    as_json_: bool,
    action: Callable[[Session, User], PhotoSession],
    *,
    must_complete: bool = True,
) -> None:
    with transaction() as session:
        action(session, acting_user(session, user))
    _follow([session_id], wait=False, as_json_=as_json_, must_complete=must_complete)


def _follow(
    ids: list[UUID], *, wait: bool, as_json_: bool, must_complete: bool | None = None
) -> None:
    """Print each session; exit 1 where completion was asked for and did not come."""
    if wait:
        wait_for_end(ids, _err)
    answers = [read_session(session_id) for session_id in ids]
    for answer in answers:
        if as_json_:
            sys.stdout.write(answer.model_dump_json() + "\n")
        else:
            print_session(answer)
    must_end_well = wait if must_complete is None else must_complete
    if must_end_well and any(a.status is not SessionStatus.COMPLETED for a in answers):
        for answer in answers:
            if answer.error_message:
                _err.print(f"{answer.session_id}: {answer.error_message}", style="red")
                _err.print(f"  → {answer.next_action}")
        raise typer.Exit(1)
