"""Who may do what: the one table of roles, and the check that keeps it."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import Headers

from demeter.accounts import secrets
from demeter.accounts.authentication import identify
from demeter.accounts.errors import FormOutdated, NotSignedIn
from demeter.accounts.identity import Identity, Means, require_role
from demeter.core.http.guards import SAFE
from demeter.core.permissions import Permission

FORM_HEADER = "x-form-token"
FORM_FIELD = "form_token"


async def check(request: Request, permission: Permission) -> None:
    """Let a request pass whose person has the permission, and let it act as that person.

    Raises:
        NotSignedIn: nobody is signed in.
        NotAllowed: their role may not.
        FormOutdated: as `check_form`.
    """
    acting = await identify(request)
    if acting is None:
        raise NotSignedIn("nobody is signed in")
    require_role(acting, permission)
    await check_form(request, acting)


async def check_form(request: Request, acting: Identity) -> None:
    """Refuse a change asked for with a cookie by what is no page of ours.

    A page's forms carry a token of their session in a field, or in their address where the body
    is photos; its scripts in a header. Requests with an API token bring no cookie, so no other
    site can make them.

    Raises:
        FormOutdated: the token is missing, or belongs to another session.
    """
    if request.method in SAFE or acting.means is not Means.LOGIN:
        return
    given = request.headers.get(FORM_HEADER) or request.query_params.get(FORM_FIELD)
    if given is None and is_form(request.headers):
        form = await request.form()
        field = form.get(FORM_FIELD)
        given = field if isinstance(field, str) else None
    if not secrets.is_form_token(acting.secret or "", given or ""):
        raise FormOutdated("the form does not belong to this session")


async def require_form_token(request: Request) -> None:
    """For a route that everybody may use: a signed-in person's form must be of their session.

    Raises:
        FormOutdated: as `check_form`.
    """
    acting = await identify(request)
    if acting is not None:
        await check_form(request, acting)


def is_form(headers: Headers) -> bool:
    """Whether the body is a form of a page, small enough to be read for its token."""
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
