"""Models of observers: published vectors, sureal, and slow versions from the formulas."""

import math

import numpy as np
import pytest
from oracle import ratings as oracle

from srqa.errors import InputError, UsageError
from srqa.ratings import bias_system, regularised
from srqa.ratings.answers import from_matrix
from srqa.ratings.p910 import p910
from srqa.ratings.p913 import p913
from srqa.ratings.recovery import compare_models, mos_fit, recover
from srqa.ratings.simulation import Population, simulate
from srqa.ratings.zrec import percentile, zrec


def half(scores):
    return (scores.ci_high - scores.ci_low) / 2


@pytest.fixture(scope="module")
def partial():
    """60 stimuli by 40 observers, 18 votes each."""
    rng = np.random.default_rng(7)
    return simulate(rng.uniform(1.3, 4.7, 60), 40, 18, Population(), rng)


def dense(answers, repetitions=1):
    cube = np.full((len(answers.stimuli), len(answers.observers), repetitions), np.nan)
    cube[answers.stimulus, answers.observer, answers.repetition] = answers.value
    return cube if repetitions > 1 else cube[:, :, 0]


def test_p910_demo_vectors(demo, expected):
    found, want = recover(from_matrix(demo), "p910"), expected["p910_demo"]
    np.testing.assert_allclose(found.scores.mos, want["mos_j"], atol=1e-9)
    np.testing.assert_allclose(half(found.scores) / 1.95996, want["sos_j"], atol=1e-9)
    np.testing.assert_allclose(found.observers.bias, want["bias_i"], atol=1e-9)
    np.testing.assert_allclose(found.observers.inconsistency, want["inconsistency_i"], atol=1e-9)


def test_nflx(nflx, expected):
    want = expected["nflx_public"]
    found = recover(from_matrix(nflx), "p910")
    assert found.iterations == want["p910"]["iterations"]
    assert found.scores.mos[0] == pytest.approx(want["p910"]["q[0]"], abs=1e-6)
    np.testing.assert_allclose(found.observers.bias[:3], want["p910"]["bias[0:3]"], atol=1e-5)
    spread = found.observers.inconsistency[:3]
    np.testing.assert_allclose(spread, want["p910"]["inconsistency[0:3]"], atol=1e-5)
    widths = want["mean_half_ci"]
    assert half(found.scores).mean() == pytest.approx(widths["p910_ap2"], abs=1e-4)
    other = p913(from_matrix(nflx), interval="normal").scores
    assert half(other).mean() == pytest.approx(widths["p913"], abs=1e-4)


def test_ic_test_each_observer(ic_test, reference):
    path = reference / "ratings/ic_test_expected_bias_inconsistency.csv"
    want = np.genfromtxt(path, delimiter=",", skip_header=1)
    found = recover(from_matrix(ic_test), "p910").observers
    assert len(want) == 21
    np.testing.assert_allclose(found.bias, want[:, 0], atol=1e-9)
    np.testing.assert_allclose(found.inconsistency, want[:, 1], atol=1e-9)


def repeated_table():
    rng = np.random.default_rng(3)
    table = np.clip(np.rint(rng.normal(3, 1, (12, 9, 1)) + rng.normal(0, 0.6, (12, 9, 3))), 1, 5)
    table[rng.random(table.shape) < 0.3] = np.nan
    return np.sort(
        table, axis=2
    )  # a stimulus's missing repetitions come last, as sureal packs them


@pytest.mark.parametrize("kind", ["complete", "partial", "repeated"])
def test_p910_as_sureal_and_as_the_formulas(kind, partial):
    pytest.importorskip("sureal", reason="pip install sureal")
    from oracle.sureal_tool import run

    rng = np.random.default_rng(5)
    table = {
        "complete": np.clip(np.rint(rng.normal(3, 1, (15, 1)) + rng.normal(0, 0.7, (15, 8))), 1, 5),
        "partial": dense(partial),
        "repeated": repeated_table(),
    }[kind]
    answers = from_matrix(table)
    quality, bias, spread, error = oracle.alternating_projection(table)
    for interval, name in (("ap", "SubjectMLEModelProjectionSolver"),
                           ("ap2", "SubjectMLEModelProjectionSolver2")):  # fmt: skip
        found, want = p910(answers, interval), run(name, table)
        np.testing.assert_allclose(found.scores.mos, want["quality_scores"], atol=1e-9)
        np.testing.assert_allclose(half(found.scores), want["quality_scores_ci95"][0], atol=1e-9)
        observers = found.observers
        np.testing.assert_allclose(observers.bias, want["observer_bias"], atol=1e-9)
        np.testing.assert_allclose(
            observers.bias_high - observers.bias, want["observer_bias_ci95"][0], atol=1e-9
        )
        spreads = observers.inconsistency
        np.testing.assert_allclose(spreads, want["observer_inconsistency"], atol=1e-9)
        low, high = want["observer_inconsistency_ci95"]
        np.testing.assert_allclose(spreads - observers.inconsistency_low, low, atol=1e-9)
        np.testing.assert_allclose(observers.inconsistency_high - spreads, high, atol=1e-9)
        assert found.iterations == want["num_iter"]
        assert found.fit.nbic == pytest.approx(want["bic"], abs=1e-9)
        assert found.fit.naic == pytest.approx(want["aic"], abs=1e-9)
        np.testing.assert_allclose(found.scores.mos, quality, atol=1e-9)
        np.testing.assert_allclose(observers.bias, bias, atol=1e-9)
        np.testing.assert_allclose(spreads, spread, atol=1e-9)
    np.testing.assert_allclose(half(p910(answers, "ap").scores), 1.95996 * error, atol=1e-9)


def test_p913_and_criteria_as_sureal(nflx, partial):
    pytest.importorskip("sureal", reason="pip install sureal")
    from oracle.sureal_tool import run

    for table in (nflx, dense(partial)):
        answers = from_matrix(table)
        found, want = p913(answers, interval="normal"), run("BiasremvMosModel", table)
        np.testing.assert_allclose(found.scores.mos, want["quality_scores"], atol=1e-12)
        np.testing.assert_allclose(half(found.scores), want["quality_scores_ci95"][0], atol=1e-12)
        np.testing.assert_allclose(found.observers.bias, want["observer_bias"], atol=1e-12)
        assert found.fit.nbic == pytest.approx(want["bic"], abs=1e-9)
        assert mos_fit(answers).nbic == pytest.approx(run("MosModel", table)["bic"], abs=1e-9)


def test_models_are_sorted_by_nbic(nflx):
    fits = compare_models(from_matrix(nflx))
    assert [fit.nbic for fit in fits] == sorted(fit.nbic for fit in fits)
    assert {fit.model for fit in fits} == {"mos", "p913", "p910", "regularised"}
    assert fits[-1].model == "mos"


def test_iterated_p913_is_least_squares(partial):
    found = p913(partial, iterate=True)
    x = np.zeros((len(partial), 100))
    rows = np.arange(len(partial))
    x[rows, partial.stimulus] = 1
    x[rows, 60 + partial.observer] = 1
    solution = np.linalg.lstsq(x, partial.value, rcond=None)[0]
    shift = solution[60:].mean()
    np.testing.assert_allclose(found.scores.mos, solution[:60] + shift, atol=1e-8)
    np.testing.assert_allclose(found.observers.bias, solution[60:] - shift, atol=1e-8)


def test_iterated_p913_equals_the_standard_on_full_designs(nflx):
    plain, iterated = p913(from_matrix(nflx)), p913(from_matrix(nflx), iterate=True)
    np.testing.assert_allclose(plain.scores.mos, iterated.scores.mos, atol=1e-9)
    np.testing.assert_allclose(plain.observers.bias, iterated.observers.bias, atol=1e-9)


@pytest.mark.parametrize(("observers", "votes"), [(14, 6), (5, 8), (9, None)])
def test_the_equations_of_the_regularised_model(observers, votes):
    """Scores, biases and variances equal generalised least squares with the full covariance."""
    rng = np.random.default_rng(observers)
    answers = simulate(rng.uniform(1.5, 4.5, 9), observers, votes, Population(), rng)
    variance = rng.uniform(0.2, 0.9, observers)
    counts = bias_system.count_matrix(answers)
    system = bias_system.BiasSystem.build(counts, variance, 0.15, exact_up_to=100)
    quality, bias = system.solve(answers, variance, np.zeros(observers))
    want = oracle.mixed_model(answers.stimulus, answers.observer, answers.value, variance, 0.15)
    np.testing.assert_allclose(quality, want[0], atol=1e-10)
    np.testing.assert_allclose(system.quality_variance, np.diag(want[1]), atol=1e-10)
    np.testing.assert_allclose(bias, want[2], atol=1e-10)
    np.testing.assert_allclose(system.bias_posterior, want[3], atol=1e-10)
    large = bias_system.BiasSystem.build(counts, variance, 0.15, exact_up_to=0)
    quality, bias = large.solve(answers, variance, np.zeros(observers))
    np.testing.assert_allclose(quality, want[0], atol=1e-6)
    np.testing.assert_allclose(bias, want[2], atol=1e-6)
    np.testing.assert_allclose(large.quality_variance, np.diag(want[1]), rtol=0.12)


def test_sparse_and_dense_elimination_agree(partial):
    counts = bias_system.count_matrix(partial)
    weights = counts.multiply(1.7).tocsr()
    small, large = 1.7 * partial.votes_per_observer + 4, 1.7 * partial.votes_per_stimulus
    one = bias_system._eliminate(weights.toarray(), small, large)
    two = bias_system._eliminate(weights, small, large)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_large_designs_get_the_same_by_approximation(partial, monkeypatch):
    exact = recover(partial)
    monkeypatch.setattr(regularised, "EXACT_ON_THE_WAY", 0)
    monkeypatch.setattr(regularised, "EXACT_UP_TO", 0)
    near = recover(partial)
    np.testing.assert_allclose(near.scores.mos, exact.scores.mos, atol=5e-3)
    np.testing.assert_allclose(half(near.scores), half(exact.scores), rtol=0.03)


def test_regularised_finds_who_is_careless_and_who_is_biased():
    rng = np.random.default_rng(11)
    quality = rng.uniform(1.5, 4.5, 80)
    bias = np.array([0.8, -0.8, *rng.normal(0, 0.2, 18)])
    noise = np.array([0.4, 0.4, 1.4, *np.full(17, 0.4)])
    table = quality[:, None] + bias + noise * rng.standard_normal((80, 20))
    found = recover(from_matrix(table)).observers
    assert np.argmax(found.bias) == 0
    assert np.argmin(found.bias) == 1
    assert np.argmax(found.inconsistency) == 2
    inside = (found.inconsistency_low <= noise) & (noise <= found.inconsistency_high)
    assert inside.mean() >= 0.9
    centred = bias - bias.mean() + found.bias.mean()
    assert ((found.bias_low <= centred) & (centred <= found.bias_high)).mean() >= 0.8


def test_parts_without_common_observers_are_told():
    rng = np.random.default_rng(2)
    table = np.full((20, 24), np.nan)
    table[:10, :12] = np.clip(np.rint(rng.normal(3, 1, (10, 12))), 1, 5)
    table[10:, 12:] = np.clip(np.rint(rng.normal(3, 1, (10, 12))), 1, 5)
    for model in ("regularised", "p910", "p913-iterated"):
        notes = " ".join(recover(from_matrix(table), model).scores.notes)
        assert "share no observer" in notes


def test_plain_p910_warns(partial, nflx):
    assert "far too short" in " ".join(recover(partial, "p910").scores.notes)
    assert "too short" in " ".join(recover(from_matrix(nflx), "p910-ap").scores.notes)
    assert "depend on who rated what" in " ".join(recover(partial, "p913").scores.notes)
    assert recover(from_matrix(nflx)).scores.notes == ()


def test_an_exact_observer_is_told():
    rng = np.random.default_rng(0)
    table = np.array([1.0, 2, 3, 4, 5, 3])[:, None] + np.r_[0.0, rng.normal(0, 0.5, 5)] * 0
    table[:, 1:] += rng.normal(0, 0.8, (6, 5))
    notes = " ".join(recover(from_matrix(table), "p910").scores.notes)
    assert "degenerate: 1 would be exact" in notes


def test_zrec(nflx, partial):
    for answers, table in ((partial, dense(partial)), (from_matrix(nflx[6:]), nflx[6:])):
        kept = np.nanstd(table, axis=1) > 0
        quality, bias, inconsistency = oracle.zrec(table[kept])
        found = zrec(from_matrix(table[kept]))
        unit = np.nanstd(table[kept], axis=1).mean()
        np.testing.assert_allclose(found.scores.mos, quality, atol=1e-12)
        np.testing.assert_allclose(found.observers.bias, bias * unit, atol=1e-12)
        np.testing.assert_allclose(found.observers.inconsistency, inconsistency * unit, atol=1e-12)
        assert len(zrec(answers).scores.mos) == len(table)


def test_zrec_percentiles():
    """Equal observers: the weighted percentile is the order statistic."""
    table = np.array([[1.0, 2, 3, 4], [4, 3, 2, 1], [2, 1, 4, 3], [3, 4, 1, 2]])
    found = percentile(from_matrix(table), 50)
    np.testing.assert_allclose(found, [2, 2, 2, 2])
    np.testing.assert_allclose(percentile(from_matrix(table), 51), [3, 3, 3, 3])
    np.testing.assert_allclose(percentile(from_matrix(table), 100), [4, 4, 4, 4])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([[3.0], [4.0]], "come from one observer"),
        ([[3.0, 3.0], [3.0, 3.0]], "All 4 ratings are 3"),
        ([[3.0, math.nan], [math.nan, 4.0]], "less than two each"),
        ([[3.0, 4.0], [2.0, 4.0]], "too few for 2 stimuli and 2 observers"),
    ],
)
@pytest.mark.parametrize("model", ["regularised", "p910", "p913", "zrec"])
def test_too_little_to_tell(table, words, model):
    with pytest.raises(InputError, match=words):
        recover(from_matrix(np.array(table)), model)


def test_unknown_model(nflx):
    with pytest.raises(UsageError, match="no model 'magic'"):
        recover(from_matrix(nflx), "magic")


def test_memory_is_linear_in_the_answers():
    """3,000 observers of 3,000 stimuli, 10 votes each: a dense table alone would be 72 MB."""
    import tracemalloc

    rng = np.random.default_rng(0)
    people, stimuli, votes = 3000, 3000, 10
    seen = (rng.integers(0, stimuli, people)[:, None] + 7 * np.arange(votes)) % stimuli
    quality = rng.uniform(1.5, 4.5, stimuli)
    value = np.clip(np.rint(quality[seen] + rng.normal(0, 0.6, seen.shape)), 1, 5)
    small = from_matrix(np.array([[3.0]]))
    from dataclasses import replace

    from srqa.ratings.answers import Stimulus

    present, stimulus = np.unique(seen, return_inverse=True)
    n = seen.size
    blank = np.full(n, -1, dtype=np.int32)
    answers = replace(
        small, stimuli=tuple(Stimulus(str(j)) for j in present),
        observers=tuple(map(str, range(people))),
        observer=np.repeat(np.arange(people, dtype=np.int32), votes),
        stimulus=stimulus.ravel().astype(np.int32), value=value.ravel(), left=blank, right=blank,
        choice=np.zeros(n, np.int8), session=np.zeros(n, np.int32),
        repetition=np.zeros(n, np.int32), order=blank, response_ms=np.full(n, np.nan),
        flags=np.zeros(n, np.int32),
    )  # fmt: skip
    recover(simulate(quality[:5], 6, None, Population(), rng))  # imports are not counted
    tracemalloc.start()
    found = recover(answers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(found.scores.ci_low).all()
    assert peak < 40e6, f"{peak / 1e6:.0f} MB"


@pytest.mark.slow
def test_a_thousand_observers_and_five_thousand_stimuli():
    """30 % of 5,000,000 cells in under 10 seconds of two cores, whatever else they do."""
    import time

    rng = np.random.default_rng(0)
    table = rng.uniform(1.3, 4.7, (5000, 1)) + rng.normal(0, 0.35, 1000)
    table = np.clip(np.rint(table + rng.normal(0, 0.6, table.shape)), 1, 5)
    table[rng.random(table.shape) > 0.3] = np.nan
    answers = from_matrix(table)
    start = time.process_time()
    recover(answers)
    assert time.process_time() - start < 20
