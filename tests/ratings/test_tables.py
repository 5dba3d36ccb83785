"""The tidy table: what it accepts, gives back, and refuses in a sentence."""

import numpy as np
import pandas as pd
import pytest

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import ACR5, CONTINUOUS, RatingScale, Stimulus, from_matrix
from srqa.ratings.checks import islands, remarks
from srqa.ratings.tables import COLUMNS, from_frame, load, save, to_frame


def rows(**changed):
    """Two observers, two stimuli, all facts given."""
    table = {
        "study": ["s"] * 4,
        "dataset": ["set5"] * 4,
        "content": ["baby", "baby", "bird", "bird"],
        "scale": [4.0] * 4,
        "method": ["swinir"] * 4,
        "stimulus": ["a.png", "a.png", "b.png", "b.png"],
        "reference": ["hr/a.png", "hr/a.png", "hr/b.png", "hr/b.png"],
        "observer": ["ann", "bob", "ann", "bob"],
        "session": ["1"] * 4,
        "order": [0, 1, 1, 0],
        "value": [4, 5, 2, 3],
        "response_ms": [900.0, 1200.0, np.nan, 800.0],
        "flags": ["", "", "trap;gold", ""],
    }
    return pd.DataFrame(table | changed)


def mixed():
    """Ratings and choices in one table."""
    choices = pd.DataFrame(
        {
            "study": "s",
            "dataset": "set5",
            "content": ["baby", "baby"],
            "scale": 4.0,
            "observer": ["ann", "cyd"],
            "left": ["set5/baby/x4/hat", "a.png"],
            "right": ["a.png", "set5/baby/x4/hat"],
            "choice": ["left", "tie"],
        }
    )
    return pd.concat([rows(), choices], ignore_index=True)


def test_codes_and_facts():
    answers = from_frame(rows())
    assert answers.observers == ("ann", "bob")
    fact = Stimulus("a.png", "set5", "baby", 4.0, "swinir", "hr/a.png")
    assert answers.stimuli[0] == fact
    assert answers.value.tolist() == [4, 5, 2, 3]
    assert answers.rating_scale == ACR5
    assert answers.has_flag("trap").tolist() == [False, False, True, False]
    assert not answers.is_partial


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_what_is_saved_is_loaded(tmp_path, suffix):
    answers = from_frame(mixed())
    path = save(answers, tmp_path / f"answers{suffix}")
    again = load(path)
    pd.testing.assert_frame_equal(to_frame(again), to_frame(answers))
    assert again.stimuli == answers.stimuli
    assert list(to_frame(answers).columns) == list(COLUMNS)


def test_a_table_of_both_kinds_is_parted():
    answers = from_frame(mixed())
    ratings, pairs = answers.ratings(), answers.comparisons()
    assert ratings.names == ("a.png", "b.png")
    assert ratings.observers == ("ann", "bob")
    assert len(ratings) == 4
    assert set(pairs.items) == {"a.png", "set5/baby/x4/hat"}
    assert pairs.observers == ("ann", "cyd")
    assert pairs.choice.tolist() == [1, 0]
    assert [s.method for s in answers.stimuli if s.name.endswith("hat")] == ["hat"]


def test_names_are_made_of_facts():
    frame = rows().drop(columns=["stimulus"])
    assert from_frame(frame).names == ("set5/baby/x4/swinir", "set5/bird/x4/swinir")
    frame["scale"] = "x4"
    assert from_frame(frame).stimuli[0].scale == 4.0


def test_numbers_that_look_like_names_stay_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("observer,stimulus,value\n007,1,3\nNA,1,4\n007,2,5\nNA,2,3\n")
    answers = load(path)
    assert answers.observers == ("007", "NA")
    assert answers.names == ("1", "2")


def test_extra_columns_are_mentioned():
    assert "age" in from_frame(rows(age=[30, 40, 30, 40])).notes[0]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (rows().iloc[:0], "holds no answers"),
        (rows(value=[4, np.nan, 2, 3]), "Row 2 has neither a value nor a choice"),
        (rows(value=["4", "five", "2", "3"]), "'five' in column value .*row 2"),
        (rows(value=[4, np.inf, 2, 3]), "not a finite number"),
        (rows(observer=["ann", "", "ann", "bob"]), "Row 2 names no observer"),
        (rows(observer=["ann", "ann", "ann", "bob"]), "ann answered twice about a.png .row 2"),
        (rows(content=["baby", "bird", "bird", "bird"]), "content of the stimulus 'a.png'"),
        (rows(scale=[4, 2, 4, 4]), "scale of the stimulus 'a.png'"),
        (rows(study=["s", "t", "s", "t"]), "holds 2 studies: s, t"),
        (rows(order=[0, 1.5, 1, 0]), "1.5 in column order is not a whole number"),
        (rows().drop(columns=["observer"]), "`observer` and either"),
        (rows().drop(columns=["value"]), "are needed"),
        (mixed().assign(choice=[""] * 4 + ["left", "maybe"]), "Row 6 chooses none of"),
        (mixed().assign(choice=["left"] + [""] * 3 + ["left", "tie"]), "both a value and a choice"),
        (mixed().assign(right=[""] * 4 + ["", "a.png"]), "not both pictures"),
        (mixed().assign(right=[""] * 4 + ["a.png", "a.png"]), "compares a picture with itself"),
    ],
)  # fmt: skip
def test_bad_rows_are_refused(frame, words):
    with pytest.raises(InputError, match=words):
        from_frame(frame)


def test_values_off_the_scale():
    with pytest.raises(InputError, match=r"1 of 4 ratings lie outside the scale 1 to 5.*6, by bob"):
        from_frame(rows(value=[4, 6, 2, 3]), rating_scale=ACR5)
    assert from_frame(rows(value=[4, 6, 2, 3])).rating_scale == RatingScale(0, 10)


def test_mixed_scales_are_noticed():
    five = np.array([1.0, 2, 3, 4, 5, 4])
    table = np.stack([five, 20 * five, 20 * five - 3], axis=1)
    with pytest.raises(InputError, match="scales seem to be mixed: 1 gave whole numbers"):
        from_matrix(table)
    assert from_matrix(table, rating_scale=CONTINUOUS).rating_scale == CONTINUOUS


def test_unknown_stimuli():
    with pytest.raises(InputError, match=r"Stimuli that the study does not have: b\.png"):
        from_frame(rows(), known=["a.png"])


def test_one_study_of_several():
    frame = pd.concat([rows(), rows(study=["t"] * 4, value=[1, 1, 1, 2])])
    assert from_frame(frame, study="t").value.tolist() == [1, 1, 1, 2]
    with pytest.raises(InputError, match="no study 'u'"):
        from_frame(frame, study="u")


def test_intended_repetitions_are_no_duplicates():
    frame = pd.concat([rows(repetition=[0] * 4), rows(repetition=[1] * 4)])
    answers = from_frame(frame)
    assert len(answers) == 8
    assert not answers.is_partial


def test_files_that_are_no_tables(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        load(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="should end in"):
        save(from_frame(rows()), tmp_path / "a.xlsx")
    for name, content in (("a.parquet", b"no parquet"), ("b.csv", b""), ("c.csv", b"\xff\xfe\x00")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=name):
            load(path)


def test_the_file_is_named_in_errors(tmp_path):
    path = tmp_path / "answers.csv"
    rows(value=[4, 9999, 2, 3]).to_csv(path, index=False)
    with pytest.raises(InputError, match=r"answers\.csv: 1 of 4 ratings"):
        load(path, rating_scale=ACR5)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (np.empty((0, 3)), "is needed, not one of"),
        (np.full((2, 2), np.nan), "No cell"),
        (np.array([[3.0, np.inf]]), "infinite"),
    ],
)
def test_bad_matrices(table, words):
    with pytest.raises(InputError, match=words):
        from_matrix(table)


def test_matrix_names_must_fit():
    with pytest.raises(InputError, match="1 names of stimuli and 2 of observers"):
        from_matrix(np.ones((2, 2)), stimuli=["a"])
    with pytest.raises(InputError, match="stimulus 'a' stands twice"):
        from_matrix(np.ones((2, 2)), stimuli=["a", "a"])


def test_empty_rows_of_a_matrix_are_mentioned():
    answers = from_matrix(np.array([[3.0, 4.0, np.nan], [np.nan] * 3]), ["a", "b"])
    assert answers.names == ("a",)
    assert answers.notes == ("No rating was given for b.", "No rating was given by 3.")


def test_selecting_rows_renumbers():
    answers = from_frame(mixed())
    left = answers.select(answers.observer != 0)
    assert left.observers == ("bob", "cyd")
    frame = to_frame(answers)
    pd.testing.assert_frame_equal(
        to_frame(left), frame[frame["observer"] != "ann"].reset_index(drop=True)
    )
    with pytest.raises(InputError, match="No answer is left"):
        answers.select(np.zeros(len(answers), bool))


def test_remarks():
    table = np.array(
        [[3.0, 5.0, np.nan, np.nan], [3.0, 4.0, np.nan, np.nan], [np.nan, np.nan, 1.0, np.nan],
         [np.nan, np.nan, 2.0, 2.0]]
    )  # fmt: skip
    names = [Stimulus("a", reference="hr"), "b", "c", "d"]
    answers = from_matrix(table, names)
    assert islands(answers).tolist() == [0, 0, 1, 1]
    said = " ".join(remarks(answers))
    for words in (
        "nothing can be told about the observer: 4",
        "All votes are equal, by 1",
        "One vote only, for c",
        "Nobody rated the reference hr",
        "falls into 2 parts",
    ):
        assert words in said
    assert remarks(from_frame(rows(reference=[""] * 4))) == ()


def test_only_choices_or_only_ratings():
    answers = from_frame(rows())
    with pytest.raises(InputError, match="no choice"):
        answers.comparisons()
    with pytest.raises(InputError, match="no rating"):
        from_frame(mixed().iloc[4:].drop(columns=["value"])).ratings()
