"""Weights of the zoo, pulled once into the user's own store."""

import os
import sys
from pathlib import Path

import platformdirs
import pytest

import srqa.weights

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def zoo(monkeypatch):
    """``zoo(name, ...)`` pulls weight files; what follows finds them."""
    shared = platformdirs.user_cache_path("srqa") / "weights"
    monkeypatch.setenv("SRQA_WEIGHTS", os.environ.get("SRQA_WEIGHTS", str(shared)))
    return lambda *names: srqa.weights.pull(names)
