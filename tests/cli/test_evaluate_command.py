"""`srqa evaluate`: what it prints, in every format; gates; the exit codes of the real program."""

import csv
import io
import json
import re
import shutil
from importlib.resources import files

import jsonschema
import pytest
import support
from support import assert_one_sentence, noisy, picture, write

from srqa.engine.results import Run


@pytest.fixture
def odd_names(tmp_path):
    """Names that LaTeX and Markdown read as something else."""
    return support.scene(tmp_path, methods=("a_b & 100%", "x|y*$#{}~^"))


def place(folder):
    return "evaluate", folder / "out", "--ref", folder / "hr", "--scale", 4


class TestTable:
    def test_what_it_shows(self, evaluate):
        outcome = evaluate()
        assert outcome.code == 0
        lines = outcome.out.splitlines()
        assert lines[0].strip() == "x4"
        assert lines[1].split() == ["method", "psnr-y", "↑", "ssim-y", "↑", "n"]
        fine, poor = lines[2], lines[3]
        assert re.fullmatch(r"fine +\d\d\.\d\d\* +0\.\d{4}\* +3 *", fine)
        assert re.fullmatch(r"poor +\d\d\.\d\d  +0\.\d{4}  +3 *", poor)
        assert lines[5:] == [
            "psnr-y | srqa 0.1 | sr | Y:bt601 float | crop 4 | mean of images",
            "ssim-y | srqa 0.1 | sr | Y:bt601 float | crop 4 | mean of images",
        ]

    def test_numbers_are_the_runs(self, evaluate, pictures):
        """Intervals too, which take five images."""
        for place in ("hr", "out/fine", "out/poor"):
            for copy in ("d", "e"):
                shutil.copy(pictures / place / "a.png", pictures / place / f"{copy}.png")
        outcome = evaluate("--out", pictures / "run")
        run = Run.load(pictures / "run")
        for row in run.summary_rows:
            places = 2 if row.metric == "psnr-y" else 4
            assert f"{row.mean:.{places}f}" in outcome.out
            assert f"[{row.ci_low:.{places}f}, {row.ci_high:.{places}f}]" in outcome.out

    def test_lower_is_better(self, evaluate):
        lines = evaluate("-m", "mse").out.splitlines()
        assert "mse ↓" in lines[1]
        assert "*" in lines[2]
        assert "*" not in lines[3]

    def test_counts_of_infinite_failed_and_absent(self, evaluate, pictures):
        write(pictures / "out" / "fine" / "a.png", picture("a", 32, 40))
        (pictures / "out" / "poor" / "a.png").write_bytes(b"broken")
        printed = " ".join(evaluate("-m", "psnr-y,ms-ssim").out.split())
        assert "(1 inf)" in printed
        assert "(1 failed)" in printed
        assert "n/a 3" in printed  # of all three images
        assert "n/a (1 failed, 2 n/a)" in printed

    def test_all_perfect(self, command, pictures):
        outcome = command("evaluate", pictures / "hr", "--ref", pictures / "hr", "--scale", 4)
        assert outcome.code == 0
        assert "inf" in outcome.out
        assert "(3 inf)" not in outcome.out  # n says so
        assert "1.0000" in outcome.out

    def test_one_method_is_not_called_the_best(self, command, pictures):
        outcome = command("evaluate", pictures / "out/fine", "--ref", pictures / "hr")
        assert "*" not in outcome.out

    def test_remarks_go_to_standard_error(self, command, pictures):
        for path in sorted((pictures / "out").rglob("*.png")):
            path.rename(path.with_name(path.stem + "_x4_Net.png"))
        outcome = command("evaluate", pictures / "out", "--ref", pictures / "hr")
        assert outcome.code == 0
        assert "paired fine" in outcome.err
        assert "(3 pairs)" in outcome.err
        quiet = command("evaluate", pictures / "out", "--ref", pictures / "hr", "-q")
        assert (quiet.err, quiet.out) == ("", outcome.out)

    def test_the_plain_case_makes_no_remarks(self, evaluate):
        assert evaluate().err == ""

    def test_scale_unknown(self, command, pictures):
        outcome = command("evaluate", pictures / "out", "--ref", pictures / "hr")
        assert "note: The scale is not known" in outcome.err
        assert "crop 0 (scale unknown)" in outcome.out


class TestJson:
    def test_one_document_and_nothing_else(self, evaluate, pictures):
        write(pictures / "out" / "fine" / "a.png", picture("a", 32, 40))
        outcome = evaluate("--json", "--out", pictures / "run")
        assert outcome.out.endswith("}\n")
        assert outcome.out.count("\n") == 1
        document = json.loads(outcome.out, parse_constant=lambda text: pytest.fail(text))
        schema = files("srqa.report").joinpath("schemas/run.schema.json").read_text("utf-8")
        jsonschema.validate(document, json.loads(schema))
        assert document["summary"][0]["max"] == "inf"
        saved = Run.load(pictures / "run").to_json()
        assert saved == document
        assert evaluate("--format", "json").code == 0

    def test_of_a_run_that_fails(self, evaluate, pictures):
        (pictures / "out" / "fine" / "a.png").write_bytes(b"broken")
        outcome = evaluate("--json", "--fail-if", "psnr-y<99")
        assert outcome.code == 1
        assert len(json.loads(outcome.out)["problems"]) == 1

    def test_command_is_recorded(self, pictures):
        made = support.srqa(*map(str, place(pictures)), "--json", "-q")
        assert made.stderr == ""
        manifest = json.loads(made.stdout)["manifest"]
        assert manifest["command"].startswith("srqa evaluate ")
        assert manifest["command"].endswith("--scale 4 --json -q")


def test_csv(evaluate, pictures):
    outcome = evaluate("--format", "csv", "--out", pictures / "run")
    assert outcome.out == (pictures / "run" / "summary.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert [(row["method"], row["metric"], row["n"]) for row in rows] == [
        (m, k, "3") for m in ("fine", "poor") for k in ("psnr-y", "ssim-y")
    ]


def markdown_cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_markdown(command, odd_names):
    lines = command(*place(odd_names), "--format", "markdown").out.splitlines()
    assert lines[0] == "**x4**"
    table = [markdown_cells(line) for line in lines if line.startswith("|")]
    assert table[0] == ["method", "psnr-y ↑", "ssim-y ↑", "n"]
    assert table[1] == [":--", "--:", "--:", "--:"]
    assert {len(row) for row in table} == {4}
    assert table[2][0] == r"a\_b & 100%"
    assert table[3][0] == r"x\|y\*$#{}~^"
    assert table[2][1].startswith("**")
    assert not table[3][1].startswith("**")
    assert any(line.startswith("`psnr-y | srqa") for line in lines)


def test_latex(command, odd_names):
    text = command(*place(odd_names), "--format", "latex").out
    assert text.count(r"\begin{tabular}{lrr}") == text.count(r"\end{tabular}") == 1
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3
    for row in rows:
        assert len(re.split(r"(?<!\\)&", row)) == 3
    assert rows[0] == r"Method & psnr-y $\uparrow$ & ssim-y $\uparrow$ \\"
    assert rows[1].startswith(r"a\_b \& 100\% & \textbf{")
    assert rows[2].startswith(r"x|y*\$\#\{\}\textasciitilde{}\textasciicircum{} & ")
    assert r"\textbf" not in rows[2]
    body = re.sub(r"\\[a-z]+\{?|\\.", "", text)
    unescaped = [line for line in body.splitlines() if not line.startswith("%")]
    assert "%" not in "".join(unescaped)
    assert "% psnr-y | srqa" in text


def test_latex_of_infinite_and_missing(command, pictures):
    text = command(
        "evaluate", pictures / "hr", "--ref", pictures / "hr", "-m", "psnr,ms-ssim", "--format",
        "latex",
    ).out  # fmt: skip
    assert r"$\infty$ & --" in text


class TestGates:
    def test_conditions(self, evaluate):
        assert evaluate("--fail-if", "psnr-y<20", "--fail-if", "any(ssim-y)<0.1").code == 0
        outcome = evaluate("--fail-if", "psnr-y<40")
        assert outcome.code == 1
        assert_one_sentence(outcome.err, "Gate failed: psnr-y<40: poor has a mean of 36.0")
        assert "fine has" not in outcome.err
        assert outcome.out == evaluate().out
        each = evaluate("--fail-if", "any(psnr-y)<40")
        assert each.code == 1
        assert_one_sentence(each.err, "3 of 6 images, poor/")

    def test_baseline(self, evaluate, pictures):
        assert evaluate("--out", pictures / "base").code == 0
        gate = ("--baseline", pictures / "base", "--max-drop", "psnr-y=0.05")
        assert evaluate(*gate).code == 0
        for i, content in enumerate("abc"):
            worse = noisy(picture(content, 32, 40), 8, seed=i)
            write(pictures / "out" / "fine" / f"{content}.png", worse)
        outcome = evaluate(*gate)
        assert outcome.code == 1
        assert_one_sentence(outcome.err, "psnr-y of fine became worse by", "0.05 allowed")
        assert evaluate(*gate[:3], "psnr-y=50").code == 0

    def test_baseline_of_a_chosen_method(self, evaluate, command, pictures):
        evaluate("--out", pictures / "base")
        new = pictures / "new"
        for i, content in enumerate("abc"):
            write(new / f"{content}.png", noisy(picture(content, 32, 40), 5, seed=i))
        arguments = ("evaluate", new, "--ref", pictures / "hr", "--scale", 4)
        drop = ("--max-drop", "psnr-y=0.05")
        refused = command(*arguments, "--baseline", pictures / "base", *drop)
        assert refused.code == 3
        assert_one_sentence(refused.err, "no method 'new'", "RUN:METHOD chooses one")
        poor = command(*arguments, "--baseline", f"{pictures / 'base'}:poor", *drop)
        assert poor.code == 0
        fine = command(*arguments, "--baseline", f"{pictures / 'base'}:fine", *drop)
        assert fine.code == 1

    def test_baseline_that_is_none(self, evaluate, pictures):
        outcome = evaluate("--baseline", pictures / "hr", "--max-drop", "psnr-y=1")
        assert outcome.code == 3
        assert outcome.out == ""
        assert_one_sentence(outcome.err, "is not a Run")

    def test_baseline_under_other_rules(self, evaluate, pictures):
        evaluate("--out", pictures / "base", "--protocol", "matlab")
        outcome = evaluate("--baseline", pictures / "base", "--max-drop", "psnr-y=1")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "defines psnr-y differently", "Y:bt601 rounded")


class TestExitCodes:
    """Each code of the real program, in a process of its own; 130 is in test_resume.py."""

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ([], 0),
            (["--fail-if", "psnr-y<99"], 1),
            (["-m", "nope"], 2),
            (["--no-such-option"], 2),
            (["--lr", "nowhere"], 3),
        ],
    )
    def test_codes(self, pictures, more, code):
        ended = support.srqa(*map(str, place(pictures)), *more)
        assert ended.returncode == code
        assert_one_sentence(ended.stderr)
        assert (ended.stdout == "") == (code in (2, 3))

    def test_some_failed(self, pictures):
        (pictures / "out" / "fine" / "a.png").write_bytes(b"")
        ended = support.srqa(*map(str, place(pictures)))
        assert ended.returncode == 5
        assert_one_sentence(ended.stderr, "1 of 6 pictures failed; the others are scored.")
        assert "psnr-y" in ended.stdout

    def test_a_failed_gate_counts_more_than_failed_pictures(self, pictures):
        (pictures / "out" / "fine" / "a.png").write_bytes(b"")
        ended = support.srqa(*map(str, place(pictures)), "--fail-if", "psnr-y<99")
        assert ended.returncode == 1

    def test_weights(self):
        from srqa.errors import WeightsError

        assert WeightsError.exit_code == 4

    def test_they_are_documented(self):
        told = support.srqa("--help").stdout
        for code in (0, 1, 2, 3, 4, 5, 130):
            assert re.search(rf"^ +{code} +\w", told, re.M)


def test_a_run_is_resumed(evaluate, pictures):
    out = pictures / "run"
    assert evaluate("--out", out).code == 0
    refused = evaluate("--out", out)
    assert refused.code == 3
    assert_one_sentence(refused.err, "holds a Run already", "--overwrite")
    assert evaluate("--out", out, "--resume").code == 0
    assert evaluate("--out", out, "--overwrite", "-m", "psnr").code == 0


def test_files_as_outputs(command, pictures):
    outcome = command(
        "evaluate", pictures / "out/fine/a.png", pictures / "out/poor/a.png", "--ref",
        pictures / "hr/a.png", "--scale", 4, "--json",
    )  # fmt: skip
    assert outcome.code == 0
    assert len(json.loads(outcome.out)["images"]) == 4


def test_a_progress_bar_is_silent_without_a_terminal(evaluate):
    outcome = evaluate()
    assert "\x1b" not in outcome.out + outcome.err
    assert "evaluating" not in outcome.err
