"""What a seed draws: a short busy life, and the faults in it. The same seed draws the same."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from demeter.core.crash_points import STEPS
from harness.ground import BEDS

LIFE_S = 7.0
CLIENTS = 3
KINDS = (
    "crash_point",
    "kill_web",
    "kill_worker",
    "kill_supervisor",
    "kill_postmaster",
    "kill_backend",
    "kill_store",
    "kill_decoder",
    "crash_decoder",
    "pause_worker",
    "wire_database",
    "wire_store",
    "full_home",
    "full_temporary",
    "full_log",
    "clock_jump",
    "two_workers",
    "replay_jobs",
)
WEIGHTS = {"crash_point": 6}  # there are many of them; any other is 1
SECOND_FAULT_SHARE = 0.3
MOODS = ("cut", "slow", "truncate", "closed")
# Faults that need what only a run of their own has.
OF_A_STORE = {"kill_store", "wire_store"}
OF_A_DATABASE_OUTSIDE = {"wire_database"}
OF_THE_EMBEDDED_DATABASE = {"kill_postmaster", "full_home"}
# What has to happen so that a step is come to.
ACTS_OF_STEPS = {
    "correction": "correct",
    "closing": "close_month",
    "import": "import_list",
    "backup": "backup",
    "recovery": "none",
}


@dataclass(frozen=True)
class Act:
    """Something that somebody does, so many seconds after the beginning."""

    at_s: float
    client: int
    kind: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """Something that breaks, when, and for how long where that is asked."""

    at_s: float
    kind: str
    details: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        details = " ".join(f"{key}={value}" for key, value in self.details.items())
        return f"{self.kind} at {self.at_s:.1f} s {details}".strip()


@dataclass(frozen=True)
class Plan:
    """A run."""

    seed: int
    acts: tuple[Act, ...]
    faults: tuple[Fault, ...]
    has_bucket: bool

    def has(self, kinds: set[str]) -> bool:
        """Whether one of these faults is in it."""
        return any(fault.kind in kinds for fault in self.faults)


def draw(seed: int, kinds: tuple[str, ...] = KINDS, photos: int = 4) -> Plan:
    """The run of a seed; ``kinds`` are the faults that it may have."""
    chance = random.Random(seed)
    faults = _draw_faults(chance, kinds)
    wanted = {ACTS_OF_STEPS.get(step.partition(".")[0]) for step in _steps(faults)}
    acts = _draw_acts(chance, photos, wanted)
    has_bucket = any(f.kind in OF_A_STORE for f in faults) or chance.random() < 0.2
    return Plan(seed, tuple(sorted(acts, key=lambda act: act.at_s)), tuple(faults), has_bucket)


def _steps(faults: list[Fault]) -> list[str]:
    return [fault.details["step"] for fault in faults if fault.kind == "crash_point"]


def _draw_faults(chance: random.Random, kinds: tuple[str, ...]) -> list[Fault]:
    weights = [WEIGHTS.get(kind, 1) for kind in kinds]
    number = 2 if chance.random() < SECOND_FAULT_SHARE else 1
    drawn = [chance.choices(kinds, weights)[0] for _ in range(number)]
    if len(set(drawn)) < len(drawn) or _exclude_each_other(set(drawn)):
        drawn = drawn[:1]
    return [_fault(chance, kind) for kind in drawn]


def _exclude_each_other(kinds: set[str]) -> bool:
    return bool(kinds & OF_A_DATABASE_OUTSIDE and kinds & OF_THE_EMBEDDED_DATABASE)


def _fault(chance: random.Random, kind: str) -> Fault:
    at_s = round(chance.uniform(0.5, LIFE_S), 1)
    details: dict[str, Any] = {}
    if kind == "crash_point":
        step = chance.choice(STEPS)
        # What happens once in a life dies the first time; what happens often, any time.
        is_rare = step.partition(".")[0] in ACTS_OF_STEPS
        details = {"step": step, "nth": 1 if is_rare else chance.randint(1, 3)}
        at_s = 0.0
    elif kind in ("wire_database", "wire_store"):
        details = {"mood": chance.choice(MOODS), "for_s": round(chance.uniform(1, 6), 1)}
    elif kind in ("kill_store", "full_home", "full_temporary", "full_log", "pause_worker"):
        details = {"for_s": round(chance.uniform(1, 8), 1)}
    elif kind == "clock_jump":
        details = {"by_s": chance.choice((-86_400, -7_200, -90, 90, 7_200, 86_400))}
    elif kind in ("kill_worker", "kill_web", "kill_backend", "kill_decoder"):
        details = {"times": chance.randint(1, 2)}
    if kind == "pause_worker":  # longer than the others wait for its sign of life
        details = {"for_s": round(chance.uniform(6, 14), 1)}
    return Fault(at_s, kind, details)


def _draw_acts(chance: random.Random, photos: int, wanted: set[str | None]) -> list[Act]:
    pairs = [(photo, bed) for photo in range(photos) for bed in BEDS]
    sent = chance.sample(pairs, chance.randint(4, 6))
    acts = [
        _act(chance, "upload", photo=photo, bed=bed, with_key=chance.random() < 0.5)
        for photo, bed in sent
    ]
    repeat, bed = chance.choice(sent)
    acts.append(_act(chance, "upload", photo=repeat, bed=bed, with_key=chance.random() < 0.5))
    acts.append(_act(chance, "refused_upload", number=chance.randrange(1000)))
    acts.append(_act(chance, "broken_off_upload", number=chance.randrange(1000)))
    acts += [_act(chance, "report_deaths", plants=chance.randint(1, 9)) for _ in range(2)]
    acts.append(_act(chance, "count_by_hand", plants=chance.randint(300, 390)))
    acts += [_act(chance, "look") for _ in range(3)]
    for kind in ("correct", "close_month", "import_list", "backup"):
        if kind in wanted or chance.random() < (0.25 if kind == "backup" else 0.5):
            acts.append(_act(chance, kind, number=chance.randint(1, 200)))
    return acts


def _act(chance: random.Random, kind: str, **details: Any) -> Act:
    return Act(round(chance.uniform(0, LIFE_S), 1), chance.randrange(CLIENTS), kind, details)
