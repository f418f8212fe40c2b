"""``demeter demo``: a nursery, its photos, and the page on which they become stock."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import track

from demeter.accounts import links
from demeter.accounts.models import LinkPurpose
from demeter.accounts.queries import find_user
from demeter.cli.address import require_free
from demeter.cli.session_output import print_session, read_session, wait_for_end
from demeter.core.db import engine, migrate, transaction
from demeter.core.localdb.programs import unpacked_root
from demeter.core.private_files import make_directory
from demeter.core.settings import settings
from demeter.photos.models import SessionStatus

SUPERVISOR = "demo-luis"  # of the nursery that is loaded
_err = Console(stderr=True, highlight=False)


def demo(
    *,
    serve: Annotated[bool, typer.Option(help="show the pages afterwards")] = True,
    years: Annotated[
        int, typer.Option(min=0, max=20, help="instead: so many years of a large nursery's ledger")
    ] = 0,
    places: Annotated[int, typer.Option(min=2, help="its beds, with --years; even")] = 1290,
    seed: Annotated[int, typer.Option(help="the same seed is the same nursery")] = 7,
    own_home: Annotated[
        bool, typer.Option("--own-home", help="in DEMETER_HOME/demo, beside what is real")
    ] = False,
) -> None:
    """Load a small made-up nursery, count its photos, and show what became of them."""
    if serve and not years:
        require_free(settings().host, settings().port)
    if own_home:
        _move_to_own_home()
    if years:
        _load_years(years, places, seed)
        return
    from demeter.demo import load  # noqa: PLC0415  draws scenes: only here

    migrate(engine())
    with transaction() as session:
        load.load_nursery(session)
        load.load_past(session)
    ids: list[UUID] = []
    for shot in track(load.shots(), "Drawing photos", total=len(load.BEDS), console=_err):
        with transaction() as session:
            ids.append(load.add_photo(session, shot).session_id)
    wait_for_end(ids, _err)
    with transaction() as session:
        load.add_sample_images(session)
    answers = [read_session(session_id) for session_id in ids]
    for answer in answers:
        print_session(answer)
    if any(a.status is SessionStatus.FAILED or not a.is_end for a in answers):
        raise typer.Exit(1)
    if serve:
        _serve(ids[1])


def _move_to_own_home() -> None:
    """Let this process and its children live in a home inside the real one."""
    real_home = settings().home
    home = real_home / "demo"
    make_directory(home)
    programs, link = unpacked_root(real_home), unpacked_root(home)
    if programs.is_dir() and not link.exists():
        link.symlink_to(programs)
    os.environ["DEMETER_HOME"] = str(home)
    settings.cache_clear()
    _err.print(f"The demonstration lives in {home}; commands see it with DEMETER_HOME={home}\n")


def _load_years(years: int, places: int, seed: int) -> None:
    from demeter.demo.years import load_years  # noqa: PLC0415  only where it is asked for

    migrate(engine())

    def with_progress(rows: Iterable[Any], total: int) -> Iterable[Any]:
        return track(rows, f"Living {years} years", total=total, console=_err)

    with transaction() as session:
        load_years(session, years, places=places - places % 2, seed=seed, progress=with_progress)
    _err.print("Loaded. `demeter verify` recomputes it.")


def _serve(session_id: UUID) -> None:
    from demeter.cli.up import run  # noqa: PLC0415  only where pages are shown

    with transaction() as session:
        supervisor = find_user(session, SUPERVISOR)
        path = links.create_link(session, LinkPurpose.SIGN_IN, supervisor)
    _err.print("\nThe pages come up; the photos above are on them. The link signs you in, once.\n")
    run(f"{path}?back=/sessions/{session_id}", first_link=False)
