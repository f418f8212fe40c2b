"""The page on security is counted again: each requirement once, each file there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
VERDICTS = ("met", "n/a", "not met")
# ASVS 5.0.0, levels 1 and 2: the first and last number of each unbroken run.
REQUIREMENTS = """
1.1.1-2 1.2.1-9 1.3.1-11 1.4.1-3 1.5.1-2  2.1.1-3 2.2.1-3 2.3.1-4 2.4.1-1
3.2.1-2 3.3.1-4 3.4.1-6 3.5.1-5 3.7.1-2  4.1.1-3 4.2.1-1 4.3.1-2 4.4.1-4
5.1.1-1 5.2.1-3 5.3.1-2 5.4.1-3  6.1.1-3 6.2.1-12 6.3.1-4 6.4.1-4 6.5.1-5 6.6.1-3 6.8.1-4
7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2  8.1.1-2 8.2.1-3 8.3.1-1 8.4.1-1
9.1.1-3 9.2.1-4  10.1.1-2 10.2.1-2 10.3.1-4 10.4.1-11 10.5.1-5 10.6.1-2 10.7.1-3
11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1-1 11.6.1-1  12.1.1-3 12.2.1-2 12.3.1-4
13.1.1-1 13.2.1-5 13.3.1-2 13.4.1-5  14.1.1-2 14.2.1-4 14.3.1-3  15.1.1-3 15.2.1-3 15.3.1-7
16.1.1-1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3  17.1.1-1 17.2.1-4 17.3.1-2
"""
ROW = re.compile(
    r"^\| (\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE
)
FILE = re.compile(r"`([\w./-]+\.(?:py|md|ts|html|toml|lock|json))`")


def _requirements() -> list[str]:
    runs = re.findall(r"(\d+\.\d+\.)(\d+)-(\d+)", REQUIREMENTS)
    return [f"{s}{n}" for s, first, last in runs for n in range(int(first), int(last) + 1)]


def test_each_requirement_stands_once_in_its_order() -> None:
    required = _requirements()
    assert len(required) == 253
    assert [number for number, *_ in ROW.findall(PAGE)] == required


def test_each_has_a_verdict_and_what_is_met_names_where_or_why() -> None:
    for number, _, asks, verdict, reason in ROW.findall(PAGE):
        assert verdict in VERDICTS, number
        assert asks.strip(), number
        assert reason.strip(), number
    not_met = [(row[0], row[4]) for row in ROW.findall(PAGE) if row[3] == "not met"]
    assert all(len(reason) > 40 for _, reason in not_met)


def test_the_counts_are_those_of_the_tables() -> None:
    counted = Counter(
        (number.split(".")[0], verdict) for number, _, _, verdict, _ in ROW.findall(PAGE)
    )
    told = re.findall(
        r"^\| V(\d+) [^|]+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE
    )
    assert [chapter for chapter, *_ in told] == [str(n) for n in range(1, 18)]
    for chapter, *numbers in told:
        of_chapter = [counted[chapter, verdict] for verdict in VERDICTS]
        assert [int(n) for n in numbers] == [*of_chapter, sum(of_chapter)], chapter
    total = re.findall(
        r"^\| \*\*All\*\* \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE
    )
    sums = [sum(counted[str(c), v] for c in range(1, 18)) for v in VERDICTS]
    assert [int(n) for n in total[0]] == [*sums, sum(sums)]


def test_each_file_that_is_named_is_there() -> None:
    names = set(FILE.findall(PAGE))
    places = (ROOT, ROOT / "src" / "demeter")
    assert sorted(n for n in names if not any((p / n).is_file() for p in places)) == []
    assert len(names) > 60
