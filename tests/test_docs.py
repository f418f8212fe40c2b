"""The documents are tested: every setting, command, error, table and dependency is in them."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from typer import Typer
from typer.main import get_command

from demeter import tables
from demeter.cli import COMMANDS
from demeter.core.db import Base
from demeter.core.errors import DomainError
from demeter.core.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def test_every_setting_is_documented() -> None:
    told = (DOCS / "settings.md").read_text()
    missing = [name for name in Settings.model_fields if f"DEMETER_{name.upper()}" not in told]
    assert missing == []


def test_no_setting_is_documented_that_is_not_there() -> None:
    told = set(re.findall(r"DEMETER_[A-Z_]+", (DOCS / "settings.md").read_text()))
    assert told == {f"DEMETER_{name.upper()}" for name in Settings.model_fields}


def test_every_command_has_its_row_and_no_other() -> None:
    rows = re.findall(r"^\| `(demeter [a-z -]+)`", (DOCS / "commands.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(_commands())


def _commands() -> list[str]:
    names: list[str] = []
    for name, source in COMMANDS.items():
        command = getattr(import_module(source.module), source.attribute)
        group = get_command(command) if isinstance(command, Typer) else None
        below: dict[str, object] = getattr(group, "commands", {})
        names += [f"demeter {name} {verb}" for verb in below] or [f"demeter {name}"]
    return names


def test_every_table_has_its_row_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_0-9]+)` \|", (DOCS / "tables.md").read_text(), re.MULTILINE)
    created = re.findall(
        r"CREATE TABLE ([a-z_0-9]+)",
        "".join(path.read_text() for path in (ROOT / "migrations" / "versions").glob("*.py")),
    )
    assert tables.photos  # every table's class is in the metadata
    assert sorted(rows) == sorted({*Base.metadata.tables, *created})


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 100


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "decisions" / "README.md").read_text()
    pages = {path.name for path in (DOCS / "decisions").glob("*.md")} - {"README.md"}
    assert sorted(name for name in pages if f"]({name})" not in index) == []
    numbers = [name[:4] for name in pages if name[:4].isdigit()]
    assert sorted(numbers) == sorted(set(numbers))


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + [
        requirement
        for group in project["dependency-groups"].values()
        for requirement in group
        if isinstance(requirement, str)
    ]
    wanted += [r for rs in project["project"]["optional-dependencies"].values() for r in rs]
    told = (DOCS / "decisions" / "dependencies.md").read_text().lower()
    names = {re.split(r"[\[<>=~! ;]", requirement)[0].lower() for requirement in wanted}
    assert sorted(name for name in names if name not in told) == []


def test_every_error_is_in_the_table_of_errors() -> None:
    import demeter.app  # noqa: PLC0415  loads every feature
    import demeter.vision.errors  # noqa: F401, PLC0415

    told = (DOCS / "errors.md").read_text()
    errors = {e.code for e in _descendants(DomainError) if e.__module__.startswith("demeter.")}
    assert sorted(code for code in errors if f"`{code}`" not in told) == []


def _descendants(kind: type) -> set[type]:
    return {kind}.union(*(_descendants(child) for child in kind.__subclasses__()), set())


@pytest.mark.parametrize("page", sorted(p.relative_to(ROOT) for p in ROOT.glob("**/*.md")))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    if page.parts[0] in (".venv", "runs", "frontend") and "node_modules" in page.parts:
        pytest.skip("not ours")
    text = (ROOT / page).read_text()
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", text)
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_eight_stations_of_the_data_flow_are_there() -> None:
    text = (DOCS / "data-flow.md").read_text()
    stations = re.findall(r"^\| (\d) \| [a-z ]+ \| (`[a-z_/]+\.py`.*)$", text, re.MULTILINE)
    assert [number for number, _ in stations] == list("12345678")
    for _, row in stations:
        files = re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", row)
        assert files != []
        assert [name for name in files if not (ROOT / "src" / "demeter" / name).exists()] == []


def test_every_remark_on_a_table_is_in_the_table_of_errors() -> None:
    source = ROOT / "src" / "demeter"
    files = [*(source / "core" / "tabular").glob("*.py"), *(source / "periods").glob("sales_*.py")]
    files += [source / "counts" / "sheets" / f"{name}.py" for name in ("reading", "location_rows")]
    codes = {code for f in files for code in re.findall(r'Notice\(\s*"([a-z_]+)"', f.read_text())}
    assert {"no_whole_number", "bins_missing", "outside_period"} <= codes
    told = (DOCS / "errors.md").read_text()
    assert sorted(code for code in codes if f"`{code}`" not in told) == []
