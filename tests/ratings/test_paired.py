"""Paired scaling against published values, other libraries and slow versions of the formulas."""

import math
import time
import tracemalloc

import numpy as np
import pytest
from oracle import paired as oracle
from pairs_support import full_design, partial_design, simulated

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import Stimulus
from srqa.ratings.choice_fit import Information, conjugate_gradients, expected_weights, fit
from srqa.ratings.choice_models import JOD_PER_UNIT, ChoiceModel
from srqa.ratings.comparisons import Comparisons, count_cells, from_names, from_wins
from srqa.ratings.paired import scale_pairs

MODELS = [
    ("thurstone", ""),
    ("thurstone", "glenn-david"),
    ("bradley-terry", ""),
    ("bradley-terry", "rao-kupper"),
    ("bradley-terry", "davidson"),
]


@pytest.fixture
def answers():
    """Six items, ties and a preference for the left."""
    rng = np.random.default_rng(4)
    left, right = full_design(6, 8, rng)
    values = np.array([0.0, 0.4, 0.9, 1.3, 2.0, -0.7])
    return simulated(values, left, right, rng, ties="threshold", tie=0.4, side=0.3)


def rows(comparisons, ties=True):
    columns = zip(comparisons.left, comparisons.right, comparisons.choice, strict=True)
    return [row for row in columns if ties or row[2]]


@pytest.mark.parametrize("model", ["thurstone", "bradley-terry"])
def test_the_published_chain(model, expected):
    chain = expected["jod_chain"]
    found = scale_pairs(from_wins(np.array(chain["wins"])), model=model, prior="none")
    assert found.jod - found.jod[1] == pytest.approx(chain["jod_relative_to_middle"], abs=1e-9)


def test_75_percent_are_one_jod():
    for model in ("thurstone", "bradley-terry"):
        wins = from_wins(np.array([[0, 75], [25, 0]]))
        gap = scale_pairs(wins, model=model, prior="none").difference("1", "2")
        assert gap.jod == pytest.approx(1, abs=1e-9)
        assert gap.preferred == pytest.approx(0.75)
    assert JOD_PER_UNIT["thurstone"] == pytest.approx(1.4826, abs=1e-4)


@pytest.mark.parametrize(("model", "ties"), MODELS)
@pytest.mark.parametrize("sided", [False, True])
@pytest.mark.parametrize("sigma", [None, 1.5])
def test_estimates_equal_a_slow_optimiser(answers, model, ties, sided, sigma):
    used = answers if ties else answers.select(answers.choice != 0)
    found = scale_pairs(
        used, model=model, ties=ties or "model", side_bias=sided,
        prior="gaussian" if sigma else "none", sigma=sigma or 2.0,
    )  # fmt: skip
    q, side, tie = oracle.fit(rows(used), 6, model, ties, sided, sigma)
    assert found.jod == pytest.approx(q, abs=2e-5)
    assert found.side_bias == pytest.approx(side, abs=2e-5, nan_ok=True)
    assert found.tie_parameter == pytest.approx(tie, abs=2e-5, nan_ok=True)


@pytest.mark.parametrize(("model", "ties"), [
    ("thurstone", "none"), ("thurstone", "threshold"), ("bradley-terry", "none"),
    ("bradley-terry", "threshold"), ("bradley-terry", "davidson"),
])  # fmt: skip
def test_derivatives_equal_differences(model, ties):
    choice, step = ChoiceModel(model, ties), 1e-5
    eta, tie = np.linspace(-6, 6, 13), np.full(13, 0.7)
    here = choice.outcomes(eta, tie)

    def slope(name, by_eta):
        a, b = (step, 0) if by_eta else (0, step)
        ahead, behind = choice.outcomes(eta + a, tie + b), choice.outcomes(eta - a, tie - b)
        return (getattr(ahead, name) - getattr(behind, name)) / (2 * step)

    assert here.by_eta == pytest.approx(slope("log_p", True), abs=1e-8)
    assert here.by_eta2 == pytest.approx(slope("by_eta", True), abs=1e-8)
    if ties != "none":
        assert here.by_tie == pytest.approx(slope("log_p", False), abs=1e-8)
        assert here.by_both == pytest.approx(slope("by_eta", False), abs=1e-8)
        assert here.by_tie2 == pytest.approx(slope("by_tie", False), abs=1e-8)
    far = choice.outcomes(np.array([-300.0, 300.0]), np.array([0.7, 0.7]))
    assert np.isfinite(far.log_p[:, [0, 2]]).all()
    assert np.isfinite(far.by_eta).all()


def test_bradley_terry_equals_choix(rng):
    choix = pytest.importorskip("choix")
    left, right = partial_design(15, 400, rng)
    answers = simulated(rng.normal(0, 1, 15), left, right, rng, model="bradley-terry")
    won = np.where(answers.choice > 0, answers.left, answers.right)
    lost = np.where(answers.choice > 0, answers.right, answers.left)
    theirs = choix.ilsr_pairwise(15, list(zip(won.tolist(), lost.tolist(), strict=True)))
    ours = scale_pairs(answers, model="bradley-terry", prior="none", side_bias=False)
    unit = JOD_PER_UNIT["bradley-terry"]
    assert ours.jod / unit == pytest.approx(theirs - theirs.mean(), abs=1e-6)


@pytest.mark.parametrize("rule", ["half", "rao-kupper", "order"])
def test_bradley_terry_equals_arenakit(answers, rule):
    bt = pytest.importorskip("arenakit.bt")
    schema = pytest.importorskip("arenakit.schema")
    first, second = np.zeros((6, 6)), np.zeros((6, 6))
    tied = np.zeros((6, 6))
    for matrix, choice in ((first, 1), (second, -1), (tied, 0)):
        rows = answers.choice == choice
        np.add.at(matrix, (answers.left[rows], answers.right[rows]), 1)
    counts = schema.PairCounts(wf=first, ws=second, tt=tied)
    if rule == "rao-kupper":
        theirs = bt.fit_rao_kupper(counts, prior=0.0)
    else:
        theirs = bt.fit_bt(counts, ties="half", order=rule == "order", prior=0.0)
    ours = scale_pairs(
        answers, model="bradley-terry", prior="none", side_bias=rule == "order",
        ties="rao-kupper" if rule == "rao-kupper" else "half",
    )  # fmt: skip
    unit = JOD_PER_UNIT["bradley-terry"]
    assert ours.jod / unit == pytest.approx(theirs.scores, abs=1e-6)
    if rule == "order":
        assert ours.side_bias / unit == pytest.approx(theirs.order_log, abs=1e-6)
    if rule == "rao-kupper":
        assert math.exp(ours.tie_parameter / unit) == pytest.approx(theirs.tie_theta, abs=1e-6)


@pytest.mark.parametrize("model", ["thurstone", "bradley-terry"])
def test_values_and_errors_equal_a_generalised_linear_model(rng, model):
    api = pytest.importorskip("statsmodels.api")
    left, right = full_design(6, 30, rng)
    answers = simulated(np.linspace(0, 2, 6), left, right, rng, model=model, side=0.2)
    design = np.zeros((len(answers), 7))
    np.add.at(design, (np.arange(len(answers)), answers.left), 1)
    np.add.at(design, (np.arange(len(answers)), answers.right), -1)
    design[:, 6] = 1
    links = api.families.links
    link = links.Probit() if model == "thurstone" else links.Logit()
    theirs = api.GLM(answers.choice > 0, design[:, 1:], family=api.families.Binomial(link)).fit(
        tol=1e-12
    )
    ours = scale_pairs(answers, model=model, prior="none", side_bias=True, reference="i0")
    unit = JOD_PER_UNIT[model]
    assert ours.jod[1:] / unit == pytest.approx(theirs.params[:5], abs=1e-6)
    assert ours.side_bias / unit == pytest.approx(theirs.params[5], abs=1e-6)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-8)
    if model == "bradley-terry":
        assert ours.se[1:] / unit == pytest.approx(theirs.bse[:5], rel=1e-5)
        assert ours.side_bias_se / unit == pytest.approx(theirs.bse[5], rel=1e-5)
    assert ours.se[0] == 0
    assert ours.anchor == "i0 at 0"


def test_covariance_is_the_pseudoinverse_of_the_laplacian(rng):
    left, right = partial_design(12, 300, rng)
    answers = simulated(rng.normal(0, 1, 12), left, right, rng)
    found = scale_pairs(answers, prior="none", side_bias=False)
    cells = count_cells(answers, sided=False)
    weight = expected_weights(found.problem, found.theta, cells.totals)[0]
    laplacian = np.zeros((12, 12))
    for a, b, w in zip(cells.left, cells.right, weight, strict=True):
        laplacian[a, a] += w
        laplacian[b, b] += w
        laplacian[a, b] -= w
        laplacian[b, a] -= w
    expected = np.linalg.pinv(laplacian) * JOD_PER_UNIT["thurstone"] ** 2
    assert found.covariance() == pytest.approx(expected, abs=1e-10)
    assert found.se == pytest.approx(np.sqrt(np.diag(expected)), abs=1e-10)
    gaps = {(d.first, d.second): d for d in found.differences()}
    one, same = gaps["i2", "i7"], found.difference("i2", "i7")
    assert one.ci_low == pytest.approx(same.ci_low, abs=1e-10)
    half = 1.959964 * math.sqrt(expected[2, 2] + expected[7, 7] - 2 * expected[2, 7])
    assert one.ci_high - one.jod == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize(("model", "ties"), MODELS)
def test_sparse_and_dense_fits_agree(rng, model, ties, monkeypatch):
    left, right = partial_design(40, 1500, rng)
    kind = {"": "none", "davidson": "davidson"}.get(ties, "threshold")
    answers = simulated(
        rng.normal(0, 1, 40), left, right, rng, model=model, ties=kind, tie=0.3, side=0.2
    )
    dense = scale_pairs(answers, model=model, ties=ties or "model", side_bias=True)
    monkeypatch.setattr("srqa.ratings.choice_fit.DENSE_ITEMS", 0)
    factored = scale_pairs(answers, model=model, ties=ties or "model", side_bias=True)
    monkeypatch.setattr("srqa.ratings.choice_fit.FACTORED_ITEMS", 0)
    iterated = scale_pairs(answers, model=model, ties=ties or "model", side_bias=True)
    for other in (factored, iterated):
        assert other.jod == pytest.approx(dense.jod, abs=1e-8)
        assert other.se == pytest.approx(dense.se, abs=1e-8)
        assert other.side_bias_se == pytest.approx(dense.side_bias_se, abs=1e-8)
        assert other.tie_parameter == pytest.approx(dense.tie_parameter, abs=1e-8, nan_ok=True)


def test_long_chains_are_solved_although_they_need_many_steps():
    from scipy.sparse import diags_array

    n = 3000
    matrix = diags_array(
        [np.full(n - 1, -1.0), np.r_[1 + 1e-9, np.full(n - 2, 2.0), 1], np.full(n - 1, -1.0)],
        offsets=[-1, 0, 1],
    ).tocsc()
    _, reached = conjugate_gradients(matrix, np.eye(n, 1), most=50)
    assert not reached
    wins = [f"i{k}" for k in range(1100)]
    answers = from_names([*wins[:-1], *wins[1:]], [*wins[1:], *wins[:-1]], ["left"] * 2198)
    found = scale_pairs(answers, prior="none", side_bias=False)
    assert np.abs(found.jod).max() < 1e-6


def test_drawn_errors_of_many_items_are_right(rng, monkeypatch):
    left, right = partial_design(60, 2000, rng)
    answers = simulated(rng.normal(0, 1, 60), left, right, rng, ties="threshold", tie=0.3, side=0.1)
    exact = scale_pairs(answers, side_bias=True)
    monkeypatch.setattr("srqa.ratings.paired_scale.EXACT_ITEMS", 10)
    monkeypatch.setattr("srqa.ratings.paired.EXACT_ITEMS", 10)
    drawn = scale_pairs(answers, side_bias=True)
    assert drawn.se == pytest.approx(exact.se, rel=0.15)
    assert (drawn.se / exact.se).mean() == pytest.approx(1, abs=0.02)
    assert any("400 draws" in note for note in drawn.notes)


def test_bradley_terry_errors_equal_a_parametric_bootstrap(rng):
    left, right = full_design(8, 40, rng)
    values = np.linspace(-1.5, 1.5, 8)
    answers = simulated(values, left, right, rng, model="bradley-terry")
    found = scale_pairs(answers, model="bradley-terry", prior="none", side_bias=False)
    cells = found.problem.cells
    p = found.probabilities(cells.left, cells.right)[:, 0]
    wins = rng.binomial(cells.totals.astype(int), p, size=(4000, len(p)))
    counts = np.stack([wins, np.zeros_like(wins), cells.totals - wins], axis=-1).astype(float)
    again = fit(found.problem, counts, np.tile(found.theta, (4000, 1)))
    assert again.converged.all()
    drawn = again.theta * found.model.jod_per_unit
    assert drawn.std(axis=0, ddof=1) == pytest.approx(found.se, rel=0.05)


def test_unconnected_items_are_named_and_refused_by_maximum_likelihood():
    answers = from_names(["a", "b", "c", "d"], ["b", "a", "d", "c"], ["left"] * 4)
    with pytest.raises(InputError, match=r"\(a, b\) and \(c, d\)"):
        scale_pairs(answers, prior="none")
    found = scale_pairs(answers)
    assert any("(a, b) and (c, d)" in note for note in found.notes)
    assert found.anchor == "sum to zero in each group of linked items"
    assert found.jod == pytest.approx(np.zeros(4), abs=1e-12)
    with pytest.raises(InputError, match="No chain of comparisons links 'a' and 'c'"):
        found.difference("a", "c")
    assert sum(math.isnan(d.jod) for d in found.differences()) == 4
    anchored = scale_pairs(answers, reference=["a", "d"])
    assert anchored.se[[0, 3]].tolist() == [0, 0]
    with pytest.raises(InputError, match="1 reference items are given for 2 groups"):
        scale_pairs(answers, reference="a")


def test_unanimous_answers_need_a_prior():
    answers = from_wins(np.array([[0, 9, 9], [0, 0, 5], [0, 4, 0]]), ["best", "x", "y"])
    with pytest.raises(InputError, match=r"unanimous between .*\(best\)"):
        scale_pairs(answers, prior="none")
    found = scale_pairs(answers)
    assert np.isfinite(found.jod).all()
    assert found.jod.argmax() == 0
    assert any("settled by the prior" in note for note in found.notes)
    wide = scale_pairs(answers, sigma=4.0)
    assert wide.jod[0] > found.jod[0]


def test_ties_alone_tell_nothing():
    with pytest.raises(InputError, match="Every answer is a tie"):
        scale_pairs(from_names(["a", "b"], ["b", "a"], ["tie", "tie"]))


def test_side_bias_is_found_and_told(rng):
    left, right = full_design(6, 60, rng)
    answers = simulated(np.linspace(0, 2, 6), left, right, rng, side=0.5)
    found = scale_pairs(answers)
    assert found.side_bias == pytest.approx(0.5, abs=4 * found.side_bias_se)
    assert any("prefer the left side" in note for note in found.notes)
    assert math.isnan(scale_pairs(answers, side_bias=False).side_bias)


def test_pairs_of_one_picture_sharpen_the_side_bias(rng):
    left, right = full_design(5, 10, rng)
    left, right = np.r_[left, np.zeros(200, int)], np.r_[right, np.zeros(200, int)]
    eta = np.r_[np.zeros(len(left))] + 0.4
    felt = eta + JOD_PER_UNIT["thurstone"] * rng.standard_normal(len(left))
    columns = (left, right, np.where(felt > 0, 1, -1))
    people = np.zeros(len(left), int)
    items = tuple("abcde")
    with_them = Comparisons(items, *columns, ("o",), people, identical=True)
    without = with_them.select(left != right)
    sharp, dull = scale_pairs(with_them, side_bias=True), scale_pairs(without, side_bias=True)
    assert sharp.side_bias_se < 0.7 * dull.side_bias_se
    assert sharp.side_bias == pytest.approx(0.4, abs=4 * sharp.side_bias_se)


def test_wins_do_not_tell_sides():
    wins = from_wins(np.array([[0, 3], [2, 0]]))
    assert math.isnan(scale_pairs(wins).side_bias)
    with pytest.raises(InputError, match="All choices are for the same side"):
        scale_pairs(wins, side_bias=True)


def test_halved_ties_are_the_named_compromise(answers):
    found = scale_pairs(answers, ties="half", prior="none")
    assert math.isnan(found.tie_parameter)
    assert any("half a win" in note for note in found.notes)


@pytest.mark.parametrize("wins", [
    [[0, 25, 0], [75, 0, 25], [0, 75, 0]],
    [[0, 10, 12, 9], [2, 0, 8, 12], [0, 4, 0, 6], [3, 0, 6, 0]],
])  # fmt: skip
def test_the_prior_of_pwcmp_has_its_optimum(wins):
    wins = np.array(wins)
    found = scale_pairs(from_wins(wins), prior="pwcmp").jod
    here = oracle.pwcmp_loss(wins, found)
    rng = np.random.default_rng(0)
    for step in (1e-3, 1e-2, 0.1):
        for _ in range(40):
            assert oracle.pwcmp_loss(wins, found + step * rng.normal(size=len(found))) > here - 1e-9


def test_pwcmp_goes_with_its_own_model_only(answers):
    with pytest.raises(UsageError, match="pwcmp"):
        scale_pairs(answers, model="bradley-terry", prior="pwcmp")
    with pytest.raises(UsageError, match="side bias"):
        scale_pairs(answers, ties="half", prior="pwcmp", side_bias=True)
    assert np.isfinite(scale_pairs(answers, ties="half", prior="pwcmp", side_bias=False).jod).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "elo"}, "no model 'elo'"),
        ({"ties": "davidson"}, "'davidson' for ties does not go with thurstone"),
        ({"prior": "flat"}, "no prior 'flat'"),
        ({"sigma": 0.0}, "above 0"),
        ({"sigma": math.nan}, "above 0"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_bad_arguments_are_refused(answers, arguments, words):
    with pytest.raises(UsageError, match=words):
        scale_pairs(answers, **arguments)


def test_the_table_has_the_published_columns(answers):
    facts = {"i0": Stimulus("i0", dataset="set5", content="baby", scale=4.0, method="swinir")}
    table = scale_pairs(answers).table(facts)
    assert list(table[0]) == [
        "dataset", "content", "scale", "method", "jod", "ci_low", "ci_high", "n",
    ]  # fmt: skip
    assert (table[0]["method"], table[0]["content"], table[1]["method"]) == ("swinir", "baby", "i1")
    assert table[0]["n"] == 40
    assert table[0]["ci_low"] < table[0]["jod"] < table[0]["ci_high"]


def many(items, answers, seed=0):
    rng = np.random.default_rng(seed)
    left, right = partial_design(items, answers, rng)
    return simulated(rng.normal(0, 1.5, items), left, right, rng, ties="threshold", tie=0.3)


def test_memory_grows_with_answers_not_with_items_squared(monkeypatch):
    monkeypatch.setattr("srqa.ratings.paired_scale.DRAWS", 20)

    def peak(items, answers):
        data = many(items, answers)
        tracemalloc.start()
        scale_pairs(data)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    scale_pairs(many(10, 100))
    small, large = peak(500, 25_000), peak(500, 100_000)
    assert large < 4.5 * small
    assert peak(4000, 12_000) < 4000 * 4000 * 8 / 3


def test_500_items_and_100000_comparisons_are_fast():
    data = many(500, 100_000)
    scale_pairs(many(10, 100))
    start = time.process_time()
    found = scale_pairs(data, model="bradley-terry")
    assert time.process_time() - start < 6  # 1 s on an idle core; the rest is room for load
    assert np.isfinite(found.se).all()


def coverage(model, ties, side, partial, replicates, prior, items=6, votes=24, seed=1):
    """Share of 95 % intervals of all differences that hold the truth."""
    rng = np.random.default_rng(seed)
    values = np.linspace(-1.2, 1.2, items)
    hits, refused = [], 0
    for _ in range(replicates):
        if partial:
            left, right = partial_design(items, votes * items, rng)
        else:
            left, right = full_design(items, votes, rng)
        kind = {"": "none", "davidson": "davidson"}.get(ties, "threshold")
        answers = simulated(
            values, left, right, rng, model=model, ties=kind, tie=0.35, side=side, observers=12
        )
        try:
            found = scale_pairs(answers, model=model, ties=ties or "model", prior=prior)
        except InputError:
            refused += 1
            continue
        truth = dict(zip(answers.items, values, strict=True))
        hits += [
            d.ci_low <= truth[d.first] - truth[d.second] <= d.ci_high for d in found.differences()
        ]
    assert refused <= (0 if prior == "gaussian" else 0.02 * replicates)
    return float(np.mean(hits))


@pytest.mark.parametrize("prior", ["gaussian", "none"])
@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(("model", "ties", "side"), [
    ("thurstone", "", 0.0), ("thurstone", "glenn-david", 0.3),
    ("bradley-terry", "rao-kupper", 0.3), ("bradley-terry", "davidson", 0.0),
])  # fmt: skip
@pytest.mark.slow
def test_intervals_of_differences_cover(model, ties, side, partial, prior):
    assert 0.93 <= coverage(model, ties, side, partial, 500, prior) <= 0.97


def test_intervals_of_differences_cover_in_short():
    assert 0.925 <= coverage("thurstone", "glenn-david", 0.3, True, 120, "gaussian") <= 0.975


def test_information_solves_with_borders(answers):
    found = scale_pairs(answers, prior="gaussian")
    weights = expected_weights(found.problem, found.theta, found.problem.cells.totals)
    from srqa.ratings.choice_fit import dense_information

    dense = dense_information(found.problem, tuple(w[None] for w in weights))[0]
    right = np.random.default_rng(0).normal(size=(len(dense), 3))
    ours = Information.of(found.problem, weights).solve_all(right)
    assert ours == pytest.approx(np.linalg.solve(dense, right), abs=1e-9)
