"""Which metrics differ by more than chance: all tests, all pairs, tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from srqa.correlation.data import Data
from srqa.correlation.figures import Figures
from srqa.errors import UsageError
from srqa.statistics.clustered import Clusters, Floats, difference_tests
from srqa.statistics.dependent import f_of_rmse, meng_rosenthal_rubin, steiger, two_shares
from srqa.statistics.multiple import benjamini_hochberg, letters
from srqa.statistics.paired import holm

if TYPE_CHECKING:
    import pandas as pd

Test = Literal["bootstrap", "mrr", "steiger"]
Correction = Literal["holm", "bh", "none"]


def settle_test(data: Data, test: str, clusters: Clusters) -> tuple[Test, str]:
    """The test that tells metrics apart, and why.

    Raises:
        UsageError: an unknown test, or a bootstrap over too few contents.
    """
    if test == "auto":
        if clusters.single:
            return "mrr", "every picture is of a content of its own"
        if clusters.enough:
            return "bootstrap", "several pictures are of one content"
        return "mrr", f"{clusters.size} contents are too few to draw from"
    if test not in get_args(Test):
        raise UsageError(f"There is no test {test!r}.",
                         hint=f"Choose of auto, {', '.join(get_args(Test))}.")  # fmt: skip
    if test == "bootstrap" and not clusters.enough:
        raise UsageError(
            f"{clusters.size} contents are too few to draw from.", hint="Say --test mrr."
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
        Columns first, second, srocc_difference, plcc_difference, p_bootstrap, p_mrr, p_steiger
        (on SROCC), p_plcc_bootstrap, p_plcc_mrr, p_rmse (F), p_outliers, p (of the chosen test)
        and p_adjusted.
    """
    import pandas as pd

    table, n = found.table, len(data)
    srocc, plcc = table["srocc"].to_numpy(), table["plcc"].to_numpy()
    p_srocc = difference_tests(srocc, found.srocc_samples, clusters, ranks=True)
    p_plcc = difference_tests(plcc, found.plcc_samples, clusters)
    order = np.argsort(-np.nan_to_num(srocc, nan=-2), kind="stable")
    free = [n - m.free for m in found.mappings]
    mapped = np.atleast_2d(np.corrcoef(found.mapped, rowvar=False))
    rows: list[dict[str, Any]] = []
    for a, i in enumerate(order):
        for j in order[a + 1 :]:
            rows.append({
                "first": data.names[i], "second": data.names[j],
                "srocc_difference": srocc[i] - srocc[j], "plcc_difference": plcc[i] - plcc[j],
                "p_bootstrap": p_srocc[i, j],
                "p_mrr": meng_rosenthal_rubin(srocc[i], srocc[j], between[i, j], n).p,
                "p_steiger": steiger(srocc[i], srocc[j], between[i, j], n).p,
                "p_plcc_bootstrap": p_plcc[i, j],
                "p_plcc_mrr": meng_rosenthal_rubin(plcc[i], plcc[j], float(mapped[i, j]), n).p,
                "p_rmse": f_of_rmse(table["rmse"][i], table["rmse"][j], free[i], free[j]).p,
                "p_outliers": two_shares(
                    table["outlier_ratio"][i], table["outlier_ratio"][j], n, n).p,
            })  # fmt: skip
    names = ["first", "second", "srocc_difference", "plcc_difference", "p_bootstrap", "p_mrr",
             "p_steiger", "p_plcc_bootstrap", "p_plcc_mrr", "p_rmse", "p_outliers"]  # fmt: skip
    made = pd.DataFrame(rows, columns=names)
    made["p"] = made[f"p_{test}"]
    correct = {"holm": holm, "bh": benjamini_hochberg, "none": list}[correction]
    made["p_adjusted"] = correct(made["p"].tolist())  # type: ignore[operator]
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
