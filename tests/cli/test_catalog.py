"""``demeter catalog`` and ``demeter evidence`` as processes of their own."""

from __future__ import annotations

import json

import pytest

from demeter.core import db
from demeter.core.db import transaction
from support import commands
from support.nursery import plant_nursery


@pytest.fixture(autouse=True)
def nursery(fresh_database: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMETER_HOME", str(tmp_path))
    db.settings.cache_clear()
    with transaction() as session:
        plant_nursery(session)


def demeter(*words: str, ok: bool = True) -> str:
    """What a command printed; of one that is refused, what it said."""
    done = commands.demeter(*words)
    assert (done.returncode == 0) is ok, done.stderr
    return done.stdout if ok else done.stderr


def test_a_product_is_added_changed_listed_retired_and_deleted():
    words = ["code=HAWORTHIA-01", "name=Haworthia cooperi", "category_code=SUCCULENT"]
    added = json.loads(demeter("catalog", "add", "products", *words, "--json"))
    assert (added["code"], added["active"]) == ("HAWORTHIA-01", True)
    words = ["family_code=ASPHODELACEAE", "current_height_mm=12,5"]
    changed = json.loads(demeter("catalog", "change", "products", "HAWORTHIA-01", *words, "--json"))
    assert (changed["family_code"], changed["current_height_mm"]) == ("ASPHODELACEAE", "12.5")
    demeter("catalog", "retire", "products", "HAWORTHIA-01", "--user", "rosa")
    rows = json.loads(demeter("catalog", "list", "products", "--inactive", "--json"))
    assert [row["code"] for row in rows] == ["HAWORTHIA-01"]
    demeter("catalog", "delete", "products", "HAWORTHIA-01")


def test_what_is_wrong_is_named():
    said = demeter("catalog", "add", "products", "code=a/b", "nome=x", ok=False)
    assert "code: not right" in said
    assert "name: is needed" in said
    assert "nome: is no field here" in said
    assert "there are" in demeter("catalog", "list", "colours", ok=False)
    narrowed = demeter("catalog", "list", "products", "--where", "category_code=CACTUS", "--json")
    assert [row["code"] for row in json.loads(narrowed)] == ["MAMMILLARIA-01"]
