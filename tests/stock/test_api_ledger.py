"""The ledger as a client meets it: the worked example, keys, previews, sheets."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from demeter.core.db import transaction
from support.ledgerapi import as_julia, count_by_hand, key, ok, on_hand, report_movement
from support.ledgersteps import day, supervisor
from support.workbooks import rows_of, table

STOCK = "/api/v1/stock"
PERIODS = "/api/v1/periods"


@pytest.fixture(autouse=True)
def julia(client: TestClient) -> None:
    with transaction() as session:
        supervisor(session)


def test_the_worked_example_from_count_to_report(client: TestClient) -> None:
    count_by_hand(client, 10_000, 0)
    count_by_hand(client, 400, 0, "A2")
    report_movement(client, "plantar", 500, 5)
    report_movement(client, "muerte", 200, 10)
    report_movement(client, "transplante", 300, 15, to_location_code="A2")
    count_by_hand(client, 9_500, 30)
    count_by_hand(client, 700, 30, "A2")
    opened = client.post(PERIODS, json={"code": "P1", "boundary_at": day(30).isoformat()})
    assert opened.status_code == 201
    lines = ok(client.get(f"{PERIODS}/P1"))
    here, there = lines["lines"]
    assert (here["sales"], here["unrecorded_sales"], there["sales"]) == (500, 500, 0)
    assert (here["moved_out"], there["moved_in"], there["closing"]["plants"]) == (300, 300, 700)
    before = on_hand(client), on_hand(client, "A2")
    assert ok(client.post(f"{PERIODS}/P1/close", json={}, headers=as_julia()))["status"] == "closed"
    assert (on_hand(client), on_hand(client, "A2")) == before == (9_500, 700)
    traced = ok(
        client.get(
            f"{PERIODS}/P1/trace",
            params={"location_code": "A1", "product_code": "ECHEVERIA-01"},
        )
    )
    assert sum(m["quantity"] for m in traced["movements"] if m["movement_type"] == "ventas") == -500
    book = client.get(f"{PERIODS}/P1/report.xlsx", params={"language": "en"})
    rows = rows_of(book.content, "P1")
    assert rows[0][:5] == ["Greenhouse", "Area", "Location", "Product", "Opening"]
    assert rows[1][2:] == [
        "A1", "ECHEVERIA-01", 10_000, 500, 0, 0, 200, 300, 0, 9_500, 500, 500,
    ]  # fmt: skip
    assert client.get(f"{PERIODS}/P1/report.pdf").content.startswith(b"%PDF-")


def test_the_same_key_is_one_effect_and_other_content_a_conflict(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    body = {
        "movement_id": key(),
        "movement_type": "ventas",
        "location_code": "A1",
        "quantity": 3,
        "unit_price": "1.50",
    }
    first = ok(client.post(f"{STOCK}/movements", json=body))
    assert ok(client.post(f"{STOCK}/movements", json=body)) == first
    other = client.post(f"{STOCK}/movements", json=body | {"quantity": 4})
    assert (other.status_code, other.json()["code"]) == (409, "movement_id_reused")
    assert on_hand(client) == 97
    row = ok(client.get(f"{STOCK}/movements/{first['movement_id']}"))
    assert (row["quantity"], row["undone_by"]) == (-3, None)


def test_too_many_is_a_conflict_with_its_numbers(client: TestClient) -> None:
    count_by_hand(client, 10, 0)
    body = {
        "movement_id": key(),
        "movement_type": "muerte",
        "location_code": "A1",
        "quantity": 11,
    }
    refused = client.post(f"{STOCK}/movements", json=body)
    assert refused.status_code == 409
    problem = refused.json()
    assert (problem["code"], problem["available"], problem["asked"]) == ("too_few_plants", 10, 11)


def test_every_change_can_be_seen_before(client: TestClient) -> None:
    first = count_by_hand(client, 100, 0)
    count_by_hand(client, 80, 2)
    report = {"movement_id": key(), "reason": "wrong bed"}
    preview = ok(client.post(f"{STOCK}/counts/{first['count_id']}/void/preview", json=report))
    assert sorted(m["quantity"] for m in preview["movements"]) == [-100, 100]
    (container,) = ok(client.get(f"{STOCK}/counts/{first['count_id']}"))["containers"]
    correction = {
        "movement_id": key(),
        "containers": [{"container_id": container["container_id"], "plants": 90}],
    }
    path = f"{STOCK}/counts/{first['count_id']}/correct"
    preview = ok(client.post(f"{path}/preview", json=correction))
    assert sorted(m["quantity"] for m in preview["movements"]) == [-10, 10]
    assert len(ok(client.get(f"{STOCK}/movements"))["items"]) == 2
    done = ok(client.post(path, json=correction))
    assert done["movements"] != []
    assert (on_hand(client), on_hand(client, at=day(0).isoformat())) == (80, 90)
    ok(client.post(f"{STOCK}/counts/{first['count_id']}/void", json=report))
    assert on_hand(client) == 80


def test_a_movement_is_undone_and_both_stay(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    sale = report_movement(client, "ventas", 20, 1)
    path = f"{STOCK}/movements/{sale['movement_id']}/undo"
    body = {"movement_id": key(), "reason": "another bed"}
    assert ok(client.post(f"{path}/preview", json=body))["movements"][0]["quantity"] == 20
    ok(client.post(path, json=body))
    assert on_hand(client) == 100
    again = client.post(path, json=body | {"movement_id": key()})
    assert (again.status_code, again.json()["code"]) == (409, "not_undoable")


def test_the_ledger_pages_by_keyset(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    for _ in range(4):
        report_movement(client, "ventas", 1, 1)
    ids, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = ok(client.get(f"{STOCK}/movements", params=params))
        ids += [row["movement_id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(ids) == len(set(ids)) == 5


def test_a_lots_life_goes_back_to_where_it_began(client: TestClient) -> None:
    report_movement(client, "sembrar", 50, 0, state="SEED")
    done = report_movement(client, "transplante", 40, 5, to_location_code="A2", to_state="SEEDLING")
    lot = next(m["batch_code"] for m in done["movements"] if m["quantity"] > 0)
    life = ok(client.get(f"{STOCK}/lots/{lot}"))
    assert [entry["stock_after"] for entry in life["entries"]] == [40]
    assert [(o["steps_back"], o["began_as"]) for o in life["origins"]] == [
        (0, "transplante"),
        (1, "sembrar"),
    ]
    assert life["state"] == "SEEDLING"


def test_what_is_not_there_is_named(client: TestClient) -> None:
    body = {
        "movement_id": key(),
        "movement_type": "muerte",
        "location_code": "Z9",
        "quantity": 1,
    }
    refused = client.post(f"{STOCK}/movements", json=body)
    assert refused.status_code == 404
    assert "Z9" in refused.json()["detail"]
    assert client.get(f"{STOCK}/counts/77").status_code == 404
    assert client.get(f"{PERIODS}/NONE").status_code == 404


def test_stock_is_added_up_by_what_is_asked(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    count_by_hand(client, 50, 0, "A2")
    rows = ok(client.get(f"{STOCK}/on-hand", params={"by": ["warehouse", "product"]}))
    assert rows == [
        {
            "group": {"warehouse": "NAVE1", "product": "ECHEVERIA-01"},
            "plants": 150,
            "never_counted": 1,
            "empty_containers": 0,
        }
    ]
    assert ok(client.get(f"{STOCK}/on-hand", params={"at": "2020-01-01"})) == []


def filled(client: TestClient, cells: dict[str, tuple], by: str = "location") -> bytes:
    """The sheet of the greenhouse with (counted_at, plants, product) by location."""
    got = client.get(f"{STOCK}/count-sheets/NAVE1.xlsx", params={"by": by})
    heading, *rows = rows_of(got.content)
    for row in rows:
        if row[0] in cells:
            row[4], row[5], *product = cells[row[0]]
            row[2] = product[0] if product else row[2]
    return table(heading, *rows)


def send(client: TestClient, content: bytes, path: str = "", sheet_key: str | None = None):
    return client.post(
        f"{STOCK}/count-sheets{path}",
        files={"file": ("sheet.xlsx", content)},
        data={"movement_id": sheet_key or key()},
        headers=as_julia(),
    )


def test_a_count_sheet_is_filled_seen_and_posted_once(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    content = filled(client, {"A1": ("2026-03-10", 90), "A2": ("10/03/2026", 40)})
    sheet_key = key()
    preview = ok(send(client, content, "/preview"))
    assert [(r["location_code"], r["booked"], r["difference"]) for r in preview] == [
        ("A1", 100, -10),
        ("A2", None, None),  # nobody counted it before
    ]
    assert on_hand(client) == 100
    posted = ok(send(client, content, sheet_key=sheet_key))
    assert ok(send(client, content, sheet_key=sheet_key)) == posted
    assert (on_hand(client), on_hand(client, "A2")) == (90, 40)


def test_a_sheet_with_two_wrong_cells_names_both_and_posts_nothing(client: TestClient) -> None:
    content = filled(
        client, {"A1": ("2026-03-10", "ninety"), "A2": ("2026-03-10", 40, "MAMMILLARIA-01")}
    )
    refused = send(client, content)
    assert refused.status_code == 422
    assert refused.json()["code"] == "count_sheet_invalid"
    assert [(f["row"], f["letter"], f["column"]) for f in refused.json()["faults"]] == [
        (2, "F", "plants"),
        (3, "C", "product_code"),
    ]
    assert "row 2, column F" in refused.json()["detail"]
    assert ok(client.get(f"{STOCK}/counts"))["items"] == []


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04rubbish", b"a;b\n1;2\n", b"\xff\xfe"]
)
def test_a_file_that_is_no_sheet_is_refused(client: TestClient, content: bytes) -> None:
    assert send(client, content).status_code == 422
    sent = client.post(f"{PERIODS}/P1/sales", files={"file": ("s.csv", content)})
    assert sent.status_code == 404
    client.post(PERIODS, json={"code": "P1", "boundary_at": day(30).isoformat()})
    sent = client.post(f"{PERIODS}/P1/sales", files={"file": ("s.csv", content)})
    assert sent.status_code == 422


def test_bins_are_counted_on_a_sheet_all_or_none(client: TestClient) -> None:
    report_movement(client, "plantar", 30, 0)
    report_movement(client, "plantar", 20, 0, category="pot")
    content = filled(client, {"A1": ("2026-03-10", 15)}, by="bin")
    posted = ok(send(client, content))
    assert [(r["booked"], r["counted"]) for r in posted] == [(50, 30)]


def test_a_printed_sheet_is_a_pdf(client: TestClient) -> None:
    got = client.get(f"{STOCK}/count-sheets/NORTH.pdf", params={"language": "es"})
    assert got.content.startswith(b"%PDF-")
    assert client.get(f"{STOCK}/count-sheets/NOWHERE.pdf").status_code == 404


def test_a_sales_file_is_compared_line_by_line(client: TestClient) -> None:
    count_by_hand(client, 1_000, 0)
    report_movement(client, "ventas", 100, 5)
    count_by_hand(client, 700, 30)
    client.post(PERIODS, json={"code": "P1", "boundary_at": day(30).isoformat()})
    content = (
        b"product_sku,packaging_sku,quantity_sold,invoice_number\n"
        b"ECHEVERIA-01,,200,F-1\nECHEVERIA-01,,98,F-2\nMAMMILLARIA-01,,5,F-3\nNOPE-01,,7,F-4\n"
    )
    for _ in range(2):  # before and after closing alike
        comparison = ok(client.post(f"{PERIODS}/P1/sales", files={"file": ("sales.csv", content)}))
        assert [(row["row"], row["verdict"], row["difference"]) for row in comparison["lines"]] == [
            (2, "matched", -2),
            (3, "matched", -2),
            (4, "over", 5),
            (5, "unknown_sku", None),
        ]
        client.post(f"{PERIODS}/P1/close", json={}, headers=as_julia())
    exact = ok(
        client.post(
            f"{PERIODS}/P1/sales",
            files={"file": ("sales.csv", content)},
            params={"tolerance_share": 0},
        )
    )
    assert exact["lines"][0]["verdict"] == "short"


def test_a_sales_file_with_wrong_cells_names_them(client: TestClient) -> None:
    client.post(PERIODS, json={"code": "P1", "boundary_at": day(30).isoformat()})
    content = b"product_sku;packaging_sku;quantity_sold;sale_date\nA;;ten;\n;;3;31/31/2026\n"
    refused = client.post(f"{PERIODS}/P1/sales", files={"file": ("sales.csv", content)})
    assert refused.status_code == 422
    assert [(f["row"], f["column"]) for f in refused.json()["faults"]] == [
        (2, "quantity_sold"),
        (3, "product_sku"),
        (3, "sale_date"),
    ]


def test_exceptions_are_explained_and_a_period_reopened(client: TestClient) -> None:
    count_by_hand(client, 100, 0)
    count_by_hand(client, 130, 30)
    client.post(PERIODS, json={"code": "P1", "boundary_at": day(30).isoformat()})
    refused = client.post(f"{PERIODS}/P1/close")
    assert (refused.status_code, refused.json()["exceptions"][0]["figure"]) == (409, -30)
    explanation = {
        "explanation": "seedlings of the neighbour",
        "location_code": "A1",
        "product_code": "ECHEVERIA-01",
    }
    assert ok(client.post(f"{PERIODS}/P1/explain", json=explanation)) == {"explained": 1}
    assert ok(client.post(f"{PERIODS}/P1/close"))["status"] == "closed"
    late = {
        "movement_id": key(),
        "movement_type": "plantar",
        "location_code": "A1",
        "quantity": 30,
        "occurred_at": day(20).isoformat(),
    }
    closed = client.post(f"{STOCK}/movements", json=late)
    assert (closed.status_code, closed.json()["code"]) == (409, "period_closed")
    again = ok(client.post(f"{PERIODS}/P1/reopen", json={"reason": "a planting was found"}))
    assert [event["event"] for event in again["events"]] == ["opened", "closed", "reopened"]
    ok(client.post(f"{STOCK}/movements", json=late))
    preview = ok(client.post(f"{PERIODS}/P1/close"))
    assert preview["status"] == "closed"
    assert on_hand(client) == 130


@pytest.mark.parametrize("value", [True, "1.000", "12", "1_000", 1.5])
def test_a_quantity_is_a_whole_number_or_refused(client: TestClient, value) -> None:
    movement = {"movement_type": "plantar", "location_code": "A1", "quantity": value}
    count = {"location_code": "A1", "plants": value}
    for path, body in (("movements", movement), ("counts", count)):
        refused = client.post(f"{STOCK}/{path}", json=body | {"movement_id": key()})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert on_hand(client) == 0
