"""The vision checks: what is drawn, and what answers are worth."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from srqa.study import vision


def right_answers(test: str, seed: int) -> list:
    """By looking at what is drawn, as a good eye would."""
    items = vision.items(test, seed)
    if test == "acuity":
        return [item["turn"] for item in items]
    if test == "brightness":
        return [len(item["shapes"]) for item in items]
    return [read_plate(item) for item in items]


def read_plate(item: dict, keep=lambda rgb: rgb) -> int | None:
    """The digit whose strokes differ most in colour from the rest of the dots; None for none."""
    colours = np.array([[int(ink[i : i + 2], 16) for i in (1, 3, 5)] for ink in item["inks"]])
    dots = item["dots"]
    hues = np.array([keep(colours[ink] / colours[ink].sum()) for *_, ink in dots])
    light = np.array([colours[ink].mean() / 255 for *_, ink in dots])
    found = {}
    for digit in item["choices"]:
        inside = np.array([vision._inside(digit, x, y) for x, y, *_ in dots])
        gap = np.linalg.norm(hues[inside].mean(0) - hues[~inside].mean(0))
        found[digit] = gap + 0.2 * abs(light[inside].mean() - light[~inside].mean())
    best = max(found, key=found.get)
    return best if found[best] > 0.03 else None


@pytest.mark.parametrize("test", ["acuity", "colour", "brightness"])
@pytest.mark.parametrize("seed", [1, 2, 77])
def test_a_good_eye_passes_and_a_guess_does_not(test, seed) -> None:
    assert vision.items(test, seed) == vision.items(test, seed)
    assert vision.items(test, seed) != vision.items(test, seed + 1)
    json.dumps(vision.items(test, seed), allow_nan=False)
    answers = right_answers(test, seed)
    passed, figures = vision.score(test, seed, answers)
    assert passed
    json.dumps(figures, allow_nan=False)
    for wrong in ([], [None] * len(answers), ["x"] * len(answers), [True] * 20, [1e400], [-1] * 13):
        assert not vision.score(test, seed, wrong)[0]


def test_rings_have_the_gap_of_their_acuity() -> None:
    for item, acuity in zip(vision.items("acuity", 5), vision._ACUITIES, strict=True):
        gap = item["diameter_mm"] / 5
        minutes = 60 * math.degrees(math.atan(gap / vision.DISTANCE_MM))
        assert minutes == pytest.approx(1 / acuity, rel=1e-3)


def test_acuity_is_the_finest_row_that_is_read() -> None:
    answers = right_answers("acuity", 9)
    blind = [(turn + 1) % 4 for turn in answers]
    for row in (0.2, 0.3, 0.4, 0.5, 0.63):
        given = [
            good if acuity <= row else bad
            for good, bad, acuity in zip(answers, blind, vision._ACUITIES, strict=True)
        ]
        passed, figures = vision.score("acuity", 9, given)
        assert figures["acuity"] == row
        assert passed == (row >= 0.5)


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_an_eye_without_one_kind_of_cone_fails_its_plates(kind) -> None:
    """Dichromats after Viénot, Brettel and Mollon (1999), from linear sRGB."""
    rgb_to_lms = np.array(
        [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
    )
    lost = {
        "protan": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
        "deutan": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
    }[kind]
    through = np.linalg.inv(rgb_to_lms) @ lost @ rgb_to_lms

    def seen(item: dict) -> dict:
        linear = [
            through @ (np.array([int(ink[i : i + 2], 16) for i in (1, 3, 5)]) / 255) ** 2.2
            for ink in item["inks"]
        ]
        levels = np.clip(np.clip(linear, 0, 1) ** (1 / 2.2) * 255, 0, 255).round().astype(int)
        return item | {"inks": ["#" + "".join(f"{v:02x}" for v in row) for row in levels]}

    for seed in range(3):
        items = vision.items("colour", seed)
        answers = [read_plate(seen(item)) for item in items]
        passed, figures = vision.score("colour", seed, answers)
        assert not passed
        assert figures[f"missed_{kind}"] == 2
        assert figures["missed_control"] == 0


def test_dots_do_not_touch() -> None:
    dots = vision.items("colour", 3)[0]["dots"]
    assert 150 < len(dots) < 900
    for (x, y, r, _), (a, b, s, _) in itertools.combinations(dots, 2):
        assert math.hypot(x - a, y - b) > r + s


def test_shapes_that_are_not_there_count_against() -> None:
    answers = right_answers("brightness", 4)
    assert vision.score("brightness", 4, [n - 2 for n in answers])[0]
    assert not vision.score("brightness", 4, [answers[0] - 3, answers[1]])[0]
    assert not vision.score("brightness", 4, [answers[0] + 1, answers[1]])[0]
