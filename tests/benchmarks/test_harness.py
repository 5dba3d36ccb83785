"""`make bench`: agreement first, ratios of the same rounds, tables where they belong."""

import json
import subprocess
import sys
from pathlib import Path

import made_contenders
import pytest

from benchmarks import __main__ as program
from benchmarks import tables
from benchmarks.comparison import (
    Comparison,
    Limit,
    Row,
    Slope,
    Target,
    compare,
    ratio,
    reached,
)
from benchmarks.contender import Contender
from benchmarks.contenders import programs
from benchmarks.contenders.rivals import DIFFERS, METRICS
from benchmarks.pictures import make_methods
from benchmarks.sections import Setting, fastest_decoder, sections

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE))


def sleeper(name, seconds, value=1.0, **more):
    given = {"seconds": seconds, "value": value}
    return Contender(name, made_contenders.sleeper, given, **more)


def found(*contenders, rounds=2, **more):
    rows = compare(Comparison("a title", contenders, **more), rounds, patience=30)
    return {row.name: row for row in rows}


def test_who_has_other_values_is_not_timed():
    rows = found(
        sleeper("srqa", 0.01),
        sleeper("right", 0.01, 1.000001),
        sleeper("wrong", 0.01, 1.01),
        sleeper("other", 0.01, 1.01, differs="by definition"),
    )
    assert rows["right"].apart == pytest.approx(1e-6)
    assert len(rows["right"].seconds) == 2
    assert rows["wrong"].wrong
    assert rows["wrong"].seconds == []
    assert "metric is 1.01, not 1" in rows["wrong"].absent
    assert not rows["other"].wrong
    assert len(rows["other"].seconds) == 2


def test_values_that_are_none_never_agree():
    assert found(sleeper("srqa", 0.01), sleeper("x", 0.01, float("nan")))["x"].wrong


def test_the_slower_takes_longer_for_each_unit():
    rows = found(sleeper("srqa", 0.3), sleeper("slow", 0.9), sleeper("ten", 0.9, units=10))
    assert 2 < ratio(rows["slow"].seconds, rows["srqa"].seconds).median < 4
    assert rows["ten"].seconds[0] == pytest.approx(0.09, rel=0.3)
    assert rows["slow"].processor[0] < 0.5 * rows["slow"].seconds[0]


def test_absent_contenders_say_why():
    rows = found(
        sleeper("srqa", 0.01),
        Contender("missing", made_contenders.missing),
        Contender("dying", made_contenders.dying),
        Contender("failing", made_contenders.sleeper, {"seconds": "much", "value": 1}),
    )
    assert "a_library_that_nobody_has" in rows["missing"].absent
    assert "exit code 3" in rows["dying"].absent
    assert "TypeError" in rows["failing"].absent
    assert not any(row.wrong for row in rows.values())


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's account of memory")
def test_peak_memory():
    rows = found(
        Contender("srqa", made_contenders.eater, {"megabytes": 200}),
        Contender("program", programs.python, {"code": "b'x' * 300_000_000"}, whole=True),
    )
    assert 195e6 < rows["srqa"].peak < 230e6
    assert 300e6 < rows["program"].peak < 400e6


def test_start_up_drops_out_of_a_slope():
    rows = found(
        sleeper("srqa", 0.5, units=1),
        sleeper("long", 0.9, units=5),
        slopes=(Slope("each", "long", "srqa"),),
    )
    assert rows["each"].seconds[0] == pytest.approx(0.1, rel=0.3)


def rows_of(**seconds):
    return [Row(name, list(s), list(s), peak=10**9) for name, s in seconds.items()]


def test_targets():
    rows = rows_of(a=(4.0, 6.0, 5.0), b=(1.0, 2.0, 1.0))
    assert reached(Target("a", "b", least=3), rows) == ("a / b: at least 3; 4 (3 to 5)", True)
    assert reached(Target("a", "b", most=3), rows)[1] is False
    assert reached(Target("a", "c", most=3), rows) == ("a / c: at most 3; not measured", None)
    free = [*rows, Row("c", [-0.1, -0.1, 0.2])]
    assert reached(Target("c", "b", most=0.5), free)[1] is True
    rows[0].absent = "disagrees"
    assert reached(Target("a", "b", least=3), rows)[1] is None
    assert reached(Limit("b", 1.5), rows) == ("b: at most 1.5 s; 1.00 s", True)
    assert reached(Limit("b", 5e8, "peak"), rows)[1] is False


def test_a_table():
    rows = rows_of(srqa=(0.001, 0.001), other=(0.01, 0.012))
    rows[1].apart = 2e-7
    rows.append(Row("gone", absent="is not there"))
    made = tables.table(
        Comparison("t", (), targets=(Target("other", "srqa", least=20),), note="A note."), rows
    )
    assert "| **srqa** | 1 ms | 1 |  | 1 ms | +1000 MB |  |" in made
    assert "| other | 11 ms | 11 | 10 to 12 | 11 ms | +1000 MB | 2e-07 apart |" in made
    assert "| gone |  |  |  |  |  | is not there |" in made
    assert "- other / srqa: at least 20; 11 (10 to 12) (**missed**)" in made


def test_a_page_is_rewritten_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "Before\n<!-- bench: one -->\nold\n<!-- end of bench -->\nbetween\n"
        "<!-- bench: two -->\n<!-- end of bench -->\nafter\n"
    )
    assert tables.rewrite(page, {"one": "new\n", "two": "2\n", "three": "3\n"}) == ["three"]
    assert page.read_text() == (
        "Before\n<!-- bench: one -->\nnew\n<!-- end of bench -->\nbetween\n"
        "<!-- bench: two -->\n2\n<!-- end of bench -->\nafter\n"
    )


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_page_has_a_place_for_every_section(device):
    text = program.page_of(device).read_text(encoding="utf-8")
    for name in [*program.sections_of(device), "machine"]:
        assert tables.BEGIN.format(name) in text


def test_sections_name_real_contenders_and_targets(tmp_path):
    setting = fastest_decoder(Setting(tmp_path, decoder="", quick=True))
    assert setting.decoder not in ("", "srqa")
    for name, make in sections().items():
        for comparison in make(setting):
            names = [c.name for c in comparison.contenders]
            known = {*names, *(slope.name for slope in comparison.slopes)}
            assert len(known) == len(names) + len(comparison.slopes), (name, names)
            assert comparison.base in known, (name, comparison.title)
            for slope in comparison.slopes:
                assert {slope.long, slope.short} <= known
            for target in comparison.targets:
                wanted = {target.name} if isinstance(target, Limit) else {target.slow, target.fast}
                assert wanted <= known, (name, wanted)
    assert all(library in METRICS[metric] for library, metric in DIFFERS)


def test_the_program(tmp_path):
    """In earnest, on small pictures."""
    report = tmp_path / "found.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", "again", "--rounds", "1",
         "--patience", "0", "--json", report],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "**Another run over unchanged 1280x720 PNG pairs**" in done.stdout
    document = json.loads(report.read_text())
    comparison, _ = document["sections"]["again"]
    rows = {row["name"]: row for row in comparison["rows"]}
    assert rows["srqa, second run, 10 pairs"]["values"].keys() == {"psnr-y", "ssim-y"}
    assert document["machine"]["processor"]


def test_values_of_several_methods_are_means(tmp_path):
    reference, outputs = make_methods(tmp_path, 2, (64, 48))
    place = ["--ref", str(reference.parent), "--scale", "2"]
    one, two = (
        programs.evaluate([str(path.parent), *place], "psnr-y", threads=1)()["psnr-y"]
        for path in outputs
    )
    both = programs.evaluate(
        [*(str(path.parent) for path in outputs), *place], "psnr-y", threads=1
    )()
    assert one != two
    assert both["psnr-y"] == pytest.approx((one + two) / 2)


def test_without_a_gpu_it_says_so():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--device", "cuda"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "Skipped: torch finds no GPU" in done.stderr
