"""Demeter counts the plants of a nursery from photographs and keeps its stock ledger."""


def version() -> str:
    """Of the installed Demeter."""
    from importlib.metadata import version as installed  # noqa: PLC0415  slow to import

    return installed("demeter")
