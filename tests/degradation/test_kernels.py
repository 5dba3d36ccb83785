import math

import numpy as np
import pytest
from support import write

from srqa.degradation import kernels
from srqa.degradation.kernel_files import read_kernels
from srqa.degradation.kernels import Disk, Gaussian, Motion, Sinc, Taps, centre_of_mass, taps
from srqa.errors import InputError, UsageError

SKEW = Taps(((0.0, 0.1, 0.3), (0.0, 0.2, 0.4), (0.0, 0.0, 0.0)), "skew")
ALL = [
    Gaussian(1.6),
    Gaussian(1.6, size=7),
    Gaussian(0.3, 4.0, 30),
    Gaussian(2.0, 1.0, 75, power=0.6),
    Gaussian(2.0, 1.0, 120, power=1.7, plateau=True, size=21),
    Motion(1),
    Motion(13.7, 33),
    Motion(9, 90),
    Disk(0.7),
    Disk(4.3),
    Sinc(1.2),
    Sinc(math.pi, 7),
    SKEW,
    Taps(((0.25, 0.25), (0.25, 0.25))),
    Taps(((0.5, 0.0, 0.0, 0.5),)),
]


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("kernel", ALL, ids=str)
def test_taps_sum_to_one_and_balance_in_the_middle(kernel, between):
    found = taps(kernel, between)
    assert found.shape[0] == found.shape[1]
    assert found.shape[0] % 2 == (0 if between else 1)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert centre_of_mass(found) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize("kernel", ALL, ids=str)
def test_a_manifest_holds_them(kernel):
    import json

    facts = json.loads(json.dumps(kernels.to_dict(kernel)))
    assert np.array_equal(taps(kernels.from_dict(facts)), taps(kernel))


@pytest.mark.parametrize("size", [7, 11, 12])
def test_gaussian_is_matlabs(size):
    """fspecial('gaussian', size, sigma): samples of the density, normalised."""
    expected = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            y, x = i - (size - 1) / 2, j - (size - 1) / 2
            expected[i, j] = math.exp(-(x * x + y * y) / (2 * 1.6**2))
    expected /= expected.sum()
    np.testing.assert_allclose(taps(Gaussian(1.6, size=size), size % 2 == 0), expected, atol=1e-15)


def moments(kernel):
    """Variances along x, along y (up), and their covariance."""
    weight = taps(kernel)
    at = np.arange(weight.shape[0]) - (weight.shape[0] - 1) / 2
    x, y = np.meshgrid(at, -at)
    return [float((weight * part).sum()) for part in (x * x, y * y, x * y)]


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_anisotropic_gaussian_has_its_covariance(angle):
    turn = math.radians(angle)
    axes = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    expected = axes @ np.diag([9.0, 1.0]) @ axes.T
    found = moments(Gaussian(3, 1, angle, size=41))
    np.testing.assert_allclose(found, [expected[0, 0], expected[1, 1], expected[0, 1]], atol=1e-3)


@pytest.mark.parametrize("angle", [0, 20, 90, 120])
def test_motion_spreads_along_its_line(angle):
    """A uniform segment has the variance L^2 / 12; drawing it linearly adds under 1/4 a pixel."""
    x, y, xy = moments(Motion(20, angle))
    turn = math.radians(angle)
    c, s = math.cos(turn), math.sin(turn)
    along = c * c * x + s * s * y + 2 * c * s * xy
    across = s * s * x + c * c * y - 2 * c * s * xy
    assert along == pytest.approx(400 / 12, abs=0.3)
    assert across < 0.3


def test_disk_covers_its_area():
    found = taps(Disk(5))
    assert found.max() == pytest.approx(1 / (math.pi * 25), rel=2e-3)
    assert moments(Disk(5))[0] == pytest.approx(25 / 4, rel=0.02)
    assert found[5, 5] == found[5, 4] == found[4, 3]


def test_sinc_passes_what_is_below_its_cutoff():
    """Frequencies well within and well beyond the cutoff; the window lets it ring in between."""
    weight = taps(Sinc(1.5, 21))
    at = np.arange(21) - 10

    def gain(frequency):
        return abs((weight * np.cos(frequency * at)[None]).sum())

    assert gain(0.7) == pytest.approx(1, abs=0.08)
    assert gain(2.4) < 0.05


def test_power_and_plateau_are_their_formulas():
    x = np.arange(7) - 3
    row = taps(Gaussian(1.5, power=0.7, size=7))[3]
    np.testing.assert_allclose(row / row[3], np.exp(-0.5 * np.abs(x / 1.5) ** 1.4), atol=1e-12)
    row = taps(Gaussian(1.5, power=1.3, plateau=True, size=7))[3]
    np.testing.assert_allclose(row / row[3], 1 / (1 + np.abs(x / 1.5) ** 2.6), atol=1e-12)


def test_moving_by_whole_pixels_changes_no_weight():
    values = np.zeros((9, 9))
    values[1:4, 5:8] = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    found = taps(Taps(tuple(map(tuple, values / 16))))
    np.testing.assert_allclose(found, np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16, atol=1e-15)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gaussian(0),
        lambda: Gaussian(float("nan")),
        lambda: Gaussian(1, 1000),
        lambda: Gaussian(1, size=0),
        lambda: Gaussian(1, size=999),
        lambda: Motion(0.2),
        lambda: Disk(-1),
        lambda: Sinc(4),
    ],
)
def test_what_makes_no_kernel_is_refused(make):
    with pytest.raises(UsageError):
        make()


FLAT = np.full((3, 5), 1 / 15)


def saved(path):
    import scipy.io

    if path.suffix == ".npy":
        np.save(path, FLAT)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"kernel": FLAT, "sigma": 3.0})
    elif path.suffix == ".csv":
        np.savetxt(path, FLAT, delimiter=",")
    elif path.suffix == ".txt":
        np.savetxt(path, FLAT)
    else:
        write(path, np.full((3, 5), 77, np.uint8))
    return path


@pytest.mark.parametrize("suffix", [".npy", ".mat", ".csv", ".txt", ".png"])
def test_a_file_is_a_kernel(tmp_path, suffix):
    (found,) = read_kernels(str(saved(tmp_path / f"ein kernel{suffix}")))
    np.testing.assert_allclose(np.array(found.values), FLAT, atol=1e-12)
    assert taps(found).shape == (5, 5)


def test_a_file_may_hold_many(tmp_path):
    import scipy.io

    cells = np.empty((1, 3), object)
    for at, side in enumerate((3, 5, 7)):
        cells[0, at] = np.full((side, side), 1 / side**2)
    scipy.io.savemat(tmp_path / "cells.mat", {"kernels": cells})
    assert [len(k.values) for k in read_kernels(str(tmp_path / "cells.mat"))] == [3, 5, 7]
    (second,) = read_kernels(f"{tmp_path / 'cells.mat'}#2")
    assert len(second.values) == 5
    assert second.source.endswith("#2")
    stack = np.stack([np.eye(5) / 5, np.full((5, 5), 0.04)])
    np.save(tmp_path / "stack.npy", stack)
    scipy.io.savemat(tmp_path / "stack.mat", {"k": np.moveaxis(stack, 0, -1)})
    for name in ("stack.npy", "stack.mat"):
        found = read_kernels(str(tmp_path / name))
        np.testing.assert_allclose([k.values for k in found], stack, atol=1e-15)
    with pytest.raises(InputError, match="no number 9"):
        read_kernels(f"{tmp_path / 'cells.mat'}#9")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((3, 3), 1.0), "sum to 9"),
        (np.array([[1.0, np.nan]]), "NaN"),
        (np.array([[1.0, -1.0]]), "sum to 0"),
        (np.zeros((3, 3)), "sum to 0"),
        (np.zeros((300, 3)), "at most 255"),
        (np.zeros((0, 3)), "no matrix"),
        (np.array(3.0), "no matrix"),
        (np.array([["a"]]), "no matrix"),
        (np.array([[{}]], object), "allow_pickle"),
    ],
)
def test_a_file_that_is_no_kernel(tmp_path, values, words):
    np.save(tmp_path / "k.npy", values, allow_pickle=True)
    with pytest.raises(InputError, match=words) as error:
        read_kernels(str(tmp_path / "k.npy"))
    assert "k.npy" in str(error.value)


def test_weights_are_divided_by_their_sum_when_told(tmp_path):
    np.save(tmp_path / "k.npy", np.full((3, 3), 7))
    (found,) = read_kernels(str(tmp_path / "k.npy"), normalise=True)
    assert found.values[0][0] == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npy", b"nothing"),
        ("a.npy", b""),
        ("a.mat", b"nothing at all"),
        ("a.txt", b"one two"),
        ("a.txt", b"\xff\xfe\x00"),
        ("a.doc", b"1 2"),
        ("a.png", b"no picture"),
    ],
)
def test_damaged_kernel_files_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        read_kernels(str(tmp_path / name))
