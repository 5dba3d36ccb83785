"""The explorer's table against pandas; its pictures are those of the Run and no others."""

import time

import numpy as np
import pandas as pd
import pytest
from support import made, scene, srqa

import srqa as library
from srqa.errors import InputError, RunError
from srqa.report.explorer import serving
from srqa.report.explorer.table import Table


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = scene(tmp_path_factory.mktemp("explored"), contents=tuple("abcdefg"))
    library.evaluate(folder / "out", folder / "hr", scale=4, metrics="psnr-y,ssim-y",
                     out=folder / "run")  # fmt: skip
    return folder / "run"


def test_leaderboard_equals_pandas(run):
    table = Table.load(run)
    scores = library.Run.load(run).scores
    board = table.leaderboard(table.where()).set_index("method")
    expected = scores.groupby(["method", "metric"])["value"].mean()
    for (method, metric), mean in expected.items():
        assert board.loc[method, metric] == pytest.approx(mean)
    part = table.where(method=["fine"])
    assert part.sum() == 7
    assert table.leaderboard(part)["method"].tolist() == ["fine"]


def test_infinite_values_stay_out_of_means(tmp_path):
    made({"a": [30.0, 32.0, float("inf")], "b": [20.0, float("nan"), 22.0]}).save(tmp_path)
    table = Table.load(tmp_path)
    board = table.leaderboard(table.where()).set_index("method")
    assert board["psnr-y"].tolist() == [31.0, 21.0]
    found = table.histogram("psnr-y", table.where())
    assert found.groupby("method")["pictures"].sum().to_dict() == {"a": 2, "b": 2}


def test_two_runs_are_compared_picture_by_picture(tmp_path):
    base = np.array([30.0, 31, 29, 33])
    made({"a": list(base), "b": list(base)}).save(tmp_path / "old")
    steps = np.array([0.9, 1.1, 1, 1]), np.array([1, -1, 0.5])
    changed = {"a": list(base + steps[0]), "b": list(base[:3] + steps[1])}
    made(changed).save(tmp_path / "new")
    old, new = Table.load(tmp_path / "old"), Table.load(tmp_path / "new")
    found = old.differences(new).set_index("method")
    assert found["difference"].tolist() == pytest.approx([1.0, 1 / 6])
    assert found["pictures"].tolist() == [4, 3]
    assert found["better"].tolist() == [True, None]


def test_a_million_scores_are_quick(tmp_path):
    """Written and read as columns; what would go to the browser stays small."""
    rng = np.random.default_rng(0)
    methods, contents, metrics = 10, 10_000, ("psnr-y", "ssim-y", "lpips", "dists", "niqe",
                                              "brisque", "vif", "fsim", "gmsd", "mse")  # fmt: skip
    small = made({"m0": [30.0]})
    small.save(tmp_path)
    n = methods * contents
    picture = np.repeat(np.arange(n), len(metrics))
    text = {
        "dataset": np.full(len(picture), "set"),
        "content": np.char.add("c", (picture % contents).astype(str)),
        "method": np.char.add("m", (picture // contents).astype(str)),
        "image": np.char.add("i", picture.astype(str)),
        "reference": np.char.add("r", (picture % contents).astype(str)),
        "metric": np.tile(metrics, n), "level": np.full(len(picture), "image"),
    }  # fmt: skip
    frame = pd.DataFrame({k: v.astype(object) for k, v in text.items()})
    frame["scale"] = 4.0
    frame["value"] = rng.normal(size=len(picture))
    frame.to_parquet(tmp_path / "scores.parquet", index=False)
    before = time.process_time()
    table = Table.load(tmp_path)
    mask = table.where(method=["m1", "m2"])
    board, bins = table.leaderboard(mask), table.histogram("lpips", mask)
    cloud = table.cloud("psnr-y", "lpips", table.where())
    assert time.process_time() - before < 30
    assert len(table) == n
    assert len(board) == 2
    assert len(bins) <= 2 * 48
    assert len(cloud) == 1500


def test_pictures_of_the_run_and_no_others(run, tmp_path):
    table = Table.load(run)
    rows = table.rows_of("a")
    assert len(rows) == 2
    name = table.keys("image", rows)[0]
    assert serving.pixels(table, "output", name).shape == (32, 40, 3)
    for wrong in ("../hr/a.png", "/etc/passwd", "none.png"):
        with pytest.raises(InputError, match="not among the pictures of this Run"):
            serving.pixels(table, "output", wrong)
    path = next(p for (r, n), (p, _) in table.files.items() if (r, n) == ("output", name))
    data = open(path, "rb").read()  # noqa: PTH123, SIM115
    try:
        with open(path, "ab") as file:  # noqa: PTH123
            file.write(b"x")
        with pytest.raises(InputError, match="has changed since it was scored"):
            serving.pixels(table, "output", name)
    finally:
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(data)


def test_maps_are_painted(run, monkeypatch):
    table = Table.load(run)
    monkeypatch.setattr(serving, "_CURRENT", [serving.Explored((table,))])
    row = table.rows_of("b")[:1]
    (name,), (reference,) = table.keys("image", row), table.keys("reference", row)
    assert serving.map_png(0, "ssim-y", name, reference)[:4] == b"\x89PNG"
    with pytest.raises(InputError, match="no map 'magic'"):
        serving.map_png(0, "magic", name, reference)


def test_what_cannot_be_explored(run, tmp_path):
    with pytest.raises(RunError, match="is not a Run"):
        Table.load(tmp_path)
    done = srqa("explore", run, run, run)
    assert done.returncode == 2
    assert "not 3" in done.stderr
    done = srqa("explore", run, "--ratings", tmp_path / "none.csv")
    assert done.returncode == 3
    assert "There is no file or folder" in done.stderr
