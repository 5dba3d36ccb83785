"""What all tests share: the reference folder, photographs, the oracles, one torch thread."""

import os
import sys
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

# `tests/oracle` holds independent versions of the metrics; tests import them as `oracle.NAME`.
sys.path.insert(0, str(Path(__file__).parent))

# Nobody's terminal or umask decides what tests read.
os.umask(0o022)
for _name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(_name, None)

# Properties are tried on the same examples everywhere, however slowly.
with suppress(ImportError):
    from hypothesis import settings

    settings.load_profile("ci")

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"
NEEDED = ("lpips-alex", "lpips-vgg", "dists", "st-lpips-alex", "st-lpips-vgg")


@pytest.fixture(autouse=True)
def _one_thread():
    """Keep torch, once some test has imported it, from fighting over the cores."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def _caches(tmp_path_factory):
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def _own_cache(_caches, monkeypatch):
    """No test touches the user's cache of scores, and each begins with an empty one."""
    monkeypatch.setenv("SRQA_CACHE", str(_caches / uuid.uuid4().hex))


@pytest.fixture(scope="session")
def reference():
    """The folder of public reference files, which does not travel with the project."""
    if not (REFERENCE / "expected.json").exists():
        pytest.skip(f"no reference files at {REFERENCE}")
    return REFERENCE


@pytest.fixture(scope="session")
def photograph():
    """``photograph(name, height, width)``: planes (3, h, w) float32 of a picture of skimage."""
    data = pytest.importorskip("skimage.data")

    def load(name="astronaut", height=192, width=208):
        pixels = getattr(data, name)()[:height, :width]
        return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32) / 255

    return load


@pytest.fixture(scope="session")
def weights():
    """``weights(name)`` gives the arrays of a weight file; all have been pulled."""
    import platformdirs

    import srqa.weights

    with pytest.MonkeyPatch.context() as patch:
        shared = platformdirs.user_cache_path("srqa") / "weights"
        patch.setenv("SRQA_WEIGHTS", os.environ.get("SRQA_WEIGHTS", str(shared)))
        srqa.weights.pull(NEEDED)
        yield srqa.weights.load


@pytest.fixture
def ordinary_user(tmp_path):
    """``with ordinary_user():`` goes on without root's rights, where root runs the tests.

    What is to be used inside should have been used before: modules may lie where only root reads.
    """

    @contextmanager
    def drop():
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            yield
            return
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == 0 and not folder.stat().st_mode & 0o1:
                folder.chmod(0o755)
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return drop


@pytest.fixture
def rng():
    return np.random.default_rng(20)
