"""A client's sales file: read as people write it, compared line by line, nothing left unsaid."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from demeter.core.db import transaction
from demeter.periods.sales_lines import Days
from support.commands import Done, demeter
from support.ledgersteps import count
from support.served import client
from support.workbooks import DATE, cell, formulas_of, row, rows_of, table, workbook

__all__ = ["client"]

PERIODS = "/api/v1/periods"
COLUMNS = ["product_sku", "packaging_sku", "quantity_sold", "sale_date"]
SKU = "ECHEVERIA-01"


@pytest.fixture
def period(client: TestClient) -> str:
    """A period in which 300 were sold, from 2 March to the end of March."""
    with transaction() as session:
        count(session, 1_000, 0)
        count(session, 700, 29)
    body = {"code": "2026-03"}
    assert client.post(PERIODS, json=body).status_code == 201
    return "2026-03"


def compared(client: TestClient, period: str, content: bytes, **fields: str) -> Any:
    files = {"file": ("sales", content)}
    return client.post(f"{PERIODS}/{period}/sales", files=files, data=fields)


def lines(*texts: str) -> bytes:
    return "\n".join([",".join(COLUMNS), *texts, ""]).encode()


def outcome(answer: dict[str, Any]) -> list[tuple[int, str, int | None]]:
    return [(line["row"], line["verdict"], line["file_total"]) for line in answer["lines"]]


def test_returns_are_taken_as_such_and_said(client: TestClient, period: str) -> None:
    answer = compared(client, period, lines(f"{SKU},,320,", f"{SKU},,-20,")).json()
    assert outcome(answer) == [(2, "matched", 300), (3, "matched", 300)]
    (warning,) = answer["warnings"]
    assert (warning["notice"]["code"], warning["row"]) == ("returns", 3)


def test_lines_outside_the_period_are_said_and_left_out(client: TestClient, period: str) -> None:
    content = lines(
        f"{SKU},,20,2025-01-01",
        f"{SKU},,30,2026-03-01",
        f"{SKU},,100,02/03/2026",
        f"{SKU},,200,2026-03-31 23:59",
        f"{SKU},,50,01/04/2026",
        f"{SKU},,0,",
    )
    answer = compared(client, period, content).json()
    assert outcome(answer) == [
        (2, "outside_period", None),
        (3, "outside_period", None),
        (4, "matched", 300),
        (5, "matched", 300),
        (6, "outside_period", None),
        (7, "matched", 300),
    ]
    assert answer["verdicts"]["outside_period"] == 3
    (warning,) = answer["warnings"]
    assert (warning["notice"]["code"], warning["row"]) == ("outside_period", 2)
    assert "3 lines are outside the period, 2026-03-02 to 2026-03-31" in warning["message"]


def test_a_later_period_begins_where_the_one_before_ends(client: TestClient, period: str) -> None:
    with transaction() as session:
        count(session, 650, 59)
    assert client.post(PERIODS, json={"code": "2026-04"}).status_code == 201
    content = lines(f"{SKU},,9,2026-03-31", f"{SKU},,1,2026-04-01", f"{SKU},,1,2026-05-01")
    answer = compared(client, "2026-04", content).json()
    assert [line["verdict"] for line in answer["lines"]] == [
        "outside_period",
        "short",
        "outside_period",
    ]


def test_days_with_an_open_end() -> None:
    assert Days(None, date(2026, 3, 31)).include(date(1999, 1, 1))
    assert Days(date(2026, 3, 1), None).include(date(2199, 1, 1))
    assert not Days(date(2026, 3, 2), None).include(date(2026, 3, 1))


def test_a_workbook_is_compared_like_a_csv(client: TestClient, period: str) -> None:
    typed = workbook(row(1, *COLUMNS), row(2, SKU, None, 300, cell("D2", 46091, style=DATE)))
    for content in (typed, table(COLUMNS, [SKU, None, "300", "10/03/2026"])):
        answer = compared(client, period, content).json()
        assert outcome(answer) == [(2, "matched", 300)]
        assert answer["warnings"] == []


def test_every_wrong_cell_is_named(client: TestClient, period: str) -> None:
    content = lines(
        f"{SKU},,1.000,", f"{SKU},,1_000,", f"{SKU},,-0,", f",,5,{'x' * 300}", f"{SKU},,,",
        f"{SKU},,20000000,1e9", f"{SKU},,1,,extra",
    )  # fmt: skip
    refused = compared(client, period, content)
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["code"] == "sales_file_invalid"
    assert [(f["row"], f["column"], f["notice"]["code"]) for f in problem["faults"]] == [
        (2, "quantity_sold", "no_whole_number"),
        (3, "quantity_sold", "no_whole_number"),
        (4, "quantity_sold", "no_whole_number"),
        (5, "product_sku", "empty_cell"),
        (5, "sale_date", "no_date"),
        (6, "quantity_sold", "empty_cell"),
        (7, "quantity_sold", "out_of_range"),
        (7, "sale_date", "no_date"),
        (8, "", "too_many_cells"),
    ]
    assert len(problem["faults"][4]["value"]) == 60


def test_a_sheet_of_several_is_chosen_by_name(client: TestClient, period: str) -> None:
    refused = compared(client, period, table(COLUMNS), sheet="June").json()
    assert [fault["notice"]["code"] for fault in refused["faults"]] == ["no_such_sheet"]
    assert compared(client, period, table(COLUMNS), sheet="s").json()["lines"] == []


def test_a_process_compares_and_warns(client: TestClient, period: str, tmp_path: Path) -> None:
    def command(content: bytes) -> Done:
        (tmp_path / "sales.csv").write_bytes(content)
        env = os.environ | {"DEMETER_HOME": str(tmp_path), "COLUMNS": "120"}
        return demeter("periods", "compare", period, "sales.csv", cwd=tmp_path, env=env)

    done = command(lines(f"{SKU},,300,", f"{SKU},,5,2025-01-01"))
    assert done.returncode == 0, done.stderr
    assert "matched" in done.stdout
    assert "outside_period" in done.stdout
    assert "Warning: row 3: 1 line is outside the period" in done.stderr
    refused = command(lines(f"{SKU},,1.000,"))
    assert refused.returncode == 1
    assert "row 2, column C (quantity_sold): '1.000' is no whole number" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_report_sums_what_is_known_and_says_what_it_leaves_out(
    client: TestClient, period: str
) -> None:
    with transaction() as session:
        count(session, 303, 1, "A2")  # never counted again
    for language, words in (("es", "1 línea con cifras"), ("en", "1 line with unknown")):
        params = {"language": language}
        content = client.get(f"{PERIODS}/{period}/report.xlsx", params=params).content
        _, first, second, total, left_out = rows_of(content)
        assert (first[2], first[4], first[11], first[12]) == ("A1", 1_000, 700, 300)
        assert (second[2], second[4], second[11], second[12]) == ("A2", 303, "—", "—")
        assert (total[4], total[11], total[12]) == (1_000, 700, 300)
        assert words in left_out[0]
        formula = formulas_of(content)["E4"]
        assert formula == "SUMPRODUCT(ISNUMBER(L2:L3)*ISNUMBER(M2:M3),E2:E3)"
        pdf = client.get(f"{PERIODS}/{period}/report.pdf", params=params)
        assert pdf.content.startswith(b"%PDF-")
