"""The containers of choices and triplets, and what they refuse."""

import numpy as np
import pytest

from srqa.errors import InputError
from srqa.ratings.answers import Answers
from srqa.ratings.comparisons import (
    Comparisons,
    Triplets,
    count_cells,
    from_names,
    from_wins,
    groups_of,
    winning_groups_of,
)


def some(**changes):
    columns = {
        "items": ("a", "b", "c"),
        "left": np.array([0, 1, 2, 2]),
        "right": np.array([1, 0, 1, 0]),
        "choice": np.array([1, -1, 0, 1]),
        "observers": ("anna", "bert"),
        "observer": np.array([0, 0, 1, 1]),
    }
    return Comparisons(**(columns | changes))


def test_pairs_are_counted_with_and_without_sides():
    found = some()
    plain = count_cells(found, sided=False)
    assert plain.left.tolist() == [0, 0, 1]
    assert plain.right.tolist() == [1, 2, 2]
    assert plain.counts.tolist() == [[2, 0, 0], [0, 0, 1], [0, 1, 0]]
    sided = count_cells(found, sided=True)
    assert list(zip(sided.left, sided.right, strict=True)) == [(0, 1), (1, 0), (2, 0), (2, 1)]
    assert sided.counts.tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert found.votes.tolist() == [3, 3, 2]
    assert found.ties == 1


def test_weights_count():
    assert some(weights=np.array([2.0, 1, 0.5, 1])).votes.tolist() == [4, 3.5, 1.5]


def test_names_and_wins_agree():
    names = from_names(["x", "y", "y"], ["y", "x", "x"], ["left", "right", "left"])
    wins = from_wins(np.array([[0, 2], [1, 0]]), ["x", "y"])
    assert count_cells(names, False).counts.tolist() == count_cells(wins, False).counts.tolist()


def test_groups_by_comparisons_and_by_wins():
    found = from_names(["a", "b", "d"], ["b", "c", "e"], ["left", "tie", "left"])
    assert groups_of(found)[[found.code_of(n) for n in "abcde"]].tolist() == [0, 0, 0, 1, 1]
    winning = winning_groups_of(found)[[found.code_of(n) for n in "abcde"]]
    assert winning[1] == winning[2]
    assert len(set(winning)) == 4


def test_selecting_keeps_names():
    kept = some().select(np.array([True, False, False, True]))
    assert (len(kept), kept.items, kept.observers) == (2, ("a", "b", "c"), ("anna", "bert"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"right": np.array([0, 0, 1, 0])}, "against itself, the first 'a'"),
        ({"choice": np.array([1, 2, 0, 1])}, "Row 2 has the choice 2"),
        ({"choice": np.array([1, np.nan, 0, 1])}, "Row 2 has no choice"),
        ({"observers": ()}, "no observers"),
        ({"items": ()}, "no items"),
        ({"items": ("a",)}, "one item only"),
        ({"items": ("a", "b", "b")}, "'b' is listed twice"),
        ({"left": np.array([0, 1, 7, 2])}, "Row 3 has the code 7 in `left`"),
        ({"left": np.array([0, 1, 2])}, "`left` has 3 rows"),
        ({"left": np.array([0.0, 1, 2, 2])}, "integer codes"),
        ({"observer": np.array([0, 0, -1, 1])}, "code -1 in `observer`"),
        ({"weights": np.array([1.0, 0, 1, 1])}, "Row 2 has the weight 0"),
        ({"weights": np.array([1.0, np.nan, 1, 1])}, "Row 2 has the weight nan"),
        ({"weights": np.ones(3)}, "`weights` has 3 rows"),
        ({"order": np.arange(3)}, "`order` has 3 rows"),
        ({"choice": np.zeros(0)}, "no comparison"),
    ],
)
def test_bad_comparisons_are_refused_in_a_sentence(changes, words):
    with pytest.raises(InputError, match=words):
        some(**changes)


def test_pairs_of_one_picture_can_be_asked_on_purpose():
    found = some(right=np.array([0, 0, 1, 0]), identical=True)
    assert found.votes.tolist() == [2, 2, 2]
    with pytest.raises(InputError, match="Every comparison"):
        some(right=np.array([0, 1, 2, 2]), identical=True)


@pytest.mark.parametrize(
    ("wins", "words"),
    [
        (np.zeros((2, 3)), "square"),
        (np.array([[0, np.nan], [1, 0]]), "finite"),
        (np.array([[0, -1], [1, 0]]), "finite"),
        (np.array([[3, 1], [1, 0]]), "against itself"),
        (np.zeros((2, 2)), "no comparison"),
    ],
)
def test_bad_matrices_are_refused(wins, words):
    with pytest.raises(InputError, match=words):
        from_wins(wins)


def test_bad_names_are_refused():
    with pytest.raises(InputError, match="'upper' is unknown"):
        from_names(["a"], ["b"], ["upper"])
    with pytest.raises(InputError, match="have 1, 2 and 1 rows"):
        from_names(["a"], ["b", "c"], ["left"])
    with pytest.raises(InputError, match="speaks of the item 'z'"):
        some().code_of("z")


def test_answers_become_comparisons():
    pandas = pytest.importorskip("pandas")
    from srqa.ratings.tables import from_frame

    frame = pandas.DataFrame(
        {"observer": ["o", "o"], "left": ["a", "b"], "right": ["b", "a"], "choice": ["left", "tie"]}
    )
    answers = from_frame(frame)
    assert isinstance(answers, Answers)
    found = answers.comparisons()
    assert (found.items, found.choice.tolist()) == (("a", "b"), [1, 0])


def triplets(**changes):
    columns = {
        "items": ("source", "a", "b"),
        "left": np.array([1, 2, 0]),
        "pivot": np.array([0, 0, 0]),
        "right": np.array([2, 1, 2]),
        "choice": np.array([-1, 1, 0]),
        "observers": ("anna",),
        "observer": np.zeros(3, int),
    }
    return Triplets(**(columns | changes))


def test_triplets_with_sources_as_pivots_are_comparisons_of_quality():
    found = triplets().baseline(["source"])
    assert count_cells(found, False).counts.tolist() == [[0, 1, 0], [2, 0, 0]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"right": np.array([1, 1, 2])}, "'a' on both sides"),
        ({"pivot": np.array([0, 3, 0])}, "Row 2 has the code 3 in `pivot`"),
        ({"choice": np.array([-1, 1, 5])}, "Row 3 has the choice 5"),
        ({"choice": np.zeros(0)}, "no triplet"),
    ],
)
def test_bad_triplets_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        triplets(**changes)


def test_other_pivots_are_no_baseline():
    with pytest.raises(InputError, match="pivot 'a' is no source"):
        triplets(pivot=np.array([0, 0, 1])).baseline(["source"])
