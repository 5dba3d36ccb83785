"""From tables to figures: what comes first, what is told, what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from correlation_support import study
from scipy import stats

import srqa
from srqa.errors import InputError, UsageError
from srqa.ratings.answers import Stimulus, from_matrix
from srqa.ratings.simulation import Population, simulate

FAST = {"resamples": 200}


@pytest.fixture(scope="module")
def found():
    ratings, scores = study()
    return srqa.correlate(ratings, scores, **FAST)


def test_the_truest_metric_comes_first(found):
    table = found.table
    assert table["metric"].tolist() == ["lpips", "ssim-y", "psnr-y", "niqe"]
    assert table["direction"].tolist() == [-1, 1, 1, -1]
    tiers = found.tiers
    assert not set(tiers["lpips"]) & set(tiers["niqe"])
    assert found.settings.test == "jackknife"


def test_figures_equal_scipy(found):
    frame = found.data.frame
    for row in found.table.to_dict("records"):
        x = row["direction"] * frame[row["metric"]]
        assert row["srocc"] == pytest.approx(stats.spearmanr(x, frame["score"])[0], abs=1e-12)
        assert row["krcc"] == pytest.approx(stats.kendalltau(x, frame["score"])[0], abs=1e-12)
        assert row["plcc_raw"] == pytest.approx(stats.pearsonr(x, frame["score"])[0], abs=1e-12)
        mapped = found.figures.mapped[:, found.data.names.index(row["metric"])]
        assert row["plcc"] == pytest.approx(stats.pearsonr(mapped, frame["score"])[0], abs=1e-12)
        error = np.abs(mapped - frame["score"])
        n = len(frame)
        assert row["rmse"] == pytest.approx(math.sqrt((error**2).sum() / (n - 4)))
        beyond = np.maximum(0, error - frame["half"])
        assert row["rmse_star"] == pytest.approx(math.sqrt((beyond**2).sum() / (n - 4)))
        assert row["outlier_ratio"] == pytest.approx((error > frame["half"]).mean())
        for name in ("srocc", "krcc", "plcc", "rmse", "outlier_ratio", "within"):
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"], name
        assert row["plcc_cv"] < row["plcc"] + 0.01


def test_within_contents_is_the_mean_over_contents(found):
    frame = found.data.frame
    each = [
        stats.spearmanr(-part["lpips"], part["score"])[0] for _, part in frame.groupby("content")
    ]
    row = found.table.set_index("metric").loc["lpips"]
    assert row["within"] == pytest.approx(np.mean(each))
    assert row["within_contents"] == 24


def test_parts(found):
    parts = found.parts
    assert set(parts["scope"]) == {"method", "content", "quality"}
    one = parts[(parts["scope"] == "method") & (parts["part"] == "edsr")].set_index("metric")
    inside = found.data.frame[found.data.frame["method"] == "edsr"]
    assert one.loc["psnr-y", "srocc"] == pytest.approx(
        stats.spearmanr(inside["psnr-y"], inside["score"])[0]
    )
    thirds = parts[(parts["scope"] == "quality") & (parts["metric"] == "niqe")]
    assert thirds["part"].tolist() == ["worst third", "middle third", "best third"]
    assert thirds["n"].sum() == len(found.data)


def test_flattered_methods():
    ratings, scores = study(seed=3)
    scores.loc[scores["method"] == "esrgan", "psnr-y"] -= 2.5
    found = srqa.correlate(ratings, scores, **FAST)
    mean = found.flattery.set_index(["method", "metric"])["mean"]
    assert mean["esrgan", "psnr-y"] < -0.5 < mean["esrgan", "lpips"]


def test_what_people_notice(found):
    noticed = found.noticed
    table = noticed.table.set_index("metric")
    assert noticed.pairs.within
    assert len(noticed.pairs) == 24 * 6
    assert table["correct"].idxmax() == "lpips"
    assert table["auc_better"].idxmin() == "niqe"
    steps = noticed.steps[noticed.steps["metric"] == "lpips"]
    assert steps["pairs"].sum() == 24 * 6
    assert (steps[["agree", "undecided", "disagree"]].sum(axis=1) - 1).abs().max() < 1e-12
    assert steps["agree"].iloc[-1] > steps["agree"].iloc[0]
    assert (table["threshold"] > 0).all()


def test_disagreements(found):
    frame = found.data.frame
    place = {name: k for k, name in enumerate(found.data.names)}
    assert found.disagreements
    for one in found.disagreements:
        a, b = one.first, one.second
        values = found.data.values
        assert values[a, place[one.by]] > values[b, place[one.by]]
        assert values[a, place[one.against]] < values[b, place[one.against]]
        assert frame["content"][a] == frame["content"][b]
        if one.right:
            assert (one.human > 0) == (one.right == one.by)
    right = [one.right for one in found.disagreements if {one.by, one.against} == {"lpips", "niqe"}]
    assert right.count("lpips") >= right.count("niqe")


def test_the_ceiling_of_votes_and_of_intervals(found):
    truth = np.repeat(np.linspace(1.5, 4.5, 20), 3)
    answers = simulate(truth, 16, None, Population(), np.random.default_rng(1))
    names = [Stimulus(f"m{i % 3}/c{i // 3}", content=f"c{i // 3}", method=f"m{i % 3}")
             for i in range(60)]  # fmt: skip
    matrix = np.full((60, 16), np.nan)
    matrix[answers.stimulus, answers.observer] = answers.value
    keys = {"content": [s.content for s in names], "method": [s.method for s in names]}
    scores = pd.DataFrame(keys | {"psnr-y": truth})
    by_votes = srqa.correlate(from_matrix(matrix, names), scores, **FAST)
    assert by_votes.humans.ceiling.how.startswith("from halves of the panel")
    assert 0.95 < by_votes.humans.ceiling.value < 1
    assert found.humans.ceiling.how == "from the intervals of the scores"
    assert by_votes.table["srocc"][0] <= by_votes.humans.ceiling.value + 0.03


def test_choices_between_pictures():
    rng = np.random.default_rng(5)
    contents, methods = [f"c{i}" for i in range(12)], ("a", "b", "c")
    rows = []
    for content in contents:
        for observer in range(10):
            for left, right in (("a", "b"), ("b", "c"), ("a", "c")):
                better = rng.random() < 0.8
                rows.append((f"o{observer}", f"{left}/{content}", f"{right}/{content}",
                             "right" if better else "left", content))  # fmt: skip
    answers = pd.DataFrame(rows, columns=["observer", "left", "right", "choice", "content"])
    from srqa.ratings import from_frame

    scores = pd.DataFrame(
        [(f"{m}/{c}.png", k + 0.0, -k + 0.0) for c in contents for k, m in enumerate(methods)],
        columns=["image", "psnr-y", "ssim-y"],
    )
    found = srqa.correlate(from_frame(answers), scores, join_by="path", **FAST)
    agreement = found.preferences.table.set_index("metric")["agreement"]
    right = sum(row[3] == "right" for row in rows) / len(rows)
    assert agreement["psnr-y"] == pytest.approx(right)
    assert agreement["ssim-y"] == pytest.approx(1 - right)
    assert found.preferences.ceiling >= right
    assert found.humans.unit == "JOD"


def test_all_tests_between_metrics(found):
    """All p values of a pair that differs clearly are small, whichever test is asked for."""
    ratings, scores = study()
    both = found.differences.set_index(["first", "second"])
    by_contents = [c for c in both if c in ("p_srocc", "p_krcc", "p_plcc", "p_rmse")]
    assert len(by_contents) == 4
    for column in (*by_contents, "p_srocc_mrr", "p_srocc_steiger", "p_plcc_mrr", "p_rmse_f"):
        assert both.loc[("lpips", "niqe"), column] < 0.001, column
    for test in ("bootstrap", "mrr", "steiger"):
        again = srqa.correlate(ratings, scores, test=test, **FAST)
        assert again.settings.test == test
        assert not set(again.tiers["lpips"]) & set(again.tiers["niqe"])
    assert (both["p"] == both["p_srocc"]).all()
    drawn = srqa.correlate(ratings, scores, test="bootstrap", **FAST)
    assert (drawn.differences["p"] == drawn.differences["p_srocc_bootstrap"]).all()
    for name in ("srocc", "krcc", "plcc", "rmse"):
        apart = np.abs(drawn.differences[f"p_{name}_bootstrap"] - drawn.differences[f"p_{name}"])
        assert apart.max() < 0.1, "drawing contents again and leaving them out agree"
        low, high = (drawn.table[f"{name}_bootstrap_{end}"] for end in ("low", "high"))
        width = drawn.table[f"{name}_high"] - drawn.table[f"{name}_low"]
        assert (low < drawn.table[name]).all()
        assert (drawn.table[name] < high).all()
        assert ((high - low) / width).between(0.7, 1.4).all(), name
    assert "srocc_bootstrap_low" not in again.table


@pytest.mark.parametrize("mapping", ["logistic5", "cubic", "linear", "none"])
def test_other_mappings(mapping):
    found = srqa.correlate(*study(), mapping=mapping, **FAST)
    assert found.table["metric"][0] == "lpips"
    assert (found.table["mapping"] == mapping).all()
    assert found.table["rmse"].isna().all() == (mapping == "none")


def test_one_picture_a_content():
    ratings, scores = study(contents=40, methods=("only",))
    found = srqa.correlate(ratings, scores, **FAST)
    assert found.settings.test == "jackknife"
    assert found.settings.pairs == "all"
    assert any("All pictures are by one method (only)" in note for note in found.notes)
    assert found.table["within"].isna().all()
    assert found.disagreements == ()


def test_infinite_and_missing_scores_are_told():
    ratings, scores = study()
    scores.loc[3, "psnr-y"] = math.inf
    scores.loc[5, "lpips"] = math.nan
    scores["gmsd"] = np.where(np.arange(len(scores)) < 30, 0.1, math.nan)
    scores["vif"] = 0.5
    found = srqa.correlate(ratings, scores, **FAST)
    assert len(found.data) == len(ratings) - 2
    assert found.data.names == ["psnr-y", "ssim-y", "lpips", "niqe"]
    told = " ".join(found.notes)
    assert "gmsd left out: it has a finite value for 30 of 96 pictures." in told
    assert "2 of 96 pictures were left out of all figures, for psnr-y, lpips has no finite" in told
    assert "Infinite values: psnr-y (1)." in told
    assert "vif left out: it has the same value for every picture." in told


def test_an_unknown_direction_is_taken_from_the_data_and_told():
    ratings, scores = study()
    scores["mine"] = -scores["ssim-y"]
    found = srqa.correlate(ratings, scores, **FAST)
    assert found.table.set_index("metric")["direction"]["mine"] == -1
    assert any("Nobody says whether higher mine is better" in note for note in found.notes)
    said = srqa.correlate(ratings, scores, higher_better=["mine"], **FAST)
    assert said.table.set_index("metric")["srocc"]["mine"] < -0.5
    assert any("mine: correlates the wrong way round" in note for note in said.notes)


def test_losses_are_turned():
    """DSCQS and the like: a higher human score is worse."""
    from dataclasses import replace

    from srqa.correlation.humans import load_humans

    ratings, scores = study()
    ratings["mos"] = 6 - ratings["mos"]
    humans = replace(load_humans(ratings), higher_is_better=False)
    assert srqa.correlate(humans, scores, **FAST).table["srocc"][0] > 0.8


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r, s: (r.head(9), s), "Only 9 rated pictures have scores: a correlation needs 10"),
        (lambda r, s: (r.assign(mos=3.0), s), "All human scores are equal"),
        (lambda r, s: (r, s[["content", "method"]].assign(vif=1.0)), "same value for every"),
        (lambda r, s: (r, s[["content", "method"]].assign(vif=[1.0] * 9 + [math.nan] * 87)),
         "No metric has values for the rated pictures"),
        (lambda r, s: (r.assign(mos=math.nan), s), "holds no finite human score"),
    ],
)  # fmt: skip
def test_what_cannot_be_correlated(change, sentence):
    with pytest.raises(InputError, match=sentence):
        srqa.correlate(*change(*study()), **FAST)


def test_wrong_requests():
    ratings, scores = study()
    for options, sentence in (
        ({"metrics": "psnr-y,vmaf"}, "no metric 'vmaf' among the scores"),
        ({"by": "colour"}, "cannot be given by 'colour'"),
        ({"test": "guess"}, "no test 'guess'"),
        ({"alpha": 2.0}, "Alpha lies between 0 and 1"),
        ({"mapping": "probit"}, "no mapping 'probit'"),
        ({"resamples": 10}, "10 resamples are too few"),
        ({"score": "dmos"}, "has no column 'dmos'"),
    ):
        with pytest.raises((UsageError, InputError), match=sentence):
            srqa.correlate(ratings, scores, **options)


def test_scores_without_intervals():
    ratings, scores = study()
    found = srqa.correlate(ratings[["content", "method", "mos"]], scores, **FAST)
    assert found.noticed is None
    assert found.humans.ceiling is None
    assert found.table["outlier_ratio"].isna().all()
    told = " ".join(found.notes)
    assert "the human scores have no intervals" in told


def test_few_contents_have_no_intervals_over_contents():
    ratings, scores = study(contents=4)
    found = srqa.correlate(ratings, scores, **FAST)
    assert found.table["srocc_low"].isna().all()
    assert found.table["srocc_formula_low"].notna().all()
    assert found.settings.test == "mrr"
    assert found.differences["p_srocc"].isna().all()
    with pytest.raises(UsageError, match="4 contents are too few for the jackknife"):
        srqa.correlate(ratings, scores, test="jackknife", **FAST)
    assert any("With 4 contents there are no intervals over contents" in n for n in found.notes)


def test_rather_few_contents_are_told():
    ratings, scores = study(contents=8)
    found = srqa.correlate(ratings, scores, **FAST)
    assert found.table["srocc_low"].notna().all()
    assert any(note.startswith("There are 8 contents: below 10 intervals") for note in found.notes)
    uneven = study(contents=14)
    keep = (uneven[0]["content"] < "c05") | (uneven[0]["method"] == "edsr")
    found = srqa.correlate(uneven[0][keep], uneven[1], **FAST)
    assert any("There are 14 contents, as good as 9 of equal size" in n for n in found.notes)


def test_from_a_simulated_study(tmp_path):
    """People who answer through the real routes; of three metrics the truest comes first."""
    from srqa.study.observers import draw_truth
    from srqa.study.simulate import simulate_study
    from srqa.study.study import open_study

    study_ = open_study("demo", home=tmp_path)
    study_.prepare()
    seed = 4
    truth = draw_truth(study_, np.random.default_rng(seed)).quality
    rng = np.random.default_rng(9)
    rows = [row for row in study_.stimuli.values() if row["role"] in ("test", "reference")]
    quality = np.array([truth[row["id"]] for row in rows])
    scores = pd.DataFrame({
        "image": [row["name"] for row in rows],
        "ssim-y": quality + rng.normal(0, 1.0, len(rows)),
        "dists": -quality + rng.normal(0, 0.15, len(rows)),
        "psnr-y": quality + rng.normal(0, 3.0, len(rows)),
    })  # fmt: skip
    made = simulate_study(study_, observers=12, seed=seed)
    found = srqa.correlate(made.analysis, scores, join_by="path", **FAST)
    assert found.table["metric"].tolist() == ["dists", "ssim-y", "psnr-y"]
    assert found.humans.ceiling.value > found.table["srocc"][1]


def test_a_content_that_decides_is_named():
    ratings, scores = study(contents=15)
    assert not any("three quarters" in note for note in srqa.correlate(ratings, scores).notes)
    turned = scores["content"] == "c07"
    scores.loc[turned, "lpips"] = scores.loc[turned, "lpips"].to_numpy()[::-1]
    (note,) = [n for n in srqa.correlate(ratings, scores, **FAST).notes if "three quarters" in n]
    assert note.startswith("c07 alone")
    assert "lpips" in note
    assert "niqe" not in note
