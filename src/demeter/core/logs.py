"""Structured logs: constant event names, facts as fields, ids bound once."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from demeter.core.settings import settings


def configure(*, quietly: bool = False) -> None:
    """Send logs to standard error, as JSON or, on a terminal, for reading.

    ``quietly`` leaves out what is only information, unless a level is set: a person who
    typed a command wants its answer.
    """
    configured = settings()
    chosen = "log_level" in configured.model_fields_set
    name = "WARNING" if quietly and not chosen else configured.log_level.upper()
    level = logging.getLevelNamesMapping()[name]
    as_json = configured.log_format == "json" or (
        configured.log_format == "auto" and not sys.stderr.isatty()
    )
    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")


def get(name: str) -> Any:
    """A logger that carries whatever ids are bound in this context."""
    return structlog.get_logger(module=name)


bind = structlog.contextvars.bound_contextvars
