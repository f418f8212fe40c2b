"""What is refused about people."""

from __future__ import annotations

from demeter.core.errors import Conflict, DomainError, InvalidInput, NotFound
from demeter.core.notices import Notice


class UserNotFound(NotFound):
    """No user has this name."""

    code = "user_not_found"
    title = "No such user"
    next_action = "Name a user that exists, or create one."


class NotSignedIn(DomainError):
    """Nobody has said who asks."""

    status = 401
    code = "not_signed_in"
    title = "Sign in first"
    next_action = "Sign in, or send a token in the Authorization header."


class NotAllowed(DomainError):
    """The person's role may not do this."""

    status = 403
    code = "not_allowed"
    title = "Your role may not do this"
    next_action = "Ask someone with the role named, or have an admin change yours."


class WrongPassword(DomainError):
    """Name and password do not fit; which of the two is not said."""

    status = 401
    code = "wrong_password"
    title = "Name or password is not right"
    next_action = "Try again, or ask an admin for a new link."


class TooManyLogins(DomainError):
    """So many wrong passwords that the next one waits."""

    status = 429
    code = "too_many_logins"
    title = "Too many wrong passwords"
    next_action = "Wait a few minutes, then try again."


class LinkInvalid(DomainError):
    """The link was used, has expired, or never was one."""

    status = 410
    code = "link_invalid"
    title = "This link does not work any more"
    next_action = "Ask for a new one."


class FormOutdated(DomainError):
    """A form that does not belong to who is signed in now."""

    status = 403
    code = "form_outdated"
    title = "This form is no longer valid"
    next_action = "Open the page again and repeat what you did."


class OtherUserNamed(DomainError):
    """A request names somebody else as the acting person."""

    status = 403
    code = "other_user_named"
    title = "You cannot act in another person's name"
    next_action = "Leave `user` out: who acts is who is signed in."


class PasswordTooWeak(InvalidInput):
    """A password that others would find."""

    code = "password_too_weak"
    title = "This password is too easy to find"
    next_action = "Choose a longer one, such as three words."

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice, field="password")


class UserNameTaken(Conflict):
    """Somebody has this name already."""

    code = "user_name_taken"
    title = "This name is taken"
    next_action = "Choose another name."


class LastAdmin(Conflict):
    """Without an admin nobody could let anybody in."""

    code = "last_admin"
    title = "The last admin stays"
    next_action = "Make another person admin first."


class RoleTooHigh(DomainError):
    """A token may do at most what its owner may."""

    status = 403
    code = "role_too_high"
    title = "A token cannot do more than its owner"
    next_action = "Choose the owner's role or a lower one."


class AlreadyStarted(Conflict):
    """The nursery has been set up."""

    code = "already_started"
    title = "This nursery is set up already"
    next_action = "Sign in."


class TokenNotFound(NotFound):
    """No token has this number."""

    code = "token_not_found"
    title = "No such token"
    next_action = "Look at the list of tokens."
