"""Ratings and scores side by side: by keys, names and layouts, and never quietly wrong."""

import pandas as pd
import pytest

from srqa.correlation.humans import load_humans
from srqa.correlation.joining import join
from srqa.correlation.metrics import direction, load_metrics
from srqa.errors import InputError, UsageError


def humans(**columns):
    return load_humans(pd.DataFrame(columns))


def scores(**columns):
    return load_metrics(pd.DataFrame(columns))


def test_all_common_keys_are_used():
    left = humans(content=["a", "a", "b"], method=["x", "y", "x"], mos=[1, 2, 3])
    right = scores(content=["a", "b", "a"], method=["y", "x", "x"], psnr=[20, 30, 10])
    found = join(left, right)
    assert found.rule == "content, method"
    assert found.frame[["score", "psnr"]].to_numpy().tolist() == [[1, 10], [2, 20], [3, 30]]
    assert found.notes == ()


def test_scales_and_datasets_join_too():
    keys = {"dataset": ["s", "s"], "content": ["a", "a"], "method": ["m", "m"]}
    left = humans(**keys, scale=["x2", "x4"], mos=[4, 2])
    right = scores(**keys, scale=[4, 2], psnr=[25.0, 35.0])
    found = join(left, right)
    assert found.rule == "dataset, content, scale, method"
    assert found.frame["psnr"].tolist() == [35.0, 25.0]


def test_names_join_by_path_then_stem():
    left = humans(stimulus=["m/a.png", "m/b.png"], mos=[1, 2])
    assert join(left, scores(image=["m/b.webp", "m/a.webp"], psnr=[2, 1])).rule == (
        "the path of their names"
    )
    found = join(left, scores(image=["out/b.jpg", "out/a.jpg"], psnr=[2.0, 1.0]))
    assert found.rule == "the stem of their names"
    assert found.frame["psnr"].tolist() == [1.0, 2.0]


def test_a_layout_reads_the_raters_names():
    left = humans(stimulus=["x4/edsr/a_x4", "x4/edsr/b_x4"], mos=[1, 2])
    right = scores(content=["b", "a"], method=["edsr"] * 2, scale=[4, 4], psnr=[2.0, 1.0])
    found = join(left, right, "x4/{method}/{content}_x{scale}.png")
    assert found.frame["psnr"].tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match="does not fit 2 of 2 names"):
        join(left, right, "{method}/{content}.png")


def test_what_does_not_match_is_listed():
    left = humans(content=["a", "b", "c"], method=["m"] * 3, mos=[1, 2, 3])
    right = scores(content=["a", "b", "d", "e"], method=["m"] * 4, psnr=[1, 2, 3, 4])
    found = join(left, right)
    assert found.only_rated == ("m/c",)
    assert found.only_scored == ("m/d", "m/e")
    assert found.notes == (
        "1 of 3 rated pictures have no metric scores and were left out: m/c.",
        "2 of 4 scored pictures were not rated: m/d, m/e.",
    )


def test_ratings_of_other_pictures_are_refused():
    left = humans(content=["p", "q"], method=["m", "n"], mos=[1, 2])
    right = scores(content=["a", "b"], method=["m", "n"], psnr=[1, 2])
    with pytest.raises(InputError, match="No rated picture is among the scored ones") as caught:
        join(left, right)
    assert "p m" in str(caught.value)
    assert "a m" in str(caught.value)


def test_the_same_key_twice_is_refused():
    left = humans(content=["a", "a"], method=["m", "m"], scale=[2, 4], mos=[1, 2])
    right = scores(content=["a"], method=["m"], psnr=[1.0])
    with pytest.raises(InputError, match=r"Two rows of a table are the same picture.*rows 1 and 2"):
        join(left, right)
    twice = scores(content=["a", "b", "a"], method=["m"] * 3, psnr=[1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="same picture"):
        join(humans(content=["a", "b"], method=["m", "m"], mos=[1, 2]), twice)
    long = pd.DataFrame(
        {"content": ["a", "a"], "method": ["m", "m"], "metric": ["psnr"] * 2, "value": [1.0, 2.0]}
    )
    with pytest.raises(InputError, match="two values of psnr for a by m"):
        load_metrics(long)


def test_rules_that_cannot_be():
    left = humans(stimulus=["a"], mos=[1])
    right = scores(image=["a"], psnr=[1.0])
    with pytest.raises(UsageError, match="'colour' is no rule to join by"):
        join(left, right, "colour")
    with pytest.raises(UsageError, match="does not say the content"):
        join(left, right, "content,method")


def test_tables_without_scores_are_refused(tmp_path):
    with pytest.raises(InputError, match="no column with human scores"):
        humans(content=["a"], colour=["red"])
    with pytest.raises(InputError, match="'good' in column mos of a table is no number"):
        humans(content=["a"], mos=["good"])
    with pytest.raises(InputError, match="no column of numbers that could be a metric"):
        scores(content=["a"], remark=["fine"])
    with pytest.raises(InputError, match=r"neither mos\.parquet nor jod\.parquet"):
        load_humans(tmp_path)
    with pytest.raises(InputError, match="There is no file or folder"):
        load_humans(tmp_path / "none.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(InputError, match="cannot be read as a table"):
        load_humans(tmp_path / "broken.parquet")


def test_names_survive_as_texts(tmp_path):
    """Contents such as 0801 are no numbers, and unicode is compared in one form."""
    path = tmp_path / "mos.csv"
    path.write_text("content,method,mos\n0801,caf\u0065\u0301,3.5\n0802,café,2\n", "utf-8")
    frame = load_humans(path).frame
    assert frame["content"].tolist() == ["0801", "0802"]
    assert frame["method"].nunique() == 1


def test_directions_of_metrics_that_srqa_does_not_have():
    assert direction("musiq") == direction("PSNR_Y") == direction("fused:mine") == 1
    assert direction("stlpips-vgg") == direction("pieapp") == direction("NIQE") == -1
    assert direction("my-own") == 0
