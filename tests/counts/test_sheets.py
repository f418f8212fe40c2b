"""Count sheets over HTTP and by command: every kind of file is read, or named cell by cell."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from demeter.cli import app
from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.core.settings import settings
from support.commands import Done, demeter
from support.ledgersteps import supervisor
from support.served import client
from support.workbooks import DATE, cell, packed, parts_of, row, rows_of, sheet, table, workbook

__all__ = ["client"]

SHEETS = "/api/v1/stock/count-sheets"
COLUMNS = ["location_code", "bin_code", "product_code", "packaging_sku", "counted_at", "plants",
           "note"]  # fmt: skip
HEADING = row(1, *COLUMNS)


def filled(number: int, code: str | None, plants: Any, **options: Any) -> str:
    return row(number, code, None, None, None, None, plants, **options)


def lines(*texts: str, end: str = "\n") -> bytes:
    return (end.join(texts) + end).encode()


def dimension(reference: str) -> bytes:
    return workbook(
        HEADING, filled(2, "A1", 100), filled(3, "A2", 255),
        before=f'<dimension ref="{reference}"/>',
    )  # fmt: skip


NAMES = ",".join(COLUMNS)
BOTH = {"A1": 100, "A2": 255}
ONE = {"A1": 100}
DAY = "2026-03-10"
SERIAL = 46091  # the same day as a spreadsheet counts
MERGED = '<mergeCells><mergeCell ref="A2:A3"/></mergeCells>'

READ: dict[str, tuple[bytes, dict[str, int], set[str]]] = {
    "sep_line.csv": (
        lines("sep=;", NAMES.replace(",", ";"), "A1;;;;;100;", end="\r\n"),
        ONE,
        set(),
    ),
    "utf16.csv": (
        ("\t".join(COLUMNS) + "\r\nA1\t\t\t\t\t100\tñandú\r\n").encode("utf-16"),
        ONE,
        set(),
    ),
    "latin1.csv": (
        f"{NAMES}\nA1,,,,,100,ñandú\n".encode("latin-1"),
        ONE,
        {"encoding_assumed"},
    ),
    "cr_only.csv": (lines(NAMES, "A1,,,,,100,", end="\r"), ONE, set()),
    "title_above.csv": (
        lines("Planilla de conteo;;;;;;", NAMES.replace(",", ";"), "A1;;;;;100;"),
        ONE,
        {"rows_above_heading"},
    ),
    "dates.csv": (lines("location_code,plants,counted_at", f"A1,100,{SERIAL}"), ONE, set()),
    "dates_dmyt.csv": (
        lines("location_code,plants,counted_at", "A1,100,27/02/2026 16:30"),
        ONE,
        set(),
    ),
    "more_columns.csv": (lines("location_code,plants,who", "A1,100,rosa"), ONE,
                         {"column_not_read"}),
    "note_without_plants.csv": (
        lines("location_code,plants,note", "A1,100,", "A2,,dry"),
        ONE,
        {"row_not_counted"},
    ),
    "dimension_A1.xlsx": (dimension("A1"), BOTH, set()),
    "dimension_short_rows.xlsx": (dimension("A1:G2"), BOTH, set()),
    "dimension_short_columns.xlsx": (dimension("A1:E4"), BOTH, set()),
    "data_on_second_sheet.xlsx": (
        packed(
            parts_of(
                {
                    "Portada": sheet(row(1, "Conteo de noviembre")),
                    "count": sheet(HEADING, filled(2, "A1", 100)),
                }
            )
        ),
        ONE,
        {"sheet_not_read"},
    ),
    "hidden_row.xlsx": (
        workbook(HEADING, filled(2, "A1", 100), filled(3, "A2", 255, attributes='hidden="1"')),
        BOTH,
        {"hidden_rows"},
    ),
    "typed_date.xlsx": (
        workbook(HEADING, row(2, "A1", None, None, None, cell("E2", SERIAL, style=DATE), 100)),
        ONE,
        set(),
    ),
    "formula.xlsx": (
        workbook(HEADING, filled(2, "A1", cell("F2", 100, formula="60+40"))),
        ONE,
        set(),
    ),
}  # fmt: skip

REFUSED: dict[str, tuple[bytes, set[tuple[int | None, str | None, str]]]] = {
    "n2.csv": (lines("location_code;plants", "A1;1.000"), {(2, "B", "no_whole_number")}),
    "es_thousands.csv": (lines(NAMES.replace(",", ";"), "A1;;;;;1.250;"),
                         {(2, "F", "no_whole_number")}),
    "underscore.csv": (lines(NAMES, "A1,,,,,1_000,"), {(2, "F", "no_whole_number")}),
    "neg_zero.csv": (lines(NAMES, "A1,,,,,-0,"), {(2, "F", "no_whole_number")}),
    "negative.csv": (lines(NAMES, "A1,,,,,-5,"), {(2, "F", "out_of_range")}),
    "exponent.csv": (lines(NAMES, "A1,,,,,1e3,"), {(2, "F", "no_whole_number")}),
    "boolean.xlsx": (
        workbook(HEADING, filled(2, "A1", '<c r="F2" t="b"><v>1</v></c>')),
        {(2, "F", "no_whole_number")},
    ),
    "formula_no_cache.xlsx": (
        workbook(HEADING, filled(2, "A1", cell("F2", None, formula="60+43")), filled(3, "A2", 5)),
        {(2, "F", "formula_without_value")},
    ),
    "error_value.xlsx": (
        workbook(HEADING, filled(2, "A1", '<c r="F2" t="e"><v>#N/A</v></c>')),
        {(2, "F", "error_value")},
    ),
    "dup_header.csv": (lines("location_code,plants,plants", "A1,100,7"),
                       {(1, "C", "column_twice")}),
    "merged_location.xlsx": (
        workbook(HEADING, filled(2, "A1", 50), filled(3, None, 50), after=MERGED),
        {(3, "A", "covered_cell")},
    ),
    "more_cells.csv": (lines("location_code,plants", "A1,100,,,,55"),
                       {(2, "F", "too_many_cells")}),
    "open_quote.csv": (
        lines("location_code,note,plants", 'A1,"dry,100', "A2,,5"),
        {(2, None, "broken_quotes")},
    ),
    "nothing_counted.csv": (lines(NAMES, "A1,,,,,,"), {(None, None, "nothing_counted")}),
    "far_future.csv": (
        lines("location_code,plants,counted_at", "A1,5,31/12/2198"),
        {(2, "C", "in_future")},
    ),
    "no_location.csv": (lines("location_code,plants", ",5"), {(2, "A", "location_missing")}),
    "nul.csv": (b"location_code,plants\nA1,1\0\n", {(None, None, "no_table")}),
    "control.xlsx": (
        workbook(HEADING, row(2, "A1", None, None, None, None, 5, "x_x0007_")),
        {(2, "G", "control_characters")},
    ),
    "two_sheets.xlsx": (
        packed(
            parts_of(
                {
                    "May": sheet(HEADING, filled(2, "A1", 1)),
                    "June": sheet(HEADING, filled(2, "A1", 2)),
                }
            )
        ),
        {(None, None, "several_sheets_fit")},
    ),
    "many.csv": (
        lines(
            "location_code,plants,counted_at,product_code",
            "A1,1.5,31/31/2026,NOPE",
            "NOWHERE,5,,",
            "A2,x,,MAMMILLARIA-01",
            "A3,5,,NOPE",
        ),
        {
            (2, "B", "no_whole_number"),
            (2, "C", "no_date"),
            (2, "D", "other_config"),
            (3, "A", "no_such_location"),
            (4, "B", "no_whole_number"),
            (4, "D", "other_config"),
            (5, "D", "not_in_catalog"),
        },
    ),
    "alike.csv": (
        lines(
            "location_code,plants,counted_at", "A1,5,2026-03-01", "A1,6,2026-03-02",
        ),
        {(3, "A", "counted_twice"), (3, "C", "rows_differ")},
    ),
}  # fmt: skip


def send(client: TestClient, content: bytes, path: str = "", **fields: str) -> Any:
    data = {"movement_id": str(uuid4())} | fields
    return client.post(f"{SHEETS}{path}", files={"file": ("sheet", content)}, data=data)


def faults_of(problem: dict[str, Any]) -> set[tuple[int | None, str | None, str]]:
    return {(fault["row"], fault["letter"], fault["notice"]["code"]) for fault in problem["faults"]}


def on_hand(client: TestClient) -> dict[str, int]:
    rows = client.get("/api/v1/stock/on-hand", params={"by": "location"}).json()
    return {row["group"]["location"]: row["plants"] for row in rows}


def test_every_kind_of_sheet_is_read_and_what_is_odd_is_said(client: TestClient) -> None:
    for name, (content, counts, warnings) in READ.items():
        shown = send(client, content, "/preview")
        assert shown.status_code == 200, (name, shown.text)
        answer = shown.json()
        assert {line["location_code"]: line["counted"] for line in answer} == counts, name
        assert {w["notice"]["code"] for line in answer for w in line["warnings"]} == warnings, name
    assert on_hand(client) == {}


def test_every_wrong_cell_is_named_and_nothing_is_posted(client: TestClient) -> None:
    for name, (content, faults) in REFUSED.items():
        for path in ("/preview", ""):
            refused = send(client, content, path)
            assert refused.status_code == 422, (name, refused.text)
            problem = refused.json()
            assert problem["code"] == "count_sheet_invalid", name
            assert faults_of(problem) == faults, name
            assert problem["fault_count"] == len(faults), name
    assert client.get("/api/v1/stock/counts").json()["items"] == []


def test_commands_say_the_same(fresh_database: str, client: TestClient, tmp_path: Path) -> None:
    del fresh_database, client  # a small nursery stands in the database
    for name, (content, counts, warnings) in READ.items():
        (tmp_path / name).write_bytes(content)
        done = CliRunner().invoke(
            app, ["counts", "post-sheet", str(tmp_path / name), "--preview", "--json"]
        )
        assert done.exit_code == 0, (name, done.output)
        answer = json.loads(done.stdout)
        assert {line["location_code"]: line["counted"] for line in answer} == counts, name
        assert {w["notice"]["code"] for line in answer for w in line["warnings"]} == warnings, name
    for name, (content, faults) in REFUSED.items():
        (tmp_path / name).write_bytes(content)
        done = CliRunner().invoke(app, ["counts", "post-sheet", str(tmp_path / name)])
        assert isinstance(done.exception, DomainError), (name, done.output)
        assert faults_of(done.exception.context) == faults, name


def test_a_sheet_is_posted_by_a_process_of_its_own(client: TestClient, tmp_path: Path) -> None:
    def command(name: str, content: bytes, *more: str) -> Done:
        (tmp_path / name).write_bytes(content)
        env = os.environ | {"DEMETER_HOME": str(tmp_path)}
        return demeter("counts", "post-sheet", name, *more, cwd=tmp_path, env=env)

    refused = command("wrong.csv", REFUSED["many.csv"][0])
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "row 3, column A (location_code): There is no location 'NOWHERE' in use." in (
        refused.stderr
    )
    assert "Traceback" not in refused.stderr
    marked = command("marks.csv", lines("location_code,plants", "[/red],5"))
    assert "There is no location '[/red]'" in marked.stderr
    chosen = command("two.xlsx", REFUSED["two_sheets.xlsx"][0], "--sheet", "June")
    assert chosen.returncode == 0, chosen.stderr
    assert on_hand(client) == {"A1": 2}
    assert "Warning: sheet 'May': The sheet was not read; 'June' was." in chosen.stderr


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ZoneInfo]:
    """Moves the site to another time zone."""

    def move(zone: str) -> ZoneInfo:
        monkeypatch.setenv("DEMETER_TIME_ZONE", zone)
        settings.cache_clear()
        return ZoneInfo(zone)

    return move


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_today_is_the_sites_and_what_comes_after_counts(
    client: TestClient, site: Callable[[str], ZoneInfo], zone: str
) -> None:
    now = datetime.now(site(zone))
    today, soon = now.date(), now + timedelta(hours=30)
    for written in (today.isoformat(), f"{today:%d/%m/%Y}"):
        content = lines("location_code,plants,counted_at", f"A1,100,{written}")
        (line,) = send(client, content).json()
        for movement in line["effect"]["movements"]:
            assert datetime.fromisoformat(movement["occurred_at"]) <= datetime.now(UTC)
    body = {
        "movement_id": str(uuid4()),
        "movement_type": "plantar",
        "location_code": "A1",
        "quantity": 7,
    }
    assert client.post("/api/v1/stock/movements", json=body).is_success
    assert on_hand(client) == {"A1": 107}
    content = lines("location_code,plants,counted_at", f"A1,100,{soon:%d/%m/%Y}")
    assert faults_of(send(client, content).json()) == {(2, "C", "in_future")}
    content = lines("location_code,plants,counted_at", f"A1,100,{soon:%Y-%m-%d %H:%M}")
    assert faults_of(send(client, content).json()) == {(2, "C", "in_future")}


def test_the_bins_of_a_location_are_counted_together_with_all_notes(client: TestClient) -> None:
    with transaction() as session:
        supervisor(session)
    for category in ("segment", "pot"):
        body = {
            "movement_id": str(uuid4()),
            "movement_type": "plantar",
            "location_code": "A1",
            "quantity": 10,
            "category": category,
            "occurred_at": "2026-03-01",
        }
        assert client.post("/api/v1/stock/movements", json=body).is_success
    content = client.get(f"{SHEETS}/NAVE1.xlsx", params={"by": "bin"}).content
    heading, *rows = rows_of(content)
    assert heading == COLUMNS
    for number, values in enumerate(r for r in rows if r[0] == "A1"):
        values[4], values[5], values[6] = "2026-03-10" if number else "", 4 + number, f"n{number}"
    answer = send(client, table(heading, *rows)).json()
    assert [(line["location_code"], line["counted"]) for line in answer] == [("A1", 9)]
    (count,) = client.get("/api/v1/stock/counts").json()["items"]
    assert count["captured_at"].startswith("2026-03-11T02:59")
    first = next(r for r in rows if r[0] == "A1")
    first[5] = ""
    missing = send(client, table(heading, *rows)).json()
    assert {fault["notice"]["code"] for fault in missing["faults"]} == {"bins_missing"}


def test_faults_are_counted_beyond_those_that_are_listed(client: TestClient) -> None:
    content = lines("location_code,plants", *(f"A1,{n}x" for n in range(3_000)))
    problem = send(client, content).json()
    assert len(problem["faults"]) == 200
    assert problem["fault_count"] > 2_999
    assert len(problem["detail"]) <= 2_000


def test_a_sheet_that_is_too_large_is_refused(client: TestClient) -> None:
    problem = send(client, b"location_code,plants\n" + b"A1,1\n" * 4_000_001).json()
    assert [fault["notice"]["code"] for fault in problem["faults"]] == ["table_too_large"]
    problem = send(client, b"location_code,plants\n" + b"A1,1\n" * 20_001).json()
    assert [fault["notice"]["code"] for fault in problem["faults"]] == ["table_too_large"]
