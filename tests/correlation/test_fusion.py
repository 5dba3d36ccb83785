"""Metrics learned from human scores: honest on unseen contents, and usable by srqa evaluate."""

import json

import numpy as np
import pandas as pd
import pytest
from correlation_support import study
from support import assert_one_sentence, scene, srqa

import srqa as library
from srqa.correlation.fusion import fuse
from srqa.errors import InputError, UsageError
from srqa.metrics import registry
from srqa.statistics.correlation import spearman

FAST = {"resamples": 100}


def complementary(contents=40, seed=0):
    """Two metrics of which each sees half of the quality."""
    rng = np.random.default_rng(seed)
    keys = [(f"c{i}", m) for i in range(contents) for m in "abcd"]
    halves = rng.normal(size=(len(keys), 2))
    frame = pd.DataFrame(keys, columns=["content", "method"])
    ratings = frame.assign(mos=halves.sum(axis=1) + rng.normal(0, 0.2, len(keys)))
    scores = frame.assign(**{"psnr-y": halves[:, 0] + 30, "lpips": -halves[:, 1],
                             "niqe": rng.normal(size=len(keys))})  # fmt: skip
    return library.correlate(ratings, scores, **FAST).data


@pytest.mark.parametrize("how", ["ridge", "monotone"])
def test_together_they_are_better_than_each(how, tmp_path):
    data = complementary()
    made = fuse(data, ["psnr-y", "lpips", "niqe"], how=how)
    assert made.srocc > 0.9 > made.best_part_srocc
    new = complementary(seed=1)
    columns = [new.values[:, new.names.index(n)] * s
               for n, s in (("psnr-y", 1), ("lpips", -1), ("niqe", -1))]  # fmt: skip
    predicted = [made.recipe(list(map(float, row))) for row in zip(*columns, strict=True)]
    assert spearman(np.array(predicted), new.scores) == pytest.approx(made.srocc, abs=0.06)
    path = made.save(tmp_path / "mine.json")
    assert registry.get(f"fused:{path}").parts == ("psnr-y", "lpips", "niqe")
    assert "held-out contents" in registry.get(f"fused:{path}").guidance


def test_learning_from_nothing_finds_nothing():
    """The cross-validated figure of metrics that know nothing is near zero, not flattered."""
    rng = np.random.default_rng(2)
    keys = [(f"c{i}", m) for i in range(30) for m in "abc"]
    frame = pd.DataFrame(keys, columns=["content", "method"])
    noise = {n: rng.normal(size=90) for n in ("psnr-y", "ssim-y", "vif", "lpips", "dists", "niqe")}
    data = library.correlate(
        frame.assign(mos=rng.normal(size=90)), frame.assign(**noise), **FAST
    ).data
    made = fuse(data, list(noise))
    assert abs(made.srocc) < 0.35


def test_what_is_refused():
    data = complementary(contents=8)
    with pytest.raises(InputError, match="8 contents are too few to learn a metric from"):
        fuse(data, ["psnr-y", "lpips"])
    data = complementary()
    with pytest.raises(UsageError, match="two metrics or more"):
        fuse(data, ["psnr-y", "psnr-y"])
    with pytest.raises(UsageError, match="no metric 'vif' among those"):
        fuse(data, ["psnr-y", "vif"])
    with pytest.raises(UsageError, match="cannot be fused by 'magic'"):
        fuse(data, ["psnr-y", "lpips"], how="magic")


def test_curves_never_fall():
    ratings, scores = study(contents=30)
    made = fuse(
        library.correlate(ratings, scores, **FAST).data, ["lpips", "psnr-y"], how="monotone"
    )
    for part in made.recipe.parts:
        assert np.diff(part.values).min() >= 0


@pytest.fixture
def recipe(tmp_path):
    record = {
        "form": 1, "how": "ridge", "base": 1.0, "higher_is_better": True,
        "parts": [
            {"metric": "psnr-y", "sign": 1, "signature": "", "knots": [20, 40], "values": [0, 2]},
            {"metric": "mse", "sign": -1, "signature": "", "knots": [-9, 0], "values": [0, 1]},
        ],
        "card": {"srocc": 0.9, "n": 100, "contents": 20, "unit": "MOS"},
    }  # fmt: skip
    path = tmp_path / "taste.json"
    path.write_text(json.dumps(record))
    return path


def test_srqa_evaluate_computes_it(recipe, tmp_path):
    scene(tmp_path)
    done = srqa("evaluate", "out", "--ref", "hr", "--scale", "4", "-m", f"ssim-y,fused:{recipe}",
                "--out", "run", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = library.Run.load(tmp_path / "run")
    assert run.metrics == ["ssim-y", "psnr-y", "mse", "fused:taste"]
    wide = run.scores.pivot(index="image", columns="metric", values="value")
    expected = 1 + (wide["psnr-y"] - 20) / 10 + (-wide["mse"] + 9) / 9
    assert wide["fused:taste"].to_numpy() == pytest.approx(expected.to_numpy())
    (signature,) = {r.signature for r in run.summary_rows if r.metric == "fused:taste"}
    assert "| file " in signature
    again = srqa("evaluate", "out", "--ref", "hr", "--scale", "4", "-m", f"ssim-y,fused:{recipe}",
                 "--out", "run", "--resume", cwd=tmp_path)  # fmt: skip
    assert again.returncode == 0, again.stderr
    report = srqa("report", "run", "--pictures", "0", cwd=tmp_path)
    assert report.returncode == 0, report.stderr


def test_arrays_give_the_same(recipe):
    rng = np.random.default_rng(0)
    hr = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
    sr = np.clip(hr + rng.normal(0, 3, hr.shape), 0, 255).astype(np.uint8)
    value = library.metric(f"fused:{recipe}")(sr, hr)
    psnr, mse = library.metric("psnr-y")(sr, hr), library.metric("mse")(sr, hr)
    assert value == pytest.approx(1 + (psnr - 20) / 10 + (9 - mse) / 9)


def test_equal_pictures_have_no_fused_value(recipe, tmp_path):
    """Infinite PSNR is no number to go on with; the reason is told."""
    scene(tmp_path, methods=("same",))
    for path in (tmp_path / "out/same").iterdir():
        path.write_bytes((tmp_path / "hr" / path.name).read_bytes())
    run = library.evaluate(tmp_path / "out", tmp_path / "hr", scale=4, metrics=f"fused:{recipe}")
    fused = run.scores[run.scores["metric"] == "fused:taste"]
    assert set(fused["problem"]) == {"n/a: psnr-y is inf"}


def test_files_that_are_no_fused_metric(recipe, tmp_path):
    for name, text in (
        ("empty.json", ""), ("other.json", "{}"),
        ("bent.json", recipe.read_text().replace("[20, 40]", "[40, 20]")),
        ("nan.json", recipe.read_text().replace("[0, 2]", "[0, NaN]")),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=name):
            registry.get(f"fused:{tmp_path / name}")
    done = srqa("evaluate", "x", "-m", "fused:none.json", cwd=tmp_path)
    assert done.returncode == 2
    assert_one_sentence(done.stderr, "There is no file none.json of a fused metric.")
