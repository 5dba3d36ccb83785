"""The way for GPUs, on the CPU: batches, their failures one by one, order, and memory."""

import math

import numpy as np
import pytest
import support
from support import picture

import srqa
from srqa.engine.cache import Cache
from srqa.engine.upload import Clock, Upload
from srqa.metrics import registry

torch = pytest.importorskip("torch")

MOODY = """
    import torch
    from srqa.errors import NotApplicableError
    from srqa.metrics.spec import MetricSpec

    CALLS = []

    def error(distorted, reference):
        CALLS.append(len(distorted) if distorted.ndim == 4 else 0)
        squares = (distorted - reference) ** 2
        return squares.mean((-3, -2, -1)) if distorted.ndim == 4 else float(squares.mean())

    def too_much(distorted, reference):
        if distorted.ndim == 4 and len(distorted) > 1:
            raise torch.OutOfMemoryError("as if {memory} were gone")
        return error(distorted, reference)

    def never(distorted, reference):
        if distorted.ndim == 4:
            raise torch.OutOfMemoryError
        return error(distorted, reference)

    def broken(distorted, reference):
        raise ValueError("a {strange} message")

    def without(distorted, reference):
        value = error(distorted, reference)
        return value * float("nan")

    def choosy(distorted, reference):
        if distorted.ndim == 4:
            raise NotApplicableError("one of them is odd")
        if reference.mean() > 0.5:
            raise NotApplicableError("it is {bright}")
        return error(distorted, reference)

    def single(distorted, reference):
        assert distorted.ndim == 3
        return error(distorted, reference)

    METRICS = [
        MetricSpec(name.replace("_", "-"), globals()[name], "for tests")
        for name in ("error", "too_much", "never", "broken", "without", "choosy")
    ] + [MetricSpec("single", single, "not for batches", batchable=False)]
"""
NAMES = ["error", "too-much", "never", "broken", "without", "choosy", "single"]


@pytest.fixture
def moody(plugin):
    plugin(MOODY)
    import usermetrics

    return usermetrics.CALLS


@pytest.fixture
def seven(tmp_path):
    support.scene(tmp_path, contents=[f"p{i}" for i in range(7)], methods=("m",))
    return tmp_path


def run(folder, **options):
    return srqa.evaluate(folder / "out", folder / "hr", scale=4, cache=False, **options)


def table(found):
    return {
        (row.image, row.metric): (round(row.value, 9) if row.value == row.value else None,
                                  row.problem)
        for row in found.score_rows
    }  # fmt: skip


def test_every_mood_of_a_metric_is_as_one_by_one(moody, seven):
    alone = run(seven, metrics=NAMES)
    together = run(seven, metrics=NAMES, batch_size=4)
    one, many = table(alone), table(together)
    assert one.keys() == many.keys()
    for key, (value, problem) in one.items():
        assert many[key][1] == problem, key
        assert many[key][0] == (None if value is None else pytest.approx(value, rel=1e-5)), key
    said = {row.problem for row in together.score_rows if row.metric == "broken"}
    assert "broken failed on m/p0.png: ValueError: a {strange} message" in said
    assert {row.problem for row in together.score_rows if row.metric == "without"} == {
        f"without gave no number (NaN) for m/p{i}.png." for i in range(7)
    }


def test_batches_are_full_until_the_last(moody, seven):
    run(seven, metrics="error", batch_size=3, workers=1)
    assert moody == [3, 3, 1]


def test_a_batch_that_is_too_much_is_halved(moody, seven):
    run(seven, metrics="too-much", batch_size=4, workers=1)
    assert moody == [1] * 7  # the halves that passed


def test_what_never_fits_the_device_is_computed_on_arrays(moody, seven):
    run(seven, metrics="never", batch_size=4, workers=1)
    assert moody == [0] * 7


def test_results_come_a_batch_later_and_all_come(moody, seven):
    seen = []
    run(seven, metrics="error", batch_size=2, workers=1, progress=lambda done, _: seen.append(done))
    assert seen == list(range(8))


def test_batched_scores_are_cached(moody, seven):
    options = {"metrics": "error,single", "scale": 4, "batch_size": 3}
    first = srqa.evaluate(seven / "out", seven / "hr", **options)
    moody.clear()
    second = srqa.evaluate(seven / "out", seven / "hr", **options)
    assert moody == []
    assert table(first) == table(second)
    cache = Cache()
    assert cache.info()["scores"] == 14
    cache.close()


def test_many_sizes_wait_within_limits(moody, tmp_path, monkeypatch):
    monkeypatch.setattr("srqa.engine.batches.MAX_WAITING_PIXELS", 3 * 2 * 40 * 40)
    for i in range(8):
        pixels = picture(f"p{i}", 33 + i, 40)
        support.write(tmp_path / "hr" / f"{i}.png", pixels)
        support.write(tmp_path / "out" / f"{i}.png", support.noisy(pixels, 4))
    found = run(tmp_path, metrics="error", batch_size=100, workers=1)
    assert moody == [1] * 8
    assert not found.problems


def test_fast_metrics_agree_in_batches(seven):
    names = ["psnr", "psnr-y", "ssim", "ssim-y", "gmsd"]
    alone, together = (run(seven, metrics=names, batch_size=n) for n in (1, 4))
    for a, b in zip(alone.score_rows, together.score_rows, strict=True):
        assert b.value == pytest.approx(a.value, rel=1e-4, abs=1e-5), (a.metric, a.image)


def test_upload_and_clock_on_the_cpu():
    planes = [np.random.default_rng(i).random((3, 5, 7), np.float32) for i in range(4)]
    clock = Clock("cpu")
    tensor = Upload("cpu")(planes)
    clock.stop()
    assert tensor.shape == (4, 3, 5, 7)
    np.testing.assert_array_equal(tensor.numpy(), np.stack(planes))
    assert 0 <= clock.seconds < 60
    assert Upload("cpu")([p.astype(np.float64) for p in planes]).dtype == torch.float64
    assert not math.isnan(float(registry.get("psnr")(tensor, tensor + 0.1)[0]))
