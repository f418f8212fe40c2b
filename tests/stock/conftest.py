"""The whole server, for the ledger's API."""

from served import client

__all__ = ["client"]
