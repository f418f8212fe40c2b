"""Schemathesis on the whole API: examples, limits, random and stateful requests, all checks."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

# It streams until a session ends or ten minutes are over; its route is tested by itself.
ENDLESS = "/api/v1/photos/sessions/{session_id}/events"


@dataclass
class Findings:
    """What a run did and what it found, by check and operation."""

    document: dict[str, Any]
    cases: int = 0
    seconds: float = 0.0
    named_refusals: int = 0  # of what the schema allows, for its content, by a documented code
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[tuple[str, str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    errors: list[str] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)

    def add(self, recorder: Any) -> None:
        """Count a scenario's cases, and keep the first examples of each failure."""
        for case_id, node in recorder.cases.items():
            interaction = recorder.interactions.get(case_id)
            self.cases += 1
            self.operations.add(node.value.operation.label)
            response = interaction.response if interaction else None
            if response is not None:
                self.statuses[response.status_code] += 1
            for check in recorder.checks.get(case_id, []):
                if check.failure_info is not None:
                    label = node.value.operation.label
                    failure = check.failure_info.failure
                    if (
                        check.name == "positive_data_acceptance"
                        and "null" in (node.value.path_parameters or {}).values()
                    ):
                        continue  # taken over from an answer where the key was null: no such path
                    if check.name == "positive_data_acceptance" and _is_named(node.value, response):
                        self.named_refusals += 1
                        continue
                    if check.name == "unsupported_method" and _is_anothers(
                        self.document, node.value
                    ):
                        continue
                    key = (check.name, label, failure.title)
                    self.failures[key].append(_example(node.value, response, failure))

    def by_check(self) -> Counter[str]:
        return Counter(check for check, _, _ in self.failures)

    def facts(self) -> dict[str, Any]:
        """The figures of the run."""
        return {
            "cases": self.cases,
            "operations": len(self.operations),
            "seconds": round(self.seconds),
            "answers": dict(sorted(self.statuses.items())),
            "refused by name": self.named_refusals,
            "failures": dict(self.by_check()),
        }

    def report(self) -> str:
        lines = [str(self.facts())]
        lines += [
            f"\n{check} | {label} | {title} ({len(examples)})\n    {examples[0]}"
            for (check, label, title), examples in sorted(self.failures.items())
        ]
        return "\n".join([*lines, *self.errors])


def _is_anothers(document: dict[str, Any], case: Any) -> bool:
    """Whether the method that this path lacks is declared by another path that fits it, too.

    ``GET /counts/preview`` is ``GET /counts/{count_id}`` of a count of a strange name.
    """
    path = case.formatted_path.partition("?")[0]
    return any(
        case.method.lower() in methods
        and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)
        for template, methods in document["paths"].items()
    )


def _is_named(case: Any, response: Any) -> bool:
    """Whether a refusal has a documented name, and is none of the schema's own."""
    problem = response.json()
    documented = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    return problem["code"] in documented.get("x-codes", []) and "errors" not in problem


def _example(case: Any, response: Any, failure: Any) -> str:
    answer = response.content[:700].decode(errors="replace") if response is not None else "none"
    status = response.status_code if response is not None else "-"
    sent = {
        name: value
        for name in ("path_parameters", "query", "headers", "body")
        if (value := getattr(case, name, None)) not in (None, {})
    }
    described = getattr(case.meta, "phase", None)
    return (
        f"{case.method} {case.formatted_path} {str(sent)[:900]}\n    -> {status} {answer}\n"
        f"    {failure.message[:500]}\n    {str(described)[:300]}"
    )


def _auth(sign_in: Callable[[], dict[str, str]]) -> type:
    class Auth:
        def get(self, _case: Any, _context: Any) -> dict[str, str]:
            return sign_in()

        def set(self, case: Any, data: dict[str, str], _context: Any) -> None:
            case.headers = dict(case.headers or {}) | data

    return Auth


def fuzz(
    app: FastAPI,
    path: str,
    *,
    sign_in: Callable[[], dict[str, str]],
    seed: int,
    seconds: int,
    examples: int,
) -> Findings:
    """Send requests made from the OpenAPI document at ``path`` until the time is over."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "max-time": seconds,
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
        }
    )
    schema = schemathesis.openapi.from_asgi(path, app, config=config, headers=sign_in()).exclude(
        path=ENDLESS
    )
    # The requests end tokens, too, their own among them.
    schema.auth(refresh_interval=1)(_auth(sign_in))
    findings = Findings(schema.raw_schema)
    started = time.monotonic()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            findings.add(event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            value = getattr(event, "value", None) or getattr(event, "exception", event)
            findings.errors.append(f"{type(value).__name__}: {value}"[:2000])
    findings.seconds = time.monotonic() - started
    return findings
