"""The house stands as it is drawn: floors, edges, one name for one thing.

Each rule is shown twice: the real sources keep it, and a planted fault is found.
"""

from __future__ import annotations

import ast

import pytest

from support import house

CHECKS = [
    house.upward_imports,
    house.imports_of_an_api,
    house.vision_knows,
    house.training_at_run_time,
    house.circles_of_files,
    house.circles_of_rooms,
    house.classes_of_one_name,
    house.dialect,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_keeps_each_rule(check) -> None:
    assert check(house.sources()) == []


PLANTED = [
    (house.upward_imports, {"demeter.stock.planted": "from demeter.photos import record"}),
    (house.upward_imports, {"demeter.attic.planted": "from demeter.stock import ledger"}),
    (
        house.upward_imports,
        {"demeter.core.planted": "def f():\n    from demeter.web import render"},
    ),
    (house.imports_of_an_api, {"demeter.review.planted": "from demeter.stock import api"}),
    (
        house.imports_of_an_api,
        {"demeter.web.pages.planted": "from demeter.stock.api import router"},
    ),
    (house.vision_knows, {"demeter.vision.plants.planted": "from demeter.locations import models"}),
    (house.vision_knows, {"demeter.vision.planted": "from demeter.core.db import engine"}),
    (
        house.training_at_run_time,
        {"demeter.learning.planted": "from demeter_training.scenes import compose"},
    ),
    (
        house.training_at_run_time,
        {"demeter_training.planted": "from demeter.catalog import models"},
    ),
    (
        house.circles_of_files,
        {
            "demeter.stock.planted": "from demeter.stock import planted_too",
            "demeter.stock.planted_too": "from demeter.stock import planted",
        },
    ),
    (
        house.circles_of_rooms,
        {
            "demeter.photos.planted": "from demeter.periods import planted",
            "demeter.periods.planted": "from demeter.photos import models",
        },
    ),
    (house.classes_of_one_name, {"demeter.periods.planted": "class StockBatch:\n    pass"}),
    (house.dialect, {"demeter.stock.planted": "def parted():\n    pass"}),
    (house.dialect, {"demeter.stock.planted": "class Row:\n    def told(self):\n        pass"}),
    (house.dialect, {"demeter.stock.told": ""}),
]


@pytest.mark.parametrize(
    ("check", "planted"), PLANTED, ids=[check.__name__ for check, _ in PLANTED]
)
def test_a_planted_fault_is_found(check, planted: dict[str, str]) -> None:
    trees = {module: ast.parse(text) for module, text in planted.items()}
    faults = check({**house.sources(), **trees})
    assert set(faults) - set(check(house.sources())) != set()
