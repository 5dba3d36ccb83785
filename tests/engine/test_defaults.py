"""The metrics that run when none is named, and what happens without their weights."""

import shutil

import numpy as np
import pytest
import support

import srqa
from srqa import weights
from srqa.engine import choice
from srqa.errors import InputError, UsageError, WeightsError
from srqa.metrics.niqe import niqe

DEFAULTS = choice.DEFAULT_METRICS


@pytest.fixture
def two_metrics(monkeypatch):
    """Overrides the folder's fixture: these tests are about the defaults."""
    monkeypatch.setattr(choice, "DEFAULT_METRICS", DEFAULTS)


@pytest.fixture
def photographs(tmp_path):
    """Pictures that are large enough for NIQE."""
    return support.scene(tmp_path, contents=("a", "b"), side=192)


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    """An empty store, and packages that do not carry weights."""
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("srqa.weights.installed.find", lambda file: None)
    monkeypatch.setattr("srqa.weights.installed.read", lambda file: None)
    monkeypatch.setattr("srqa.metrics.networks._loaded", {})


def test_six_metrics_of_which_two_need_no_reference(photographs):
    run = srqa.evaluate(photographs / "out", photographs / "hr", scale=4)
    assert run.metrics == ["psnr-y", "ssim-y", "lpips", "dists", "niqe", "brisque"]
    assert not run.problems
    assert run.warnings == []
    blind = srqa.evaluate(photographs / "out")
    assert blind.metrics == ["niqe", "brisque"]


class TestWithoutWeights:
    def test_defaults_are_left_out_with_one_sentence(self, photographs, no_weights):
        run = srqa.evaluate(photographs / "out", photographs / "hr", scale=4, offline=True)
        assert run.metrics == ["psnr-y", "ssim-y", "niqe", "brisque"]
        (warning,) = run.warnings
        assert warning.startswith("lpips and dists left out: ")
        assert "srqa weights" in warning
        assert not run.problems

    def test_one_that_was_asked_for_is_an_error(self, photographs, no_weights):
        with pytest.raises(WeightsError, match="lpips-alex"):
            srqa.evaluate(photographs / "out", photographs / "hr", metrics="lpips", offline=True)

    def test_an_index_that_does_not_answer(self, photographs, no_weights, monkeypatch):
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        run = srqa.evaluate(photographs / "out", photographs / "hr", scale=4)
        assert run.metrics == ["psnr-y", "ssim-y", "niqe", "brisque"]
        with pytest.raises(WeightsError, match="cannot be"):
            srqa.evaluate(photographs / "out", photographs / "hr", metrics="psnr-y,dists")

    def test_offline_ends_with_the_call(self, photographs, no_weights):
        from srqa.weights.sources import offline

        srqa.evaluate(photographs / "out", metrics="niqe", offline=True)
        assert not offline()

    def test_a_damaged_file_is_no_missing_one(self, photographs, tmp_path, monkeypatch):
        weights.pull(["lpips-alex"])
        source = weights.path("lpips-alex")
        store = tmp_path / "weights"
        store.mkdir()
        data = bytearray(source.read_bytes())
        data[len(data) // 2] ^= 1
        (store / source.name).write_bytes(data)
        monkeypatch.setenv("SRQA_WEIGHTS", str(store))
        monkeypatch.setattr("srqa.metrics.networks._loaded", {})
        with pytest.raises(WeightsError, match="sha256"):
            srqa.evaluate(photographs / "out", photographs / "hr", scale=4)


class TestPerceptualIndex:
    @pytest.fixture
    def blind(self, photographs):
        shutil.rmtree(photographs / "hr")
        return photographs / "out"

    def table(self, folder, *lines):
        path = folder / "ma.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def test_formula(self, blind, tmp_path):
        ma = self.table(tmp_path, "image,ma", "fine/a.png,8", "fine/b,7.5", "poor/a.png,3",
                        "poor/b.png,2")  # fmt: skip
        run = srqa.evaluate(blind, metrics="pi,niqe", ma=ma)
        values = {(row.image, row.metric): row.value for row in run.score_rows}
        for image, score in {"fine/a.png": 8, "fine/b.png": 7.5, "poor/b.png": 2}.items():
            expected = ((10 - score) + values[image, "niqe"]) / 2
            assert values[image, "pi"] == pytest.approx(expected, abs=1e-12)

    def test_in_python(self, rng):
        grey = rng.integers(0, 256, (192, 192, 3), dtype=np.uint8)
        assert srqa.metric("pi")(grey, given=4.0) == (6 + srqa.metric("niqe")(grey)) / 2
        with pytest.raises(UsageError, match="Ma score"):
            srqa.metric("pi")(grey)
        with pytest.raises(UsageError, match="no given number"):
            srqa.metric("niqe")(grey, given=4.0)

    def test_other_scores_are_not_taken_from_the_cache(self, blind, tmp_path):
        runs = [
            srqa.evaluate(blind / "fine", metrics="pi",
                          ma=self.table(tmp_path, "image,ma", f"a.png,{ma}", "b.png,5"))
            for ma in (4, 6)
        ]  # fmt: skip
        first, second = (run.score_rows[0].value for run in runs)
        assert first - second == pytest.approx(1.0)

    def test_a_picture_without_a_score_fails_alone(self, blind, tmp_path):
        run = srqa.evaluate(
            blind / "fine", metrics="pi", ma=self.table(tmp_path, "image;ma", "a;4")
        )
        (problem,) = run.problems
        assert problem["image"] == "b.png"
        assert "no Ma score" in problem["problem"]

    def test_without_a_table(self, blind):
        with pytest.raises(UsageError, match="needs --ma"):
            srqa.evaluate(blind, metrics="pi")

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            (["image,score", "a,4"], "no column 'ma'"),
            (["image,ma", "a,good"], "line 2: there is no number for a"),
            (["image,ma", "a,nan"], "line 2: there is no number for a"),
            (["image,ma", "a,4", "a,5"], "line 3: a comes twice"),
            ([""], "no column 'image'"),
        ],
    )
    def test_bad_tables(self, blind, tmp_path, lines, said):
        with pytest.raises(InputError, match=said):
            srqa.evaluate(blind, metrics="pi", ma=self.table(tmp_path, *lines))

    def test_no_table_at_all(self, blind, tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            srqa.evaluate(blind, metrics="pi", ma=tmp_path / "none.csv")


def test_niqe_is_the_half_of_pi(rng):
    from srqa.metrics.niqe import pi

    planes = rng.random((1, 192, 192), dtype=np.float32)
    assert pi(planes, 10.0) == niqe(planes) / 2
