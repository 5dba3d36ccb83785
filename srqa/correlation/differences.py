"""Which metrics differ by more than chance: all tests, all pairs, tiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from srqa.correlation.data import Data
from srqa.correlation.figures import Figures
from srqa.errors import UsageError
from srqa.statistics.bootstrap import bootstrap_tests
from srqa.statistics.clustered import Clusters, Floats
from srqa.statistics.dependent import f_of_rmse, meng_rosenthal_rubin, steiger, two_shares
from srqa.statistics.jackknife import difference_tests, fisher_z
from srqa.statistics.multiple import benjamini_hochberg, letters
from srqa.statistics.paired import holm

if TYPE_CHECKING:
    import pandas as pd

Test = Literal["jackknife", "bootstrap", "mrr", "steiger"]
Correction = Literal["holm", "bh", "none"]
_SCALES: dict[str, Callable[[Any], Any]] = {
    "srocc": fisher_z, "krcc": fisher_z, "plcc": fisher_z, "rmse": np.log,
    "outlier_ratio": np.asarray,
}  # fmt: skip
"""On which differences are as likely to be too large as too small."""


def settle_test(data: Data, test: str, clusters: Clusters) -> tuple[Test, str]:
    """The test that tells metrics apart, and why.

    Raises:
        UsageError: an unknown test, or one over contents where they are too few.
    """
    if test == "auto":
        if clusters.enough:
            return "jackknife", "it keeps its level where several pictures are of one content"
        return "mrr", f"{clusters.size} contents are too few to leave out"
    if test not in get_args(Test):
        raise UsageError(f"There is no test {test!r}.",
                         hint=f"Choose of auto, {', '.join(get_args(Test))}.")  # fmt: skip
    if test in ("jackknife", "bootstrap") and not clusters.enough:
        raise UsageError(
            f"{clusters.size} contents are too few for the {test}.", hint="Say --test mrr."
        )
    return test, ""  # type: ignore[return-value]


def rank_matrix(data: Data) -> Floats:
    """(k, k) rank correlations between metrics, each turned so that higher is better."""
    from scipy.stats import rankdata

    ranks = np.asarray(rankdata(data.values, axis=0))
    made: Floats = np.atleast_2d(np.corrcoef(ranks, rowvar=False))
    return np.clip(made, -1, 1)


def differences(
    data: Data,
    found: Figures,
    clusters: Clusters,
    between: Floats,
    test: Test,
    correction: Correction,
) -> pd.DataFrame:
    """A row a pair of metrics, the better one by SROCC first.

    Returns:
        Columns first, second, srocc_difference, plcc_difference; p of differences by the jackknife
        over contents: p_srocc, p_krcc, p_plcc, p_rmse, p_outlier_ratio (NaN for too few contents);
        by formulas that take pictures as independent: p_srocc_mrr, p_srocc_steiger, p_plcc_mrr,
        p_rmse_f, p_outlier_ratio_z; by samples of contents, where they were drawn:
        p_srocc_bootstrap, p_krcc_bootstrap, p_plcc_bootstrap, p_rmse_bootstrap; p (of the chosen
        test, on SROCC) and p_adjusted.
    """
    import pandas as pd

    table, n = found.table, len(data)
    srocc, plcc, rmse = (table[name].to_numpy() for name in ("srocc", "plcc", "rmse"))
    outliers = table["outlier_ratio"].to_numpy()
    counted = _over_contents(found, clusters)
    order = np.argsort(-np.nan_to_num(srocc, nan=-2), kind="stable")
    free = [n - m.free for m in found.mappings]
    mapped = np.atleast_2d(np.corrcoef(found.mapped, rowvar=False))
    rows: list[dict[str, Any]] = []
    for a, i in enumerate(order):
        for j in order[a + 1 :]:
            rows.append({
                "first": data.names[i], "second": data.names[j],
                "srocc_difference": srocc[i] - srocc[j], "plcc_difference": plcc[i] - plcc[j],
                **{name: p[i, j] for name, p in counted.items()},
                "p_srocc_mrr": meng_rosenthal_rubin(srocc[i], srocc[j], between[i, j], n).p,
                "p_srocc_steiger": steiger(srocc[i], srocc[j], between[i, j], n).p,
                "p_plcc_mrr": meng_rosenthal_rubin(plcc[i], plcc[j], float(mapped[i, j]), n).p,
                "p_rmse_f": f_of_rmse(rmse[i], rmse[j], free[i], free[j]).p,
                "p_outlier_ratio_z": two_shares(outliers[i], outliers[j], n, n).p,
            })  # fmt: skip
    names = ["first", "second", "srocc_difference", "plcc_difference", *counted, "p_srocc_mrr",
             "p_srocc_steiger", "p_plcc_mrr", "p_rmse_f", "p_outlier_ratio_z"]  # fmt: skip
    made = pd.DataFrame(rows, columns=names)
    made["p"] = made["p_srocc" if test == "jackknife" else f"p_srocc_{test}"]
    correct = {"holm": holm, "bh": benjamini_hochberg, "none": list}[correction]
    made["p_adjusted"] = correct(made["p"].tolist())  # type: ignore[operator]
    return made


def _over_contents(found: Figures, clusters: Clusters) -> dict[str, Floats]:
    """(k, k) p values of each figure."""
    k, made = len(found.table), {}
    for name, scale in _SCALES.items():
        if found.without:
            value = scale(found.table[name].to_numpy())
            made[f"p_{name}"] = difference_tests(value, scale(found.without[name]), clusters)
        else:
            made[f"p_{name}"] = np.full((k, k), np.nan)
    for name, samples in found.drawn.items():
        values = found.table[name].to_numpy()
        made[f"p_{name}_bootstrap"] = bootstrap_tests(values, samples, clusters, _SCALES[name])
    return made


def tiers(data: Data, table: pd.DataFrame, found: pd.DataFrame, alpha: float) -> dict[str, str]:
    """Letters of each metric, the best SROCC first: metrics that share one are not told apart."""
    order = table.sort_values("srocc", ascending=False, kind="stable")["metric"].tolist()
    place = {name: i for i, name in enumerate(order)}
    different = np.zeros((len(order), len(order)), dtype=np.bool_)
    columns = (found["first"], found["second"], found["p_adjusted"].to_numpy(np.float64))
    for first, second, p in zip(*columns, strict=True):
        i, j = place[first], place[second]
        different[i, j] = different[j, i] = bool(p < alpha)
    return dict(zip(order, letters(different), strict=True))


def held(name: str) -> str:
    """A correction in words."""
    return {"holm": "Holm's correction", "bh": "the correction of Benjamini and Hochberg",
            "none": "no correction"}[name]  # fmt: skip
