"""People, tokens and the record of changes, as they come in and go out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict

from demeter.accounts.models import AuditAct, UserRole
from demeter.core.fields import IS_NUMBER
from demeter.core.pagination import Page
from demeter.core.schemas import Input, Output

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


def require_text(value: str) -> str:
    """A name with something in it.

    Raises:
        ValueError: only blanks.
    """
    if not value.strip():
        raise ValueError("a name, not only blanks")
    return value.strip()


Language = Literal["es", "en"]
Name = Annotated[
    str, Field(min_length=1, max_length=150, pattern=PRINTABLE), AfterValidator(require_text)
]
Username = Annotated[
    str,
    Field(min_length=2, max_length=150, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$", examples=["ana"]),
]
Email = Annotated[str, Field(max_length=320, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Days = Annotated[int, Field(ge=1, le=3660), IS_NUMBER]

PERSON_EXAMPLE: JsonDict = {"name": "Ana Quiroga", "role": "worker"}


class PersonCreate(Input):
    """A new person; the invitation's link comes with the answer, once."""

    model_config = ConfigDict(json_schema_extra=JsonDict(examples=[PERSON_EXAMPLE]))

    name: Name
    role: UserRole
    username: Username | None = Field(default=None, description="made from the name where absent")
    email: Email | None = None


class PersonUpdate(Input):
    """What is to change; what is absent stays."""

    name: Name | None = None
    role: UserRole | None = None
    email: Email | None = None
    is_active: bool | None = None


class PersonRead(Output):
    """A person as others see them."""

    username: str
    name: str
    email: str | None
    role: UserRole
    is_active: bool
    has_password: bool = Field(description="false: invited, and not yet come in")
    last_login: datetime | None
    created_at: datetime
    updated_at: datetime | None


class PersonInvited(Output):
    """A person with the link that lets them in; it is shown this once."""

    person: PersonRead
    link: str | None = Field(
        examples=["https://demeter.example/join/…"], description="null where a request is repeated"
    )


class PersonPage(Page[PersonRead]):
    """A page of people."""


class MeRead(Output):
    """Who acts, and what they may do here."""

    username: str
    name: str
    role: UserRole = Field(description="with a token: the token's")
    language: Language | None


class TokenCreate(Input):
    """A token for a program of one's own; admins may make others' too."""

    name: Name
    username: Username | None = Field(default=None, description="its owner; absent: yourself")
    role: UserRole | None = Field(default=None, description="at most the owner's; absent: it")
    days: Days | None = Field(default=None, description="how long it is valid; absent: for ever")


class TokenRead(Output):
    """A token without its secret."""

    id: int
    name: str
    username: str
    role: UserRole
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenCreated(Output):
    """A token with its secret, which is shown this once."""

    token: TokenRead
    secret: str | None = Field(examples=["dmt_…"], description="null where a request is repeated")


class TokenPage(Page[TokenRead]):
    """A page of tokens."""


class AuditRead(Output):
    """One change: who, when, what, before and after."""

    id: int
    at: datetime
    username: str | None = Field(description="null: set-up, or SQL")
    act: AuditAct
    subject: str = Field(examples=["users"], description="the table")
    subject_key: str = Field(examples=["ana"])
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(Page[AuditRead]):
    """A page of changes."""


class NurseryUpdate(Input):
    """What is to change; what is absent stays."""

    name: Name | None = None
    language: Language | None = None
    time_zone: Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)] | None = None


class NurseryRead(Output):
    """The nursery as its admin named it."""

    name: str
    language: Language
    time_zone: str = Field(examples=["America/Argentina/Mendoza"])
    updated_at: datetime | None
