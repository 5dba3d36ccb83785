"""Curves from metrics to human scores: the least residual, monotone cubics, fall-backs."""

import math

import numpy as np
import pytest
from scipy.optimize import differential_evolution, minimize

from srqa.errors import UsageError
from srqa.statistics.mapping import FREE, REACH, SLOPES, fit


def shapes(rng, n):
    """Sets of values and scores, degenerate ones included."""
    x = rng.normal(0, 1, n)
    return {
        "sigmoid": (x, np.tanh(2 * x) + rng.normal(0, 0.3, n)),
        "step": (x, (x > 0.3) + rng.normal(0, 0.05, n)),
        "line": (x, 2 * x + rng.normal(0, 0.2, n)),
        "nothing": (x, rng.normal(0, 1, n)),
        "valley": (x, x**2 + rng.normal(0, 0.1, n)),
        "exponential": (x, np.exp(x) + rng.normal(0, 0.1, n)),
        "few values": (np.round(x), x + rng.normal(0, 0.5, n)),
        "two values": (np.where(x > 0, 1.0, 0.0), x + rng.normal(0, 0.5, n)),
        "far outlier": (np.append(x[:-1], 40.0), np.append(np.tanh(x[:-1]), 1.0)),
        "falling": (1e6 - 1e3 * x, 3 + np.tanh(x) + rng.normal(0, 0.2, n)),
    }


def logistic(x, tilted):
    """An independent residual: all linear numbers by lstsq, the other two by the optimiser."""
    z = (x - x.mean()) / x.std()

    def residual(at, y):
        with np.errstate(over="ignore"):
            s = 1 / (1 + np.exp(-(z - at[0]) / np.exp(at[1])))
        columns = np.stack([np.ones_like(z), s, *([z] if tilted else [])], axis=1)
        # A logistic that is flat on the data adds nothing but rounding.
        if np.ptp(s) < 1e-9:
            columns = np.delete(columns, 1, axis=1)
        solved = np.linalg.lstsq(columns, y, rcond=1e-12)[0]
        return float(((y - columns @ solved) ** 2).sum())

    bounds = [(z.min() - REACH, z.max() + REACH), tuple(np.log(SLOPES))]
    return residual, bounds


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["logistic4", "logistic5"])
@pytest.mark.parametrize("seed", range(3))
def test_logistics_reach_the_least_residual(kind, seed):
    """60 sets in all against a global optimiser in the same box."""
    rng = np.random.default_rng(seed)
    for name, (x, y) in shapes(rng, int(rng.integers(20, 120))).items():
        residual, bounds = logistic(x, kind == "logistic5")
        best = differential_evolution(
            residual, bounds, args=(y,), seed=1, popsize=30, maxiter=200, tol=1e-10
        ).fun
        mapping = fit(x, y, kind)
        assert mapping.kind == kind
        assert mapping.residual <= best * (1 + 1e-6) + 1e-12 * ((y - y.mean()) ** 2).sum(), name


@pytest.mark.parametrize("kind", ["logistic4", "logistic5"])
def test_logistics_find_the_curve_that_was_there(kind):
    x = np.linspace(18, 42, 60)
    truth = 1.2 + 3.1 / (1 + np.exp(-(x - 29.5) / 1.7)) + (0.03 * x if kind == "logistic5" else 0)
    mapping = fit(x, truth, kind)
    assert mapping.residual < 1e-10
    assert mapping(x) == pytest.approx(truth, abs=1e-5)


@pytest.mark.parametrize("kind", ["linear", "cubic", "logistic4", "logistic5"])
@pytest.mark.parametrize("shape", shapes(np.random.default_rng(0), 30))
def test_parameters_are_those_of_the_literature(kind, shape):
    x, y = shapes(np.random.default_rng(0), 30)[shape]
    mapping = fit(x, y, kind)
    b = mapping.parameters
    with np.errstate(over="ignore"):
        made = {
            "linear": lambda: b[0] + b[1] * x,
            "cubic": lambda: b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3,
            "logistic4": lambda: (b[0] - b[1]) / (1 + np.exp(-(x - b[2]) / abs(b[3]))) + b[1],
            "logistic5": lambda: (
                b[0] * (0.5 - 1 / (1 + np.exp(b[1] * (x - b[2])))) + b[3] * x + b[4]
            ),
        }[mapping.kind]()
    scale = np.abs(mapping(x)).max()
    wide = 1e-6 if shape != "falling" or kind == "linear" else 1e-3  # cancellation at 1e18
    assert made == pytest.approx(mapping(x), abs=wide * max(scale, 1))


@pytest.mark.parametrize("seed", range(4))
def test_cubic_is_monotone_and_the_best_such(seed):
    rng = np.random.default_rng(seed)
    for name, (x, y) in shapes(rng, 40).items():
        mapping = fit(x, y, "cubic")
        assert mapping.kind == "cubic", name
        assert mapping.monotone, name
        z = (x - x.mean()) / x.std()
        grid = np.linspace(z.min(), z.max(), 1500)  # between them it may dip a little
        slope = np.stack([0 * grid, 1 + 0 * grid, 2 * grid, 3 * grid**2], axis=1)
        powers = np.stack([z**k for k in range(4)], axis=1)
        found = []
        for sign in (1, -1):
            done = minimize(
                lambda c, powers=powers, y=y: ((y - powers @ c) ** 2).sum(),
                np.array([y.mean(), 0.01 * sign, 0, 0]),
                jac=lambda c, powers=powers, y=y: -2 * powers.T @ (y - powers @ c),
                constraints={"type": "ineq", "fun": lambda c, s=sign, m=slope: s * (m @ c)},
                method="SLSQP",
                options={"maxiter": 500, "ftol": 1e-13},
            )
            if (sign * (slope @ done.x)).min() > -1e-6:
                found.append(done.fun)
        assert mapping.residual <= min(found) * (1 + 3e-5) + 1e-9, name


def test_many_points_give_the_same_curve_as_few():
    """The search on bins ends where the search on all points does."""
    rng = np.random.default_rng(3)
    x = rng.normal(30, 4, 3000)
    y = 1 + 4 / (1 + np.exp(-(x - 31) / 2)) + rng.normal(0, 0.4, 3000)
    mapping = fit(x, y)
    around = np.array(mapping.parameters)
    for k in range(4):
        for step in (-1e-3, 1e-3):
            moved = around.copy()
            moved[k] *= 1 + step
            other = (moved[0] - moved[1]) / (1 + np.exp(-(x - moved[2]) / abs(moved[3]))) + moved[1]
            assert ((y - other) ** 2).sum() >= mapping.residual


def test_too_few_points_are_told():
    x = np.arange(11.0)
    mapping = fit(x, x**2, "logistic4")
    assert mapping.kind == "linear"
    assert mapping.free == FREE["linear"]
    assert mapping.note == (
        "a line instead of 4-parameter logistic: 11 pictures are too few for 4 parameters"
    )


def test_equal_values_give_the_mean():
    mapping = fit(np.full(20, 7.0), np.arange(20.0))
    assert "all values are equal" in mapping.note
    assert mapping(np.array([7.0])) == pytest.approx(9.5)


def test_direction_and_unknown_kind():
    x = np.linspace(0, 1, 40)
    assert fit(x, -np.tanh(x)).rising is False
    assert not fit(x, (x - 0.5) ** 2, "logistic5").monotone
    assert math.isnan(fit(x, x, "none").residual) is False
    with pytest.raises(UsageError, match="no mapping 'probit'"):
        fit(x, x, "probit")
    with pytest.raises(UsageError, match="two equal columns"):
        fit(x, x[:-1])
