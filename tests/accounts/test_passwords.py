"""Passwords: what is taken, what is read, and what never logs in."""

from __future__ import annotations

import statistics
import time

import pytest
from pwdlib.hashers.bcrypt import BcryptHasher

from demeter.accounts import passwords
from demeter.accounts.errors import PasswordTooWeak

GOOD = "tres palabras largas"


def test_a_new_password_is_argon2_and_right_only_as_it_is():
    hashed = passwords.hash_password(GOOD)
    assert hashed.startswith("$argon2id$")
    assert passwords.check_password(GOOD, hashed) == (True, None)
    assert passwords.check_password(GOOD.upper(), hashed) == (False, None)


def test_bcrypt_is_read_and_renewed():
    right, better = passwords.check_password(GOOD, BcryptHasher().hash(GOOD))
    assert right
    assert better is not None
    assert better.startswith("$argon2id$")


@pytest.mark.parametrize("hashed", ["", "!", "-", "plain", GOOD, "$argon2id$broken", None])
def test_what_is_no_known_hash_never_logs_in(hashed: str | None):
    assert passwords.check_password(GOOD, hashed) == (False, None)
    assert passwords.check_password("", hashed) == (False, None)


@pytest.mark.parametrize("weak", ["", "short", "a" * 9, "x" * 201, "aaaaaaaaaaaa", "margarita1"])
def test_a_password_that_others_would_find_is_refused(weak: str):
    with pytest.raises(PasswordTooWeak):
        passwords.hash_password(weak, "margarita1")


@pytest.mark.parametrize(
    "first_tried",
    [
        "demeter-2026",
        "Vivero 12345",
        "ADMINISTRADOR",
        "1234567890",
        "qwertyuiop",
        "Las.Cardones.99",
    ],
)
def test_words_of_this_place_and_rows_of_keys_are_refused(first_tried: str):
    with pytest.raises(PasswordTooWeak):
        passwords.hash_password(first_tried, "ana", "Las Cardones")
    assert passwords.hash_password(f"{first_tried} y algo más", "ana", "Las Cardones")


def test_it_takes_as_long_whether_a_name_exists_or_not():
    hashed = passwords.hash_password(GOOD)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(10):
        exists = turn % 2 == 0
        started = time.perf_counter()
        passwords.check_password("not the password", hashed if exists else None)
        seconds[exists].append(time.perf_counter() - started)
    ratio = statistics.median(seconds[True]) / statistics.median(seconds[False])
    assert 0.5 < ratio < 2
