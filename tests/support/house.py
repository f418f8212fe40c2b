"""The house as its imports and names show it: what stands above what, and what is called how.

Every check takes sources by module name, so that a test can plant a fault beside the real ones,
and gives a line for each fault that it finds.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
PACKAGES = ("demeter", "demeter_training")

# From the ground up; a room may import those of lower floors only. Rooms of one floor may
# import each other in one direction.
FLOORS = (
    ("core",),
    ("vision",),
    ("accounts",),
    ("locations",),
    ("catalog",),
    ("stock", "vision_models", "pricing"),
    ("counts",),
    ("photos", "periods"),
    ("review",),
    ("learning", "analytics", "imports", "search", "monitoring", "webhooks"),
    ("web",),
    ("cli", "ops", "demo"),
    ("app", "tables", "__main__"),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
OF_VISION = (  # all it may know of the rest
    "demeter.core.errors",
    "demeter.core.notices",
    "demeter.core.pixels.faults",
    "demeter.core.pixels.reading",
)
OF_TRAINING = ("demeter.cli.train", "demeter.cli.scenes", "demeter.demo.load")

# Note that say that something happened, or point at something, and not what it is. They were
# the names of functions and files here once; the list grows with what readers stumble over.
DIALECT = frozenset(
    """
    accepted added asked assembled calibrated checked clipped coarsened compared compiled corrected
    counted covered decided decoded described done doubled drawn dressed embedded
    enlarged evaluated existed failed filled fitted fixed found given greyed grown halved
    ignored inspected joined judged kept known labelled limited listed loaded locked made mapped
    matched merged missed moved named normalised opened owned packed padded parsed parted placed
    predicted prepared reached received recoloured recorded refined registered remembered removed
    rendered renewed reported resized returned reviewed rounded said scaled seen settled shared
    shown signed simplified sought spined stood straightened summarised suppressed tinted
    told trained turned uncontradicted unmarked unmoved unpacked unrecorded unsettled worked written
    between looking telling standing one other this that
    """.split()  # noqa: SIM905  a paragraph of words is easier to read
)

Sources = Mapping[str, ast.Module]


@lru_cache
def sources() -> Sources:
    """Every module of the two packages, parsed, by its dotted name."""
    return {
        _module_of(path): ast.parse(path.read_text())
        for package in PACKAGES
        for path in sorted((SRC / package).rglob("*.py"))
    }


def _module_of(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The room a module stands in: ``stock`` for ``demeter.stock.ledger``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def imports_of(tree: ast.Module, known: Mapping[str, object]) -> set[str]:
    """The modules of ours that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in known else node.module)
    return {name for name in names if name.split(".")[0] in PACKAGES}


def edges(of: Sources) -> Iterator[tuple[str, str]]:
    """Who imports whom, module by module."""
    for module, tree in of.items():
        for imported in sorted(imports_of(tree, of)):
            if imported != module:
                yield module, imported


def _is_edge(module: str) -> bool:
    return module.rsplit(".", 1)[-1].startswith("api")


def upward_imports(of: Sources) -> list[str]:
    """Imports of a higher floor, and of rooms that no floor knows."""
    faults = []
    for module, imported in edges(of):
        here, there = room_of(module), room_of(imported)
        if "demeter_training" in (module.split(".")[0], imported.split(".")[0]) or here == there:
            continue
        if there == "demeter":  # the package itself holds nothing
            continue
        if here not in FLOOR_OF or there not in FLOOR_OF:
            faults.append(f"{module} imports {imported}: no floor knows {here} or {there}")
        elif FLOOR_OF[there] > FLOOR_OF[here] and not (
            _is_edge(module) and FLOOR_OF[there] < FLOOR_OF["web"]
        ):
            faults.append(f"{module} imports {imported}, which stands above it")
    return faults


def imports_of_an_api(of: Sources) -> list[str]:
    """Imports of a feature's ``api``: only what serves them all may."""
    return [
        f"{module} imports {imported}"
        for module, imported in edges(of)
        if _is_edge(imported) and module != "demeter.app"
    ]


def vision_knows(of: Sources) -> list[str]:
    """Imports by which vision would know a feature, or more of the ground than errors."""
    return [
        f"{module} imports {imported}"
        for module, imported in edges(of)
        if module.startswith("demeter.vision.")
        and not imported.startswith("demeter.vision")
        and imported not in OF_VISION
    ]


def training_at_run_time(of: Sources) -> list[str]:
    """Imports of training by what runs in a nursery, and of a feature by training."""
    return [
        f"{module} imports {imported}"
        for module, imported in edges(of)
        if (
            (imported.startswith("demeter_training") and module.startswith("demeter."))
            and module not in OF_TRAINING
        )
        or (
            module.startswith("demeter_training")
            and imported.startswith("demeter.")
            and not imported.startswith("demeter.vision")
        )
    ]


def circles(graph: Mapping[str, set[str]]) -> list[str]:
    """Groups of nodes that reach each other, each as one line (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[str] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            at = stack.index(node)
            group = sorted(stack[at:])
            del stack[at:]
            if len(group) > 1:
                groups.append(" <-> ".join(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return groups


def circles_of_files(of: Sources) -> list[str]:
    """Modules that import each other, directly or not."""
    packages = {name for name in of if any(other.startswith(f"{name}.") for other in of)}
    graph: dict[str, set[str]] = defaultdict(set)
    for module, imported in edges(of):
        if imported not in packages and module not in packages:
            graph[module].add(imported)
    return circles(graph)


def circles_of_rooms(of: Sources) -> list[str]:
    """Rooms that import each other, directly or not; edges are not counted."""
    graph: dict[str, set[str]] = defaultdict(set)
    for module, imported in edges(of):
        if not _is_edge(module) and room_of(module) != room_of(imported):
            graph[room_of(module)].add(room_of(imported))
    return circles(graph)


def classes_of_one_name(of: Sources) -> list[str]:
    """Names that two classes of the packages have."""
    places: dict[str, list[str]] = defaultdict(list)
    for module, tree in of.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    return [f"{name}: {', '.join(at)}" for name, at in sorted(places.items()) if len(at) > 1]


def dialect(of: Sources) -> list[str]:
    """Public functions, methods and files that are named by a word of the list."""
    faults = [
        f"{module} is a file of the dialect"
        for module in of
        if module.rsplit(".", 1)[-1] in DIALECT
    ]
    faults += [
        f"{module}:{node.lineno} {node.name}()"
        for module, tree in of.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in DIALECT
    ]
    return faults
