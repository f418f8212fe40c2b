"""How soon a connection that leads nowhere is given up, by us and by PostgreSQL.

A cable that is pulled says nothing: by TCP's own patience a request would hang for a quarter of
an hour, and PostgreSQL would keep the locks of a machine that is gone for two.
"""

from __future__ import annotations

from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

OWN_END: dict[str, Any] = {
    "connect_timeout": 5,  # s
    "keepalives_idle": 5,  # s without a word; then a question
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 12_000,  # ms for what was sent and is not confirmed
}
SERVERS_END = {
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 3,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 12_000,
}


def limits_beside(libpq_url: str, *server_settings: str) -> dict[str, Any]:
    """What a connection is to be opened with besides its URL, which may say otherwise.

    ``server_settings`` are further ones of the server's session, such as ``timezone=UTC``.
    """
    written = conninfo_to_dict(libpq_url)
    settings = [*server_settings, *(f"{name}={value}" for name, value in SERVERS_END.items())]
    options = [written.get("options") or "", *(f"-c {setting}" for setting in settings)]
    limits = {name: value for name, value in OWN_END.items() if name not in written}
    return limits | {"options": " ".join(options).strip()}


def with_limits(libpq_url: str) -> str:
    """The URL as a connection string that has them."""
    return make_conninfo(libpq_url, **limits_beside(libpq_url))
