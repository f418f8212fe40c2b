"""``demeter people``: who works here, what they may do, and links that let them in."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from demeter.accounts import first_start, people, queries
from demeter.accounts.identity import acting_user
from demeter.accounts.models import UserRole
from demeter.cli.groups import command_group
from demeter.cli.output import print_json
from demeter.cli.tables import RowTable
from demeter.core.db import transaction
from demeter.core.settings import settings

app = command_group(help="People: added, invited, given a role, let go.", no_args_is_help=True)
_out = Console(highlight=False)

Username = Annotated[str, typer.Argument(help="the user name, as `demeter people list` shows it")]
By = Annotated[str | None, typer.Option("--user", help="who does it; else the service user")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("list")
def list_people(*, as_json: AsJson = False) -> None:
    """Everybody, active or not."""
    with transaction() as session:
        items = queries.people(session, limit=10_000).items
    if as_json:
        print_json(items)
        return
    table = RowTable("username", "name", "role", "active", "can log in")
    for person in items:
        table.add_row(
            person.username,
            person.name,
            person.role,
            _yes(person.is_active),
            _yes(person.has_password),
        )
    table.print()


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="what people call them, such as 'Ana Quiroga'")],
    *,
    role: Annotated[UserRole, typer.Option(help="what they may do")],
    username: Annotated[str | None, typer.Option(help="else it is made from the name")] = None,
    email: Annotated[str | None, typer.Option()] = None,
    user: By = None,
    as_json: AsJson = False,
) -> None:
    """Add a person and print the link by which they come in, once."""
    with transaction() as session:
        by = acting_user(session, user)
        person = people.add_person(session, name, role, username=username, email=email)
        link = _url(people.invite(session, person, by))
        read = queries.person(person)
    _print_link(read.username, link, as_json=as_json)


@app.command()
def invite(username: Username, *, user: By = None, as_json: AsJson = False) -> None:
    """Print a new link for a person: to come in, or for a new password."""
    with transaction() as session:
        by = acting_user(session, user)
        person = people.find_person(session, username)
        make = people.reset_password if queries.person(person).has_password else people.invite
        link = _url(make(session, person, by))
    _print_link(username, link, as_json=as_json)


@app.command()
def role(username: Username, role: UserRole, *, user: By = None) -> None:
    """Give a person another role."""
    with transaction() as session:
        acting_user(session, user)
        people.change_role(session, people.find_person(session, username), role)
    _out.print(f"{username} is {role} now.")


@app.command()
def deactivate(username: Username, *, user: By = None) -> None:
    """Let a person go: logged out everywhere; what they did stays."""
    with transaction() as session:
        acting_user(session, user)
        people.deactivate(session, people.find_person(session, username))
    _out.print(f"{username} cannot come in any more.")


@app.command()
def activate(username: Username, *, user: By = None) -> None:
    """Take a person back."""
    with transaction() as session:
        acting_user(session, user)
        people.reactivate(session, people.find_person(session, username))
    _out.print(f"{username} can come in again.")


@app.command()
def start(*, as_json: AsJson = False) -> None:
    """Print the link that makes the first admin, where there is none."""
    with transaction() as session:
        link = _url(first_start.create_link(session))
    _print_link(None, link, as_json=as_json)


def _print_link(username: str | None, link: str, *, as_json: bool) -> None:
    typer.echo(json.dumps({"username": username, "link": link}) if as_json else link)


def _url(path: str) -> str:
    return f"http://{settings().host}:{settings().port}{path}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
