"""Self-made vision checks: Landolt rings, plates of coloured dots, shapes near black and white.

`items` says what the page draws, `score` what the answers are worth; both draw the same test again
from its seed, so no right answer is kept or sent. What must be seen to be answered is in the items:
they are screening, not an examination that somebody could want to cheat in.

They tell whether a person at this screen sees what a study of picture quality needs; they are no
diagnosis. Acuity follows the geometry of ISO 8596 (the gap of a ring is a fifth of its diameter) at
60 cm. Plates place figure and ground on one line of confusion (the copunctal points of Smith and
Pokorny 1975), with dots of random lightness, so that only the hue tells the figure.

>>> [item["turn"] for item in items("acuity", "a seed")] == [
...     item["turn"] for item in items("acuity", "a seed")
... ]
True
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random
from typing import Any, Literal, cast

Test = Literal["acuity", "colour", "brightness"]
Item = dict[str, Any]
Figures = dict[str, float | int | str | bool | None]

DISTANCE_MM = 600.0
"""From eye to screen, an arm's length."""
_ACUITIES = (0.2, 0.3, 0.4, 0.4, 0.4, 0.5, 0.5, 0.5, 0.5, 0.63, 0.63, 0.63, 0.63)
_NEEDED = 0.5  # 20/40 at the screen's distance; three of four rings

_SIDE = 100.0
_CELL = 6.0  # more than two of the largest dots need
_FONT = {  # 5 x 7, a row a number
    2: (14, 17, 1, 2, 4, 8, 31),
    3: (31, 2, 4, 2, 1, 17, 14),
    4: (2, 6, 10, 18, 31, 2, 2),
    5: (31, 16, 30, 1, 1, 17, 14),
    6: (6, 8, 16, 30, 17, 17, 14),
    7: (31, 1, 2, 4, 8, 8, 8),
    8: (14, 17, 17, 14, 17, 17, 14),
    9: (14, 17, 17, 15, 1, 2, 12),
}
_WHITE = (0.3127, 0.3290)
_COPUNCTAL = {"protan": (0.7465, 0.2535), "deutan": (1.4, -0.4), "tritan": (0.1748, 0.0)}
_PLATES = ("control", "protan", "deutan", "blank", "tritan", "protan", "deutan")

_PLACES = 6
_DARK = (2, 4, 7, 11, 16, 24)
_SHAPES = ("circle", "square", "triangle", "diamond", "hexagon")


def items(test: Test, seed: int | str) -> list[Item]:
    """What the page draws, item after item.

    Args:
        test: which check.
        seed: the same seed gives the same items.

    Returns:
        acuity: `turn` (quarters clockwise from the right) and `diameter_mm` of a ring; colour:
        `side`, `paper`, `inks`, `dots` as (x, y, radius, number of the ink) and `choices`;
        brightness: `ground`, `places` and `shapes` of a level each.
    """
    return [item for item, _ in _drawn(test, seed)]


def score(test: Test, seed: int | str, answers: Sequence[Any]) -> tuple[bool, Figures]:
    """Whether a check is passed, and its figures.

    Acuity passes with three of four rings at 0.5 (20/40); colour with the control plate and at most
    one of the others missed; brightness with no more than two of the shapes missed on either ground
    and none seen that is not there. Answers that are missing or of another kind count as wrong.

    Args:
        test: which check.
        seed: as given to `items`.
        answers: one an item: a turn, a digit or a number of shapes; None for "cannot tell".
    """
    truth = [right for _, right in _drawn(test, seed)]
    given = list(answers)[: len(truth)]
    given += [None] * (len(truth) - len(given))
    return _SCORES[test](truth, [_number(answer) for answer in given])


def _number(answer: Any) -> int | None:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return None
    return int(answer) if math.isfinite(answer) and answer == int(answer) else None


@lru_cache(maxsize=32)
def _drawn(test: Test, seed: int | str) -> list[tuple[Item, Any]]:
    return _DRAWERS[test](Random(f"{test}/{seed}"))


def _rings(random: Random) -> list[tuple[Item, tuple[float, int]]]:
    made: list[tuple[Item, tuple[float, int]]] = []
    for acuity in _ACUITIES:
        gap = DISTANCE_MM * math.tan(math.radians(1 / 60 / acuity))
        turn = random.randrange(4)
        made.append(({"turn": turn, "diameter_mm": round(5 * gap, 4)}, (acuity, turn)))
    return made


def _score_rings(truth: list[tuple[float, int]], answers: list[int | None]) -> tuple[bool, Figures]:
    seen: dict[float, list[bool]] = {}
    for (acuity, turn), answer in zip(truth, answers, strict=True):
        seen.setdefault(acuity, []).append(answer == turn)
    reached = [acuity for acuity, right in seen.items() if sum(right) >= 0.75 * len(right)]
    best = max(reached, default=0.0)
    right = sum(sum(each) for each in seen.values())
    return best >= _NEEDED, {"acuity": best, "right": right, "of": len(truth)}


def _plates(random: Random) -> list[tuple[Item, tuple[str, int | None]]]:
    digits = random.sample(list(_FONT), len(_PLATES))
    return [
        _plate(random, kind, None if kind == "blank" else digit)
        for kind, digit in zip(_PLATES, digits, strict=True)
    ]


def _plate(random: Random, kind: str, digit: int | None) -> tuple[Item, tuple[str, int | None]]:
    ground, figure = _chromaticities(kind)
    lightness = [0.20, 0.25, 0.31, 0.37]
    inks = [_ink(ground, light) for light in lightness]
    brighter = 2.1 if kind == "control" else 1.0
    inks += [_ink(figure, brighter * light) for light in lightness]
    dots = [
        (x, y, radius, random.randrange(4) + 4 * (digit is not None and _inside(digit, x, y)))
        for x, y, radius in _scatter(random)
    ]
    item = {
        "side": _SIDE, "paper": "#f2f2f0", "inks": inks, "dots": dots, "choices": sorted(_FONT),
    }  # fmt: skip
    return item, (kind, digit)


def _chromaticities(kind: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of ground and figure: both on a line through white and the copunctal point."""
    if kind in ("control", "blank"):
        return _WHITE, _WHITE
    x, y = _WHITE
    to_x, to_y = _COPUNCTAL[kind][0] - x, _COPUNCTAL[kind][1] - y
    length = math.hypot(to_x, to_y)
    reach = 0.075 if kind == "tritan" else 0.055
    step_x, step_y = reach * to_x / length, reach * to_y / length
    return (x - step_x, y - step_y), (x + step_x, y + step_y)


def _ink(chromaticity: tuple[float, float], luminance: float) -> str:
    """sRGB of a chromaticity at a luminance (IEC 61966-2-1)."""
    x, y = chromaticity
    big_x, big_z = luminance * x / y, luminance * (1 - x - y) / y
    linear = (
        3.2406 * big_x - 1.5372 * luminance - 0.4986 * big_z,
        -0.9689 * big_x + 1.8758 * luminance + 0.0415 * big_z,
        0.0557 * big_x - 0.2040 * luminance + 1.0570 * big_z,
    )
    levels = (
        12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055
        for v in (min(1.0, max(0.0, value)) for value in linear)
    )
    return "#" + "".join(f"{round(255 * level):02x}" for level in levels)


def _inside(digit: int, x: float, y: float) -> bool:
    column, row = int((x - 27.5) // 9), int((y - 18.5) // 9)
    return 0 <= column < 5 and 0 <= row < 7 and bool(_FONT[digit][row] >> (4 - column) & 1)


def _scatter(random: Random) -> list[tuple[float, float, float]]:
    """Dots that do not touch, the large ones first, within a circle."""
    cells: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
    for radius, tries in ((2.7, 700), (2.1, 900), (1.5, 1600)):
        for _ in range(tries):
            x, y = round(random.uniform(0, _SIDE), 1), round(random.uniform(0, _SIDE), 1)
            if math.hypot(x - _SIDE / 2, y - _SIDE / 2) > _SIDE / 2 - radius - 0.5:
                continue
            column, row = int(x // _CELL), int(y // _CELL)
            near = (
                dot
                for i in (column - 1, column, column + 1)
                for j in (row - 1, row, row + 1)
                for dot in cells.get((i, j), ())
            )
            if all(math.hypot(x - a, y - b) > radius + r + 0.25 for a, b, r in near):
                cells.setdefault((column, row), []).append((x, y, radius))
    return [dot for each in cells.values() for dot in each]


def _score_plates(
    truth: list[tuple[str, int | None]], answers: list[int | None]
) -> tuple[bool, Figures]:
    right = [digit == answer for (_, digit), answer in zip(truth, answers, strict=True)]
    missed = {
        name: sum(1 for (kind, _), ok in zip(truth, right, strict=True) if kind == name and not ok)
        for name in ("control", "protan", "deutan", "tritan", "blank")
    }
    passed = not missed["control"] and sum(missed.values()) <= 1
    figures: Figures = {f"missed_{name}": number for name, number in missed.items()}
    return passed, {"right": sum(right), "of": len(truth), **figures}


def _fields(random: Random) -> list[tuple[Item, int]]:
    made = []
    for ground in (0, 255):
        count = random.randint(4, _PLACES)
        levels = sorted(random.sample(_DARK, count))
        random.shuffle(levels)
        shapes = [
            {"shape": random.choice(_SHAPES), "level": level if ground == 0 else 255 - level}
            for level in levels
        ]
        made.append(({"ground": ground, "places": _PLACES, "shapes": shapes}, count))
    return made


def _score_fields(truth: list[int], answers: list[int | None]) -> tuple[bool, Figures]:
    missed = [
        None if seen is None else count - seen for count, seen in zip(truth, answers, strict=True)
    ]
    passed = all(lost is not None and 0 <= lost <= 2 for lost in missed)
    return passed, {"missed_dark": missed[0], "missed_light": missed[1]}


_DRAWERS = cast(
    "dict[str, Callable[[Random], list[tuple[Item, Any]]]]",
    {"acuity": _rings, "colour": _plates, "brightness": _fields},
)
_SCORES = cast(
    "dict[str, Callable[[list[Any], list[int | None]], tuple[bool, Figures]]]",
    {"acuity": _score_rings, "colour": _score_plates, "brightness": _score_fields},
)
