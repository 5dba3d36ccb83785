"""The adapter on the real package, with metrics of it that need no weights."""

import importlib.util
import json
import math
import socket
import sys

import numpy as np
import pytest
from support import assert_one_sentence, scene
from support import srqa as program

import srqa
from srqa.engine import gates
from srqa.engine.results import Run
from srqa.errors import MissingPackageError, NotApplicableError, UsageError, WeightsError
from srqa.metrics import licences, pyiqa, registry
from srqa.report import tables
from srqa.report.html import write_report

installed = pytest.mark.skipif(
    importlib.util.find_spec("pyiqa") is None,
    reason="pip install 'srqa[pyiqa]', or for these tests: pip install --no-deps pyiqa",
)


@pytest.fixture(autouse=True)
def _not_accepted(monkeypatch):
    monkeypatch.delenv("SRQA_ACCEPT_LICENCE", raising=False)


@pytest.fixture
def without(monkeypatch):
    """As if pyiqa were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(pyiqa, "find_spec", lambda n: None if n == "pyiqa" else find(n))
    pyiqa.spec.cache_clear()
    pyiqa._settings.cache_clear()
    yield
    pyiqa.spec.cache_clear()
    pyiqa._settings.cache_clear()


def test_without_the_package_it_says_what_to_install(without):
    with pytest.raises(MissingPackageError, match="need the package pyiqa") as error:
        registry.get("pyiqa:musiq")
    assert "pip install 'srqa[pyiqa]'" in error.value.hint
    assert error.value.exit_code == 2
    assert pyiqa.names() == []


@installed
class TestSpecs:
    @pytest.mark.parametrize(
        ("name", "kind", "higher"),
        [("psnr", "fr", True), ("lpips", "fr", False), ("musiq", "nr", True),
         ("niqe", "nr", False), ("maniqa", "nr", True), ("topiq_fr", "fr", True)],
    )  # fmt: skip
    def test_kind_and_direction(self, name, kind, higher):
        spec = registry.get(f"pyiqa:{name}")
        assert (spec.name, spec.kind, spec.higher_is_better) == (f"pyiqa:{name}", kind, higher)
        assert spec.provider == "pyiqa"
        assert spec.extra == "pyiqa"

    def test_all_of_them(self):
        from importlib.metadata import metadata

        assert len(pyiqa.names()) >= 100
        for name in pyiqa.names():
            spec = registry.get(name)
            assert spec.name == name
            assert spec.code_licence == metadata("pyiqa")["License-Expression"]
            assert licences.needs_acceptance(spec)
            assert not licences.permissive(spec)

    def test_names_are_found_in_any_case(self):
        assert registry.get("PYIQA:CLIPIQA+_VITL14_512").name == "pyiqa:clipiqa+_vitL14_512"
        assert registry.get("pyiqa:psnr") is registry.get(" Pyiqa:PSNR ")

    def test_an_unknown_name(self):
        with pytest.raises(UsageError, match="'pyiqa:musik'") as error:
            registry.get("pyiqa:musik")
        assert "pyiqa:musiq" in error.value.hint

    @pytest.mark.parametrize("name", ["fid", "inception_score", "clipscore", "fgresq_pair"])
    def test_what_judges_no_single_picture(self, name):
        with pytest.raises(UsageError, match=f"pyiqa:{name} cannot be computed here"):
            registry.get(f"pyiqa:{name}")
        assert f"pyiqa:{name}" not in pyiqa.names()

    def test_they_are_not_among_srqas_own(self):
        assert not any(name.startswith("pyiqa:") for name in registry.names())

    def test_the_package_is_not_imported_for_it(self):
        import subprocess

        code = (
            "import sys; from srqa.metrics import registry; registry.get('pyiqa:musiq');"
            "print('pyiqa' in sys.modules, 'torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.split() == ["False", "False"], done.stderr

    def test_gates(self):
        for name in ("pyiqa:psnr", "pyiqa:clipiqa+_vitL14_512", "pyiqa:niqe_matlab"):
            assert gates.parse_condition(f"{name}<50").metric == name
            assert gates.parse_condition(f"any({name})>=5").metric == name
            assert gates.parse_drop(f"{name}=0.05") == (name, 0.05)

    def test_it_must_be_accepted(self):
        with pytest.raises(UsageError, match=r"pyiqa .*PolyForm-Noncommercial-1\.0\.0"):
            srqa.metric("pyiqa:psnr")
        assert srqa.metric("pyiqa:psnr", accept_licence=True).name == "pyiqa:psnr"


@installed
class TestValues:
    @pytest.mark.parametrize("name", ["psnr", "psnry", "ssim", "vif", "entropy"])
    def test_equal_the_package(self, name, pictures):
        import pyiqa as package
        import torch

        a, b = pictures(64, 80)
        spec = registry.get(f"pyiqa:{name}")
        given = (a, b) if spec.kind == "fr" else (a,)
        theirs = package.create_metric(name, device="cpu")
        expected = theirs(*(torch.tensor(x)[None] for x in given)).item()
        assert math.isfinite(expected)
        assert spec(*given) == pytest.approx(expected, rel=1e-7)
        batch = [torch.tensor(np.stack([x, x[:, ::-1].copy()])) for x in given]
        together = spec(*batch)
        assert together.shape == (2,)
        assert together[0].item() == pytest.approx(expected, rel=1e-7)

    def test_psnr_is_srqas_own(self, pictures):
        a, b = (np.floor(x * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0) for x in pictures())
        theirs = srqa.metric("pyiqa:psnr", accept_licence=True)(a, b)
        assert theirs == pytest.approx(srqa.metric("psnr")(a, b), abs=1e-3)

    def test_grey_and_overshoot(self, pictures):
        a, b = pictures()
        spec = registry.get("pyiqa:psnr")
        grey = spec(a[:1], b[:1])
        assert grey == pytest.approx(spec(a[:1].repeat(3, 0), b[:1].repeat(3, 0)))
        assert math.isfinite(spec(a * 1.2 - 0.1, b))

    def test_one_number_or_none(self):
        import torch

        for made in (torch.ones(2), (torch.ones(1), torch.ones(1)), {"a": 1}):
            with pytest.raises(NotApplicableError, match="one number"):
                pyiqa._number("odd", made)

    @pytest.mark.parametrize("offline", [False, True])
    def test_weights_that_cannot_be_had(self, offline, tmp_path, monkeypatch, pictures):
        """pyiqa fetches by torch's hub; on the way out it meets a closed network."""
        import pyiqa.utils.download_util as theirs

        asked = []

        def lookup(*arguments, **_):
            asked.append(arguments)
            raise OSError("no such host")

        monkeypatch.setattr(theirs, "DEFAULT_CACHE_DIR", str(tmp_path))
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        monkeypatch.setenv("SRQA_OFFLINE", "1" if offline else "")
        for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.delenv(proxy, raising=False)
        words = "switched off" if offline else "no such host"
        with pytest.raises(WeightsError, match=f"pyiqa cannot load niqe_matlab.*{words}") as error:
            registry.get("pyiqa:niqe_matlab")(pictures()[0])
        assert error.value.exit_code == 4
        assert "pyiqa" in error.value.hint

    def test_offline_no_connection_is_opened_by_whatever_library(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            with pyiqa._network_closed(True), pytest.raises(OSError, match="no connection"):
                socket.create_connection(address, timeout=2)
            with pyiqa._network_closed(False):
                socket.create_connection(address, timeout=2).close()
            socket.create_connection(address, timeout=2).close()


@installed
def test_evaluate_from_the_command_line(tmp_path):
    """The licence is asked for; names stand in tables, gates, signatures, files and reports."""
    scene(tmp_path, contents=("a", "b"), methods=("fine",))
    arguments = ("evaluate", tmp_path / "out", "--ref", tmp_path / "hr", "-m",
                 "psnr,pyiqa:psnr", "--scale", "1", "--no-cache")  # fmt: skip
    refused = program(*arguments)
    assert refused.returncode == 2
    assert_one_sentence(refused.stderr, "pyiqa:psnr", "PolyForm-Noncommercial", "--accept-licence")
    run = tmp_path / "run"
    done = program(*arguments, "--accept-licence", "--out", run, "--json", "--fail-if",
                   "pyiqa:psnr>90")  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = Run.load(run)
    rows = {(r.metric, r.image): r.value for r in made.score_rows}
    for (metric, image), value in rows.items():
        if metric == "psnr":
            assert rows["pyiqa:psnr", image] == pytest.approx(value, abs=0.5)
    signature = next(r.signature for r in made.summary_rows if r.metric == "pyiqa:psnr")
    assert signature.startswith("pyiqa:psnr | srqa ")
    assert " | pyiqa 0." in signature
    assert "pyiqa:psnr" in json.dumps(json.loads(done.stdout))
    assert "pyiqa:psnr" in tables.summary_csv(made)
    assert "pyiqa:psnr" in tables.markdown(made)
    assert "pyiqa:psnr" in tables.latex(made)
    page = write_report(made, run / "report.html", title="x")
    assert "pyiqa:psnr" in page.read_text("utf-8")
