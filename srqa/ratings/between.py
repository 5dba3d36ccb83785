"""Which method do people prefer: tests between methods over the same observers, and tiers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from srqa.errors import InputError, MissingPackageError, UsageError
from srqa.ratings.answers import Answers, Floats
from srqa.statistics.multiple import benjamini_hochberg, letters
from srqa.statistics.paired import holm, signed_rank

if TYPE_CHECKING:
    import pandas as pd

Test = Literal["t", "wilcoxon", "mixed"]
Correction = Literal["holm", "bh", "none"]
MARGIN = 0.25
"""Two methods nearer than this on a five-point scale are the same for practical purposes."""
FEW_OBSERVERS = 6
_CORRECTIONS: dict[Correction, Callable[[Sequence[float]], list[float]]] = {
    "holm": holm,
    "bh": benjamini_hochberg,
    "none": list,
}


@dataclass(frozen=True, slots=True)
class MethodDifference:
    """How two methods differ in the mean opinion of the observers who rated both.

    Attributes:
        mean: of (first - second), on the scale of the answers.
        ci_low, ci_high: 95 % interval of `mean`, not corrected for many pairs.
        p: two-sided, of no difference.
        p_adjusted: after the correction over all pairs.
        p_equivalent: of the two one-sided tests that |difference| is beyond the margin; small
            means that the methods are the same for practical purposes.
        n: observers.
        verdict: "better" (first), "worse", "equivalent", or "not told apart".
    """

    first: str
    second: str
    mean: float
    ci_low: float
    ci_high: float
    p: float
    p_adjusted: float
    p_equivalent: float
    n: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Methods from the best to the worst, in tiers.

    Attributes:
        methods: by falling mean.
        means: of all answers of each method, on the scale of the answers.
        tiers: letters of each; methods that share one are not told apart.
        differences: all pairs, the better one first.
        test, correction, margin: how the pairs were tested.
        notes: sentences that a reader should know.
    """

    methods: tuple[str, ...]
    means: tuple[float, ...]
    tiers: tuple[str, ...]
    differences: tuple[MethodDifference, ...]
    test: Test
    correction: Correction
    margin: float
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The pairs as pandas."""
        import pandas as pd

        names = MethodDifference.__dataclass_fields__
        return pd.DataFrame([{n: getattr(d, n) for n in names} for d in self.differences])


def compare_methods(
    answers: Answers,
    test: Test = "t",
    correction: Correction = "holm",
    margin: float = MARGIN,
    alpha: float = 0.05,
) -> Ranking:
    """Test each pair of methods over the observers who rated both.

    An observer's difference is the mean over the contents (and scales) that this observer rated
    with both methods, so what is peculiar to observer or content falls out; observers are what the
    tests count. The conclusion is about these contents, with other people.

    Args:
        answers: ratings of stimuli that have a method.
        test: "t" over observers' differences; "wilcoxon" their signed ranks; "mixed" a linear
            mixed model with random observers, contents and methods on contents (needs
            statsmodels; slow for more than a few thousand answers), whose conclusion is about
            other contents too.
        correction: over all pairs: Holm, Benjamini and Hochberg, or none.
        margin: of equivalence, on the scale of the answers.
        alpha: below which a p value tells methods apart.

    Returns:
        The ranking. Pairs without two common observers have NaN for p and are not told apart.

    Raises:
        InputError: fewer than two methods were rated.
        UsageError: the margin is not above 0.
        MissingPackageError: "mixed" without statsmodels.

    References:
        Student's t over subjects: ITU-T P.1401; Schuirmann, A comparison of the two one-sided
        tests procedure, J. Pharmacokinetics 15, 1987; tiers: `srqa.statistics.multiple.letters`.
    """
    if not (margin > 0 and math.isfinite(margin)):
        raise UsageError(f"The margin of equivalence must be above 0, not {margin:g}.")
    names, table, observer, content = _table(answers.ratings())
    order = np.argsort(-np.nanmean(table, axis=0), kind="stable")
    names, table = tuple(names[i] for i in order), table[:, order]
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    if test == "mixed":
        raw = _mixed(table, observer, content, pairs)
    else:
        raw = [_over_observers(table[:, i] - table[:, j], observer, test) for i, j in pairs]
    adjusted = _CORRECTIONS[correction]([row.p for row in raw])
    differences = []
    apart = np.zeros((len(names), len(names)), dtype=np.bool_)
    for (i, j), row, p in zip(pairs, raw, adjusted, strict=True):
        told = p < alpha
        apart[i, j] = apart[j, i] = told
        same = row.equivalence(margin)
        word = ("better" if row.mean > 0 else "worse") if told else "not told apart"
        if same < alpha and not told:
            word = "equivalent"
        low, high = row.interval()
        differences.append(
            MethodDifference(names[i], names[j], row.mean, low, high, row.p, p, same, row.n, word)
        )
    return Ranking(
        methods=names,
        means=tuple(float(m) for m in np.nanmean(table, axis=0)),
        tiers=tuple(letters(apart)),
        differences=tuple(differences),
        test=test,
        correction=correction,
        margin=margin,
        notes=_notes(raw, test),
    )


@dataclass(frozen=True, slots=True)
class _Estimate:
    """A mean difference, its standard error and degrees of freedom (infinite: normal)."""

    mean: float
    error: float
    df: float
    n: int
    p: float

    def interval(self) -> tuple[float, float]:
        from scipy.stats import t

        half = float(t.ppf(0.975, self.df)) * self.error if self.df > 0 else math.nan
        return self.mean - half, self.mean + half

    def equivalence(self, margin: float) -> float:
        from scipy.stats import t

        if not self.df > 0:
            return math.nan
        if self.error == 0:
            return 0.0 if abs(self.mean) < margin else 1.0
        return float(t.sf((margin - abs(self.mean)) / self.error, self.df))


def _over_observers(differences: Floats, observer: Floats, test: Test) -> _Estimate:
    """Each observer's mean difference, then the test over observers."""
    from scipy.stats import t

    both = ~np.isnan(differences)
    sums = np.bincount(observer[both], differences[both])
    counts = np.bincount(observer[both])
    own = sums[counts > 0] / counts[counts > 0]
    n = len(own)
    if n < 2:
        return _Estimate(float(own.mean()) if n else math.nan, math.nan, 0, n, math.nan)
    mean, error = float(own.mean()), float(own.std(ddof=1) / math.sqrt(n))
    if test == "wilcoxon":
        p = signed_rank(own)
    elif error == 0:
        p = 1.0 if mean == 0 else 0.0
    else:
        p = float(2 * t.sf(abs(mean) / error, n - 1))
    return _Estimate(mean, error, n - 1, n, p)


def _table(answers: Answers) -> tuple[tuple[str, ...], Floats, Floats, Floats]:
    """Methods; (rows, methods) mean ratings; observer and content of each row.

    A row is what one observer saw of one content at one scale.
    """
    stimuli = answers.stimuli
    methods = tuple(dict.fromkeys(s.method for s in stimuli if s.method))
    if len(methods) < 2:
        raise InputError(
            f"Tests between methods need two of them, and the answers name {len(methods)}.",
            hint="The table of answers says them in its column method.",
        )
    places = {(s.dataset, s.content, s.scale) for s in stimuli}
    place_code = {place: i for i, place in enumerate(sorted(places, key=str))}
    method_code = {name: i for i, name in enumerate(methods)}
    method = np.array([method_code.get(s.method, -1) for s in stimuli])[answers.stimulus]
    place = np.array([place_code[s.dataset, s.content, s.scale] for s in stimuli])
    place = place[answers.stimulus]
    kept = method >= 0
    cell = answers.observer[kept].astype(np.int64) * len(place_code) + place[kept]
    rows, row = np.unique(cell, return_inverse=True)
    flat = row * len(methods) + method[kept]
    size = len(rows) * len(methods)
    counts = np.bincount(flat, minlength=size)
    sums = np.bincount(flat, answers.value[kept], minlength=size)
    with np.errstate(invalid="ignore"):
        table = (sums / counts).reshape(len(rows), len(methods))
    return methods, table, rows // len(place_code), rows % len(place_code)


def _mixed(
    table: Floats, observer: Floats, content: Floats, pairs: list[tuple[int, int]]
) -> list[_Estimate]:
    """A linear mixed model by REML: fixed methods; random observers, contents, and methods on
    contents. Its t tests have one degree of freedom less than there are contents."""
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM
    except ImportError as error:
        raise MissingPackageError(
            "The mixed model needs statsmodels, which is not installed.",
            hint="pip install 'srqa[stats]'",
        ) from error
    import warnings

    rows, method = np.nonzero(~np.isnan(table))
    fixed = np.eye(table.shape[1])[method]
    who, what = observer[rows], content[rows]
    interaction = what * table.shape[1] + method
    blocks = [_indicator(codes) for codes in (who, what, interaction)]
    components = _components(blocks)
    model = MixedLM(table[rows, method], fixed, groups=np.zeros(len(rows)), exog_vc=components)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of variances at 0, which are a result
        fitted = model.fit(reml=True, method=["powell"], ftol=1e-10, xtol=1e-7)
    covariance = np.asarray(fitted.cov_params())[: table.shape[1], : table.shape[1]]
    effects = np.asarray(fitted.fe_params)
    from scipy.stats import t

    df = len(np.unique(what)) - 1
    found = []
    for i, j in pairs:
        mean = float(effects[i] - effects[j])
        width = math.sqrt(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])
        n = len(np.unique(who[np.isin(method, (i, j))]))
        p = float(2 * t.sf(abs(mean) / width, df)) if df > 0 and width > 0 else math.nan
        found.append(_Estimate(mean, width, df, n, p))
    return found


def _indicator(codes: Floats) -> Floats:
    names, inverse = np.unique(codes, return_inverse=True)
    return np.eye(len(names))[inverse]


def _components(blocks: list[Floats]) -> object:
    """The random effects in the form that statsmodels takes them in."""
    from statsmodels.regression.mixed_linear_model import VCSpec

    names = ["observer", "content", "method on content"]
    columns = [[[f"{k}" for k in range(block.shape[1])]] for block in blocks]
    return VCSpec(names, columns, [[block] for block in blocks])


def _notes(raw: list[_Estimate], test: Test) -> tuple[str, ...]:
    notes = []
    fewest = min(row.n for row in raw)
    if fewest < 2:
        notes.append("Some pairs of methods have no two observers in common; they are not tested.")
    elif fewest < FEW_OBSERVERS:
        notes.append(
            f"Only {fewest} observers rated both of some methods; with so few, "
            + ("signed ranks can hardly tell anything apart." if test == "wilcoxon"
               else "the t test leans on normal differences.")
        )  # fmt: skip
    return tuple(notes)
