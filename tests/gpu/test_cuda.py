"""CUDA gives the CPU's numbers. Skipped, and said so, where there is no GPU."""

import numpy as np
import pytest

import srqa
import srqa.weights
from srqa.memory import free
from srqa.metrics import features, registry
from srqa.metrics.api import select
from srqa.metrics.comparison import Comparison

pytestmark = pytest.mark.gpu
NETWORKS = ["lpips", "lpips-vgg", "st-lpips", "st-lpips-vgg", "dists", "content-vgg16-conv5-3",
            "texture-vgg16-relu4-3"]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def cuda():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA GPU")
    return torch


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path_factory.mktemp("gpu")
    rng = np.random.default_rng(0)
    for i in range(9):
        shape = (180, 200, 3) if i % 3 else (176, 192, 3)
        hr = cv2.GaussianBlur(rng.integers(0, 256, shape, dtype=np.uint8), (0, 0), 2)
        for place, pixels in (("hr", hr), ("out", cv2.GaussianBlur(hr, (0, 0), 1.5))):
            (folder / place).mkdir(exist_ok=True)
            assert cv2.imwrite(str(folder / place / f"{i}.png"), pixels)
    return folder


@pytest.mark.parametrize("batch_size", [1, 4, 16])
def test_cuda_equals_cpu(folders, batch_size, weights):
    own = [s for s in select("fr", level="image") if not s.extra]
    specs = [s.name for s in own if all(srqa.weights.available(w) for w in s.weights)]
    specs = [name for name in specs if name != "lpips-squeeze"]  # whose backbone the user brings
    assert set(NETWORKS) < set(specs)
    common = {"metrics": specs, "scale": 4, "cache": False}
    cpu = srqa.evaluate(folders / "out", folders / "hr", device="cpu", **common)
    cuda = srqa.evaluate(
        folders / "out", folders / "hr", device="cuda", batch_size=batch_size, **common
    )
    assert not cuda.problems
    for a, b in zip(cpu.score_rows, cuda.score_rows, strict=True):
        assert (a.image, a.metric) == (b.image, b.metric)
        assert b.value == pytest.approx(a.value, rel=1e-4, abs=1e-4), (a.image, a.metric)


@pytest.fixture
def pair(photograph, cuda):
    """A photograph and its reference on the CPU and on the GPU: (2, 3, 160, 144)."""
    sharp = np.stack([photograph(name, 160, 144) for name in ("astronaut", "coffee")])
    noise = np.random.default_rng(1).normal(0, 0.05, sharp.shape)
    rough = (sharp + noise).clip(0, 1).astype(np.float32)
    features.forget()
    return [[cuda.from_numpy(x).to(device) for x in (rough, sharp)] for device in ("cpu", "cuda")]


@pytest.mark.parametrize("name", NETWORKS)
def test_bands_on_a_gpu(name, weights, pair, cuda, monkeypatch):
    host, device = pair
    spec = registry.get(name)
    assert isinstance(spec.function, Comparison)
    expected = spec(*host).tolist()
    assert spec(*device).tolist() == pytest.approx(expected, rel=1e-4)
    need = features.memory_of_maps(spec.function.network, device[0], spec.function.names)
    monkeypatch.setattr("srqa.metrics.walk.ROWS", (16,))
    cuda.cuda.synchronize()
    cuda.cuda.empty_cache()
    with features.settings(memory=need - 1):
        assert spec(*device).tolist() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_bfloat16_on_a_gpu(name, weights, pair):
    host, device = pair
    spec = registry.get(name)
    exact = spec(*host).tolist()
    with features.settings(dtype="bfloat16"):
        near = spec(*device).tolist()
    assert near == pytest.approx(exact, rel=0.02)
    assert near != exact


@pytest.mark.parametrize("name", NETWORKS)
def test_tensorfloat_32_stays_off(name, weights, pair, cuda):
    """It would show: its 10 bits move LPIPS by some 1e-4 and Gram matrices by more."""
    host, device = pair
    spec = registry.get(name)
    before = cuda.get_float32_matmul_precision()
    cuda.set_float32_matmul_precision("high")
    try:
        loose = spec(*device).tolist()
    finally:
        cuda.set_float32_matmul_precision(before)
    features.forget()
    assert loose == pytest.approx(spec(*device).tolist(), rel=1e-6)
    assert loose == pytest.approx(spec(*host).tolist(), rel=2e-5)


def test_a_large_picture_keeps_to_its_memory(weights, cuda):
    limit = 600 * 10**6
    a, b = (cuda.rand(1, 3, 1356, 2040, device="cuda") for _ in range(2))
    spec = registry.get("lpips-vgg")
    with features.settings(memory=limit):
        spec(a[..., :64, :64], b[..., :64, :64])
        cuda.cuda.empty_cache()
        cuda.cuda.reset_peak_memory_stats()
        before = cuda.cuda.memory_allocated()
        spec(a, b)
        peak = cuda.cuda.max_memory_allocated() - before
    assert 100 * 10**6 < peak < 1.5 * limit  # cuDNN's workspace comes on top


def test_free_memory_of_the_gpu(cuda):
    free_now, total = cuda.cuda.mem_get_info()
    assert 0.5 * free_now <= free("cuda") <= total
    assert features.Settings().share(cuda.zeros(1, device="cuda")) <= total // 2


def test_integers_of_y_and_grey_are_the_cpu_s(cuda):
    from srqa.images.colour import rounded_plane

    samples = np.random.default_rng(2).integers(0, 256, (2, 3, 300, 200)).astype(np.uint8)
    for channel in ("y", "gray"):
        found = rounded_plane(cuda.from_numpy(samples).to("cuda"), channel).cpu().numpy()
        np.testing.assert_array_equal(found, rounded_plane(samples, channel))


class TestUpscaling:
    """An upscaler on the card: the CPU's result, half precision, memory that runs out."""

    @pytest.fixture
    def pixels(self):
        from support import picture

        return picture("gpu", 150, 170)

    def test_equals_the_cpu(self, pixels):
        from made_upscalers import convolutions

        from srqa.models.running import Enlarger
        from srqa.models.settings import Settings

        on_cpu = Enlarger(convolutions(layers=5), Settings(2, tile=48))(pixels)
        on_card = Enlarger(convolutions(layers=5), Settings(2, tile=48, device="cuda"))(pixels)
        assert np.abs(on_cpu.astype(int) - on_card).max() <= 1
        assert (on_cpu != on_card).mean() < 1e-3

    def test_half_precision_is_near(self, pixels):
        from made_upscalers import convolutions

        from srqa.models.running import Enlarger
        from srqa.models.settings import Settings

        exact = Enlarger(convolutions(), Settings(2, device="cuda"))(pixels)
        half = Enlarger(convolutions(half=True), Settings(2, device="cuda"))
        assert half.dtype == "float16"
        assert np.abs(exact.astype(int) - half(pixels)).max() <= 4

    def test_memory_that_runs_out(self, cuda, pixels):
        from made_upscalers import convolutions

        from srqa.models.running import Enlarger
        from srqa.models.settings import Settings

        large = np.tile(pixels, (20, 20, 1))
        right = Enlarger(convolutions(), Settings(2, tile=256, device="cuda"))(large)
        taken = cuda.cuda.memory_reserved() + 200 * 2**20
        cuda.cuda.empty_cache()
        cuda.cuda.set_per_process_memory_fraction(taken / cuda.cuda.mem_get_info()[1])
        try:
            enlarger = Enlarger(convolutions(), Settings(2, tile=None, device="cuda"))
            made = enlarger(large)
        finally:
            cuda.cuda.set_per_process_memory_fraction(1.0)
        assert any("Memory ran out" in note for note in enlarger.notes)
        assert np.abs(made.astype(int) - right).max() <= 1


def test_upload_keeps_every_value_while_the_gpu_is_busy(cuda):
    from srqa.engine.upload import Clock, Upload

    upload, sums, clock = Upload("cuda"), [], Clock("cuda")
    busy = cuda.rand(2048, 2048, device="cuda")
    planes = [[np.full((3, 256, 256), 8 * n + i, np.float32) for i in range(8)] for n in range(12)]
    for batch in planes:
        busy = busy @ busy / 2048
        sums.append(upload(batch).mean((1, 2, 3)))
    clock.stop()
    found = cuda.cat(sums).tolist()
    assert found == [float(n) for n in range(96)]
    assert clock.seconds > 0


def test_a_batch_makes_the_host_wait_for_nothing(folders, cuda, weights):
    """torch complains where the host waits for the device; only looking at values may."""
    from srqa.engine.batches import Batches

    ask = Batches._ask

    def watched(self, group):
        cuda.cuda.set_sync_debug_mode("error")
        try:
            return ask(self, group)
        finally:
            cuda.cuda.set_sync_debug_mode("default")

    common = {"metrics": "psnr,ssim-y,lpips", "scale": 4, "cache": False, "batch_size": 3}
    srqa.evaluate(folders / "out", folders / "hr", device="cuda", **common)  # loads the network
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Batches, "_ask", watched)
        found = srqa.evaluate(folders / "out", folders / "hr", device="cuda", **common)
    assert not found.problems


@pytest.mark.parametrize(
    "name", ["bicubic", "ibp", "tikhonov", "wavelet", "tv", "tv-noisy", "aplus"]
)
def test_classical_methods(name, photograph, cuda):
    """To half a level of 8 bits: sums in another order may stop an iteration a check later."""
    from srqa.models.classical import METHODS

    low = cuda.from_numpy(photograph("astronaut", 48, 64))[None]
    cpu = METHODS[name]().run(low, 3)
    made = METHODS[name]().run(low.cuda(), 3)
    assert made.device.type == "cuda"
    assert float((made.cpu() - cpu).abs().max()) < 0.5 / 255


LOSSES = ["l1", "charbonnier", "edge", "cycle:l2", "tv", "ssim", "lpips", "content:relu3_3:mse",
          "texture:relu2_2"]  # fmt: skip


@pytest.mark.parametrize("text", LOSSES)
def test_losses_and_their_gradients(text, pair, weights, cuda):
    """Under autocast of a trainer, too: networks and sums stay in float32."""
    from srqa.losses import parse

    sr, hr = pair[0]
    found = []
    for device in ("cpu", "cuda"):
        x = sr.to(device, copy=True).requires_grad_()
        with cuda.autocast(device, cuda.bfloat16):
            terms = parse(text, 2)(x, hr.to(device), hr[..., ::2, ::2].to(device))
        terms.total.backward()
        found.append((float(terms[text]), x.grad.cpu()))
    (cpu, slope), (made, made_slope) = found
    assert made == pytest.approx(cpu, rel=1e-4)
    assert float((made_slope - slope).norm()) < 1e-2 * float(slope.norm())


@pytest.mark.parametrize("kind", ["vanilla", "lsgan", "wgan-gp", "ragan"])
@pytest.mark.parametrize("judge", ["srgan", "patch"])
def test_adversarial_losses_in_half_precision(kind, judge, pair, cuda):
    from srqa.losses import parse

    cuda.manual_seed(0)
    adversarial = parse(f"gan:{kind}:{judge}:features=8", 2).adversarial.cuda()
    sr, hr = pair[1]
    x = sr.clone().requires_grad_()
    with cuda.autocast("cuda", cuda.float16):
        generators = adversarial.generator_loss(x, hr)
        judges = adversarial.discriminator_loss(x, hr)
    (generators + judges).backward()
    assert generators.dtype == judges.dtype == cuda.float32
    assert x.grad.isfinite().all()
    assert all(p.grad.isfinite().all() for p in adversarial.discriminator.parameters())
