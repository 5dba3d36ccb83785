"""A wheel carries all that srqa needs; an editable install leaves no copies behind."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest

from srqa import assets
from srqa.errors import InputError

ROOT = Path(__file__).parents[1]


def test_the_checkout_is_found():
    assert assets.path("dashboards/README.md") == ROOT / "dashboards" / "README.md"
    assert assets.path("studies").is_dir()
    with pytest.raises(InputError, match="'studies/nowhere' is missing") as caught:
        assets.path("studies/nowhere")
    assert caught.value.hint


def test_an_editable_install_leaves_no_copy():
    """A second `dashboards` in site-packages would be the one that is found, and grow old."""
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for name in ("dashboards", "studies"):
            assert not (Path(place) / name).exists()
    # Others' packages, torch-fidelity for one, do leave such folders there.
    tops = {file.parts[0] for file in distribution("srqa").files or ()}
    assert tops
    assert not tops & {"dashboards", "studies", "tests", "benchmarks"}
    assert not (ROOT / "srqa" / "dashboards").exists()
    assert not (ROOT / "srqa" / "studies").exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of nothing but what the sdist holds."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", out, ROOT]
    if find_spec("hatchling"):
        command.insert(5, "--no-build-isolation")
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode and "No matching distribution" in built.stderr:
        pytest.skip("hatchling cannot be had: no network")
    assert built.returncode == 0, built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.slow
class TestWheel:
    def test_holds_everything(self, wheel):
        names = set(zipfile.ZipFile(wheel).namelist())
        for name in (
            "srqa/py.typed",
            "srqa/dashboards/README.md",
            "srqa/studies/README.md",
            "srqa/studies/synthetic/falls.csv",
            "srqa/studies/synthetic/__main__.py",
            "srqa/studies/losses/losses.toml",
            "srqa/studies/batchnorm/train.toml",
            "srqa/report/schemas/run.schema.json",
            "srqa/report/assets/report.html",
            "srqa/report/assets/report.css",
            "srqa/viewer/viewer.js",
            "srqa/viewer/viewer.css",
            "srqa/viewer/stage.js",
            "srqa/dashboards/participant.py",
            "srqa/dashboards/admin.py",
            "srqa/dashboards/rater/component.js",
            "srqa/study/texts/zh.toml",
            "srqa/__main__.py",
            *(f"srqa/models/classical/data/aplus-x{scale}.npz" for scale in (2, 3, 4)),
        ):
            assert name in names
        ours = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "srqa").rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert ours <= names
        tops = {name.split("/")[0] for name in names}
        assert tops == {"srqa", "srqa-0.1.0.dist-info"}
        assert "srqa-0.1.0.dist-info/licenses/LICENSE" in names

    def test_works_where_it_is_installed(self, wheel, tmp_path):
        site = tmp_path / "site"
        zipfile.ZipFile(wheel).extractall(site)
        code = (
            "import srqa, srqa.assets as a\n"
            "print(srqa.__file__, a.path('dashboards/README.md'), a.path('studies'), sep='\\n')\n"
        )
        found = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": str(site)}, cwd=tmp_path,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        places = [Path(line) for line in found.stdout.splitlines()]
        assert places == [
            site / "srqa" / "__init__.py",
            site / "srqa" / "dashboards" / "README.md",
            site / "srqa" / "studies",
        ]
        demo = subprocess.run(
            [sys.executable, "-m", "srqa", "metrics", "list"],
            env=os.environ | {"PYTHONPATH": str(site)}, cwd=tmp_path,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "psnr-y" in demo.stdout
