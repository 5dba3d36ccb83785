"""What holds for every metric on a network; maps, tiles, sharing."""

import gc
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import pytest

import srqa
from srqa.errors import InputError, WeightsError
from srqa.metrics import dists, features, networks, walk
from srqa.metrics.catalog import CATALOG
from srqa.metrics.comparison import Comparison

ON_NETWORKS = [
    s for s in CATALOG if s.features and s.level == "image" and s.name != "lpips-squeeze"
]
SPECS = {s.name: s for s in ON_NETWORKS}
COMPARISONS = [s for s in ON_NETWORKS if isinstance(s.function, Comparison)]
NETWORKS = [networks.ALEXNET, networks.VGG16, networks.VGG16_L2, networks.SQUEEZENET,
            networks.ST_ALEXNET, networks.ST_VGG16]  # fmt: skip


def each(specs):
    return pytest.mark.parametrize("spec", specs, ids=lambda s: s.name)


@pytest.fixture(autouse=True)
def _nothing_kept():
    features.forget()


@pytest.fixture
def made(monkeypatch):
    """Networks with random numbers instead of trained ones."""
    import torch

    @lru_cache
    def numbers_of(weights):
        network = next(n for n in NETWORKS if n.weights == weights)
        generator = torch.Generator().manual_seed(4)
        numbers, before = {}, 3

        def layer(key, channels, kernel, inputs):
            scale = (2 / (inputs * kernel**2)) ** 0.5
            shape = (channels, inputs, kernel, kernel)
            numbers[f"{key}.weight"] = (torch.randn(shape, generator=generator) * scale).numpy()
            numbers[f"{key}.bias"] = (torch.randn(channels, generator=generator) * 0.1).numpy()

        for step in network.steps:
            if step.operation == "conv":
                layer(step.key, step.channels, step.kernel, before)
            elif step.operation == "expand":
                layer(f"{step.key}.expand1x1", step.channels // 2, 1, before)
                layer(f"{step.key}.expand3x3", step.channels // 2, 3, before)
            before = step.channels
        return numbers

    monkeypatch.setattr(networks, "_read", numbers_of)
    monkeypatch.setattr(networks, "_loaded", {})
    monkeypatch.setattr(networks, "_transformed", {})


# ------------------------------------------------------------------------------ the metrics


@each(ON_NETWORKS)
def test_equal_pictures_are_exactly_the_best(spec, weights, pictures):
    a, _ = pictures()
    assert spec(a, a.copy()) == 0.0


@each(ON_NETWORKS)
def test_gets_worse_with_noise(spec, weights, photograph, rng):
    sharp = photograph("coffee", 96, 112)
    noise = rng.normal(0, 1, sharp.shape)
    values = [
        spec((sharp + s * noise).clip(0, 1).astype(np.float32), sharp) for s in (0.02, 0.06, 0.2)
    ]
    assert values == sorted(values)
    assert values[0] > 0


@each(ON_NETWORKS)
def test_arrays_equal_tensors_and_batches_change_nothing(spec, weights, pictures):
    import torch

    pairs = [pictures(96, 112, name) for name in ("astronaut", "coffee", "chelsea")]
    alone = [spec(a, b) for a, b in pairs]
    assert all(isinstance(v, float) for v in alone)
    batch = [torch.tensor(np.stack(x)) for x in zip(*pairs, strict=True)]
    together = spec(*batch)
    assert together.shape == (3,)
    assert together.tolist() == pytest.approx(alone, rel=1e-5)
    assert spec(*(x.flip(0) for x in batch)).flip(0).tolist() == pytest.approx(alone, rel=1e-5)
    assert spec(*(x.double() for x in batch)).tolist() == pytest.approx(alone, rel=1e-5)


@each(ON_NETWORKS)
def test_gradient_is_the_slope(spec, weights, photograph, monkeypatch):
    import torch

    monkeypatch.setattr(dists, "_rounded", lambda x: x)  # whose gradient is not its slope
    size = (288, 270) if spec.name == "dists-256" else (64, 72)
    sharp = torch.tensor(photograph("chelsea", *size))[None]
    rough = (sharp * 0.8 + 0.05 * sharp.roll(3, -1)).requires_grad_()
    value = spec(rough, sharp)
    value.sum().backward()
    slope = rough.grad
    with torch.no_grad():
        step = 5e-5 * slope / slope.abs().max()
        rise = (spec(rough + step, sharp) - spec(rough - step, sharp)).item() / 2
    expected = (slope * step).sum().item()
    assert expected > 0
    assert rise == pytest.approx(expected, rel=0.05)


@each(ON_NETWORKS)
def test_gradient_is_finite_on_flat_ground_that_both_share(spec, weights, photograph):
    import torch

    sharp = torch.tensor(photograph("chelsea", 64, 72))[None]
    sharp[..., :40] = 0.5
    rough = sharp.clone()
    rough[..., 40:] *= 0.8
    spec(rough.requires_grad_(), sharp).sum().backward()
    assert rough.grad.isfinite().all()
    assert rough.grad.abs().max() > 0


@each(ON_NETWORKS)
def test_gradient_is_finite_at_equal_pictures(spec, weights, photograph):
    import torch

    sharp = torch.tensor(photograph("chelsea", 64, 64))[None]
    rough = sharp.clone().requires_grad_()
    spec(rough, sharp).sum().backward()
    assert rough.grad.isfinite().all()


@each(ON_NETWORKS)
def test_min_side_is_enough_on_either_side_and_needed(spec, weights, pictures):
    side = spec.min_side
    for shape in ((side, 70), (70, side), (side, side)):
        a, b = pictures(*shape)
        assert 0 < spec(a, b) < np.inf
    a, b = pictures(80, 80)
    few = np.ascontiguousarray(a[:, : side - 1].transpose(1, 2, 0))
    with pytest.raises(srqa.errors.NotApplicableError):
        srqa.metric(spec.name)(few, few)


@each(ON_NETWORKS)
def test_grey_planes_count_as_equal_channels(spec, weights, pictures):
    a, b = (x[:1] for x in pictures())
    expected = spec(np.repeat(a, 3, 0), np.repeat(b, 3, 0))
    assert spec(a, b) == pytest.approx(expected, rel=1e-6)


def test_threads_load_once_and_do_not_meet(weights, pictures, monkeypatch):
    import srqa.weights

    loaded = []
    load = srqa.weights.load
    monkeypatch.setattr(srqa.weights, "load", lambda name: loaded.append(name) or load(name))
    networks.unload()
    pairs = [pictures(64, 64 + 8 * k) for k in range(6)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda p: SPECS["lpips"](*p), pairs))
    assert loaded == ["lpips-alex"]
    assert found == [SPECS["lpips"](*p) for p in pairs]


def test_numbers_loaded_in_inference_mode_serve_gradients(weights, pictures):
    import torch

    networks.unload()
    a, b = (torch.tensor(x)[None] for x in pictures(64, 64))
    with torch.inference_mode():
        before = SPECS["lpips"](a, b).item()
    a.requires_grad_()
    value = SPECS["lpips"](a, b)
    value.backward()
    assert value.item() == pytest.approx(before, rel=1e-6)
    assert a.grad.abs().max() > 0


def test_autocast_changes_nothing(weights, pictures):
    import torch

    a, b = (torch.tensor(x)[None] for x in pictures(64, 64))
    plain = SPECS["lpips"](a, b)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert SPECS["lpips"](a, b) == plain


@pytest.mark.parametrize("name", ["lpips", "dists", "content-vgg16-relu2-2"])
def test_missing_weights(name, tmp_path, monkeypatch, pictures):
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    # An installed package may carry them: some of the oracles do.
    monkeypatch.setattr("srqa.weights.installed.find", lambda file: None)
    networks.unload()
    a, b = (np.ascontiguousarray(x.transpose(1, 2, 0)) for x in pictures())
    with pytest.raises(WeightsError) as error:
        srqa.metric(name)(a, b)
    assert error.value.exit_code == 4
    assert "srqa weights pull" in error.value.hint


@pytest.mark.parametrize("batch", ["1", "2"])
def test_missing_weights_end_an_evaluation(batch, tmp_path):
    from support import environment, scene
    from support import srqa as program

    folder = scene(tmp_path, contents=("a",), methods=("x", "y"), side=64)
    nowhere = {"SRQA_WEIGHTS": str(tmp_path / "none"), "SRQA_OFFLINE": "1"}
    done = program("evaluate", folder / "out", "--ref", folder / "hr", "-m", "psnr,lpips",
                   "--scale", "4", "--device", "cpu", "--batch-size", batch,
                   "--out", tmp_path / "run",
                   env=environment(tmp_path / "cache") | nowhere)  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "lpips-alex" in done.stderr
    assert "Traceback" not in done.stderr


# --------------------------------------------------------------------------------- networks


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
def test_sizes_are_those_of_the_maps(network, made, rng):
    for side in (network.min_side(), 32, 37, 64, 75):
        x = rng.random((3, side, 48), dtype=np.float32)
        found = features.maps(network, x, network.taps)
        depths = [network.maps[tap] for tap in network.taps]
        sizes = [(network.size(side, d), network.size(48, d)) for d in depths]
        assert [tuple(m.shape[-2:]) for m in found] == sizes
    for name, step in zip(network.taps, found, strict=True):
        assert step.shape[1] == network.steps[network.maps[name] - 1].channels


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
def test_reach_is_what_a_sample_depends_on(network, made, rng):
    import torch

    tap = network.taps[-2]
    x = torch.tensor(rng.random((1, 3, 8, 400), dtype=np.float32)).repeat(1, 1, 9, 1)
    x.requires_grad_()
    (found,) = features.maps(network, x, [tap])
    stride, before, after = network.reach(network.maps[tap])
    i = found.shape[-1] // 2
    (slope,) = torch.autograd.grad(found[..., i].sum(), x)
    columns = slope.abs().sum((0, 1, 2)).nonzero()[:, 0]
    assert columns.min() >= stride * i - before
    assert columns.max() <= stride * i + after
    assert columns.max() - columns.min() > 0.6 * (before + after)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.name)
@pytest.mark.parametrize(("height", "rows"), [(110, 3), (101, 16), (110, 64), (0, 16)])
def test_bands_make_up_the_whole(network, height, rows, made, rng):
    import torch

    height = height or network.min_side()
    a, b = rng.random((2, 3, height, 50), dtype=np.float32)
    names = [name for name in network.maps if network.size(height, network.maps[name])]
    route = walk.Route((network, name) for name in names)
    with torch.no_grad():
        bands = list(route.walk(a, b, rows, "float32"))
        assert len(bands) == -(-height // rows)
        for side, planes in enumerate((a, b)):
            for name, whole in zip(names, features.maps(network, planes, names), strict=True):
                key = walk.key_of(network, name)
                found = torch.cat([band[key][side] for band in bands if key in band], 2)
                assert found.shape == whole.shape
                assert (found - whole).abs().max() <= 1e-5 * whole.abs().max()


def test_networks_walk_together(made, rng):
    import torch

    a, b = rng.random((2, 3, 100, 70), dtype=np.float32)
    wanted = [(n, n.taps[-1]) for n in NETWORKS]
    with torch.no_grad():
        bands = list(walk.Route(wanted).walk(a, b, 20, "float32"))
        for network, name in wanted:
            key = walk.key_of(network, name)
            found = torch.cat([band[key][1] for band in bands if key in band], 2)
            (whole,) = features.maps(network, b, [name])
            assert (found - whole).abs().max() <= 1e-5 * whole.abs().max()


def too_little(comparison, planes):
    """Memory that is just too small for whole maps."""
    return features.memory_of_maps(comparison.network, planes, comparison.names) - 1


@pytest.fixture
def rows(monkeypatch):
    """The heights of the bands of all walks so far; ``rows.set(n)`` sets it."""

    class Rows(list):
        def set(self, *heights):
            monkeypatch.setattr(walk, "ROWS", heights)

    seen = Rows()
    down = walk.Route.walk

    def walked(self, first, second, rows, dtype, **how):
        seen.append(rows)
        return down(self, first, second, rows, dtype, **how)

    monkeypatch.setattr(walk.Route, "walk", walked)
    return seen


@each(COMPARISONS)
def test_bands_do_not_change_the_value(spec, weights, pictures, rows):
    import torch

    pairs = [pictures(170, 120, name) for name in ("coffee", "astronaut")]
    whole = [spec(a, b) for a, b in pairs]
    assert not rows
    rows.set(24)
    batch = [torch.tensor(np.stack(p)) for p in zip(*pairs, strict=True)]
    with features.settings(memory=too_little(spec.function, pairs[0][0])):
        assert spec(*pairs[0]) == pytest.approx(whole[0], abs=1e-6, rel=1e-6)
    with features.settings(memory=too_little(spec.function, batch[0])):
        assert spec(*batch).tolist() == pytest.approx(whole, abs=1e-6, rel=1e-6)
    assert rows == [24, 24]


@each([s for s in COMPARISONS if s.name.endswith("lpips")])
def test_bands_do_not_change_the_map(spec, weights, pictures, rows):
    a, b = (np.ascontiguousarray(p.transpose(1, 2, 0)) for p in pictures(200, 160))
    whole = srqa.difference_map(spec.name, a, b)
    with features.settings(memory=too_little(spec.function, a.transpose(2, 0, 1))):
        cut = srqa.difference_map(spec.name, a, b)
    assert len(rows) == 1
    np.testing.assert_allclose(cut, whole, atol=1e-6)


def test_flat_and_large_pictures_keep_their_digits(weights, rows):
    """Where DISTS divides small variances; the whole picture in float64 says what is right."""
    ramp = np.linspace(0, 2e-3, 96, dtype=np.float32)
    a = np.full((3, 200, 96), 0.7, np.float32) + ramp
    b = a + 0.01 * (np.arange(96) % 7 == 0)
    spec = SPECS["dists"]
    whole = spec(a, b)
    for height in (4, 24):
        rows.set(height)
        with features.settings(memory=too_little(spec.function, a)):
            assert spec(a, b) == pytest.approx(whole, abs=1e-6)


# ---------------------------------------------------------------------------------- sharing


@pytest.fixture
def counted(monkeypatch):
    """The number of convolutions so far, in a list of one."""
    done = [0]
    apply = features.apply

    def counting(step, *rest, **options):
        done[0] += step.operation == "conv"
        return apply(step, *rest, **options)

    monkeypatch.setattr(features, "apply", counting)
    monkeypatch.setattr(walk, "apply", counting)
    return done


def test_metrics_share_forward_passes(weights, pictures, counted):
    a, b = pictures()
    alone = {s.name: s(a, b) for s in ON_NETWORKS}
    separate, counted[0] = counted[0], 0
    for planes in (a, b):
        features.share(planes)
    names = [n for n, s in SPECS.items() if s.features[0].startswith("vgg16:")] + ["dists"]
    assert {n: SPECS[n](a, b) for n in names} == {n: alone[n] for n in names}
    assert counted[0] == 2 * (13 + 11)  # VGG16 once, DISTS' own stages once
    assert separate > 2 * counted[0]
    other, _ = pictures()
    features.share(other)
    SPECS["lpips-vgg"](other, b)
    assert counted[0] == 2 * (13 + 11) + 13


def test_order_of_sharing_does_not_matter(weights, pictures, counted):
    a, b = pictures()
    for planes in (a, b):
        features.share(planes)
    for name in ("content-vgg16-relu2-2", "texture-vgg16-relu4-3", "content-vgg16-conv5-3"):
        SPECS[name](a, b)
    SPECS["lpips-vgg"](a, b)
    assert counted[0] == 2 * 13


def test_nothing_is_kept_for_others_or_after_their_end(weights, pictures, counted):
    a, b = pictures()
    for _ in range(2):
        SPECS["lpips"](a, b)
    assert counted[0] == 4 * 5
    features.share(a)
    SPECS["lpips"](a, b)
    assert len(features._kept._maps) == 1
    del a
    gc.collect()
    assert not features._kept._maps
    assert not features._kept._shared - {id(b)}


def test_gradients_neither_keep_nor_use_what_is_kept(weights, pictures, counted):
    import torch

    x, y = (torch.tensor(p)[None] for p in pictures())
    for t in (x, y):
        features.share(t)
    SPECS["lpips"](x.requires_grad_(), y).backward()
    assert not features._kept._maps
    with torch.inference_mode():
        value = SPECS["lpips"](x, y)
    assert len(features._kept._maps) == 2
    before = counted[0]
    again = SPECS["lpips"](x, y)
    assert counted[0] == before + 10
    again.backward()
    assert again.item() == pytest.approx(value.item(), rel=1e-6)


def test_what_is_kept_is_bounded(weights, pictures):
    many = [pictures()[0] for _ in range(5)]
    for planes in many:
        features.share(planes)
    whole = features.maps(networks.ALEXNET, many[0], networks.ALEXNET.taps)
    features.forget()
    with features.settings(memory=int(5.2 * sum(m.nbytes for m in whole)), threads=2):
        for planes in many:
            features.maps(networks.ALEXNET, planes, networks.ALEXNET.taps)
    assert [key.planes for key in features._kept._maps] == [id(p) for p in many[-2:]]


def test_one_walk_feeds_all_metrics(weights, pictures, counted, rows):
    a, b = pictures(100, 80)
    rows.set(16)
    chosen = [s for s in COMPARISONS if s.function.network.weights == "lpips-vgg"]
    assert len(chosen) == 7
    alone = {s.name: s(a, b) for s in chosen}
    for planes in (a, b):
        features.share(planes)
    memory = min(too_little(s.function, a) for s in chosen)
    counted[0] = 0
    with features.settings(memory=memory, announced=[s.function for s in chosen]):
        found = {s.name: s(a, b) for s in chosen}
        assert rows == [16]
        assert counted[0] <= 7 * 2 * (13 + 11)
        other, _ = pictures(100, 80)
        SPECS["lpips-vgg"](other, b)  # not shared: nothing to keep the others' values by
        assert rows == [16, 16]
    assert found == pytest.approx(alone, rel=3e-6)  # plain convolutions beside transformed ones
    gc.collect()
    assert len(features._kept._notes) == 1
    del a
    gc.collect()
    assert not features._kept._notes


def test_metrics_walk_alone_where_together_is_too_much(weights, pictures, rows):
    a, b = pictures(100, 600)
    for planes in (a, b):
        features.share(planes)
    chosen = [SPECS["lpips-vgg"], SPECS["dists"]]
    alone = [s(a, b) for s in chosen]
    features.forget()
    routes = [
        walk.Route((s.function.network, name) for s in some for name in s.function.names)
        for some in (chosen, chosen[:1], chosen[1:])
    ]
    together, *single = (route.least_memory(a, "float32") for route in routes)
    assert max(single) < together
    with features.settings(memory=max(single), announced=[s.function for s in chosen]):
        assert [s(a, b) for s in chosen] == pytest.approx(alone, rel=1e-6)
    assert len(rows) == 2


def test_too_little_memory_names_what_is_enough(weights, pictures):
    a, b = pictures(60, 400)
    with features.settings(memory=10**6, threads=2), pytest.raises(InputError) as error:
        SPECS["lpips"](a, b)
    assert "400 pixels wide" in str(error.value)
    megabytes = int(re.search(r"--memory (\d+)MB", str(error.value))[1])
    with features.settings(memory=megabytes * 10**6, threads=2):
        SPECS["lpips"](a, b)


def test_settings_end_and_are_each_thread_s_own(weights, pictures):
    assert features.current() == features.Settings()
    with features.settings(memory=7, threads=2, dtype="bfloat16"):
        assert features.current().share(np.zeros(1)) == 3
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(features.current).result() == features.Settings()
        with features.settings():
            assert features.current() == features.Settings()
        assert features.current().dtype == "bfloat16"
    assert features.current() == features.Settings()


def interrupted():
    with features.settings(memory=7):
        raise KeyboardInterrupt


def test_settings_end_with_an_error_too():
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert features.current() == features.Settings()


def test_the_engine_shares(weights, tmp_path, counted, monkeypatch):
    from support import scene

    folder = scene(tmp_path, contents=("a", "b"), methods=("x", "y", "z"), side=64)
    names = ["lpips", "lpips-vgg", "content-vgg16-relu4-3"]
    runs = []
    for batch, convolutions in ((1, 2 * (1 + 3) * 18), (4, None)):
        counted[0] = 0
        run = srqa.evaluate(folder / "out", folder / "hr", metrics=names, scale=4, workers=2,
                            device="cpu", batch_size=batch, cache=False)  # fmt: skip
        assert convolutions in (counted[0], None)
        assert not run.scores["problem"].any()
        runs.append(run.scores.set_index(["metric", "image"])["value"].to_dict())
        gc.collect()
        assert not features._kept._maps
    assert runs[0] == pytest.approx(runs[1], rel=1e-5)


def test_modules_load_without_torch():
    code = (
        "import sys; from srqa.metrics import dists, distances, features, lpips, networks;"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
