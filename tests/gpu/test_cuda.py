"""CUDA gives the CPU's numbers. Skipped, and said so, where there is no GPU."""

import numpy as np
import pytest

import srqa

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA GPU")
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
def test_cuda_equals_cpu(folders, batch_size):
    specs = srqa.list_metrics("fr")
    common = {"metrics": specs, "scale": 4, "cache": False}
    cpu = srqa.evaluate(folders / "out", folders / "hr", device="cpu", **common)
    cuda = srqa.evaluate(
        folders / "out", folders / "hr", device="cuda", batch_size=batch_size, **common
    )
    assert not cuda.problems
    for a, b in zip(cpu.score_rows, cuda.score_rows, strict=True):
        assert (a.image, a.metric) == (b.image, b.metric)
        assert b.value == pytest.approx(a.value, rel=1e-4, abs=1e-4), (a.image, a.metric)
