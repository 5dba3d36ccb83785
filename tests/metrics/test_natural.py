"""NIQE, BRISQUE and PIQE: against the papers, MATLAB, libsvm and what they are known to do."""

import hashlib
import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from oracle import natural as oracle
from PIL import Image
from scipy.ndimage import gaussian_filter
from support import picture, write

import srqa
from srqa.errors import NotApplicableError
from srqa.images.colour import gray, luma
from srqa.metrics import brisque, natural, niqe, piqe
from srqa.metrics.catalog import CATALOG

SPECS = {s.name: s for s in CATALOG if s.name in ("niqe", "niqe-gray", "brisque", "piqe")}
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea")


def each(*names):
    return pytest.mark.parametrize("spec", [SPECS[n] for n in names or SPECS], ids=lambda s: s.name)


def given(spec, rgb):
    return luma(rgb, rounded=True) if spec.input == "y" else gray(rgb)


def grey(rgb):
    return np.floor(gray(rgb.astype(np.float64))[0] * 255 + 0.5)


@pytest.fixture
def photo(photograph):
    return lambda name="astronaut", height=300, width=420: photograph(name, height, width)


def blurred(rgb, sigma):
    return gaussian_filter(rgb, (0, sigma, sigma))


def noisy(rgb, sigma):
    noise = np.random.default_rng(5).normal(0, sigma / 255, rgb.shape)
    return np.clip(rgb + noise, 0, 1).astype(np.float32)


def jpeg(rgb, quality):
    file = io.BytesIO()
    pixels = np.uint8(rgb.transpose(1, 2, 0) * 255 + 0.5)
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).transpose(2, 0, 1) / np.float32(255)


def part_flat(rgb):
    """A quarter of the picture is saturated, as skies are, and a block at the left is black."""
    out = rgb.copy()
    out[:, :150, :210] = 1.0
    out[:, 192:288, :96] = 0.0
    return out


class TestPapers:
    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    @pytest.mark.parametrize(
        "damage", [lambda x: x, lambda x: noisy(x, 10), lambda x: blurred(x, 1.2), part_flat]
    )
    def test_niqe(self, name, damage, photo):
        x = damage(photo(name, 298, 301))
        model = natural.parameters("niqe")
        pristine = model["mean"], model["covariance"]
        y = np.floor(luma(x.astype(np.float64))[0] * 255 + 0.5)
        assert niqe.niqe(y[None] / 255) == pytest.approx(oracle.niqe(y, *pristine), rel=1e-7)

    def test_statistics_of_niqe(self, photo):
        y = grey(part_flat(photo()))[:288, :384]
        found, wanted = niqe.block_features(y), oracle.niqe_table(y)
        assert np.isnan(wanted).any()
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-10)

    @pytest.mark.parametrize("size", [(128, 160), (131, 157), (14, 14), (15, 17)])
    @pytest.mark.parametrize("damage", [lambda x: x, lambda x: noisy(x, 10), part_flat])
    def test_statistics_of_brisque(self, size, damage, photo):
        h, w = size
        y = grey(damage(photo("coffee"))[:, 151 - h // 2 :, 212 - w // 2 :][:, :h, :w])
        assert y.shape == size
        np.testing.assert_allclose(
            brisque.features(y), oracle.brisque_features(y), rtol=1e-9, atol=1e-10
        )

    @pytest.mark.parametrize("size", [(160, 176), (163, 179), (16, 16), (17, 16)])
    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    @pytest.mark.parametrize(
        "damage", [lambda x: x, lambda x: noisy(x, 30), lambda x: jpeg(x, 20), part_flat]
    )
    def test_piqe(self, size, name, damage, photo):
        y = grey(damage(photo(name))[:, : size[0], -size[1] :])
        assert piqe.piqe(y[None] / 255) == pytest.approx(oracle.piqe(y), rel=1e-9)

    def test_half_size_is_that_of_opencv(self, photo):
        """Whose weights are float32."""
        cv2 = pytest.importorskip("cv2")
        for size in ((64, 80), (65, 83), (14, 15)):
            y = grey(photo())[: size[0], : size[1]]
            half = cv2.resize(y, (size[1] // 2, size[0] // 2), interpolation=cv2.INTER_CUBIC)
            np.testing.assert_allclose(brisque.half_size(y), half, atol=1e-3)
        assert np.ptp(brisque.half_size(np.full((65, 83), 201.0))) < 1e-10


@pytest.mark.parametrize("name", ["0013", "0021"])
def test_niqe_is_that_of_matlab(name, reference):
    expected = json.loads((reference / "expected.json").read_text())["niqe"]
    pixels = np.asarray(Image.open(reference / "niqe" / f"{name}.png").convert("RGB"))
    shaved = pixels[4:-4, 4:-4]
    value = srqa.metric("niqe")(shaved)
    assert value == pytest.approx(expected[name], abs=expected["tolerance"])


def test_brisque_is_that_of_libsvm(photo, tmp_path):
    """The model is written out as libsvm's own text and read by libsvm."""
    svmutil = pytest.importorskip("libsvm.svmutil", reason="needs libsvm-official")
    model = natural.parameters("brisque")
    lines = [
        "svm_type epsilon_svr",
        "kernel_type rbf",
        f"gamma {float(model['gamma'])!r}",
        "nr_class 2",
        f"total_sv {len(model['vectors'])}",
        f"rho {float(model['rho'])!r}",
        "SV",
    ]
    for coefficient, vector in zip(model["coefficients"], model["vectors"], strict=True):
        entries = [f"{k}:{float(v)!r}" for k, v in enumerate(vector, 1)]
        lines.append(" ".join([repr(float(coefficient)), *entries]))
    path = tmp_path / "svm.txt"
    path.write_text("\n".join(lines) + "\n")
    machine = svmutil.svm_load_model(str(path))
    low, high = model["ranges"]
    for name in PHOTOGRAPHS:
        for x in (photo(name), noisy(photo(name), 20), blurred(photo(name), 2)):
            y = grey(x[:, :128, :160])
            statistics = oracle.brisque_features(y)
            scaled = -1 + 2 * (statistics - low) / (high - low)
            entries = [dict(enumerate(scaled.tolist(), 1))]
            (value,), *_ = svmutil.svm_predict([0], entries, machine, "-q")
            assert brisque.brisque(y[None] / 255) == pytest.approx(value, abs=1e-4)


def test_the_model_of_brisque_knows_white_noise():
    """Its ranges were met by features that shrink without antialiasing, and by no others."""
    noise = np.random.default_rng(0).normal(128, 60, (512, 768))
    found = brisque.features(np.clip(np.rint(noise), 0, 255))
    low, high = natural.parameters("brisque")["ranges"]
    assert (found >= low - 1e-3).all()
    assert (found <= high + 0.01).all()
    assert found[20:22].tolist() == pytest.approx([1.045, -0.196], abs=2e-3)


class TestKnownBehaviour:
    @each()
    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    @pytest.mark.parametrize(
        "series",
        [
            lambda x: [blurred(x, s) for s in (0.8, 1.5)],
            lambda x: [noisy(x, s) for s in (15, 40)],
            lambda x: [jpeg(x, q) for q in (25, 7)],
        ],
        ids=["blur", "noise", "jpeg"],
    )
    def test_damage_raises_the_score(self, spec, name, series, photo):
        sharp = photo(name, 400, 600)
        values = [spec(given(spec, x)) for x in (sharp, *series(sharp))]
        assert values == sorted(values)
        assert len(set(values)) == len(values)

    @each()
    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_photographs_are_in_range(self, spec, name, photo):
        usual = {"brisque": (-10, 25), "piqe": (20, 50)}.get(spec.name, (2, 6))
        value = spec(given(spec, photo(name)))
        assert usual[0] < value < usual[1]

    @each()
    def test_noise_is_in_bounds(self, spec, rng):
        x = rng.random((3, 200, 210), dtype=np.float32)
        assert spec.bounds[0] <= spec(given(spec, x)) <= spec.bounds[1]

    def test_piqe_of_patterns_is_in_bounds(self, rng):
        y, x = np.indices((64, 80))
        patterns = [(y + x) % k == 0 for k in (2, 3, 4, 5)]
        patterns += [(y % k == 0) & (x % k == 0) for k in (2, 3, 4, 5)]
        patterns += [rng.random((64, 80)) < p for p in (0.01, 0.1, 0.3, 0.5)]
        for pattern in patterns:
            assert 0 <= piqe.piqe(pattern[None].astype(np.float32)) <= 100

    def test_niqe_does_not_look_at_what_is_left_over(self, photo):
        y = luma(photo(), rounded=True)
        assert niqe.niqe(y) == niqe.niqe(y[:, :288, :384])


class TestPictures:
    @each()
    def test_arrays_equal_tensors_alone_and_in_batches(self, spec, photo):
        import torch

        pictures = [given(spec, noisy(photo(n), 3)) for n in PHOTOGRAPHS]
        alone = [spec(x) for x in pictures]
        assert all(type(v) is float for v in alone)
        for kind in (torch.float32, torch.float64):
            batch = torch.tensor(np.stack(pictures)).to(kind).requires_grad_()
            together = spec(batch)
            assert together.shape == (3,)
            assert together.dtype == torch.float64
            assert not together.requires_grad
            assert together.tolist() == alone
            assert spec(batch[1:2]).tolist() == alone[1:2]

    @each()
    def test_api(self, spec, photo):
        import torch

        measure = srqa.metric(spec.name)
        pixels = np.uint8(photo().transpose(1, 2, 0) * 255 + 0.5)
        value = measure(pixels)
        assert type(value) is float
        assert measure(Image.fromarray(pixels)) == value
        tensor = torch.tensor(pixels.transpose(2, 0, 1).copy())
        assert measure(tensor).item() == value
        assert measure(tensor[None]).tolist() == [value]

    @each()
    def test_threads_do_not_meet(self, spec, photo):
        pictures = [given(spec, noisy(photo(), s)) for s in range(4)]
        alone = [spec(x) for x in pictures]
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(spec, pictures)) == alone

    @each()
    def test_grey_pictures(self, spec, photo):
        one = np.uint8(grey(photo()))
        measure = srqa.metric(spec.name)
        three = np.repeat(one[..., None], 3, axis=-1)
        assert measure(one) == measure(one[..., None]) == measure(three)

    @each()
    def test_the_input_stays_as_it_is_and_may_be_a_view(self, spec, photo):
        whole = given(spec, photo("coffee"))
        before = whole.copy()
        view = whole[:, 3:, ::-1]
        assert spec(view) == spec(np.ascontiguousarray(view))
        assert (whole == before).all()

    @each()
    def test_values_are_those_of_an_8_bit_file(self, spec, photo):
        x = given(spec, photo()).astype(np.float64) * 1.1
        stored = np.floor(np.clip(x, 0, 1) * 255 + 0.5) / 255
        assert (x > 1).any()
        assert spec(x) == spec(stored)

    @each("niqe", "niqe-gray", "brisque")
    @pytest.mark.parametrize("value", [0.0, 1 / 3, 1.0])
    def test_flat_pictures_have_no_value(self, spec, value):
        with pytest.raises(NotApplicableError, match="texture"):
            spec(np.full((1, 200, 210), value, np.float32))

    @each("niqe", "brisque")
    def test_ramps_have_no_value(self, spec):
        """Their differences from the local mean are rounding errors."""
        with pytest.raises(NotApplicableError):
            spec(np.tile(np.arange(210) / 255, (1, 200, 1)))

    @pytest.mark.parametrize("value", [0.0, 1 / 3, 1.0])
    def test_flat_pictures_are_bad_for_piqe(self, value):
        assert piqe.piqe(np.full((1, 40, 50), value, np.float32)) == 100

    @each("niqe", "niqe-gray")
    def test_one_block_is_not_enough_for_niqe(self, spec, photo):
        with pytest.raises(NotApplicableError, match="two blocks"):
            spec(given(spec, photo("chelsea", 191, 191)))
        assert spec(given(spec, photo("chelsea", 96, 192))) > 1

    @each("brisque", "piqe")
    def test_smallest_pictures(self, spec, photo):
        side = spec.min_side
        for shape in ((side, side), (side, 90), (90, side)):
            window = photo("coffee")[:, 120 : 120 + shape[0], 150 : 150 + shape[1]]
            assert np.isfinite(spec(given(spec, window)))


def test_evaluate_tells_why_there_is_no_value(tmp_path):
    write(tmp_path / "out" / "tiny.png", picture("a", 12, 13))
    write(tmp_path / "out" / "flat.png", np.full((200, 200, 3), 90, np.uint8))
    write(tmp_path / "out" / "fine.png", picture("b", 200, 200))
    run = srqa.evaluate(tmp_path / "out", metrics=list(SPECS))
    rows = run.scores[run.scores.level == "image"].itertuples()
    found = {(row.metric, row.image.rsplit("/", 1)[-1]): row for row in rows}
    for name in SPECS:
        assert "too small" in found[name, "tiny.png"].problem
        assert np.isfinite(found[name, "fine.png"].value)
        if name != "piqe":
            assert "texture" in found[name, "flat.png"].problem
    assert found["piqe", "flat.png"].value == 100


class TestParameters:
    def test_are_what_they_say(self):
        model, pristine = natural.parameters("brisque"), natural.parameters("niqe")
        assert model["vectors"].shape == (770, 36)
        assert model["coefficients"].sum() == pytest.approx(0, abs=1e-2)
        assert np.abs(model["coefficients"]).max() == 1024
        assert (float(model["gamma"]), float(model["rho"])) == (0.05, -155.845)
        assert (model["ranges"][0] < model["ranges"][1]).all()
        assert np.abs(model["vectors"]).max() <= 1
        assert pristine["mean"].shape == (36,)
        assert (pristine["covariance"] == pristine["covariance"].T).all()
        assert np.linalg.eigvalsh(pristine["covariance"]).min() > 0

    def test_are_not_changed_by_accident(self):
        digests = {
            "niqe": "829014ead8fa669a2b28561fa052e7f37d27a7e93c5a777b52d0eefc07274b03",
            "brisque": "0f4802e81a62d4da4c51e67b73e347a6de136918daf067b069ac0a7f871da304",
        }
        for name, digest in digests.items():
            arrays = natural.parameters(name)
            whole = b"".join(arrays[k].astype("<f8").tobytes() for k in sorted(arrays))
            assert hashlib.sha256(whole).hexdigest() == digest

    def test_notices_travel(self):
        from pathlib import Path

        text = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
        assert text.count("COPYRIGHT NOTICE STARTS") == text.count("COPYRIGHT NOTICE ENDS") == 2
        assert "NIQE Software Release" in text
        assert "BRISQUE Software Release" in text


def test_nothing_heavy_is_imported():
    code = (
        "import sys, srqa.metrics.catalog as c, numpy as np;"
        "x = np.random.rand(1, 200, 200).astype('f');"
        f"[s(x) for s in c.CATALOG if s.name in {tuple(SPECS)}];"
        "print([m for m in ('torch', 'piq', 'scipy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
