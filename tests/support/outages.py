"""A database that is away: its connections are ended and no new one is taken, as often as told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import Engine, make_url

from demeter.core import db


class Database:
    """PostgreSQL refuses everybody from `go` on, until `come`."""

    def __init__(self, url: str) -> None:
        parts = make_url(url)
        self._name = str(parts.database)
        self._door = parts.set(database="postgres").render_as_string(hide_password=False)

    def go(self) -> None:
        self._allow(is_open=False)
        self.drop_connections()

    def come(self) -> None:
        self._allow(is_open=True)

    def drop_connections(self) -> None:
        with psycopg.connect(self._door, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [self._name],
            )

    def _allow(self, *, is_open: bool) -> None:
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with psycopg.connect(self._door, autocommit=True) as server:
            server.execute(statement.format(sql.Identifier(self._name), sql.Literal(is_open)))

    @contextmanager
    def away(self) -> Iterator[None]:
        self.go()
        try:
            yield
        finally:
            self.come()

    @contextmanager
    def away_from_transaction(self, number: int) -> Iterator[None]:
        """Leave as this process begins its so-manieth transaction; be back at the end."""
        begun = 0

        def look(_: Engine) -> None:
            nonlocal begun
            begun += 1
            if begun == number:
                self.go()

        db.before_each(look)
        try:
            yield
        finally:
            with contextlib.suppress(ValueError):
                db._before_each.remove(look)
            self.come()
