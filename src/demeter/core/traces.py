"""Traces from upload to ledger, for a collector that speaks OTLP; off unless one is named.

OTEL_EXPORTER_OTLP_ENDPOINT, or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, names it, as everywhere;
the other OTEL_… variables work, too. While it is off nothing of the library is imported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from sqlalchemy import Engine

COLLECTORS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SLOW_STATEMENT_S = 0.05
ENDING_MS = 2000  # for what is left when a process ends
LONGEST_STATEMENT = 200
ATTRIBUTES = str | bool | int | float

_provider: TracerProvider | None = None


def configure(service: str) -> None:
    """Begin to send spans as ``service``, where a collector is named; once a process."""
    global _provider  # noqa: PLW0603  one a process, as the library has it
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if _provider is not None or is_disabled or not any(map(os.environ.get, COLLECTORS)):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  as above
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    import demeter  # noqa: PLC0415

    facts = {"service.name": service, "service.version": demeter.version()}
    _provider = TracerProvider(resource=Resource.create(facts))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def end() -> None:
    """Send what is left, and stop."""
    global _provider  # noqa: PLW0603  as above
    if _provider is not None:
        _provider.force_flush(ENDING_MS)
        _provider.shutdown()
        _provider = None


def is_on() -> bool:
    """Whether spans are sent."""
    return _provider is not None


def span(name: str, **attributes: ATTRIBUTES) -> AbstractContextManager[Any]:
    """What is done inside as a span of the trace that this context is in; gives the span.

    While traces are off it gives ``None`` and costs a comparison.
    """
    if _provider is None:
        return _NOTHING
    return _provider.get_tracer("demeter").start_as_current_span(name, attributes=attributes)


_NOTHING: AbstractContextManager[Any] = nullcontext()


@contextmanager
def continued(
    name: str, carrier: Mapping[str, str], kind: str = "INTERNAL", **attributes: ATTRIBUTES
) -> Iterator[Any]:
    """A span whose trace began elsewhere: ``carrier`` is what `carry` gave there."""
    if _provider is None:
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415  only while traces are on
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    context = TraceContextTextMapPropagator().extract(carrier)
    tracer = _provider.get_tracer("demeter")
    with tracer.start_as_current_span(
        name, context=context, kind=SpanKind[kind], attributes=attributes
    ) as opened:
        yield opened


def carry(carrier: MutableMapping[str, str]) -> None:
    """Write the trace that this context is in to ``carrier``, as W3C has it."""
    if _provider is None:
        return
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415  as above
        TraceContextTextMapPropagator,
    )

    TraceContextTextMapPropagator().inject(carrier)


def trace_id() -> str | None:
    """The trace that this context is in, as logs and collectors write it."""
    if _provider is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415  as above

    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None


def ids() -> dict[str, str]:
    """What the log writes beside a request's id; nothing while traces are off."""
    here = trace_id()
    return {} if here is None else {"trace_id": here}


def watch_statements(engine: Engine) -> None:
    """Have spans of transactions tell their statements: how many, how long, which were slow."""
    from sqlalchemy import event  # noqa: PLC0415  the ground's lowest part imports it late

    event.listen(engine, "before_cursor_execute", _begin_statement)
    event.listen(engine, "after_cursor_execute", _end_statement)


def _begin_statement(connection: Any, *_: Any) -> None:
    if _provider is not None:
        connection.info["statement_began"] = time.perf_counter()


def _end_statement(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    began = connection.info.pop("statement_began", None)
    if began is None or _provider is None:
        return
    from opentelemetry import trace  # noqa: PLC0415  as above

    seconds = time.perf_counter() - began
    current: Any = trace.get_current_span()
    so_far = getattr(current, "attributes", None) or {}
    current.set_attribute("db.statements", so_far.get("db.statements", 0) + 1)
    current.set_attribute("db.seconds", so_far.get("db.seconds", 0.0) + seconds)
    if seconds >= SLOW_STATEMENT_S:
        text = " ".join(statement.split())[:LONGEST_STATEMENT]  # its parameters are not told
        current.add_event("slow statement", {"db.query.text": text, "seconds": seconds})
