"""Published ratings."""

import json

import numpy as np
import pytest


@pytest.fixture(scope="session")
def expected(reference):
    """Numbers that others published or computed."""
    return json.loads((reference / "expected.json").read_text())


@pytest.fixture(scope="session")
def nflx(reference):
    """The public NFLX set, (79 stimuli, 26 observers), complete."""
    return np.loadtxt(reference / "ratings/nflx_public_79x26.csv", delimiter=",")


@pytest.fixture(scope="session")
def demo(reference):
    """The table of the P.910 demo, (79, 26), one vote missing."""
    return np.genfromtxt(reference / "ratings/p910_demo_79x26.csv", delimiter=",")


@pytest.fixture(scope="session")
def ic_test(reference):
    """371 still pictures by 21 observers, complete."""
    path = reference / "ratings/ic_test_371x21.csv"
    return np.genfromtxt(path, delimiter=",", skip_header=1)[:, 1:]
