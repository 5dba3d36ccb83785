"""Learned metrics on the command line: without weights, precision, memory, Ma scores."""

import pytest
import support
from support import assert_one_sentence

from srqa.engine import choice

DEFAULTS = choice.DEFAULT_METRICS


@pytest.fixture
def two_metrics(monkeypatch):
    """Overrides the folder's fixture: these tests are about the defaults."""
    monkeypatch.setattr(choice, "DEFAULT_METRICS", DEFAULTS)


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("srqa.weights.installed.find", lambda file: None)
    monkeypatch.setattr("srqa.weights.installed.read", lambda file: None)
    monkeypatch.setattr("srqa.metrics.networks._loaded", {})


@pytest.fixture
def pictures(tmp_path):
    return support.scene(tmp_path, contents=("a", "b"), methods=("fine",), side=192)


def test_defaults_without_weights(evaluate, no_weights):
    outcome = evaluate("--offline", "--format", "csv")
    assert outcome.code == 0
    assert "psnr-y" in outcome.out
    assert "lpips" not in outcome.out
    notes = [line for line in outcome.err.splitlines() if "left out" in line]
    assert len(notes) == 1
    assert notes[0].startswith("note: lpips and dists left out: ")


def test_asked_for_without_weights(evaluate, no_weights):
    outcome = evaluate("--offline", "-m", "psnr-y,lpips")
    assert outcome.code == 4
    assert outcome.out == ""
    assert_one_sentence(outcome.err, "lpips-alex", "srqa weights pull lpips-alex")


def test_bfloat16_is_marked(evaluate):
    outcome = evaluate("--dtype", "bfloat16", "-m", "psnr-y,lpips")
    assert outcome.code == 0
    signatures = [line for line in outcome.out.splitlines() if " | " in line]
    assert any(line.startswith("lpips |") and "bfloat16" in line for line in signatures)
    assert any(line.startswith("psnr-y |") and "bfloat16" not in line for line in signatures)


@pytest.mark.parametrize("size", ["many", "-3GB", "0", "12 apples"])
def test_memory_that_is_no_size(evaluate, size):
    outcome = evaluate("--memory", size)
    assert outcome.code == 2
    assert_one_sentence(outcome.err, size)


def test_perceptual_index(command, pictures, tmp_path):
    scores = tmp_path / "ma.csv"
    scores.write_text("image,ma\na,4\nb,5\n")
    place = ("evaluate", pictures / "out" / "fine", "-m", "pi")
    outcome = command(*place, "--ma", scores, "--format", "csv")
    assert outcome.code == 0
    assert ",pi," in outcome.out
    lacking = command(*place)
    assert lacking.code == 2
    assert_one_sentence(lacking.err, "The metric pi needs --ma")


def test_small_pictures_are_named_once(command, tmp_path):
    support.scene(tmp_path / "small", contents=[f"p{i}" for i in range(7)], methods=("m",))
    outcome = command("evaluate", tmp_path / "small" / "out", "-m", "niqe,tv")
    assert outcome.code == 0
    lines = [line for line in outcome.err.splitlines() if line.startswith("n/a: ")]
    assert len(lines) == 1
    assert "and 4 more (niqe)" in lines[0]
