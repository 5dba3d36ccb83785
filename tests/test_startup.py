"""The program starts fast: what is not needed is not imported."""

import json
import os
import subprocess
import sys

import pytest
import support
from support import noisy, picture, write

HEAVY = {"torch", "torchvision", "piq", "scipy", "pandas", "skimage", "PIL", "tifffile"}


def modules_after(*arguments):
    """Names of the top-level modules in a process that ran `srqa ARGUMENTS`."""
    code = (
        "import sys, json\n"
        "from srqa.cli import run\n"
        "code = run(sys.argv[1:])\n"
        "print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    code, names = json.loads(ended.stderr.splitlines()[-1])
    assert code == 0, ended.stderr
    return set(names)


@pytest.fixture
def pair(tmp_path):
    write(tmp_path / "hr" / "a.png", picture("a", 64, 80))
    write(tmp_path / "out" / "a.png", noisy(picture("a", 64, 80), 5))
    return str(tmp_path / "out"), "--ref", str(tmp_path / "hr"), "--scale", "4"


def test_evaluate_imports_nothing_heavy(pair):
    names = modules_after("evaluate", *pair, "-m", "psnr-y,ssim-y", "--no-cache", "-q")
    assert not names & HEAVY
    assert "numpy" in names


def test_a_cached_evaluation_imports_nothing_heavy(pair):
    """Not even for the default metrics, of which some are computed by networks."""
    assert "torch" in modules_after("evaluate", *pair, "-q")
    assert not modules_after("evaluate", *pair, "-q") & HEAVY


def test_writing_a_run_imports_no_torch(pair, tmp_path):
    """pyarrow imports pandas as soon as it makes an array of anything."""
    names = modules_after(
        "evaluate", *pair, "-m", "psnr-y,ssim-y", "-q", "--out", str(tmp_path / "run")
    )
    assert not names & (HEAVY - {"pandas"})


@pytest.mark.parametrize(
    "arguments", [["--help"], ["evaluate", "--help"], ["compare", "--help"], ["--version"]]
)
def test_help_imports_no_numpy(arguments):
    names = modules_after(*arguments)
    assert not names & (HEAVY | {"numpy", "cv2", "rich", "pyarrow"})


def test_import_srqa_imports_nothing():
    code = "import sys, srqa; print(sorted({m.split('.')[0] for m in sys.modules}))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(eval(ended.stdout)) & (HEAVY | {"numpy", "click"})


def test_python_m_is_the_program():
    told = support.srqa("--version")
    assert (told.returncode, told.stdout) == (0, "srqa, version 0.1.0\n")


def processor_seconds(n, *command):
    """The least that one of n processes took of the processor: others hardly change that."""
    least = float("inf")
    for _ in range(n):
        before = os.times()
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        after = os.times()
        assert ended.returncode == 0, ended.stderr
        took = after.children_user + after.children_system
        least = min(least, took - before.children_user - before.children_system)
    return least


@pytest.mark.skipif(sys.platform == "win32", reason="does not tell how long processes computed")
def test_times(pair, record_property, capsys):
    """0.3 s and 1.5 s on a machine that imports numpy in 0.15 s, and as much more on a slower."""
    evaluate = (*support.SRQA, "evaluate", *pair, "-m", "psnr-y,ssim-y", "--no-cache")
    for command in ((*support.SRQA, "--help"), evaluate):
        processor_seconds(1, *command)  # compiles what was never run
    numpy_time = processor_seconds(5, sys.executable, "-c", "import numpy")
    help_time = processor_seconds(5, *support.SRQA, "--help")
    pair_time = processor_seconds(5, *evaluate)
    record_property("help_seconds", help_time)
    record_property("evaluate_seconds", pair_time)
    with capsys.disabled():
        print(f"\n[srqa --help {help_time:.3f} s, srqa evaluate of a pair {pair_time:.3f} s]")
    slowness = max(1, numpy_time / 0.15)
    assert help_time < 0.3 * slowness
    assert pair_time < 1.5 * slowness
