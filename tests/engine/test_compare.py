"""Comparing methods of one Run or of several: known answers, and what is refused."""

import math

import numpy as np
import pytest
from support import BASE, SIGNATURE, made

from srqa.engine.compare import compare_runs, direction
from srqa.engine.results import Run
from srqa.errors import RunError, UsageError

STEPS = np.linspace(0.1, 0.5, 8)


def test_known_answer():
    run = made({"old": BASE, "new": BASE + STEPS})
    (comparison,) = compare_runs([run])
    assert comparison.methods == ("new", "old")
    assert comparison.means == pytest.approx((BASE.mean() + 0.3, BASE.mean()))
    assert comparison.n_images == 8
    (d,) = comparison.differences
    assert (d.first, d.second) == ("new", "old")
    assert d.mean == pytest.approx(0.3)
    assert d.p == pytest.approx(2 / 2**8)
    assert comparison.beats(d) == "new"


def test_lower_is_better():
    run = made({"a": BASE, "b": BASE + STEPS}, metric="mse")
    (comparison,) = compare_runs([run])
    assert comparison.methods == ("a", "b")
    (d,) = comparison.differences
    assert d.mean < 0
    assert comparison.beats(d) == "a"


def test_a_difference_that_may_be_chance_has_no_winner():
    noise = np.array([1, -1, 1, -1, 1, -1, 1, -0.9])
    (comparison,) = compare_runs([made({"a": BASE, "b": BASE + noise})])
    assert comparison.beats(comparison.differences[0]) == ""
    (equal,) = compare_runs([made({"a": BASE, "b": BASE})])
    assert equal.beats(equal.differences[0]) == ""


def test_the_mean_and_the_ranks_may_disagree():
    """Better on 15 of 16 images, and far worse on one: significant, but who would be better?"""
    change = np.concatenate([np.full(15, 0.1) + np.arange(15) * 0.001, [-9.0]])
    base = np.linspace(25, 40, 16)
    (comparison,) = compare_runs([made({"a": base, "b": base + change})])
    (d,) = comparison.differences
    assert d.first == "a"
    assert d.mean > 0
    assert d.n_second == 15
    assert d.p_adjusted < 0.05
    assert comparison.beats(d) == ""


def test_infinite_values():
    inf = math.inf
    run = made({"a": [inf, inf, 31.0, 32, 33], "b": [inf, 30.0, 30, 31, 32.5]})
    (comparison,) = compare_runs([run])
    (d,) = comparison.differences
    assert (d.n, d.mean) == (4, pytest.approx(2.5 / 4))


def test_images_that_failed_are_left_out_of_pairs():
    run = made({"a": [30.0, math.nan, 32, 34], "b": [29.0, 28, 31.5, math.nan]})
    (comparison,) = compare_runs([run])
    assert comparison.differences[0].n == 2
    assert comparison.differences[0].mean == pytest.approx(0.75)


def test_datasets_scales_and_metrics_stand_alone():
    parts = [
        made({"a": BASE, "b": BASE + 1}, dataset=d, scale=s, metric=m)
        for d in ("Set5", "Set14")
        for s in (2.0, 4.0)
        for m in ("psnr-y", "ssim-y")
    ]
    run = Run(
        {"metrics": ["psnr-y", "ssim-y"]},
        [row for part in parts for row in part.score_rows],
        [row for part in parts for row in part.summary_rows],
        [],
    )
    found = compare_runs([run])
    assert len(found) == 8
    assert all(c.n_images == 8 for c in found)
    assert len(compare_runs([run], metrics=["ssim-y"])) == 4


class TestSeveralRuns:
    def test_methods_stand_side_by_side(self, tmp_path):
        runs = [
            made({"a": BASE}, path=tmp_path / "one"),
            made({"b": BASE + 1}, path=tmp_path / "two"),
        ]
        (comparison,) = compare_runs(runs)
        assert comparison.methods == ("b", "a")

    def test_the_same_method_in_two_runs_is_labelled(self, tmp_path):
        runs = [made({"a": BASE + i, "only": BASE}, path=tmp_path / f"r{i}") for i in range(2)]
        runs[1] = made({"a": BASE + 1}, path=tmp_path / "r1")
        (comparison,) = compare_runs(runs)
        assert comparison.methods[0] == "r1:a"
        assert set(comparison.methods[1:]) == {"r0:a", "only"}

    def test_runs_of_one_name_are_told_apart(self, tmp_path):
        runs = [made({"a": BASE + i}, path=tmp_path / str(i) / "run") for i in range(2)]
        (comparison,) = compare_runs(runs)
        assert comparison.methods == (f"{runs[1].path}:a", f"{runs[0].path}:a")

    def test_runs_without_a_folder(self):
        (comparison,) = compare_runs([made({"a": BASE}), made({"a": BASE + 1})])
        assert comparison.methods == ("run 2:a", "run 1:a")

    def test_the_same_run_twice(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path)
        first = made({"a": BASE, "b": BASE}, path=tmp_path)
        second = made({"a": BASE, "b": BASE}, path=tmp_path / "link")
        with pytest.raises(UsageError, match="named twice"):
            compare_runs([first, second])

    def test_another_version_of_srqa_is_no_obstacle(self, tmp_path):
        newer = made({"b": BASE}, signature=SIGNATURE.replace("0.1", "0.9"))
        assert len(compare_runs([made({"a": BASE}), newer])) == 1

    @pytest.mark.parametrize(
        ("old", "new"),
        [("| sr |", "| matlab |"), ("crop 4", "crop 0"), ("float", "rounded"), ("{}", "{} v2")],
    )
    def test_other_definitions_are_refused(self, tmp_path, old, new):
        other = made({"b": BASE}, signature=SIGNATURE.replace(old, new), path=tmp_path / "two")
        first = made({"a": BASE}, path=tmp_path / "one")
        with pytest.raises(RunError, match="define psnr-y differently") as caught:
            compare_runs([first, other])
        assert new.strip("| {}") in str(caught.value)
        assert "one" in str(caught.value)
        assert "two" in str(caught.value)


class TestRefusals:
    def test_one_method(self):
        with pytest.raises(RunError, match="fewer than two methods have a score"):
            compare_runs([made({"a": BASE})])

    def test_one_method_that_has_values(self):
        with pytest.raises(RunError, match="fewer than two methods"):
            compare_runs([made({"a": BASE, "b": np.full(8, math.nan)})])

    def test_unknown_names(self):
        run = made({"a": BASE, "b": BASE})
        with pytest.raises(UsageError, match="no metric 'vif' in the Run"):
            compare_runs([run], metrics=["vif"])
        with pytest.raises(UsageError, match="no method 'c' in the Run") as caught:
            compare_runs([run], methods=["a", "c"])
        assert caught.value.hint == "It has a, b."

    def test_methods_may_be_chosen(self):
        run = made({"a": BASE, "b": BASE + 1, "c": BASE + 2})
        (comparison,) = compare_runs([run], methods=["a", "c"])
        assert comparison.methods == ("c", "a")


def test_direction_of_a_metric_that_is_not_installed():
    assert direction("psnr-y")
    assert not direction("mse")
    assert direction("somebody-elses")
