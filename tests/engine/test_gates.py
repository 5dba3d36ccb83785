"""Gates: --fail-if, --baseline and --max-drop."""

import math

import numpy as np
import pytest
from support import BASE, made

from srqa.engine.gates import (
    check_computed,
    check_conditions,
    check_drops,
    parse_condition,
    parse_drop,
)
from srqa.errors import RunError, UsageError


def failures(run, *texts):
    return check_conditions(run, [parse_condition(text) for text in texts])


class TestParsing:
    @pytest.mark.parametrize(
        ("text", "metric", "each", "operator", "limit"),
        [
            ("ssim-y<0.8", "ssim-y", False, "<", 0.8),
            (" psnr-y <= 30 ", "psnr-y", False, "<=", 30.0),
            ("any(ssim-y)<0.7", "ssim-y", True, "<", 0.7),
            ("any( mse ) >= 1e2", "mse", True, ">=", 100.0),
            ("mse>5", "mse", False, ">", 5.0),
            ("psnry<30", "psnr-y", False, "<", 30.0),
            ("psnr-y<inf", "psnr-y", False, "<", math.inf),
            ("shift>-1", "shift", False, ">", -1.0),
        ],
    )
    def test_conditions(self, text, metric, each, operator, limit):
        found = parse_condition(text)
        assert (found.metric, found.each_image, found.operator, found.limit) == (
            metric, each, operator, limit,
        )  # fmt: skip

    @pytest.mark.parametrize(
        "text",
        ["", "psnr-y", "psnr-y=3", "psnr-y<", "<3", "any(psnr-y<3", "psnr-y)<3", "all(psnr-y)<3",
         "psnr-y<x", "psnr-y<nan", "nope<3", "psnr-y<3<4"],
    )  # fmt: skip
    def test_mistakes(self, text):
        with pytest.raises(UsageError):
            parse_condition(text)

    def test_drops(self):
        assert parse_drop("psnry = 0.05") == ("psnr-y", 0.05)
        assert parse_drop("mse=0") == ("mse", 0.0)
        for text in ("", "psnr-y", "psnr-y=", "psnr-y=-1", "psnr-y=nan", "nope=1", "=1"):
            with pytest.raises(UsageError):
                parse_drop(text)


class TestConditions:
    def test_mean(self):
        run = made({"a": BASE, "b": BASE + 5})
        assert failures(run, "psnr-y<30") == []
        assert failures(run, "psnr-y<32") == ["psnr-y<32: a has a mean of 30.875"]
        assert len(failures(run, "psnr-y<99")) == 2
        assert len(failures(run, "psnr-y>99", "psnr-y<32")) == 1

    @pytest.mark.parametrize(
        ("operator", "fails"), [("<", False), ("<=", True), (">", False), (">=", True)]
    )
    def test_at_the_limit(self, operator, fails):
        assert bool(failures(made({"a": [30.0, 32.0]}), f"psnr-y{operator}31")) == fails

    def test_any_image(self):
        run = made({"a": BASE})
        assert failures(run, "any(psnr-y)<27") == []
        (sentence,) = failures(run, "any(psnr-y)<28.5")
        assert sentence == "any(psnr-y)<28.5: 2 of 8 images, a/i06.png with 27"
        (sentence,) = failures(run, "any(psnr-y)>34")
        assert "a/i05.png with 35" in sentence

    def test_infinite_values(self):
        run = made({"a": [math.inf, math.inf]})
        assert failures(run, "psnr-y<99", "any(psnr-y)<99") == []
        mixed = made({"a": [math.inf, 20.0]})
        assert len(failures(mixed, "psnr-y<25", "any(psnr-y)<25")) == 2

    def test_a_condition_on_nothing_fails(self):
        run = made({"a": [math.nan, math.nan]})
        assert failures(run, "psnr-y<1") == ["psnr-y<1: a has no value of psnr-y"]
        assert failures(run, "any(psnr-y)<1") == ["any(psnr-y)<1: no image has a value of psnr-y"]

    def test_metric_that_was_not_computed(self):
        with pytest.raises(UsageError, match="vif is not computed") as caught:
            failures(made({"a": BASE}), "vif<0.3")
        assert caught.value.hint == "Add it: -m psnr-y,vif."
        with pytest.raises(UsageError, match=r"--max-drop vif=0\.1: vif is not computed"):
            check_computed(["psnr-y"], [], [("vif", 0.1)])


class TestDrops:
    def check(self, new, old, allowed=0.1, metric="psnr-y", method=""):
        return check_drops(new, old, [(metric, allowed)], method)

    def test_higher_is_better(self):
        old = made({"a": BASE})
        assert self.check(made({"a": BASE + 3}), old) == []
        assert self.check(made({"a": BASE - 0.09}), old) == []
        (sentence,) = self.check(made({"a": BASE - 0.25}), old)
        assert sentence == "psnr-y of a became worse by 0.25, more than the 0.1 allowed"

    def test_lower_is_better(self):
        old = made({"a": BASE}, metric="mse")
        assert self.check(made({"a": BASE - 9}, metric="mse"), old, metric="mse") == []
        assert len(self.check(made({"a": BASE + 0.25}, metric="mse"), old, metric="mse")) == 1

    def test_nothing_allowed(self):
        old = made({"a": BASE})
        assert self.check(made({"a": BASE}), old, allowed=0.0) == []
        assert len(self.check(made({"a": BASE - 1e-6}), old, allowed=0.0)) == 1

    def test_infinite_values(self):
        inf = math.inf
        perfect = made({"a": [inf, 30.0]})
        assert self.check(perfect, made({"a": [inf, 30.0]})) == []
        (sentence,) = self.check(made({"a": [40.0, 30.0]}), perfect)
        assert "worse by inf" in sentence
        assert self.check(perfect, made({"a": [40.0, 30.0]})) == []

    def test_values_that_are_missing_fail(self):
        (sentence,) = self.check(made({"a": [math.nan, 30.0]}), made({"a": [30.0, 30.0]}))
        assert "cannot be compared" in sentence

    def test_values_that_are_missing_on_both_sides_fail(self):
        nan = math.nan
        (sentence,) = self.check(made({"a": [nan, 30.0]}), made({"a": [nan, 30.0]}))
        assert "cannot be compared" in sentence

    def test_methods_by_name(self):
        old = made({"a": BASE, "b": BASE + 9})
        assert self.check(made({"a": BASE, "b": BASE + 9}), old) == []
        assert len(self.check(made({"a": BASE, "b": BASE}), old)) == 1

    def test_a_baseline_of_one_method_serves_all(self):
        assert len(self.check(made({"x": BASE - 1, "y": BASE + 1}), made({"a": BASE}))) == 1

    def test_method_may_be_chosen(self):
        old = made({"a": BASE, "b": BASE + 9})
        assert self.check(made({"new": BASE}), old, method="a") == []
        assert len(self.check(made({"new": BASE}), old, method="b")) == 1

    def test_method_must_be_chosen(self):
        old = made({"a": BASE, "b": BASE})
        with pytest.raises(RunError, match="no method 'new'") as caught:
            self.check(made({"new": BASE}), old)
        assert "RUN:METHOD" in caught.value.hint
        with pytest.raises(RunError, match="no method 'c'"):
            self.check(made({"new": BASE}), old, method="c")

    def test_images_that_the_baseline_lacks(self):
        with pytest.raises(RunError, match="lacks 2 of 8 images of a, for instance i06"):
            self.check(made({"a": BASE}), made({"a": BASE[:6]}))

    def test_fewer_images_than_the_baseline(self):
        assert self.check(made({"a": BASE[:6]}), made({"a": BASE})) == []

    def test_metric_that_the_baseline_lacks(self):
        with pytest.raises(RunError, match="has no scores of psnr-y"):
            self.check(made({"a": BASE}), made({"a": BASE}, metric="mse"))

    def test_other_definitions(self):
        other = "{} | srqa 0.1 | matlab | Y:bt601 rounded | crop 4 | mean of images"
        with pytest.raises(RunError, match="defines psnr-y differently"):
            self.check(made({"a": BASE}), made({"a": BASE}, signature=other))

    def test_other_scale(self):
        with pytest.raises(RunError, match="lacks 8 of 8 images"):
            self.check(made({"a": BASE}), made({"a": BASE}, scale=2.0))

    def test_array_of_values_makes_a_plain_sentence(self):
        (sentence,) = self.check(made({"a": BASE.astype(np.float64) - 1}), made({"a": BASE}))
        assert "np." not in sentence
