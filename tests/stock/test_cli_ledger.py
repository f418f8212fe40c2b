"""The ledger at the command line: the same rules as over HTTP, shown before they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from demeter.cli import app
from demeter.core.db import transaction
from demeter.core.errors import DomainError, InvalidInput
from demeter.counts.errors import InvalidCount
from demeter.stock.errors import TooFewPlants
from support.ledgersteps import day, supervisor
from support.nursery import plant_nursery
from support.workbooks import rows_of, table

Run = Callable[..., str]


@pytest.fixture
def run(fresh_database: str) -> Run:
    """A command on a small nursery; what it prints. A refusal is raised."""
    del fresh_database
    with transaction() as session:
        plant_nursery(session)
        supervisor(session)

    def command(*words: object) -> str:
        with capture_logs():  # `demeter` itself keeps its log off standard output
            done = CliRunner().invoke(app, [str(word) for word in words])
        if isinstance(done.exception, DomainError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return command


def counted(run: Run, plants: int, when: float, code: str = "A1") -> int:
    at = ("--at", day(when).isoformat(), "--user", "julia")
    return json.loads(run("counts", "add", code, plants, *at, "--json"))["count_id"]


def on_hand(run: Run, code: str = "A1", *more: object) -> int:
    output = run("stock", "show", "--location", code, "--by", "location", "--json", *more)
    return sum(row["plants"] for row in json.loads(output))


def report(run: Run, kind: str, quantity: int, when: float, *more: object) -> dict:
    at = ("--location", "A1", "--at", day(when).isoformat())
    return json.loads(run("stock", "report", kind, quantity, *at, *more, "--json"))


def test_a_month_from_count_to_report(run: Run, tmp_path: Path) -> None:
    counted(run, 10_000, 0)
    report(run, "plantar", 500, 5)
    report(run, "muerte", 200, 10)
    report(run, "transplante", 300, 15, "--to-location", "A2")
    counted(run, 9_500, 30)
    run("periods", "open", "P1", "--ends", day(30).isoformat())
    preview = json.loads(run("periods", "show", "P1", "--json"))
    assert [(row["location_code"], row["sales"]) for row in preview["lines"]] == [("A1", 500)]
    assert "closed" in run("periods", "close", "P1", "--user", "julia")
    assert (on_hand(run), on_hand(run, "A2")) == (9_500, 300)
    book = tmp_path / "report.xlsx"
    run("periods", "report", "P1", book, "--language", "en")
    assert rows_of(book.read_bytes(), "P1")[1][12] == 500
    run("periods", "report", "P1", tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    traced = json.loads(run("periods", "trace", "P1", "A1", "ECHEVERIA-01"))
    assert len(traced["movements"]) == 6
    sales = tmp_path / "sales.csv"
    sales.write_text("product_sku,packaging_sku,quantity_sold\nECHEVERIA-01,,500\n")
    assert "matched" in run("periods", "compare", "P1", sales)
    assert "open" in run("periods", "reopen", "P1", "--reason", "a planting was forgotten")
    assert "reopened by" in run("periods", "list")


def test_what_is_shown_before_is_not_kept(run: Run) -> None:
    count_id = counted(run, 100, 0)
    output = report(run, "ventas", 30, 1, "--preview")
    assert [m["quantity"] for m in output["movements"]] == [-30]
    assert on_hand(run) == 100
    assert "Nothing of this is kept" in run(
        "counts", "void", count_id, "--reason", "x", "--preview"
    )
    assert on_hand(run) == 100


def test_a_day_comes_back_as_it_was_meant_and_a_list_shows_what_undo_asks_for(run: Run) -> None:
    assert "unknown plants" in run("stock", "show", "--location", "A1")
    counted(run, 100, 0)
    planted = ("--location", "A1", "--at", "2026-03-03")
    assert "2026-03-03 23:59" in run("stock", "report", "plantar", 5, *planted)
    listed = run("stock", "movements").splitlines()
    (row,) = [line for line in listed if "plantar" in line and "2026-03-03 23:59" in line]
    movement = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", row)
    assert movement is not None
    run("stock", "undo", movement[0], "--reason", "another bed")
    assert "100 plants" in run("stock", "show", "--location", "A1")


def test_the_same_key_again_is_one_sale(run: Run) -> None:
    counted(run, 100, 0)
    key = ("--key", uuid4())
    first = report(run, "ventas", 30, 1, *key)
    assert report(run, "ventas", 30, 1, *key) == first
    assert on_hand(run) == 70
    run("stock", "undo", first["movement_id"], "--reason", "another bed")
    assert on_hand(run) == 100
    lot = first["movements"][0]["batch_code"]
    assert len(json.loads(run("stock", "lot", lot, "--json"))["entries"]) == 3
    assert "another bed" in run("stock", "movements", "--lot", lot, "--json")


def test_a_count_is_corrected_and_taken_back(run: Run) -> None:
    counted(run, 100, 0)
    second = counted(run, 80, 1)
    (container,) = json.loads(run("counts", "show", second))["containers"]
    run("counts", "correct", second, f"{container['container_id']}=85", "--reason", "miscounted")
    assert on_hand(run) == 85
    assert "No difference" in run("counts", "repost", second)
    run("counts", "void", second, "--reason", "the wrong bed")
    assert on_hand(run) == 100
    assert "void" in run("counts", "list", "--location", "A1")


def test_a_sheet_is_filled_shown_and_posted(run: Run, tmp_path: Path) -> None:
    counted(run, 100, 0)
    paper, file = tmp_path / "sheet.pdf", tmp_path / "sheet.xlsx"
    run("counts", "sheet", "NAVE1", paper)
    run("counts", "sheet", "NAVE1", file)
    assert paper.read_bytes().startswith(b"%PDF-")
    heading, first, *rows = rows_of(file.read_bytes())
    first[5] = 90
    file.write_bytes(table(heading, first, *rows))
    (output,) = json.loads(run("counts", "post-sheet", file, "--preview", "--json"))
    assert (output["location_code"], output["booked"], output["difference"]) == ("A1", 100, -10)
    assert on_hand(run) == 100
    run("counts", "post-sheet", file, "--user", "julia")
    assert on_hand(run) == 90


def test_exceptions_are_explained(run: Run) -> None:
    counted(run, 100, 0)
    counted(run, 130, 30)
    run("periods", "open", "P1", "--ends", day(30).isoformat())
    assert "negative_sales" in run("periods", "show", "P1")
    line = ("--location", "A1", "--product", "ECHEVERIA-01")
    assert "1 exceptions" in run("periods", "explain", "P1", "the neighbour's", *line)
    run("periods", "close", "P1")
    assert on_hand(run) == 130


def test_what_is_wrong_is_named(run: Run, tmp_path: Path) -> None:
    counted(run, 10, 0)
    with pytest.raises(TooFewPlants, match="10"):
        report(run, "muerte", 11, 1)
    with pytest.raises(InvalidInput, match="to_state"):
        report(run, "muerte", 1, 1, "--to-state", "ADULT")
    with pytest.raises(InvalidInput, match="yesterday"):
        run("stock", "show", "--at", "yesterday")
    with pytest.raises(InvalidInput, match="NUMBER"):
        run("counts", "add", "A1", "--bin", "X")
    with pytest.raises(InvalidCount):
        run("counts", "add", "A1")
    run("periods", "open", "P1", "--ends", day(30).isoformat())
    with pytest.raises(InvalidInput, match="--location"):
        run("periods", "explain", "P1", "so it is")
    with pytest.raises(InvalidInput, match="2026-02-30"):
        run("periods", "open", "P2", "--ends", "2026-02-30")
    wrong = tmp_path / "sheet.csv"
    wrong.write_text("location_code,plants\nA1,ten\nZ9,4\n")
    with pytest.raises(InvalidInput, match=r"row 2, column B.*row 3, column A"):
        run("counts", "post-sheet", wrong)
    assert on_hand(run) == 10
