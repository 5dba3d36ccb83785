"""Pictures, a user's own metrics, and Runs to look at."""

import sys

import pytest
import support

import srqa
from srqa.metrics import registry


@pytest.fixture
def pictures(tmp_path):
    """Three references, and two methods of which "poor" is noisier."""
    return support.scene(tmp_path)


@pytest.fixture
def evaluate(pictures):
    """``evaluate(...)`` on `pictures` at scale 4."""

    def call(**options):
        return srqa.evaluate(pictures / "out", pictures / "hr", **({"scale": 4} | options))

    return call


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """``plugin(source)`` installs a distribution whose METRICS are registered, and removes it."""

    def make(source):
        folder = support.install(tmp_path / "site", source)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, "usermetrics", raising=False)
        registry._registry.cache_clear()
        return folder

    yield make
    registry._registry.cache_clear()


@pytest.fixture(autouse=True)
def two_metrics(monkeypatch):
    """Tests that name no metric are about other things; test_defaults.py is about the defaults."""
    monkeypatch.setattr("srqa.engine.choice.DEFAULT_METRICS", ("psnr-y", "ssim-y"))
