"""Passwords: Argon2id for new ones; bcrypt is read; what is no known hash never logs in."""

from __future__ import annotations

from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from demeter.accounts.errors import PasswordTooWeak
from demeter.core.notices import Notice

SHORTEST, LONGEST = 10, 200
NO_PASSWORD = "!"  # noqa: S105  of whoever cannot log in: no hash looks like this
FEW_KINDS = 4  # "aaaaaaaaaa" is long enough and no password
# What others would try first here, also with digits and signs around it.
FIRST_TRIED = frozenset(
    [
        *("demeter", "vivero", "invernadero", "nursery", "greenhouse", "plantas", "plants"),
        *("contraseña", "contrasena", "password", "qwerty", "bienvenido", "welcome"),
        *("admin", "administrador", "administrator", "supervisor"),
        *("trabajador", "worker", "visita", "viewer"),
    ]
)
RUNS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiopasdfghjklñzxcvbnm",
)


@lru_cache(maxsize=1)
def _hashing() -> PasswordHash:
    return PasswordHash((Argon2Hasher(), BcryptHasher()))


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hashing().hash("the password of nobody")


def hash_password(password: str, *names: str | None) -> str:
    """The hash of a new password; ``names`` are the person's, which it may not be.

    Raises:
        PasswordTooWeak: too short, too long, or what others would try first.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordTooWeak(Notice("password_length", {"least": SHORTEST, "most": LONGEST}))
    if _is_guessable(password.casefold(), [name.casefold() for name in names if name]):
        raise PasswordTooWeak(Notice("password_guessable", {}))
    return _hashing().hash(password)


def _is_guessable(plain: str, names: list[str]) -> bool:
    if len(set(plain)) < FEW_KINDS or plain in names or any(plain in run for run in RUNS):
        return True
    letters = _letters(plain)
    return bool(letters) and letters in FIRST_TRIED | {_letters(name) for name in names}


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalpha())


def check_password(password: str, hashed: str | None) -> tuple[bool, str | None]:
    """Whether it is right, and a new hash to keep where the old one is out of date.

    Without a hash, or with what is none, it takes as long and is wrong, so that time does
    not tell whether a name exists.
    """
    if len(password) > LONGEST:
        password = ""
    known = hashed is not None and any(h.identify(hashed) for h in _hashing().hashers)
    try:
        is_right, better = _hashing().verify_and_update(
            password, hashed if known and hashed else _nobodys_hash()
        )
    except (PwdlibError, ValueError):
        return False, None
    return (True, better) if is_right and known else (False, None)


def can_log_in(hashed: str) -> bool:
    """Whether some password fits this hash."""
    return any(hasher.identify(hashed) for hasher in _hashing().hashers)
