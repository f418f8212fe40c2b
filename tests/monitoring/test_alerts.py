"""Alerts and the board ask for figures that the code exports, and each alert has its page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from demeter.core import step_times
from support.figures import exported
from support.promtool import promtool
from support.served import client, jpeg, send

__all__ = ["client"]

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
BOARD = json.loads((ROOT / "deploy" / "grafana" / "demeter.json").read_text())
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
OF_PROMETHEUS = {"up"}
QUERIES = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in BOARD["panels"]
    for target in panel["targets"]
}


def names_in(query: str) -> set[str]:
    return set(re.findall(r"\b(?:demeter|process)_[a-z_]+|\bup\b", query))


@pytest.fixture
def names(client: TestClient) -> set[str]:
    """Every figure's name after an upload, a refusal, and a step of each kind."""
    send(client, jpeg(), location_code="A1")
    send(client, b"no photo", location_code="A1")
    step_times.note("count", 1.0)
    return exported(client.get("/metrics").text)


def test_every_query_asks_for_figures_that_there_are(names: set[str]):
    unknown = {title: names_in(query) - names - OF_PROMETHEUS for title, query in QUERIES.items()}
    assert {title: faults for title, faults in unknown.items() if faults} == {}
    assert all(names_in(query) for query in QUERIES.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_leads_to_its_page(rule: dict[str, Any]):
    page = ROOT / rule["annotations"]["runbook"]
    assert page.is_file()
    assert f"`{rule['alert']}`" in page.read_text(), "the page does not name the alert"
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def test_each_alert_is_played():
    played = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    raised = {
        case["alertname"]
        for test in played
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert raised == {rule["alert"] for rule in RULES}


def test_the_alerts_are_raised_when_they_should_be():
    promtool("check", "rules", str(PROMETHEUS / "alerts.yml"))
    promtool("test", "rules", str(PROMETHEUS / "alerts_test.yml"))


def test_the_figures_are_well_formed(client: TestClient):
    text = client.get("/metrics").content
    assert promtool("check", "metrics", given=text) == ""
