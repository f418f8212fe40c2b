"""Readable in full sun: contrast by WCAG 2.2, computed from the style sheet itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "frontend" / "src" / "styles" / "tokens.css").read_text()
# As it is by itself, as a person chose it, and as a dark system asks for it.
LIGHT, CHOSEN, DARK = (
    dict(re.findall(r"--([a-z-]+): +(#[0-9a-f]{6})", re.search(pattern, CSS, re.DOTALL)[1]))
    for pattern in (
        r"\n:root \{(.*?)\n\}",
        r":root\[data-theme=dark\] \{(.*?)\}",
        r":root:not\(\[data-theme=light\]\) \{(.*?)\}",
    )
)


def test_dark_is_the_same_whoever_asks_for_it():
    assert DARK == CHOSEN
    assert set(DARK) <= set(LIGHT)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "paper", 12),
        ("ink", "card", 12),
        ("soft", "paper", 7),
        ("soft", "card", 7),
        ("leaf", "card", 7),
        ("on-leaf", "leaf", 7),
        ("leaf-strong", "leaf-pale", 7),
        ("sky", "sky-pale", 5.5),
        ("clay", "card", 5.5),
        ("clay", "clay-pale", 5.5),
        ("sun", "sun-pale", 5.5),
        ("alarm", "alarm-pale", 5.5),
    ],
)
def test_text_stands_out_from_its_ground(scheme, text, ground, least):
    assert contrast(scheme[text], scheme[ground]) >= least
