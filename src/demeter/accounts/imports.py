"""People from a plain list: a name and a role; links that let them in are made afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from demeter.accounts import people
from demeter.accounts.models import User, UserRole
from demeter.accounts.schemas import PersonCreate
from demeter.core.imports.columns import SourceMapping
from demeter.core.imports.journal import Journal
from demeter.core.imports.kinds import Files, ImportKind
from demeter.core.imports.lists import ListShape, RowReader, warnings_of
from demeter.core.imports.plans import LEAVE, Choices, Plan, PlannedRow, RowVerdict
from demeter.core.notices import Notice
from demeter.core.permissions import Permission
from demeter.core.tabular.cells import text
from demeter.core.tabular.tables import TableRow

SHAPE = ListShape(
    titles={
        "name": ("name", "nombre", "nombre_y_apellido", "persona"),
        "role": ("role", "rol", "puesto", "cargo"),
        "username": ("username", "usuario", "user"),
        "email": ("email", "correo", "mail", "e_mail"),
    },
    required=("name", "role"),
)
ROLES = {
    "admin": UserRole.ADMIN, "administrador": UserRole.ADMIN, "administradora": UserRole.ADMIN,
    "supervisor": UserRole.SUPERVISOR, "supervisora": UserRole.SUPERVISOR,
    "worker": UserRole.WORKER, "operario": UserRole.WORKER, "operaria": UserRole.WORKER,
    "trabajador": UserRole.WORKER, "trabajadora": UserRole.WORKER,
    "viewer": UserRole.VIEWER, "visita": UserRole.VIEWER, "lector": UserRole.VIEWER,
    "lectora": UserRole.VIEWER,
}  # fmt: skip


def plan(
    session: Session, files: Files, mappings: Sequence[SourceMapping], choices: Choices
) -> Plan:
    """A verdict for each row.

    Raises:
        ListRefused: it is no table.
    """
    table = SHAPE.read(files, mappings)
    users = list(session.scalars(select(User)))
    first: dict[str, int] = {}
    rows = [_row(row, mappings[0].name, users, first) for row in table.rows]
    left = [
        replace(row, options=(LEAVE,), chosen=LEAVE)
        if choices.by_row.get(row.ref) == LEAVE and row.verdict is RowVerdict.NEW
        else row
        for row in rows
    ]
    return Plan(tuple(left), warnings_of(table))


def _row(row: TableRow, source: str, users: list[User], first: dict[str, int]) -> PlannedRow:
    reader = RowReader(row)
    name = " ".join((reader.take("name", text) or "").split())
    word = (reader.take("role", text) or "").strip().lower()
    username, email = reader.maybe("username", text), reader.maybe("email", text)
    if word and word not in ROLES:
        reader.faults.append(Notice("role_unknown", {"role": word}))
    if not reader.faults and not _is_person(name, username, email):
        reader.faults.append(Notice("person_unreadable", {"name": name}))
    planned = PlannedRow(
        f"{source}:{row.number}", source, row.number, "users", username, name, RowVerdict.REFUSED
    )
    key = (email or username or name).casefold()
    if not reader.faults and key in first:
        reader.faults.append(Notice("code_twice", {"code": key, "row": first[key]}))
    first.setdefault(key, row.number)
    if reader.faults:
        return replace(planned, notices=tuple(reader.faults))
    known = next((u for u in users if _is_same(u, name, username, email)), None)
    if known is not None:
        return replace(planned, code=known.username, verdict=RowVerdict.SAME)
    values = {"name": name, "role": ROLES[word].value, "username": username, "email": email}
    return replace(planned, verdict=RowVerdict.NEW, values=values)


def _is_person(name: str, username: str | None, email: str | None) -> bool:
    """Whether the API would take them."""
    try:
        PersonCreate.model_validate(
            {"name": name, "role": UserRole.WORKER, "username": username, "email": email}
        )
    except ValueError:
        return False
    return True


def _is_same(user: User, name: str, username: str | None, email: str | None) -> bool:
    if username or email:
        by_name = username is not None and user.username.casefold() == username.casefold()
        return by_name or (email is not None and (user.email or "").casefold() == email.casefold())
    return user.full_name.casefold() == name.casefold()


def write(session: Session, planned: Plan, journal: Journal) -> None:
    """People who cannot log in before they follow an invitation."""
    for row in planned.rows:
        if row.is_written:
            values = row.values
            user = people.add_person(
                session,
                values["name"],
                UserRole(values["role"]),
                username=values["username"],
                email=values["email"],
            )
            journal.made.append(user)


KIND = ImportKind(
    name="people",
    permission=Permission.ADMINISTER,
    fields=SHAPE.fields,
    required=SHAPE.required,
    sources=SHAPE.sources,
    guess=SHAPE.guess,
    plan=plan,
    write=write,
)
