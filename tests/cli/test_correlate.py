"""`srqa correlate` and `srqa demo correlate` as people use them."""

import json

import pandas as pd
import pytest
from correlation_support import study
from support import assert_one_sentence, srqa


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables with spaces é")
    ratings, scores = study(contents=14)
    ratings.to_csv(folder / "mos.csv", index=False)
    scores.to_csv(folder / "scores.csv", index=False)
    return folder


ASK = ("correlate", "--ratings", "mos.csv", "--scores", "scores.csv", "--resamples", "100")


def test_all_that_is_written(tables):
    done = srqa(*ASK, "--out", "humans", "--fuse", "lpips,psnr-y", cwd=tables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("lpips agrees best with people: SROCC 0.")
    assert "Fused metric of lpips, psnr-y: SROCC" in done.stdout
    folder = tables / "humans"
    record = json.loads((folder / "correlation.json").read_text("utf-8"))
    assert all((folder / name).is_file() for name in record["files"])
    table = pd.read_csv(folder / "correlations.csv")
    assert table["metric"][0] == "lpips"
    assert pd.read_parquet(folder / "pictures.parquet").shape[0] == 56
    assert (folder / "table.md").read_text("utf-8").startswith("| metric | tier | SROCC |")
    assert r"\toprule" in (folder / "table.tex").read_text("utf-8")
    methods = (folder / "methods.md").read_text("utf-8")
    assert (
        "4 metrics were compared with the MOS of 56 pictures (14 contents, 4 methods)." in methods
    )
    assert "@article{spearman1904" in (folder / "references.bib").read_text("utf-8")
    page = (folder / "report.html").read_text("utf-8")
    assert "lpips agrees best with people" in page
    assert str(tables) not in page
    fused = json.loads((folder / "fused.json").read_text("utf-8"))
    assert fused["card"]["contents"] == 14
    again = srqa(*ASK, "--out", "humans", cwd=tables)
    assert again.returncode == 3
    assert_one_sentence(again.stderr, "humans holds results already", "--overwrite")
    assert srqa(*ASK, "--out", "humans", "--overwrite", cwd=tables).returncode == 0


def test_json_alone_on_standard_output(tables):
    done = srqa(*ASK, "-m", "psnr-y,lpips", "--mapping", "cubic", "--test", "mrr", "--json",
                cwd=tables)  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert [m["name"] for m in record["scores"]["metrics"]] == ["psnr-y", "lpips"]
    assert record["settings"]["test"] == "mrr"
    assert record["mappings"]["lpips"]["kind"] == "cubic"


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        (("--ratings", "none.csv"), 3, "There is no file or folder none.csv."),
        (("--scores", "."), 3, "is not a Run: it has no manifest.json."),
        (("--join", "colour"), 2, "'colour' is no rule to join by."),
        (("-m", "vmaf"), 2, "There is no metric 'vmaf' among the scores."),
        (("--fuse", "lpips,psnr-y"), 2, "--fuse needs --out FOLDER."),
        (("--score", "ci_low", "--alpha", "7"), 2, "Alpha lies between 0 and 1"),
    ],
)
def test_wrong_requests(tables, change, code, sentence):
    asked = [*ASK]
    if change[0] in asked:
        asked[asked.index(change[0]) + 1] = change[1]
        change = change[2:]
    done = srqa(*asked, *change, cwd=tables)
    assert done.returncode == code, done.stderr
    assert_one_sentence(done.stderr, sentence)


def test_a_metric_that_people_contradict_is_told(tables):
    done = srqa(*ASK, "--lower-better", "psnr-y", cwd=tables)
    assert "psnr-y: correlates the wrong way round with people." in done.stderr


def test_published_scores(tmp_path):
    """The published set: 120 pictures, eleven metrics, of which Q-Align leads."""
    from srqa.assets import path

    folder = path("studies/qualisr")
    done = srqa("correlate", "--ratings", folder / "ratings.csv", "--scores", folder / "scores.csv",
                "--resamples", "200", "--json", cwd=tmp_path)  # fmt: skip
    record = json.loads(done.stdout)
    rows = record["tables"]["correlations"]
    assert record["counts"]["pictures"] == 120
    assert (len(rows), rows[0]["metric"]) == (11, "qalign")
    assert next(r for r in rows if r["metric"] == "psnr")["within"] < 0


@pytest.mark.slow
def test_the_demonstration(tmp_path):
    """Twice, with the same figures: its people and all chance come from a seed."""
    done, again = (
        srqa("demo", "correlate", "--out", out, cwd=tmp_path, timeout=1800) for out in "de"
    )
    assert done.returncode == 0, done.stderr
    assert again.stdout == done.stdout
    for file in sorted((tmp_path / "d" / "simulated").iterdir()):
        assert file.read_bytes() == (tmp_path / "e" / "simulated" / file.name).read_bytes()
    first = done.stdout.split("Metrics against simulated people")[1].strip().split()[0]
    assert first in ("dists", "ssim-y")
    for name in ("simulated", "published"):
        assert (tmp_path / "d" / name / "report.html").stat().st_size > 50_000
    assert "data:image/webp" in (tmp_path / "d/simulated/report.html").read_text("utf-8")
