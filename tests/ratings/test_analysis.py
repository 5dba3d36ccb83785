"""Whole analyses: published sets, every method, choices and why they were made, the record."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from ratings_support import pairs_frame, rated_study

from srqa.errors import InputError, UsageError
from srqa.ratings import analyze, from_frame, from_matrix
from srqa.ratings.analysis.document import document
from srqa.ratings.analysis.steps import screen
from srqa.ratings.analysis.tables import tables
from srqa.ratings.answers import ACR5, Stimulus
from srqa.ratings.differences import hidden_reference
from srqa.ratings.paired import scale_pairs
from srqa.ratings.planning import observers_needed
from srqa.ratings.scores import mos

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "srqa/report/schemas/analysis.schema.json").read_text("utf-8")
)


def valid(analysis):
    """The analysis' record, which the published schema allows and JSON can hold."""
    found = json.loads(json.dumps(document(analysis), allow_nan=False))
    jsonschema.validate(found, SCHEMA)
    return found


class TestPublished:
    def test_p910_demo(self, demo, expected):
        found = analyze(from_matrix(demo), recover="p910")
        table = tables(found)["observers"]
        assert table["bias"].to_numpy() == pytest.approx(expected["p910_demo"]["bias_i"], abs=1e-9)
        own = expected["p910_demo"]["inconsistency_i"]
        assert len(own) == len(table)

    def test_nflx(self, nflx, expected):
        found = analyze(from_matrix(nflx), screen=["bt500"])
        assert found.choices.recover == "none"
        want = expected["nflx_public"]
        assert found.rated.scores.mos.mean() == pytest.approx(want["mos_mean"], abs=1e-9)
        assert found.screened.removed_observers == ()
        again = analyze(from_matrix(nflx), screen=["bt500:sureal"])
        assert again.screened.removed_observers == ("3",)
        assert again.rated.scores.mos.mean() == pytest.approx(
            want["bt500_sureal_compat_mos_mean"], abs=1e-5
        )
        assert again.rated.fits[0].nbic <= again.rated.fits[-1].nbic

    def test_ic_test(self, ic_test, expected):
        record = valid(analyze(from_matrix(ic_test), recover="p910"))
        agreement = record["ratings"]["reliability"]
        for name, value in expected["ic_test"]["icc"].items():
            assert agreement["icc"][name][0] == pytest.approx(value, abs=1e-6)
        for level in ("interval", "ordinal"):
            want = expected["ic_test"]["krippendorff_alpha"][level]
            assert agreement[f"alpha_{level}"] == pytest.approx(want, abs=1e-6)


class TestChoices:
    def test_recovery_is_settled_by_the_design(self):
        full = analyze(rated_study(observers=8))
        assert (full.choices.recover, full.choices.interval) == ("none", "t")
        assert "everybody" in full.choices.reasons["recover"]
        partial = analyze(rated_study(observers=30, votes=6))
        assert (partial.choices.recover, partial.choices.interval) == ("regularised", None)
        assert partial.rated.scores.model == "regularised"
        scarce = analyze(rated_study(observers=60, votes=2))
        assert scarce.choices.recover == "none"
        assert "too few" in scarce.choices.reasons["recover"]

    def test_every_argument_lands_in_the_record(self):
        found = analyze(
            rated_study(), "acr", recover="p913", screen=["bt500", "correlation:0.2"],
            test="wilcoxon", correction="bh", margin=0.4, alpha=0.01, seed=5,
        )  # fmt: skip
        choices = valid(found)["choices"]
        asked = {
            "method": "acr", "recover": "p913", "screen": ["bt500", "correlation:0.2"],
            "test": "wilcoxon", "correction": "bh", "margin": 0.4, "alpha": 0.01, "seed": 5,
        }  # fmt: skip
        assert {key: choices[key] for key in asked} == asked
        assert choices["reasons"] == {}
        pairs = analyze(
            from_frame(pairs_frame()), "pair", scale="bt", ties="davidson", sigma=1.0,
            side_bias=False, anchor=None, correction="holm", margin=0.5,
        )  # fmt: skip
        choices = valid(pairs)["choices"]
        assert (choices["scale"], choices["ties"], choices["sigma"]) == ("bt", "davidson", 1.0)
        assert (choices["side_bias"], choices["correction"]) == (False, "holm")
        assert choices["recover"] is None

    def test_methods_are_seen(self):
        assert analyze(from_frame(pairs_frame())).choices.method == "pair"
        ccr = pd.DataFrame(
            {"observer": list("aabb"), "stimulus": ["x", "y"] * 2, "reference": "r",
             "left": ["r", "y"] * 2, "right": ["x", "r"] * 2, "value": [-2, 1, -1, 2]}
        )  # fmt: skip
        found = analyze(from_frame(ccr))
        assert (found.choices.method, found.unit) == ("ccr", "CMOS")
        assert found.rated.scores.mos.tolist() == [-1.5, -1.5]
        assert found.rated.sos is None
        valid(found)

    @pytest.mark.parametrize(
        ("arguments", "error", "text"),
        [
            ({"method": "mushra"}, UsageError, "no method 'mushra'"),
            ({"method": "pair"}, InputError, "no choice"),
            ({"recover": "best"}, UsageError, "no model 'best'"),
            ({"screen": ["sense"]}, UsageError, "no check 'sense'"),
            ({"screen": ["bt500:mine"]}, UsageError, "knows no 'mine'"),
            ({"screen": ["p913:2"]}, UsageError, "takes no '2'"),
            ({"screen": ["far:many"]}, UsageError, "not a number"),
            ({"screen": ["gold"]}, UsageError, "needs to know"),
            ({"screen": ["time"]}, InputError, "response time"),
            ({"crush": True}, UsageError, "belong to the method acr-hr"),
            ({"margin": 0.0}, UsageError, "margin"),
            ({"alpha": 1.0}, UsageError, "Alpha"),
            ({"correction": "max-t"}, UsageError, "choices between pictures"),
        ],
    )
    def test_refusals(self, arguments, error, text):
        with pytest.raises(error, match=text):
            analyze(rated_study(), **arguments)

    def test_models_of_raters_are_not_for_choices(self):
        with pytest.raises(UsageError, match="not for choices"):
            analyze(from_frame(pairs_frame()), recover="p910")


class TestDifferences:
    @pytest.fixture
    def hidden(self):
        """Pictures a and b of a reference that everybody rates too."""
        votes = np.array([[5.0, 5, 4, 5, 4], [4, 5, 3, 5, 4], [2, 1, 2, 3, 1]])
        stimuli = [Stimulus("ref", method="reference"), Stimulus("a", method="A", reference="ref"),
                   Stimulus("b", method="B", reference="ref")]  # fmt: skip
        return from_matrix(votes, stimuli, rating_scale=ACR5)

    @pytest.mark.parametrize("variant", ["per_subject", "mean_ref", "clamped"])
    def test_hidden_reference(self, hidden, variant):
        found = analyze(hidden, "acr-hr", reference_votes=variant)
        want = mos(hidden_reference(hidden, variant))
        np.testing.assert_array_equal(found.rated.scores.mos, want.mos)
        assert found.unit == "DMOS"
        assert set(found.standings.names) == {"A", "B"}
        record = valid(found)
        assert record["choices"]["reference_votes"] == variant
        assert record["given"]["ratings"] == 15
        assert record["used"]["ratings"] == 10

    def test_dscqs_is_better_when_lower(self):
        rows = [
            (o, f"{m}", "ref" if k == 0 else "", value, m, "ref", "A" if m == "a" else "B")
            for o, gap in zip("pqrs", (0, 2, 1, 3), strict=True)
            for m, loss in (("a", 5), ("b", 30))
            for k, value in ((0, 90 - loss - gap), (1, 90))
        ]
        frame = pd.DataFrame(rows, columns=["observer", "stimulus", "reference", "value", "left",
                                            "right", "method"])  # fmt: skip
        frame.loc[frame["reference"] == "", ["stimulus", "method"]] = ["ref", ""]
        found = analyze(from_frame(frame))
        assert (found.choices.method, found.rated.higher_is_better) == ("dscqs", False)
        assert dict(zip(found.rated.scores.to_frame()["stimulus"], found.rated.scores.mos,
                        strict=True)) == {"a": 6.5, "b": 31.5}  # fmt: skip
        assert found.standings.names == ("A", "B")
        (difference,) = found.standings.differences
        assert (difference.verdict, difference.mean) == ("better", -25.0)
        assert difference.ci_low <= -25 <= difference.ci_high
        valid(found)


class TestScreening:
    def test_steps_see_what_the_ones_before_left(self):
        study = rated_study(observers=12, seed=3)
        spoilt = study.value.copy()
        for observer in (0, 1):
            rows = np.flatnonzero(study.observer == observer)
            spoilt[rows] = 6 - spoilt[rows]
        answers = study.with_values(spoilt)
        found = screen(answers, ["correlation:0.3", "bt500"])
        assert found.steps[0].observers == answers.observers[:2]
        assert (found.steps[0].of, found.steps[1].of) == (12, 10)
        assert set(found.answers.observers) == set(answers.observers) - set(found.removed_observers)
        assert found.kept.sum() == len(found.answers)
        assert np.isnan(found.steps[1].figures["far_share"][:2]).all()
        alone = screen(answers.select(answers.observer > 1), ["bt500"])
        np.testing.assert_allclose(
            found.steps[1].figures["far_share"][2:], alone.steps[0].figures["far_share"]
        )

    def test_rows_of_flags_are_those_of_the_given_answers(self):
        study = rated_study(observers=6)
        times = np.full(len(study), 2000.0)
        times[40] = 5.0
        flags = np.zeros(len(study), dtype=np.int32)
        flags[:10] = 1
        answers = replace(study, response_ms=times, flag_sets=("", "training"), flags=flags)
        found = screen(answers, ["time"])
        assert [flag.row for flag in found.steps[0].flags] == [40]
        assert (~found.kept).sum() == 11
        assert found.controls == {"training": 10}
        table = tables(analyze(answers, screen=["time"]))["flags"]
        assert table[["check", "row"]].to_numpy().tolist() == [["time", 41]]

    def test_traps_get_no_score(self):
        votes = np.array([[2.0, 2, 2, 5], [5, 4, 5, 1], [1, 2, 1, 5], [3, 3, 4, 2]])
        answers = from_matrix(votes, ["choose 2", "a", "b", "c"], list("pqrs"))
        found = analyze(answers, screen=["trap"], trap={"choose 2": 2})
        assert found.screened.removed_observers == ("s",)
        assert [s.name for s in found.rated.scores.stimuli] == ["a", "b", "c"]
        assert found.screened.controls == {"trap": 4}

    def test_everybody_out_is_an_error(self):
        with pytest.raises(InputError, match="every answer"):
            analyze(rated_study(), screen=["correlation:1"])


class TestPairs:
    def test_methods_are_scaled_over_contents(self):
        answers = from_frame(pairs_frame())
        found = analyze(answers)
        assert found.standings.of == "methods"
        assert found.standings.names[-1] == "bicubic"
        names = [s.method for s in answers.stimuli]
        pooled = found.chosen.methods
        assert set(pooled.items) == set(names)
        assert pooled.votes.sum() == 2 * len(answers)
        table = tables(found)["jod"]
        alone = scale_pairs(answers.comparisons())
        assert table["jod"].to_numpy() == pytest.approx(alone.jod)
        assert table.groupby("content")["jod"].sum().to_numpy() == pytest.approx(0, abs=1e-9)
        record = valid(found)
        assert record["pairs"]["pooled_over_contents"]
        assert record["choices"]["correction"] == "max-t"

    def test_covariance_is_that_of_the_scale(self):
        found = analyze(from_frame(pairs_frame()))
        long = tables(found)["jod_covariance"]
        names = list(found.chosen.scale.items)
        square = long.pivot(index="first", columns="second", values="covariance")
        square = square.reindex(index=names, columns=names).to_numpy()
        square = np.where(np.isnan(square), square.T, square)
        np.testing.assert_allclose(square, found.chosen.scale.covariance(), atol=1e-12)

    def test_unlinked_pictures_are_not_ranked(self):
        rows = [(o, a, b, c) for o in "pqr" for a, b, c in (("x", "y", "left"), ("u", "v", "tie"))]
        frame = pd.DataFrame(rows, columns=["observer", "left", "right", "choice"])
        found = analyze(from_frame(frame))
        assert found.standings.names == ()
        assert any("no common order" in note for note in found.notes)
        assert valid(found)["standings"] is None

    def test_verdicts_follow_simultaneous_intervals(self):
        for d in analyze(from_frame(pairs_frame())).standings.differences:
            told = d.ci_low > 0 or d.ci_high < 0
            assert (d.verdict in ("better", "worse")) == told

    def test_triplets_need_a_common_reference(self):
        frame = pairs_frame()
        with pytest.raises(InputError, match="no reference in common"):
            analyze(from_frame(frame), "triplet")
        frame["reference"] = frame["content"] + "/source"
        found = analyze(from_frame(frame), "triplet")
        np.testing.assert_allclose(
            found.chosen.scale.jod, analyze(from_frame(frame), "pair").chosen.scale.jod
        )


def test_design_of_a_study():
    from srqa.ratings.designs import SESSION_MINUTES, answers_needed, design_study, try_design

    found = design_study("acr", 240, 0.3)
    assert found.votes == observers_needed(0.3, 0.8)
    everybody, session = found.schedules
    assert (everybody.observers, everybody.minutes_each, everybody.sessions_each) == (58, 40, 2)
    assert session.minutes_each <= SESSION_MINUTES
    assert session.answers >= 240 * found.votes
    assert session.observers * session.answers_each == session.answers
    assert design_study("pair", 40, 0.5, methods=4).questions == 10 * 6
    assert design_study("acr-hr", 40, 0.5, methods=4).questions == 50
    trial = try_design(design_study("acr", 20, 0.8), methods=4, studies=10)
    assert trial.power == 1
    with pytest.raises(UsageError, match="by 3 methods"):
        design_study("acr", 10, 0.3, methods=3)
    with pytest.raises(UsageError, match="more than"):
        answers_needed(0.001)


@pytest.mark.parametrize(("effect", "alpha", "comparisons"), [(1.0, 0.05, 1), (0.5, 0.01, 6)])
def test_answers_needed_by_counting(effect, alpha, comparisons):
    """Against sums of binomial probabilities in whole numbers."""
    from math import comb

    from scipy.stats import norm

    from srqa.ratings.designs import answers_needed

    share = norm.cdf(effect / 1.4826)

    def power(n):
        tail = 0.0
        for k in range(n, -1, -1):
            tail += comb(n, k) / 2**n
            if tail > alpha / comparisons / 2:
                break
        return sum(comb(n, j) * share**j * (1 - share) ** (n - j) for j in range(k + 1, n + 1))

    n = answers_needed(effect, 0.8, alpha, comparisons)
    assert power(n - 1) < 0.8
    assert all(power(m) >= 0.8 for m in range(n, n + 40))
