"""The folder of results: files that agree with each other, figures of any size, refusals."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ratings_support import pairs_frame, rated_study

from srqa.errors import OutputError
from srqa.ratings import analyze, from_frame, from_matrix
from srqa.ratings.answers import Stimulus
from srqa.report.ratings import saving, scores
from srqa.report.ratings.style import drawing

pytest.importorskip("matplotlib", reason="pip install 'srqa[plots]'")


@pytest.fixture(scope="module")
def rated():
    return analyze(rated_study(), screen=["bt500"])


@pytest.fixture(scope="module")
def chosen():
    return analyze(from_frame(pairs_frame()))


class TestFolder:
    def test_tables_agree(self, rated, tmp_path):
        written = saving.save(rated, tmp_path / "results")
        assert written[-1].name == "analysis.json"
        record = json.loads(written[-1].read_text("utf-8"))
        assert sorted(record["files"]) == sorted(p.name for p in written[:-1])
        assert {p.name for p in (tmp_path / "results").iterdir()} == {p.name for p in written}
        for name in ("mos", "distribution", "observers", "standings", "differences", "flags"):
            parquet = pd.read_parquet(tmp_path / "results" / f"{name}.parquet")
            text = pd.read_csv(tmp_path / "results" / f"{name}.csv")
            assert list(parquet.columns) == list(text.columns)
            assert len(parquet) == len(text)
        mos = pd.read_parquet(tmp_path / "results/mos.parquet")
        assert list(mos.columns) == [
            "dataset", "content", "scale", "method", "stimulus", "mos", "sd", "n", "ci_low",
            "ci_high", "model",
        ]  # fmt: skip
        np.testing.assert_array_equal(mos["mos"], rated.rated.scores.mos)
        assert mos["mos"].mean() == pytest.approx(record["ratings"]["mean"])

    def test_pairs(self, chosen, tmp_path):
        names = {path.name for path in saving.save(chosen, tmp_path)}
        assert {"jod.csv", "jod.parquet", "jod_covariance.parquet", "pairs.csv"} <= names
        assert "mos.csv" not in names
        pairs = pd.read_csv(tmp_path / "pairs.csv")
        total = pairs[["n_first", "n_tie", "n_second"]].sum().sum()
        assert total == len(chosen.chosen.comparisons)

    def test_results_are_not_replaced_unasked(self, rated, chosen, tmp_path):
        saving.save(rated, tmp_path)
        (tmp_path / "notes.txt").write_text("mine")
        before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
        with pytest.raises(OutputError, match="holds results already") as caught:
            saving.save(chosen, tmp_path)
        assert "--overwrite" in caught.value.hint
        assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
        saving.save(chosen, tmp_path, overwrite=True)
        names = {p.name for p in tmp_path.iterdir()}
        assert "notes.txt" in names
        assert "jod.csv" in names
        assert "mos.csv" not in names

    def test_a_full_disk(self, rated, tmp_path, monkeypatch):
        import errno

        def full(self, *arguments, **options):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(OutputError, match="No space is left"):
            saving.save(rated, tmp_path)
        assert not (tmp_path / "analysis.json").exists()
        assert not list(tmp_path.glob("*.tmp"))

    def test_no_rights(self, rated, tmp_path, ordinary_user):
        saving.save(rated, tmp_path / "once")
        (tmp_path / "locked").mkdir(mode=0o555)
        with ordinary_user(), pytest.raises(OutputError, match="No rights"):
            saving.save(rated, tmp_path / "locked" / "results")

    def test_without_matplotlib(self, rated, tmp_path, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
        written = saving.save(rated, tmp_path)
        assert not [p for p in written if p.suffix in (".svg", ".png")]
        record = json.loads((tmp_path / "analysis.json").read_text("utf-8"))
        assert "matplotlib" in record["notes"][-1]


def parts(folder, name):
    """The root of an SVG and the pixels of the PNG beside it."""
    root = ET.parse(folder / f"{name}.svg").getroot()
    return root, np.asarray(Image.open(folder / f"{name}.png").convert("RGB"))


class TestFigures:
    @pytest.fixture(scope="class")
    def drawn(self, rated, tmp_path_factory):
        folder = tmp_path_factory.mktemp("drawn")
        saving.figures(rated, folder)
        return folder

    @pytest.mark.parametrize("name", ["scores", "standings", "sos", "observers", "residuals"])
    def test_both_forms_show_the_same(self, drawn, name):
        root, pixels = parts(drawn, name)
        width, height = (float(root.get(k).removesuffix("pt")) for k in ("width", "height"))
        assert pixels.shape[1] / pixels.shape[0] == pytest.approx(width / height, rel=0.01)
        assert (pixels[0] == 255).all()
        assert (pixels[:, 0] == 255).all()
        assert 0.005 < (pixels < 250).any(axis=-1).mean() < 0.5

    def test_pictures_of_pairs(self, chosen, tmp_path):
        names = {path.name for path in saving.figures(chosen, tmp_path)}
        stems = ("scores", "standings", "observers", "residuals")
        assert names == {f"{s}.{x}" for s in stems for x in ("svg", "png")}

    def test_equal_input_equal_figures(self, rated, drawn, tmp_path):
        import matplotlib as mpl

        before = dict(mpl.rcParams)
        saving.figures(rated, tmp_path)
        for path in drawn.glob("*.svg"):
            assert path.read_bytes() == (tmp_path / path.name).read_bytes()
        assert dict(mpl.rcParams) == before

    @pytest.mark.parametrize(("count", "methods"), [(1, 0), (5, 0), (48, 4), (49, 0), (500, 5)])
    def test_any_number_of_pictures(self, count, methods):
        """Nothing lies outside of the paper, and names do not run into each other."""
        rng = np.random.default_rng(count)
        stimuli = [
            Stimulus(f"picture number {j} of a set with long names.png",
                     content=f"c{j // max(methods, 1)}",
                     method=f"m{j % methods}" if methods else "")
            for j in range(count)
        ]  # fmt: skip
        values = rng.uniform(1.5, 4.5, count)
        shown = scores.Points(stimuli, values, values - 0.3, values + 0.3, "MOS")
        with drawing():
            figure = scores.scores_figure(shown)
            figure.draw_without_rendering()
            paper = figure.bbox
            for axes in figure.axes:
                if not axes.get_visible():
                    continue
                box = axes.get_tightbbox()
                assert box.x0 >= paper.x0 - 1
                assert box.x1 <= paper.x1 + 1
                assert box.y0 >= paper.y0 - 1
                labels = [t.get_window_extent() for t in axes.get_yticklabels() if t.get_text()]
                labels = sorted(labels, key=lambda b: b.y0)
                assert all(a.y1 <= b.y0 + 1.5 for a, b in pairwise(labels))
        assert figure.get_size_inches()[1] < 13

    def test_names_of_any_kind(self, tmp_path):
        votes = np.random.default_rng(0).integers(1, 6, (4, 6)).astype(float)
        names = ["图像.png", "$a_b^$.png", "\\frac{1}", "<&>\"'.png"]
        stimuli = [Stimulus(n, method=n) for n in names]
        saving.save(analyze(from_matrix(votes, stimuli)), tmp_path)
        for path in tmp_path.glob("*.svg"):
            ET.parse(path)

    def test_crowds(self, tmp_path):
        """More observers than rows have room, more methods than colours."""
        many = {f"method {k}": 1 - 0.2 * k for k in range(9)}
        study = analyze(rated_study(observers=50, contents=6, methods=many))
        with drawing():
            assert scores.standings_figure(study) is not None
        names = {path.name for path in saving.figures(study, tmp_path)}
        assert "observers.svg" in names


def test_one_observer_has_no_figure_of_observers(tmp_path):
    votes = from_matrix(np.array([[3.0], [4.0], [1.0]]))
    names = {path.name for path in saving.figures(analyze(votes), tmp_path)}
    assert "scores.png" in names
    assert "observers.png" not in names


def test_scores_that_are_losses_stand_the_right_way_round(rated):
    shown = scores.points(rated)
    assert (np.diff(shown.values[shown.order]) <= 0).all()
    turned = replace(shown, higher_is_better=False)
    assert (np.diff(turned.values[turned.order]) >= 0).all()
