"""What `srqa evaluate` takes of memory at most, each time in a process of its own."""

import os
import subprocess
import sys

import pytest

from benchmarks.sections.memory import classical

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "wait4"), reason="wait4 tells the peak, on Unix alone"),
]


@pytest.fixture
def pair(tmp_path, photograph):
    """``pair(width, height)``: folders with a photograph, a smoother copy, and its quarter."""
    import cv2

    def make(width, height):
        sharp = (photograph("coffee", 384, 512).transpose(1, 2, 0) * 255).astype("u1")
        sharp = cv2.resize(sharp, (width, height), interpolation=cv2.INTER_CUBIC)
        small = cv2.resize(sharp, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
        rough = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        for folder, pixels in (("hr", sharp), ("out", rough), ("lr", small)):
            (tmp_path / folder).mkdir()
            assert cv2.imwrite(str(tmp_path / folder / "p.png"), pixels, [16, 1])
        return tmp_path

    return make


WATCH = """
import os, subprocess, sys
_, status, usage = os.wait4(subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL).pid, 0)
print(usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3 / 1.024))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A new process counts what its parent held when it was born, so that the parent must be small."""


def peak(folder, metrics, *more):
    """Megabytes that a whole evaluation took."""
    command = [sys.executable, "-m", "srqa", "evaluate", folder / "out", "--ref", folder / "hr"]
    command += ["--lr", folder / "lr", "--scale", "4", "--no-cache", "-m", ",".join(metrics)]
    watching = [sys.executable, "-c", WATCH, *map(str, command), *more]
    return float(subprocess.run(watching, stdout=subprocess.PIPE, check=True).stdout)


def test_classical_metrics_of_33_megapixels(pair):
    """All in one command, in less than 2 GB: R, G and B of both as float32 are 0.8 GB of it."""
    metrics = classical(lr=True)
    assert len(metrics) >= 28
    assert peak(pair(7680, 4320), metrics) < 2000


def test_lpips_vgg_of_33_megapixels(pair, weights):
    """In bands, with default settings; the maps of one picture would be 17 GB."""
    assert peak(pair(7680, 4320), ["lpips-vgg"]) < 3000


@pytest.mark.parametrize("metric", ["shift", "ssimulacra2", "niqe", "lr-psnr"])
def test_one_metric_of_eight_megapixels(metric, pair):
    """Any of these took 0.5 to 3 GB more when it held whole pictures in float64."""
    assert peak(pair(3840, 2160), [metric]) < 700


def test_memory_does_not_grow_with_the_number_of_pictures(pair):
    """From 3,000 on, where all that is made in blocks has its full size: some 3 kB a picture."""
    folder = pair(64, 64)
    peaks = []
    for first, last in ((0, 3000), (3000, 9000)):
        for number in range(first, last):
            for place in ("hr", "out", "lr"):
                os.link(folder / place / "p.png", folder / place / f"{number}.png")
        peaks.append(peak(folder, ["psnr-y", "ssim-y"]))
    assert peaks[1] < peaks[0] + 40
