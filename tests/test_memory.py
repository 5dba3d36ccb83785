"""How much memory is free, how people write sizes, and that a Run keeps to what it may take."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support import noisy, picture, write

import srqa
from srqa import memory
from srqa.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GB", 4 * 10**9),
        ("4G", 4 * 10**9),
        ("500m", 500 * 10**6),
        ("2GiB", 2 * 2**30),
        (" 1.5 gib ", 3 * 2**29),
        ("0.5TB", 5 * 10**11),
        ("200000KiB", 200000 * 2**10),
        ("70000000", 70_000_000),
        ("70000000B", 70_000_000),
        (3 * 10**9, 3 * 10**9),
    ],
)
def test_sizes(text, size):
    assert memory.parse(text) == size


NO_SIZES = ["", "GB", "4 GB RAM", "4XB", "-4GB", "1e9", "nan", "4,5GB", "\u0664GB"]


@pytest.mark.parametrize("text", NO_SIZES)
def test_what_is_no_size(text):
    with pytest.raises(UsageError, match="--memory") as error:
        memory.parse(text)
    assert "4GB" in error.value.hint


@pytest.mark.parametrize("text", ["8", "0", "69MB", "1KiB", 0])
def test_what_is_too_small_to_be_meant(text):
    with pytest.raises(UsageError, match="at least 70 MB"):
        memory.parse(text)


def test_free_memory_of_this_machine():
    linux = sys.platform.startswith("linux")
    before = memory.available(Path("/proc/meminfo")) if linux else 0
    free = memory.free("cpu")
    assert 2**20 < free < 2**50
    if linux:  # other processes take and give back meanwhile
        assert free <= max(before, memory.available(Path("/proc/meminfo")))


def test_taken_memory_is_not_free():
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc/meminfo")
    code = (
        "from srqa.memory import free; before = free();"
        "taken = bytearray(b'x') * 400_000_000; print(before - free())"
    )

    def lost():
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        return int(ended.stdout)

    # Other processes give memory back meanwhile, and a virtual machine's pages are free again only
    # some time after they were given back.
    assert any(lost() > 250_000_000 or time.sleep(tries) for tries in range(10))


def test_meminfo(tmp_path):
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:  16000 kB\nMemFree:  1000 kB\nMemAvailable:  9000 kB\n")
    assert memory.available(file) == 9000 * 1024
    file.write_text("MemTotal:  16000 kB\nMemFree:  1000 kB\n")
    assert memory.available(file) == 1000 * 1024
    assert memory.available(tmp_path / "none") is None


def groups(folder, membership, **files):
    for name, text in files.items():
        path = folder / "cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folder.mkdir(exist_ok=True)
    (folder / "membership").write_text(membership)
    return sorted(memory.left_in_groups(folder / "membership", folder / "cgroup"))


def test_second_version_of_control_groups_parents_included(tmp_path):
    left = groups(
        tmp_path,
        "0::/outer/inner\n",
        outer__inner__memory_dot_max="max\n",
        outer__inner__memory_dot_current="500\n",
        outer__memory_dot_max="3000\n",
        outer__memory_dot_current="1000\n",
        outer__memory_dot_stat="anon 1\nactive_file 7\ninactive_file 400\n",
    )
    assert left == [2400]


def test_first_version_of_control_groups(tmp_path):
    left = groups(
        tmp_path,
        "9:name=systemd:/\n4:cpu,memory:/job\n0::/\n",
        memory__job__memory_dot_limit_in_bytes="5000\n",
        memory__job__memory_dot_usage_in_bytes="6000\n",
        memory__memory_dot_limit_in_bytes="9223372036854771712\n",
        memory__memory_dot_usage_in_bytes="100\n",
    )
    assert left == [0]


def test_a_container_that_sees_its_own_group_as_the_root(tmp_path):
    left = groups(
        tmp_path,
        "0::/system.slice/docker-1.scope\n",
        memory_dot_max="8000\n",
        memory_dot_current="1000\n",
    )
    assert left == [7000]
    assert not groups(tmp_path / "without", "12:cpuset:/\n")


def test_the_tightest_of_all_counts(monkeypatch):
    monkeypatch.setattr(memory, "_of_machine", lambda: 9000)
    monkeypatch.setattr(memory, "_of_groups", lambda: iter([7000, 8000]))
    assert memory.free() == 7000
    monkeypatch.setattr(memory, "_of_machine", lambda: None)
    monkeypatch.setattr(memory, "_of_groups", lambda: iter([]))
    assert memory.free() == memory.UNKNOWN


def test_what_macos_says():
    said = (
        "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n"
        "Pages free:                               10.\n"
        "Pages active:                          99999.\n"
        "Pages inactive:                            5.\n"
        "Pages speculative:                         2.\n"
        "Pages purgeable:                           1.\n"
    )
    assert memory.from_vm_stat(said) == 18 * 16384
    assert memory.from_vm_stat("nothing of the kind") is None


# -------------------------------------------------------------------------------- the engine


@pytest.fixture
def wide(tmp_path):
    """One pair of 800 x 80 pixels."""
    pixels = picture("a", 80, 800)
    write(tmp_path / "hr" / "a.png", pixels)
    write(tmp_path / "out" / "a.png", noisy(pixels, 8))
    return tmp_path


def evaluated(folder, **options):
    run = srqa.evaluate(
        folder / "out", folder / "hr", scale=4, cache=False, device="cpu", **options
    )
    return run.scores.set_index("metric")[["value", "problem"]]


def test_a_run_with_little_memory_has_the_same_values(wide, weights):
    metrics = ["lpips", "lpips-vgg"]
    whole = evaluated(wide, metrics=metrics)
    cut = evaluated(wide, metrics=metrics, memory="130MB")
    assert not cut["problem"].any()
    np.testing.assert_allclose(cut["value"], whole["value"], rtol=1e-6)
    assert (cut["value"] != whole["value"])["lpips-vgg"]  # sums of bands, not of the whole


def test_too_little_memory_is_said_of_the_picture_and_what_would_do(wide, weights):
    found = evaluated(wide, metrics=["psnr", "lpips-vgg"], memory="70MB")
    assert found.loc["psnr", "value"] > 20
    said = found.loc["lpips-vgg", "problem"]
    assert "800 pixels wide" in said
    enough = re.search(r"--memory (\d+MB)", said)[1]
    again = evaluated(wide, metrics=["psnr", "lpips-vgg"], memory=enough)
    assert not again["problem"].any()


PEAK = """
import ctypes, sys
import numpy as np
import torch
from srqa.threads import tuned_process
from srqa.metrics import features, registry

torch.set_num_threads(1)

def status(key):
    lines = open("/proc/self/status").read().splitlines()
    return int(next(x for x in lines if x.startswith(key)).split()[1]) * 1024

rng = np.random.default_rng(0)
a, b = rng.random((2, 3, 100, 1600), dtype=np.float32)
with tuned_process(maps=True):
    for case in sys.argv[1:]:
        name, dtype, size = case.split(":")
        spec = registry.get(name)
        with features.settings(memory=10**8, dtype=dtype):  # loads weights, transforms none
            spec(a[:, :64, :64], b[:, :64, :64])
        with features.settings(memory=int(size) * 10**6, dtype=dtype):
            ctypes.CDLL(None).malloc_trim(0)
            open("/proc/self/clear_refs", "w").write("5")
            before = status("VmRSS")
            spec(a, b)
            print((status("VmHWM") - before) / 1e6)
"""


def test_networks_keep_to_their_memory(weights):
    """Measured in a process of its own, whatever the estimates say; the last is not cut."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux's account of a process's peak memory")
    cases = [
        "lpips:float32:90",
        "st-lpips:float32:160",
        "dists:float32:170",
        "dists:bfloat16:150",
        "lpips-vgg:float32:170",
        "lpips-vgg:float32:500",
        "lpips-vgg:float32:1100",
    ]
    command = [sys.executable, "-c", PEAK, *cases]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peaks = [float(line) for line in done.stdout.split()]
    allowed = [int(case.rpartition(":")[2]) for case in cases]
    assert len(peaks) == len(cases)
    assert all(p < a for p, a in zip(peaks, allowed, strict=True)), (cases, peaks)
    assert peaks[-2] > allowed[-3]  # the whole maps: else nothing was measured
    assert peaks[-1] > peaks[-2] + 200  # and transformed weights beside them
