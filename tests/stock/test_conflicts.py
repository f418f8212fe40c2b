"""Many people at once on few beds: nobody waits in a circle, nothing is negative or lost."""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from demeter.core.db import transaction
from demeter.core.errors import DomainError
from demeter.counts import commands as count_commands
from demeter.counts.schemas import HandCountCreate
from demeter.stock import commands
from demeter.stock.schemas import MovementCreate
from support.ledgerapi import assert_ledger_verified
from support.ledgersteps import supervisor
from support.nursery import configure, on_hand, plant_nursery

CONNECTIONS = 8
BEDS = ("A1", "A2", "A3")
KINDS = ("plantar", "plantar", "muerte", "ventas", "transplante", "transplante", "ajuste", "move")
REFUSALS = {"too_few_plants", "same_place"}


@dataclass
class Tally:
    """What one connection did: what was written by its key, how each ended and how long it took."""

    written: dict[UUID, dict] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def random_movement(rng: random.Random, key: UUID) -> dict:
    kind = rng.choice(KINDS)
    here, there = rng.sample(BEDS, 2)
    quantity = rng.randint(1, 40)
    fields = {
        "movement_id": key,
        "movement_type": kind,
        "location_code": here,
        "quantity": quantity,
        "reason": "one of many",
    }
    if kind == "transplante":
        fields["to_location_code"] = there
    if kind == "ajuste":
        fields["quantity"] = -quantity
    if kind == "move":
        fields["to_state"] = rng.choice(["SEEDLING", "JUVENILE"])
    return fields


def effect_on_beds(request: dict) -> dict[str, int]:
    """The plain model: what a movement that was written did to each bed."""
    here, quantity = request["location_code"], request["quantity"]
    match request["movement_type"]:
        case "plantar" | "ajuste":
            return {here: quantity}
        case "muerte" | "ventas":
            return {here: -quantity}
        case "transplante":
            return {here: -quantity, request["to_location_code"]: quantity}
    return {}


def report(tally: Tally, request: dict) -> None:
    """One movement in its own transaction."""
    checked = TypeAdapter(MovementCreate).validate_python(request)
    started = time.monotonic()
    try:
        with transaction() as session:
            commands.report(session, checked)
    except DomainError as refusal:
        tally.ends[refusal.code] += 1
        return
    finally:
        tally.seconds.append(time.monotonic() - started)
    tally.ends["written"] += 1
    tally.written[request["movement_id"]] = request


def one_connection(number: int, turns: int, keys: list[UUID], start: threading.Barrier) -> Tally:
    """A person's share; every tenth movement is told by the neighbour too, at the same time."""
    tally = Tally()
    start.wait()
    for turn in range(turns):
        request = random_movement(random.Random(f"{number} {turn}"), uuid4())
        if turn % 10 == 0:
            pair = number // 2
            request = random_movement(
                random.Random(f"both {pair} {turn}"), keys[pair * 1_000 + turn]
            )
        report(tally, request)
    return tally


@pytest.fixture
def beds(fresh_database: str) -> None:
    del fresh_database
    with transaction() as session:
        plant_nursery(session)
        supervisor(session)
        configure(session, "A3", "ECHEVERIA-01")
        for code in BEDS:
            first = HandCountCreate(
                movement_id=uuid4(), location_code=code, plants=200, user="julia"
            )
            count_commands.count_by_hand(session, first)


def today(session: Session) -> dict[str, int]:
    return {code: on_hand(session, code) for code in BEDS}


@pytest.mark.parametrize("movements", [240, pytest.param(2_000, marks=pytest.mark.long)])
def test_many_movements_from_eight_connections(beds: None, movements: int) -> None:
    keys = [uuid4() for _ in range(CONNECTIONS // 2 * 1_000)]
    start = threading.Barrier(CONNECTIONS)
    started = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        shares = [
            pool.submit(one_connection, n, movements // CONNECTIONS, keys, start)
            for n in range(CONNECTIONS)
        ]
        tallies = [share.result() for share in shares]  # anything but a typed refusal is raised
    seconds = time.monotonic() - started
    ends = sum((tally.ends for tally in tallies), Counter())
    each = sorted(s for tally in tallies for s in tally.seconds)
    sys.stdout.write(
        f"{sum(ends.values())} movements from {CONNECTIONS} connections in {seconds:.1f} s: "
        f"{dict(ends)}; p50 {statistics.median(each) * 1000:.0f} ms, "
        f"p95 {each[int(0.95 * len(each))] * 1000:.0f} ms, longest {each[-1] * 1000:.0f} ms\n"
    )
    assert sum(ends.values()) == movements
    assert set(ends) <= {"written"} | REFUSALS
    assert ends["written"] > movements / 2
    with transaction() as session:
        stock = today(session)
    model = Counter(dict.fromkeys(BEDS, 200))
    for request in {
        key: request for tally in tallies for key, request in tally.written.items()
    }.values():
        model.update(effect_on_beds(request))
    assert stock == dict(model)
    assert min(stock.values()) >= 0
    assert seconds < max(60, movements * 0.06)  # 19 to 31 s on two cores that others use too
    assert_ledger_verified()
