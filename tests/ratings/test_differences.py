"""ACR-HR, DSCQS and CCR."""

import numpy as np
import pandas as pd
import pytest

from srqa.errors import InputError
from srqa.ratings.answers import Stimulus, from_matrix
from srqa.ratings.differences import ccr, dscqs, hidden_reference
from srqa.ratings.scores import mos
from srqa.ratings.tables import from_frame

NAMES = [Stimulus("hr"), Stimulus("a", reference="hr"), Stimulus("b", reference="hr")]
TABLE = np.array([[5.0, 4, 3], [4.0, 4, 4], [2.0, 3, 1]])


def test_per_subject_differences():
    found = hidden_reference(from_matrix(TABLE, NAMES))
    assert found.names == ("a", "b")
    assert found.value.tolist() == [4, 5, 6, 2, 4, 3]
    np.testing.assert_allclose(mos(found).mos, [5, 3])


def test_crushing():
    found = hidden_reference(from_matrix(TABLE, NAMES), crush=True)
    np.testing.assert_allclose(found.value[:3], [4, 5, 7 * 6 / 8])


def test_repeated_votes_on_the_reference_are_averaged():
    cube = np.full((2, 1, 2), np.nan)
    cube[0, 0], cube[1, 0, 0] = [5, 4], 3
    found = hidden_reference(from_matrix(cube, NAMES[:2]))
    assert found.value.tolist() == [3.5]


def test_mean_ref_is_sureals():
    pytest.importorskip("sureal", reason="pip install sureal")
    from oracle.sureal_tool import run

    rng = np.random.default_rng(0)
    table = rng.integers(1, 6, (4, 7)).astype(float)
    names = [Stimulus("0"), *(Stimulus(str(j), reference="0") for j in (1, 2, 3))]
    found = mos(hidden_reference(from_matrix(table, names), "mean_ref"), "normal")
    want = run("DmosModel", table, ref=0)
    np.testing.assert_allclose(found.mos, want["quality_scores"][1:])
    half = np.asarray(want["quality_scores_ci95"][0][1:])
    np.testing.assert_allclose((found.ci_high - found.ci_low) / 2, half)


def test_clamped_cuts_means():
    table = np.array([[3.0, 4, 2], [5, 5, 4], [2, 3, 1]])
    found = mos(hidden_reference(from_matrix(table, NAMES), "clamped"))
    np.testing.assert_allclose(found.mos, [5, 2 - 3 + 5])


@pytest.mark.parametrize(
    ("table", "names", "words"),
    [
        (TABLE[:2], ["a", "b"], "No stimulus names its reference"),
        (TABLE[1:], NAMES[1:], "The reference hr has no votes"),
        (np.array([[np.nan, 4.0, 3], [4, 4, 4]]), NAMES[:2], "1 rated a but not its reference hr"),
    ],
)
def test_references_without_votes(table, names, words):
    with pytest.raises(InputError, match=words):
        hidden_reference(from_matrix(table, names))


def trials():
    """Two DSCQS trials by ann, one by bob."""
    return pd.DataFrame(
        {
            "observer": ["ann"] * 4 + ["bob"] * 2,
            "left": ["hr", "hr", "b", "b", "a", "a"],
            "right": ["a", "a", "hr", "hr", "hr", "hr"],
            "stimulus": ["hr", "a", "b", "hr", "hr", "a"],
            "reference": ["", "hr", "hr", "", "", "hr"],
            "value": [90, 70, 30, 80, 60, 65],
        }
    )


def test_dscqs_takes_the_difference_of_a_trial():
    found = dscqs(from_frame(trials()))
    assert found.names == ("a", "b")
    scores = mos(found)
    np.testing.assert_allclose(scores.mos, [(20 - 5) / 2, 50])
    assert (found.rating_scale.low, found.rating_scale.high) == (-100, 100)


def test_dscqs_needs_both_ratings():
    with pytest.raises(InputError, match="bob rated only one of a and hr"):
        dscqs(from_frame(trials().drop(index=4)))
    with pytest.raises(InputError, match="names the other as its reference"):
        dscqs(from_frame(trials().assign(reference="")))
    with pytest.raises(InputError, match="which two pictures"):
        dscqs(from_frame(trials().iloc[:2].drop(columns=["left", "right"])))


def test_ccr_takes_the_order_out():
    frame = pd.DataFrame(
        {
            "observer": ["ann", "bob"],
            "stimulus": ["a", "a"],
            "reference": ["hr", "hr"],
            "left": ["hr", "a"],
            "right": ["a", "hr"],
            "value": [-2, 1],
        }
    )
    found = ccr(from_frame(frame))
    assert found.value.tolist() == [-2, -1]
    assert mos(found).mos.tolist() == [-1.5]
    with pytest.raises(InputError, match="Row 2 does not say whether"):
        ccr(from_frame(frame.assign(left=["hr", "b"])))
