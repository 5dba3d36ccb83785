"""`srqa ratings`: every subcommand, what it prints at any width, and what it refuses."""

import io
import json
import subprocess
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import support
from ratings_support import pairs_frame, rated_study
from rich.console import Console
from support import assert_one_sentence

from srqa.ratings import load, save

SCHEMA = Path(__file__).parents[2] / "srqa/report/schemas/analysis.schema.json"


@pytest.fixture
def answers(tmp_path):
    """A table of ratings."""
    return save(rated_study(), tmp_path / "answers.csv")


@pytest.fixture
def pairs(tmp_path):
    """A table of choices."""
    pairs_frame().to_csv(tmp_path / "pairs.csv", index=False)
    return tmp_path / "pairs.csv"


def table(folder, text, name="answers.csv"):
    """A CSV file of answers, rows parted by blanks."""
    (folder / name).write_text("\n".join(text.split()) + "\n")
    return folder / name


RATED = "observer,stimulus,value "
CHOSEN = "observer,left,right,choice "


class TestShow:
    def test_ratings(self, command, answers):
        outcome = command("ratings", "show", answers)
        assert outcome.code == 0
        lines = dict(
            line.split(maxsplit=1) for line in outcome.out.splitlines()[:-1] if " " in line
        )
        assert lines["method"].strip() == "acr"
        assert lines["pictures"].strip() == "24"
        assert lines["methods"].startswith("4: bicubic, edsr, hat, swinir")
        assert "ICC(A,1)" in lines["agreement"]

    def test_choices(self, command, pairs):
        outcome = command("ratings", "show", pairs)
        assert outcome.code == 0
        assert "4 groups that no comparison links" in outcome.out

    def test_json(self, command, answers):
        found = json.loads(command("ratings", "show", answers, "--json").out)
        assert found["counts"]["ratings"] == 240
        assert found["method"] == "acr"
        assert found["left_share"] is None

    def test_published(self, command, reference):
        outcome = command("ratings", "show", reference / "ratings/nflx_public_79x26.csv")
        assert outcome.code == 0
        assert "2,054 ratings" in outcome.out


class TestAnalyze:
    def test_ratings(self, command, answers, tmp_path):
        place = tmp_path / "results"
        outcome = command("ratings", "analyze", answers, "--method", "acr", "--recover", "p910",
                          "--screen", "bt500", "--out", place)  # fmt: skip
        assert outcome.code == 0
        assert "NBIC" in outcome.out
        rows = [line.split() for line in outcome.out.splitlines()]
        assert ["method", "MOS", "tier"] in rows
        assert f"files were written to {place}" in outcome.err
        record = json.loads((place / "analysis.json").read_text("utf-8"))
        assert record["choices"]["recover"] == "p910"
        assert record["choices"]["screen"] == ["bt500"]

    def test_pairs(self, command, pairs):
        outcome = command("ratings", "analyze", pairs, "--method", "pair", "--scale", "jod")
        assert outcome.code == 0
        ranked = outcome.out.split("tier")[1].splitlines()[1:5]
        record = json.loads(command("ratings", "analyze", pairs, "--json").out)
        assert [line.split()[0] for line in ranked] == record["standings"]["names"]

    @pytest.mark.parametrize("which", ["answers", "pairs"])
    def test_json_fits_the_schema(self, command, request, which):
        outcome = command("ratings", "analyze", request.getfixturevalue(which), "--json")
        found = json.loads(outcome.out)
        jsonschema.validate(found, json.loads(SCHEMA.read_text("utf-8")))
        assert found["tables"]["differences"]

    def test_old_results_are_refused_before_anything_is_computed(self, command, answers, tmp_path):
        (tmp_path / "mos.csv").write_text("mine")
        outcome = command("ratings", "analyze", answers, "--out", tmp_path)
        assert (outcome.code, outcome.out) == (3, "")
        assert_one_sentence(outcome.err, "holds results already", "--overwrite")
        assert (tmp_path / "mos.csv").read_text() == "mine"
        assert command("ratings", "analyze", answers, "--out", tmp_path, "--overwrite").code == 0

    def test_a_file_stands_in_the_way(self, command, answers, tmp_path):
        (tmp_path / "file").write_text("")
        outcome = command("ratings", "analyze", answers, "--out", tmp_path / "file")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "file")

    def test_options_of_the_other_kind(self, command, answers, pairs):
        outcome = command("ratings", "analyze", answers, "--scale", "bt")
        assert outcome.code == 2
        assert_one_sentence(outcome.err, "--scale is for choices between pictures")
        outcome = command("ratings", "analyze", pairs, "--recover", "p910")
        assert outcome.code == 2
        assert_one_sentence(outcome.err, "--recover is for ratings")

    def test_control_stimuli_come_from_a_file(self, command, tmp_path):
        rows = "p,trap,2 p,x,4 p,y,3 q,trap,2 q,x,5 q,y,3 r,trap,5 r,x,1 r,y,5"
        given = table(tmp_path, RATED + rows)
        told = table(tmp_path, "stimulus,value trap,2", "traps.csv")
        outcome = command("ratings", "analyze", given, "--screen", "trap", "--trap", told)
        assert outcome.code == 0
        assert "took out 1 observer (r)" in outcome.out
        broken = table(tmp_path, "stimulus,value trap,two", "traps.csv")
        outcome = command("ratings", "analyze", given, "--screen", "trap", "--trap", broken)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "'two' in row 2")

    @pytest.mark.parametrize("width", [80, 200])
    @pytest.mark.parametrize("which", ["answers", "pairs"])
    def test_tables_fit_the_terminal(self, request, which, width):
        from srqa.ratings import analyze
        from srqa.report.ratings import terminal

        found = analyze(load(request.getfixturevalue(which)))
        console = Console(width=width, record=True, file=io.StringIO())
        parts = [terminal.key_table(terminal.result_lines(found)), terminal.standings_table(found),
                 terminal.differences_table(found), terminal.scores_table(found)[0]]  # fmt: skip
        for part in parts:
            console.print(part)
        text = console.export_text()
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text


class TestPlan:
    def test_closed_form(self, command):
        outcome = command("ratings", "plan", "--method", "acr", "--stimuli", 240, "--effect", 0.3,
                          "--power", 0.8)  # fmt: skip
        assert outcome.code == 0
        assert "each picture needs 58 answers" in outcome.out
        rows = [line.split() for line in outcome.out.splitlines()]
        assert [
            "everybody",
            "answers",
            "everything",
            "58",
            "240",
            "40",
            "2",
            "13,920",
            "39",
        ] in rows

    def test_simulation(self, command):
        given = ("--stimuli", 12, "--methods", 3, "--effect", 1, "--simulate", "--studies", 10)
        outcome = command("ratings", "plan", *given)
        assert outcome.code == 0
        assert "in 10 simulated studies" in outcome.out
        found = json.loads(command("ratings", "plan", *given, "--json").out)
        (trial,) = found["trials"]
        assert trial["studies"] == 10
        assert 0.8 < trial["coverage"] <= 1
        outcome = command("ratings", "plan", "--method", "pair", *given)
        assert outcome.code == 0
        assert "JOD" in outcome.out

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            (("--effect", 0), "cannot be planned"),
            (("--effect", "nan"), "cannot be planned"),
            (("--effect", 0.001), "more than"),
            (("--effect", 0.3, "--power", 1), "lie between 0 and 1"),
            (("--effect", 0.3, "--methods", 7), "7 methods"),
            (("--effect", 0.3, "--simulate"), "Simulation compares methods"),
            (("--effect", 0.3, "--seconds", 0), "duration"),
        ],
    )
    def test_refusals(self, command, given, text):
        outcome = command("ratings", "plan", "--stimuli", 60, *given)
        assert outcome.code == 2
        assert_one_sentence(outcome.err, text)


class TestConvert:
    @pytest.mark.parametrize("suffix", [".parquet", ".tsv", ".py"])
    def test_there_and_back(self, command, reference, tmp_path, suffix):
        source = reference / "ratings/nflx_public_79x26.csv"
        target = tmp_path / f"answers{suffix}"
        outcome = command("ratings", "convert", source, "--to", target)
        assert outcome.code == 0
        assert "2,054 answers by 26 observers" in outcome.err
        back = command("ratings", "convert", target, "--to", tmp_path / "back.csv", "--as", "wide")
        assert back.code == 0
        made = pd.read_csv(tmp_path / "back.csv", index_col=0).to_numpy(float)
        np.testing.assert_array_equal(made, np.loadtxt(source, delimiter=","))

    def test_triplets_keep_their_reference(self, command, tmp_path):
        rows = (
            "w1,a.png,src.png,b.png,left w2,a.png,src.png,b.png,right w3,src.png,src.png,b.png,left"
        )
        source = table(tmp_path, "worker,img_left,img_pivot,img_right,response " + rows, "aic.csv")
        target = tmp_path / "answers.parquet"
        assert command("ratings", "convert", source, "--to", target).code == 0
        answers = load(target)
        assert {s.name: s.reference for s in answers.stimuli} == {
            "a.png": "src.png", "b.png": "src.png", "src.png": "",
        }  # fmt: skip
        assert command("ratings", "analyze", target, "--method", "triplet").code == 0

    def test_refusals(self, command, pairs, tmp_path):
        target = tmp_path / "there.csv"
        target.write_text("mine")
        outcome = command("ratings", "convert", pairs, "--to", target)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "is there already")
        assert target.read_text() == "mine"
        assert command("ratings", "convert", pairs, "--to", tmp_path / "x.png").code == 2
        outcome = command("ratings", "convert", pairs, "--to", tmp_path / "x.csv", "--as", "pwcmp")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "no ties")

    def test_a_dataset_is_not_executed(self, command, tmp_path):
        (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
        outcome = command("ratings", "convert", tmp_path / "evil.py", "--to", tmp_path / "x.csv")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "more than an assignment")
        assert not (tmp_path / "ran").exists()


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "options", "code", "parts"),
        [
            (RATED + "a,x,3 a,x,4", (), 3, ["a answered twice about x", "row 2"]),
            (RATED + "a,x,3 a,y,7", ("--rating-scale", "1:5"), 3, ["outside the scale 1 to 5"]),
            (RATED + "a,x,3 a,y,NaN", (), 3, ["Row 2 has neither a value nor a choice"]),
            (RATED + "a,x,3 a,y,inf", (), 3, ["'inf' in column value"]),
            (RATED + "a,x,3 a,y,good", (), 3, ["'good' in column value"]),
            (RATED, (), 3, ["holds no answers"]),
            ("", (), 3, ["is empty"]),
            (RATED + "a,x,3 b,x,3", ("--recover", "p910"), 3, ["nothing to recover"]),
            (RATED + "a,x,3 a,y,4", ("--recover", "p910"), 3, ["come from one observer"]),
            (CHOSEN + "a,x,y,left a,x,y,left", (), 3, ["a answered twice about x and y"]),
            (CHOSEN + "a,x,x,left", (), 3, ["compares a picture with itself"]),
            (CHOSEN + "a,x,y,tie b,x,y,tie", (), 3, ["Every answer is a tie"]),
            (CHOSEN + "a,x,y,first", (), 3, ["Row 1 chooses none of left, tie, right"]),
            (CHOSEN + "a,x,y,left a,u,v,tie", ("--prior", "none"), 3, ["No comparison links"]),
            (CHOSEN + "a,x,y,left", ("--prior", "none"), 3, ["unanimous"]),
            (CHOSEN + "a,x,y,left", ("--anchor", "z"), 3, ["the item 'z'"]),
            (CHOSEN + "a,x,y,left", ("--method", "acr"), 3, ["There is no rating"]),
            ("observer,stimulus,value,left,right,choice a,x,3,,, a,,,x,y,left", (), 2,
             ["both ratings (1) and choices (1)"]),
            ("observer,stimulus,value,reference a,x,3,r a,y,4,r", ("--method", "acr-hr"), 3,
             ["The reference r has no votes"]),
            (RATED + "a,x,3 a,y,4", ("--rating-scale", "5:1"), 2, ["is not LOW:HIGH"]),
            (RATED + "a,x,3 a,y,4", ("--screen", "time"), 3, ["response time"]),
            (RATED + "a,x,3 a,y,4", ("--screen", "sense"), 2, ["no check 'sense'"]),
            (RATED + "a,x,3 a,y,4", ("--study", "two"), 3, ["no study 'two'"]),
            (RATED + "a,x,3 a,y,4", ("--margin", "0"), 2, ["margin"]),
            (RATED + "a,x,3 a,y,4", ("--from", "koniq"), 3, ["image_name"]),
            ("x 1 2", (), 3, ["one column only"]),
        ],
    )  # fmt: skip
    def test_one_sentence(self, command, tmp_path, text, options, code, parts):
        outcome = command("ratings", "analyze", table(tmp_path, text), *options)
        assert (outcome.code, outcome.out) == (code, ""), outcome.err
        assert_one_sentence(outcome.err, *parts)

    def test_mixed_scales(self, command, tmp_path):
        rows = [
            f"{o},s{s},{s % 5 + 1 if o in 'ab' else 12 * s + 5}" for o in "abcd" for s in range(7)
        ]
        outcome = command("ratings", "analyze", table(tmp_path, RATED + " ".join(rows)))
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "Two scales seem to be mixed: a, b")

    def test_unknown_stimuli(self, command, tmp_path):
        known = table(tmp_path, "x y", "names.txt")
        given = table(tmp_path, RATED + "a,x,3 b,z,4")
        outcome = command("ratings", "analyze", given, "--stimuli", known)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "does not have: z")

    @pytest.mark.parametrize(
        ("rows", "parts"),
        [
            ("a,x,3 a,y,4 b,x,3 b,y,5 c,x,2", ["One vote only", "about the observer: c"]),
            ("a,x,3 a,y,3 b,x,3 b,y,3", ["All votes are equal, by a, b"]),
            ("a,x,3 a,y,4 b,x,2 b,y,5 c,z,2 c,w,4 d,z,1 d,w,5", ["2 parts that share no observer"]),
        ],
    )
    def test_what_can_be_analysed_is_pointed_out(self, command, tmp_path, rows, parts):
        for subcommand in ("analyze", "show"):
            outcome = command("ratings", subcommand, table(tmp_path, RATED + rows))
            assert outcome.code == 0
            for part in parts:
                assert part in outcome.err + outcome.out

    def test_a_reference_without_votes_is_pointed_out(self, command, tmp_path):
        given = table(tmp_path, "observer,stimulus,value,reference a,x,3,r a,y,4,r b,x,2,r b,y,4,r")
        assert "Nobody rated the reference r" in command("ratings", "show", given).out
        assert "Nobody rated the reference r" in command("ratings", "analyze", given).err

    def test_unlinked_choices(self, command, tmp_path):
        given = table(tmp_path, CHOSEN + "a,x,y,left a,u,v,right b,y,x,left b,v,u,right")
        outcome = command("ratings", "analyze", given)
        assert outcome.code == 0
        assert "No comparison links these groups" in outcome.err
        assert "tier" not in outcome.out

    @pytest.mark.parametrize("what", ["missing", "folder", "binary"])
    def test_no_table(self, command, tmp_path, what):
        path = tmp_path / "table.csv"
        if what == "folder":
            path.mkdir()
        elif what == "binary":
            path.write_bytes(b"\x00\xff\xfe\x01")
        outcome = command("ratings", "show", path)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "table.csv")


def test_help_shows_examples_and_imports_nothing(command):
    for subcommand in ("show", "analyze", "plan", "convert"):
        outcome = command("ratings", subcommand, "--help")
        assert outcome.code == 0
    assert (
        "srqa ratings analyze answers.csv --out results/"
        in command("ratings", "analyze", "--help").out
    )
    code = (
        "import sys; from srqa.cli import run; run(['ratings', 'analyze', '--help']);"
        "names = {m.split('.')[0] for m in sys.modules};"
        "print(sorted(names & {'numpy', 'scipy', 'pandas', 'rich'}))"
    )
    ended = subprocess.run(
        [support.SRQA[0], "-c", code], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"
