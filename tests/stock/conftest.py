"""The whole server, for the ledger's API."""

from support.served import client

__all__ = ["client"]
