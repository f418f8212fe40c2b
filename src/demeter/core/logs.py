"""Structured logs: constant event names, facts as fields, ids bound once.

Everything that a process logs goes through one handler, also what libraries say by Python's
own logging and its warnings: every line of a JSON log is JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

from demeter.core.log_output import LineOutput
from demeter.core.settings import settings

OWN = "demeter"
# uvicorn gives these handlers of their own before it loads the application.
WITH_OWN_HANDLERS = ("uvicorn", "uvicorn.access")


class _StandardError(logging.Handler):
    """Writes lines by `output`, which neither blocks nor raises."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; one that cannot be put into words is named by its place in the code."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller goes on
            line = _line(
                "log_line_unreadable", place=f"{record.pathname}:{record.lineno}", error=repr(error)
            )
        output.write(line)


def _line(event: str, **facts: Any) -> str:
    """A warning of the log itself, past all handlers."""
    now = datetime.now(UTC).isoformat()
    body = {**facts, "event": event, "level": "warning", "timestamp": now, "module": __name__}
    return json.dumps(body) if is_json() else f"{now} [warning] {event} {facts}"


output = LineOutput(lambda count: _line("log_lines_lost", count=count))


def is_json() -> bool:
    """Whether this process logs JSON: as set, else unless standard error is a terminal."""
    log_format = settings().log_format
    return log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())


def configure(*, quietly: bool = False) -> None:
    """Send logs to standard error, as JSON or, on a terminal, for reading.

    ``quietly`` leaves out what is only information, unless a level is set: a person who
    typed a command wants its answer. Libraries are heard from WARNING on.
    """
    configured = settings()
    is_level_set = "log_level" in configured.model_fields_set
    name = "WARNING" if quietly and not is_level_set else configured.log_level.upper()
    level = logging.getLevelNamesMapping()[name]
    common = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*common, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: logging.getLogger(OWN),
        cache_logger_on_first_use=False,
    )
    logging.getLogger(OWN).setLevel(level)
    _listen_to_everybody(_formatter(common), max(level, logging.WARNING))


def _formatter(common: list[Any]) -> ProcessorFormatter:
    """One for our own facts and for what libraries say."""
    renderers: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if is_json()
        else [_tame, structlog.dev.ConsoleRenderer()]
    )
    return ProcessorFormatter(
        foreign_pre_chain=[*common, _name_of_logger],
        processors=[ProcessorFormatter.remove_processors_meta, *renderers],
    )


_OF_LINES = ("exception", "stack")


def _tame(_: Any, __: str, event: structlog.typing.EventDict) -> Any:
    """No character that a terminal obeys, as a request's path or a typed name may have them."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable() and name not in _OF_LINES:
            event[name] = "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)
    return event


def _name_of_logger(_: Any, __: str, event: structlog.typing.EventDict) -> Any:
    """Which library says it, in the field that names our own modules."""
    event["module"] = event["_record"].name
    return event


def _listen_to_everybody(formatter: logging.Formatter, level: int) -> None:
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _StandardError)]:
        root.removeHandler(handler)
    handler = _StandardError()
    handler.setFormatter(formatter)
    root.addHandler(handler)
    root.setLevel(level)
    for name in WITH_OWN_HANDLERS:
        library = logging.getLogger(name)
        if library.handlers:
            library.handlers.clear()
            library.propagate = True
    logging.captureWarnings(capture=True)


def catch_crashes() -> None:
    """Where the log is JSON, errors that nobody caught are lines of it, too."""
    if is_json():
        sys.excepthook = _log_crash
        threading.excepthook = lambda crash: _log_crash(
            crash.exc_type, crash.exc_value or crash.exc_type(), crash.exc_traceback
        )


def _log_crash(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    get(__name__).critical("crashed", exc_info=(kind, error, where))


def get(name: str) -> Any:
    """A logger that carries whatever ids are bound in this context."""
    return structlog.get_logger(module=name)


bind = structlog.contextvars.bound_contextvars
bound = structlog.contextvars.get_contextvars
keep = structlog.contextvars.bind_contextvars  # to the end of this request or task
