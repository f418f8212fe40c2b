"""Connections that lead nowhere are given up within seconds, unless their URL says otherwise."""

from __future__ import annotations

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from demeter.core import db
from demeter.core.lost_connections import limits_beside, with_limits


def limits_of(url: str) -> dict[str, str]:
    return {name: str(value) for name, value in conninfo_to_dict(with_limits(url)).items()}


def test_a_url_that_says_nothing_gets_limits_for_both_ends():
    limits = limits_of("postgresql://grower@db.example/demeter")
    assert int(limits["connect_timeout"]) <= 10
    assert int(limits["tcp_user_timeout"]) <= 15_000
    waits = int(limits["keepalives_idle"]) + int(limits["keepalives_interval"]) * int(
        limits["keepalives_count"]
    )
    assert waits <= 15
    assert "-c tcp_user_timeout=12000" in limits["options"]
    assert limits["host"] == "db.example"


def test_what_a_url_says_stands():
    url = "postgresql://db.example/demeter?connect_timeout=30&options=-c%20search_path%3Dother"
    limits = limits_of(url)
    assert int(limits["connect_timeout"]) == 30
    assert limits["options"].startswith("-c search_path=other -c tcp_")
    assert "connect_timeout" not in limits_beside(url)


def test_the_servers_session_is_still_in_utc(fresh_database: str):
    with db.transaction() as session:
        assert session.execute(text("SHOW timezone")).scalar_one() == "UTC"
