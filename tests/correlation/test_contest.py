"""Pairs on which metrics disagree, as a study, and who was right."""

import numpy as np
import pandas as pd
import pytest
from support import noisy, picture, srqa, write

import srqa as library
from srqa.correlation import contest
from srqa.errors import InputError, OutputError, UsageError
from srqa.ratings import from_frame


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Brighter outputs, which PSNR punishes, against noisy ones, which SSIM punishes."""
    folder = tmp_path_factory.mktemp("contest")
    for i in range(7):
        pixels = picture(f"p{i}", 64, 64)
        write(folder / f"hr/p{i}.png", pixels)
        write(
            folder / f"out/bright/p{i}.png", np.clip(pixels.astype(int) + 12, 0, 255).astype("u1")
        )
        write(folder / f"out/noisy/p{i}.png", noisy(pixels, 7, seed=i))
    library.evaluate(folder / "out", folder / "hr", scale=4, metrics="psnr,ssim,gmsd",
                     out=folder / "run")  # fmt: skip
    return folder / "run"


def test_a_study_of_what_metrics_disagree_on(run, tmp_path):
    scores, found = contest.find(run, ["psnr", "ssim"], 5)
    assert len(found) == 5
    key = contest.make_study(scores, found, tmp_path / "mad")
    assert set(key["method_first"]) == {"noisy"}
    assert set(key["method_second"]) == {"bright"}
    done = srqa("study", "lint", tmp_path / "mad")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "10 stimuli, 5 questions" in done.stdout + done.stderr
    with pytest.raises(OutputError, match="holds a study already"):
        contest.make_study(scores, found, tmp_path / "mad")


def answers_of(key, share, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for observer in range(12):
        for pair in key["pair"]:
            sides = [f"first/{pair}.png", f"second/{pair}.png"]
            turned = rng.random() < 0.5
            left, right = sides[::-1] if turned else sides
            first = rng.random() < share
            rows.append((f"o{observer}", left, right, "right" if first == turned else "left"))
    return from_frame(pd.DataFrame(rows, columns=["observer", "left", "right", "choice"]))


@pytest.mark.parametrize(("share", "right"), [(0.9, "psnr"), (0.1, "ssim"), (0.5, "")])
def test_people_say_who_was_right(run, tmp_path, share, right):
    scores, found = contest.find(run, ["psnr", "ssim"], 6)
    key = contest.make_study(scores, found, tmp_path / "mad")
    verdict = contest.judge(tmp_path / "mad", answers_of(key, share)).iloc[0]
    assert (verdict["by"], verdict["against"]) == ("psnr", "ssim")
    assert verdict["choices"] == 12 * len(key)
    assert verdict["right"] == right
    assert verdict["ci_low"] < verdict["share"] < verdict["ci_high"]


def test_what_cannot_be_asked(run, tmp_path):
    with pytest.raises(UsageError, match="Two metrics are needed"):
        contest.find(run, ["psnr"], 3)
    one = library.Run.load(run)
    one.score_rows = [r for r in one.score_rows if r.method == "noisy"]
    with pytest.raises(InputError, match="No two pictures are of one content"):
        contest.find(one, ["psnr", "ssim"], 3)
    scores, found = contest.find(run, ["psnr", "ssim"], 2)
    contest.make_study(scores, found, tmp_path / "mad")
    other = answers_of(pd.DataFrame({"pair": ["elsewhere"]}), 0.5)
    with pytest.raises(InputError, match="None of the answers is about a pair"):
        contest.judge(tmp_path / "mad", other)


def test_the_list_alone(run):
    done = srqa("disagree", run, "-m", "psnr,ssim", "--most", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"by": "psnr"') == 2
