"""Synthetic against real: the study with quick methods, its numbers and its figures."""

import math

import numpy as np
import pytest
from click.testing import CliRunner
from support import assert_one_sentence, made

import srqa
from srqa.engine.results import Run
from srqa.errors import InputError
from studies import contents, tables
from studies.synthetic import falls
from studies.synthetic.__main__ import command
from studies.synthetic.conditions import BASE, CONDITIONS, SCALE
from studies.synthetic.measuring import measure

NAMES = ("bicubic", "blur-2.4", "noise-10", "jpeg-30")


@pytest.fixture(autouse=True)
def no_shipped(monkeypatch):
    monkeypatch.setattr(contents, "_shipped", list)


def arguments(photographs, out, **more):
    given = {"hr": photographs, "out": out, "size": 64, "contents": 5, "methods": "bicubic,lanczos",
             "conditions": ",".join(NAMES), "metrics": "psnr-y,ssim-y"} | more  # fmt: skip
    return [part for key, value in given.items() for part in (f"--{key}", str(value))]


def run_of(values):
    """A Run of ``{(condition, method): scores}``."""
    runs = [made({method: column}, dataset=name) for (name, method), column in values.items()]
    rows = [row for run in runs for row in run.score_rows]
    return Run({"metrics": ["psnr-y"]}, rows, [], [])


def test_conditions_are_what_they_say():
    assert CONDITIONS[0].name == BASE
    assert len({c.name for c in CONDITIONS}) == len(CONDITIONS)
    assert all(c.degradation.scale == SCALE for c in CONDITIONS)
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for condition in CONDITIONS:
        low = srqa.degrade(pixels, preset=condition.degradation, name="a")
        assert low.shape == (16, 16, 3)
        if condition.name != BASE:
            assert (low != srqa.degrade(pixels, SCALE)).any(), condition.name


def test_falls_and_gains_are_paired_by_content():
    base, other = np.array([30.0, 32, 28, 35, 31]), np.array([29.0, 30, 27, 33, 30])
    found = falls.falls(
        run_of({
            (BASE, "bicubic"): base, ("noise-10", "bicubic"): other,
            (BASE, "net"): base + 2, ("noise-10", "net"): other - [1, 1, 1, 1, 2],
        })
    )  # fmt: skip
    row = next(r for r in found if (r.condition, r.method) == ("noise-10", "net"))
    assert row.n == 5
    assert row.mean == pytest.approx(28.6)
    assert row.change == pytest.approx(np.mean([-4, -5, -4, -5, -5]))
    assert row.gain == pytest.approx(-1.2)
    assert row.change_low < row.change < row.change_high
    assert row.gain_low < row.gain < row.gain_high < 0
    same = next(r for r in found if (r.condition, r.method) == (BASE, "net"))
    assert (same.change, same.change_low, same.change_high) == (0, 0, 0)


def test_few_contents_have_no_interval():
    (row,) = falls.falls(run_of({(BASE, "bicubic"): [30.0, 31.0]}))
    assert math.isnan(row.change_low)


def test_a_table_survives_its_file(tmp_path):
    rows = falls.falls(run_of({(BASE, "bicubic"): [30.5, 31, 32, 33, 34],
                               ("jpeg-30", "bicubic"): [29.0, 29, 29, 29, 29]}))  # fmt: skip
    tables.write(rows, tmp_path / "falls.csv")
    again = tables.read(tmp_path / "falls.csv", falls.Fall)
    assert [r.mean for r in again] == pytest.approx([r.mean for r in rows])
    table = falls.table(again, {BASE: "as in training", "jpeg-30": "JPEG"})
    assert "| as in training | 32.10 |" in table
    assert "| JPEG | 29.00 (−3.10 ± " in table
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no table of falls"):
        tables.read(tmp_path / "other.csv", falls.Fall)


def test_contents_that_do_not_match_are_refused():
    with pytest.raises(InputError, match="noise-10: not all contents"):
        falls.falls(run_of({(BASE, "bicubic"): [30.0] * 5, ("noise-10", "bicubic"): [30.0] * 4}))


def test_the_command_measures_and_goes_on(photographs, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = CliRunner().invoke(command, arguments(photographs, out), catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert "| bicubic, then noise of 10 levels |" in first.output
    rows = falls.of(tables.read(out / "falls.csv", falls.Fall), "psnr-y")
    assert {(r.condition, r.method) for r in rows} == {
        (name, method) for name in NAMES for method in ("bicubic", "lanczos")
    }
    by = {(r.condition, r.method): r for r in rows}
    assert by["noise-10", "lanczos"].change < by["noise-10", "bicubic"].change < 0  # sharper
    run = srqa.Run.load(out / "run")
    assert set(run.scores["dataset"]) == set(NAMES)
    mean = run.scores.query("dataset == 'jpeg-30' and method == 'lanczos' and metric == 'psnr-y'")
    assert mean["value"].mean() == pytest.approx(by["jpeg-30", "lanczos"].mean, abs=1e-6)

    from srqa.models import folders

    monkeypatch.setattr(folders.Work, "_one", None)
    table = (out / "falls.csv").read_bytes()
    again = CliRunner().invoke(command, arguments(photographs, out), catch_exceptions=False)
    assert again.exit_code == 0
    assert (out / "falls.csv").read_bytes() == table


@pytest.mark.slow
def test_figures_are_drawn_where_both_metrics_are_there(photographs, tmp_path):
    from srqa.engine.results import Score
    from srqa.images.read import read

    out = tmp_path / "out"
    CliRunner().invoke(command, arguments(photographs, out), catch_exceptions=False)
    run = srqa.Run.load(out / "run")
    made = [
        Score(*(getattr(row, f) if f != "metric" else "lpips" for f in Score.__slots__))
        for row in run.score_rows if row.metric == "ssim-y"
    ]  # fmt: skip
    run.score_rows += made
    run.manifest["metrics"].append("lpips")
    from studies.synthetic.__main__ import _figures

    conditions = tuple(c for c in CONDITIONS if c.name in NAMES)
    assert _figures(out, falls.falls(run), "a", conditions) == ["falls", "gains", "pictures"]
    for name in ("falls", "gains", "pictures"):
        pixels = read(out / f"{name}.png").pixels
        assert pixels.shape[1] > 1200
        assert pixels.std() > 10
        assert (out / f"{name}.svg").read_text("utf-8").rstrip().endswith("</svg>")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"conditions": "fog"}, "There is no condition 'fog'"),
        ({"methods": "no-such"}, "no-such"),
        ({"size": "66"}, "multiple of 4"),
        ({"hr": "/nowhere/at/all"}, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_told(photographs, tmp_path, more, said, capsys):
    from srqa.cli import carry_out

    code = carry_out(command, "synthetic", arguments(photographs, tmp_path / "out", **more))
    assert code in (2, 3)
    assert_one_sentence(capsys.readouterr().err, said)


def test_a_damaged_photograph_is_told(photographs, tmp_path):
    hr = tmp_path / "out" / "hr"
    contents.make_contents(hr, [photographs], 2, 64)
    (hr / "b.png").write_bytes((hr / "b.png").read_bytes()[:200])
    with pytest.raises(InputError, match=r"b\.png"):
        measure(tmp_path / "out", ("bicubic",), CONDITIONS[:1], ("psnr-y",))
