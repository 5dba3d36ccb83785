"""`srqa compare`, `report`, `pairs`, `metrics`, `protocols`, and the group itself."""

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import support
from support import assert_one_sentence, noisy, picture, write

from srqa.engine.protocol import PROTOCOLS, get_protocol
from srqa.metrics import registry


class TestCompare:
    @pytest.fixture
    def run(self, command, tmp_path):
        support.scene(tmp_path, contents=[f"p{i}" for i in range(7)], methods=("fine", "poor"))
        place = (tmp_path / "out", "--ref", tmp_path / "hr", "--scale", 4)
        assert command("evaluate", *place, "-m", "psnr-y,mse", "--out", tmp_path / "run").code == 0
        return tmp_path / "run"

    def test_table(self, command, run):
        outcome = command("compare", run)
        assert (outcome.code, outcome.err) == (0, "")
        assert "psnr-y ↑  x4  (7 images)" in outcome.out
        assert "mse ↓  x4  (7 images)" in outcome.out
        rows = [line.split() for line in outcome.out.splitlines() if line.startswith("fine")]
        assert len(rows) == 2
        assert rows[0][:2] == ["fine", "poor"]
        assert rows[0][2].startswith("+")
        assert rows[1][2].startswith("-")
        assert all(row[-3:] == ["0.016", "7/7", "better"] for row in rows)

    def test_markdown(self, command, run):
        lines = command("compare", run, "--format", "markdown", "-m", "psnr-y").out.splitlines()
        assert lines[0] == "**psnr-y ↑** x4"
        table = [line.strip("|").split("|") for line in lines if line.startswith("|")]
        assert {len(row) for row in table} == {7}
        assert table[2][-1].strip() == "better"

    def test_json(self, command, run):
        found = json.loads(command("compare", run, "--json").out)
        assert [c["metric"] for c in found] == ["psnr-y", "mse"]
        (difference,) = found[0]["differences"]
        assert difference["first"] == "fine"
        assert difference["p"] == pytest.approx(2 / 2**7)
        assert difference["ci_low"] < difference["mean"] < difference["ci_high"]

    def test_choices(self, command, run):
        assert "mse" not in command("compare", run, "-m", "psnry").out
        outcome = command("compare", run, "--methods", "fine,best")
        assert outcome.code == 2
        assert_one_sentence(outcome.err, "no method 'best'", "It has fine, poor")
        outcome = command("compare", run, "-m", "vif")
        assert outcome.code == 2
        assert_one_sentence(outcome.err, "no metric 'vif' in the Run")
        outcome = command("compare", run, "--methods", "fine")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "fewer than two methods")

    def test_runs_under_other_rules(self, command, run, tmp_path):
        place = (tmp_path / "out", "--ref", tmp_path / "hr", "--scale", 4)
        command("evaluate", *place, "--protocol", "matlab", "--out", tmp_path / "other")
        outcome = command("compare", run, tmp_path / "other")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "define psnr-y differently", "run", "other")

    def test_a_metric_that_is_not_installed_here(self, command, run):
        """Somebody else's Run may hold a metric that only they have."""
        for path in [*run.glob("*.parquet"), run / "manifest.json"]:
            if path.suffix == ".json":
                path.write_text(path.read_text().replace('"mse"', '"theirs"'))
            elif path.stem != "files":
                table = pq.read_table(path)
                names = ["theirs" if m == "mse" else m for m in table["metric"].to_pylist()]
                at = table.schema.get_field_index("metric")
                table = table.set_column(at, table.schema.field(at), pa.array(names))
                pq.write_table(table, path)
        assert "theirs" in command("compare", run).out
        assert "theirs" in command("compare", run, "-m", "theirs").out


class TestReport:
    def test_writes_one_file(self, command, evaluate, pictures):
        evaluate("--out", pictures / "run")
        outcome = command("report", pictures / "run")
        assert (outcome.code, outcome.out) == (0, "")
        assert str(pictures / "run" / "report.html") in outcome.err
        page = (pictures / "run" / "report.html").read_text(encoding="utf-8")
        assert page[:15].lower() == "<!doctype html>"

    def test_where_it_cannot_be_written(self, command, evaluate, pictures):
        evaluate("--out", pictures / "run")
        (pictures / "file").write_text("")
        outcome = command("report", pictures / "run", "--out", pictures / "file" / "page.html")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "page.html")

    def test_number_of_pictures(self, command, evaluate, pictures):
        evaluate("--out", pictures / "run")
        assert command("report", pictures / "run", "--pictures", -1).code == 2
        assert command("report", pictures / "run", "--pictures", 0).code == 0


class TestPairs:
    @pytest.fixture
    def named(self, pictures):
        for path in sorted((pictures / "out").rglob("*.png")):
            path.rename(path.with_name(path.stem + "_x4.png"))
        return pictures / "out", "--ref", pictures / "hr"

    def test_table(self, command, named):
        outcome = command("pairs", *named)
        assert outcome.code == 0
        assert "fine/a_x4.png" in outcome.out
        assert "fine: " in outcome.err
        rows = [line.split() for line in outcome.out.splitlines()[1:]]
        assert ["-", "x4", "b", "poor", "poor/b_x4.png", "b.png"] in rows

    def test_missing_on_both_sides(self, command, named, pictures):
        (pictures / "hr" / "b.png").rename(pictures / "hr" / "bb.png")
        outcome = command("pairs", *named)
        assert outcome.code == 3
        assert_one_sentence(
            outcome.err,
            "missing: the output fine/b_x4.png has no reference; nearest: bb.png",
            "missing: the reference bb.png has no output",
        )
        assert command("pairs", *named, "--on-missing", "skip").code == 0

    def test_json(self, command, named, pictures):
        (pictures / "hr" / "b.png").unlink()
        outcome = command("pairs", *named, "--json")
        assert outcome.code == 3
        document = json.loads(outcome.out)
        assert len(document["pairs"]) == 4
        assert {m["name"] for m in document["missing"]} == {"fine/b_x4.png", "poor/b_x4.png"}

    def test_computes_and_writes_nothing(self, command, named, pictures):
        before = sorted(p for p in pictures.rglob("*"))
        for path in pictures.rglob("*.png"):
            path.write_bytes(b"not even opened")
        assert command("pairs", *named).code == 0
        assert sorted(p for p in pictures.rglob("*")) == before

    def test_rules(self, command, named):
        assert command("pairs", *named, "--pair", "strip:*_x4").code == 0
        assert command("pairs", *named, "--pair", "regex:(?P<content>.)_x4").code == 0
        outcome = command("pairs", *named, "--pair", "regex:(")
        assert outcome.code == 2
        assert_one_sentence(outcome.err, "cannot be read")


class TestMetrics:
    def test_list(self, command):
        outcome = command("metrics", "list")
        listed = [line.split()[0] for line in outcome.out.splitlines()[1:]]
        assert listed == registry.names()
        only = command("metrics", "list", "--kind", "lr").out.splitlines()[1:]
        assert [line.split()[0] for line in only] == ["lr-psnr"]

    def test_json(self, command):
        facts = json.loads(command("metrics", "list", "--json").out)
        assert {f["name"] for f in facts} == set(registry.names())
        for fact in facts:
            assert fact["code_licence"]
            assert fact["guidance"]

    @pytest.mark.parametrize("name", registry.names())
    def test_show(self, command, name):
        outcome = command("metrics", "show", name)
        assert outcome.code == 0
        assert outcome.out.splitlines()[0] == name
        assert registry.get(name).settings in outcome.out

    def test_unknown(self, command):
        outcome = command("metrics", "show", "lpisp")
        assert outcome.code == 2
        assert_one_sentence(outcome.err, "There is no metric 'lpisp'")


class TestProtocols:
    def test_list(self, command):
        lines = command("protocols", "list").out.splitlines()
        assert [line.split()[0] for line in lines[1:]] == [p.name for p in PROTOCOLS]

    @pytest.mark.parametrize("name", [p.name for p in PROTOCOLS])
    def test_show_is_a_file_that_protocol_takes(self, command, tmp_path, name):
        path = tmp_path / "mine.toml"
        path.write_text(command("protocols", "show", name).out, encoding="utf-8")
        made, own = get_protocol(str(path)).describe(), get_protocol(name).describe()
        assert made.pop("name") == f"my-{name}"
        del own["name"], own["description"], made["description"]
        assert made == own

    def test_show_of_a_file(self, command, tmp_path):
        (tmp_path / "mine.toml").write_text("crop = 7")
        assert "crop = 7" in command("protocols", "show", tmp_path / "mine.toml").out

    def test_a_users_own_in_evaluate(self, evaluate, pictures):
        (pictures / "mine.toml").write_text('base = "matlab"\ncrop = 6\n')
        outcome = evaluate("--protocol", pictures / "mine.toml")
        assert outcome.code == 0
        assert "| mine | Y:bt601 rounded | crop 6 |" in outcome.out
        (pictures / "mine.toml").write_text("corp = 6")
        outcome = evaluate("--protocol", pictures / "mine.toml")
        assert outcome.code == 2
        assert_one_sentence(outcome.err, "unknown key 'corp'", "did you mean crop")


class TestGroup:
    def test_unknown_command(self, command):
        outcome = command("evalute")
        assert outcome.code == 2
        assert_one_sentence(outcome.err, "no command 'evalute'. Did you mean evaluate?")

    def test_no_command(self, command):
        outcome = command()
        assert outcome.code == 2
        assert "Usage: srqa" in outcome.out + outcome.err

    def test_every_command_has_help(self, command):
        listed = re.findall(r"^  (\w+) {2,}\w", command("--help").out, re.M)
        assert {"evaluate", "compare", "report", "pairs", "metrics", "protocols"} <= set(listed)
        for name in listed:
            if not name.isdigit():
                assert command(name, "--help").code == 0

    def test_long_options_are_in_kebab_case(self, command):
        text = command("evaluate", "--help").out
        assert all("_" not in option for option in re.findall(r"--[\w-]+", text))

    def test_version(self, command):
        assert command("--version").out == "srqa, version 0.1.0\n"


def test_a_folder_with_a_line_break_in_its_name(command, tmp_path):
    """Nothing in a name may end a row of a table or of CSV."""
    for content in "ab":
        write(tmp_path / "hr" / f"{content}.png", picture(content))
        write(tmp_path / "out" / "one\ntwo" / f"{content}.png", noisy(picture(content), 3))
        write(tmp_path / "out" / "three" / f"{content}.png", noisy(picture(content), 3))
    place = ("evaluate", tmp_path / "out", "--ref", tmp_path / "hr", "--scale", 4)
    for kind, cells in (("latex", "&"), ("markdown", "|")):
        outcome = command(*place, "--format", kind)
        assert outcome.code == 0
        rows = [line for line in outcome.out.splitlines() if cells in line and "srqa" not in line]
        assert len({row.count(cells) for row in rows}) == 1
        assert len([row for row in rows if "0a" in row and "two" in row]) == 1
    assert len(command(*place, "--format", "csv").out.splitlines()) == 5
