"""Metrics of whole sets through the engine, with one of a user's own that needs no weights."""

import json
import math
import shutil
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
import support
from support import noisy, picture, write

import srqa
from srqa.engine.compare import compare_runs, left_out
from srqa.engine.gates import check_conditions, check_drops, parse_condition
from srqa.engine.protocol import definition
from srqa.engine.results import Run
from srqa.engine.storage import JOURNAL
from srqa.errors import RunError, UsageError, WeightsError
from srqa.images.read import read
from srqa.metrics import sets
from srqa.report.html import write_report
from srqa.report.tables import boards, latex, markdown

SOURCE = """
    import numpy as np
    from srqa.metrics import sets
    from srqa.metrics.spec import MetricSpec

    SEEN = []

    def gather(planes):
        SEEN.append(planes.shape)
        height, width = planes.shape[-2] // 8 * 8, planes.shape[-1] // 8 * 8
        blocks = planes[:, :height, :width].reshape(3, height // 8, 8, width // 8, 8)
        return np.stack([blocks.mean((2, 4)), blocks.std((2, 4))]).reshape(6, -1).T

    def spec(name, function, **more):
        return MetricSpec(name, function, "of blocks", level="set", gather=gather, crop="none",
                          higher_is_better=False, min_side=16, **more)

    METRICS = [spec("block-mmd", sets.mmd("block-mmd")),
               spec("block-frechet", sets.frechet("block-frechet", "block-mmd"))]
"""
BOTH = "block-mmd,block-frechet"


@pytest.fixture
def own(plugin):
    """The user's set metrics are installed; a list of the pictures that they looked at."""
    plugin(SOURCE)
    srqa.list_metrics()
    import usermetrics

    return usermetrics.SEEN


@pytest.fixture
def many(tmp_path):
    """Six references and two methods."""
    return support.scene(tmp_path, list("abcdef"))


@pytest.fixture
def call(many, own):
    """``call(metrics, ...)`` evaluates them at scale 4."""

    def evaluate(metrics=BOTH, **options):
        options = {"metrics": metrics, "scale": 4} | options
        return srqa.evaluate(many / "out", many / "hr", **options)

    return evaluate


def rows(run, metric="block-mmd"):
    return {r.method: r for r in run.summary_rows if r.metric == metric}


def by_hand(folder, method, crop=0):
    from usermetrics import gather

    found = [[], []]
    for name in sorted(p.name for p in (folder / "hr").iterdir()):
        for samples, place in zip(found, ("out/" + method, "hr"), strict=True):
            planes = np.ascontiguousarray(read(folder / place / name).pixels.transpose(2, 0, 1))
            planes = planes.astype("f") / 255
            samples.append(gather(planes[:, crop:-crop, crop:-crop] if crop else planes))
    return found


def equal(first, second):
    """The same scores and summary, but for the time that they took."""
    assert [r.signature for r in first.summary_rows] == [r.signature for r in second.summary_rows]
    for a, b in zip(first.summary_rows, second.summary_rows, strict=True):
        assert (a.method, a.metric, a.n) == (b.method, b.metric, b.n)
        assert (a.mean, a.ci_low, a.ci_high) == pytest.approx(
            (b.mean, b.ci_low, b.ci_high), nan_ok=True
        )


def test_values_are_those_of_the_pictures_with_their_interval(call, many):
    run = call(f"psnr-y,{BOTH}")
    for method in ("fine", "poor"):
        x, y = by_hand(many, method)
        expected = sets.kernel_distance(x, y)
        row = rows(run)[method]
        assert (row.mean, row.ci_low, row.ci_high, row.n) == pytest.approx(
            tuple(expected), rel=1e-5
        )
        assert row.n == 6 * 4 * 5
        assert row.signature == "block-mmd | srqa 0.1 | sr | RGB | crop 0 | set of 120 patches"
        assert all(math.isnan(v) for v in (row.std, row.median, row.min, row.max))
        frechet = rows(run, "block-frechet")[method]
        expected = sets.frechet_distance(np.concatenate(x), np.concatenate(y))
        assert frechet.mean == pytest.approx(expected, rel=1e-6)
        assert math.isnan(frechet.ci_low)
    assert rows(run)["fine"].mean < rows(run)["poor"].mean
    assert run.not_applicable == run.problems == []


def test_rows_of_sets_stand_apart_from_images(call, tmp_path):
    run = call("psnr-y,block-mmd", out=tmp_path / "run")
    whole = [r for r in run.score_rows if r.level == "set"]
    assert [(r.method, r.content, r.image, r.reference) for r in whole] == [
        ("fine", "", "", ""), ("poor", "", "", "")
    ]  # fmt: skip
    assert len(run.score_rows) == 14
    assert rows(run, "psnr-y")["fine"].n == 6
    again = Run.load(tmp_path / "run")
    assert again.score_rows == run.score_rows
    wide = (tmp_path / "run" / "scores.csv").read_text()
    assert wide.splitlines()[0] == "dataset,content,scale,method,image,psnr-y,problem"
    assert len(wide.splitlines()) == 13


def test_json_agrees_with_the_schema(call):
    schema = json.loads(files("srqa.report").joinpath("schemas/run.schema.json").read_text("utf-8"))
    document = json.loads(json.dumps(call(f"psnr-y,{BOTH}").to_json()))
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
    assert {entry["metric"] for entry in document["images"]} == {"psnr-y"}
    assert {entry["metric"] for entry in document["summary"]} == {"psnr-y", *BOTH.split(",")}


def test_references_are_gathered_once_and_metrics_share_samples(call, own):
    call(workers=1, cache=False)
    assert len(own) == 6 + 2 * 6


def test_workers_change_nothing(call):
    equal(call(workers=1, cache=False), call(workers=3, cache=False))


def test_datasets_and_scales_are_sets_of_their_own(tmp_path, own):
    for scale in (2, 4):
        for dataset in ("one", "two"):
            for i in range(5):
                sharp = picture(f"{dataset}{i}")
                write(tmp_path / "hr" / dataset / f"{i}.png", sharp)
                out = tmp_path / "out" / "m" / dataset / f"{i}_x{scale}.png"
                write(out, noisy(sharp, 3 * scale, i))
    run = srqa.evaluate(
        tmp_path / "out", tmp_path / "hr", metrics="block-mmd",
        layout="{method}/{dataset}/{content}_x{scale}.png",
        reference_layout="{dataset}/{content}.png",
    )  # fmt: skip
    found = [(r.dataset, r.scale, r.n) for r in run.summary_rows]
    assert sorted(found) == [(d, float(s), 100) for d in ("one", "two") for s in (2, 4)]
    assert len({r.mean for r in run.summary_rows}) == 4
    assert len(own) == 5 * 4 * 2


def test_the_protocol_cuts_and_rounds(call, many):
    row = rows(call(protocol="pirm"))["poor"]
    x, y = by_hand(many, "poor", crop=4)
    assert row.mean == pytest.approx(sets.kernel_distance(x, y).value, rel=1e-5)
    assert "crop 4" in row.signature


def test_larger_references_are_cut_as_for_images(call, many):
    for path in (many / "hr").iterdir():
        write(path, np.pad(read(path).pixels, ((0, 2), (0, 3), (0, 0)), mode="edge"))
    refused = call("psnr-y,block-mmd")
    assert all("reference 43x34" in row.problem for row in refused.score_rows)
    cut = call("psnr-y,block-mmd", on_mismatch="crop")
    for path in (many / "hr").iterdir():
        write(path, read(path).pixels[:32, :40])
    for method, row in rows(call("psnr-y,block-mmd")).items():
        assert row.mean == pytest.approx(rows(cut)[method].mean, rel=1e-9)
        assert "sizes crop" in rows(cut)[method].signature


# what was computed before


def test_values_are_cached_until_a_picture_changes(call, many, own):
    first = call()
    seen = len(own)
    again = call(f"psnr-y,{BOTH}")
    assert len(own) == seen
    assert rows(again) == rows(first)
    assert rows(again, "block-frechet")["fine"].mean == rows(first, "block-frechet")["fine"].mean
    path = many / "out" / "poor" / "c.png"
    write(path, noisy(read(path).pixels, 2))
    changed = call()
    assert len(own) == seen + 12
    assert rows(changed)["fine"] == rows(first)["fine"]
    assert rows(changed)["poor"].mean != rows(first)["poor"].mean


def test_a_set_with_one_picture_less_is_another(call, many, own):
    first = rows(call())["fine"].mean
    for folder in (many / "hr", many / "out" / "fine", many / "out" / "poor"):
        (folder / "f.png").unlink()
    assert rows(call())["fine"].mean != first


def test_an_interrupted_run_goes_on_with_the_sets_that_were_done(call, many, own, tmp_path):
    whole = call("psnr-y,block-mmd", cache=False)
    own.clear()

    def stop(done, _):
        if done == 12 + 6 + 3:
            raise KeyboardInterrupt

    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        call("psnr-y,block-mmd", cache=False, out=out, workers=1, progress=stop)
    assert (out / JOURNAL).exists()
    assert "set" in (out / JOURNAL).read_text()
    own.clear()
    resumed = call("psnr-y,block-mmd", cache=False, out=out, resume=True)
    assert len(own) == 12
    equal(resumed, whole)
    assert not (out / JOURNAL).exists()


def test_a_resumed_run_trusts_no_set_whose_pictures_changed(call, many, own, tmp_path):
    out = tmp_path / "run"

    def stop(done, _):
        if done == 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(cache=False, out=out, workers=1, progress=stop)
    path = many / "out" / "fine" / "c.png"
    write(path, noisy(read(path).pixels, 9))
    equal(call(cache=False, out=out, resume=True), call(cache=False))


def test_progress_counts_both_passes(call):
    steps = []
    call("psnr-y,block-mmd", progress=lambda *step: steps.append(step))
    assert steps[0] == (0, 24)
    assert [done for done, _ in steps] == list(range(25))
    steps.clear()
    call("psnr-y,block-mmd", progress=lambda *step: steps.append(step))
    assert steps[-1] == (24, 24)


# what goes wrong


def test_an_unreadable_picture_leaves_no_set(call, many):
    (many / "out" / "poor" / "c.png").write_bytes(b"no picture")
    run = call("psnr-y,block-mmd")
    row = rows(run)["poor"]
    assert math.isnan(row.mean)
    assert row.n_failed == 1
    assert not math.isnan(rows(run)["fine"].mean)
    (problem,) = [p for p in run.problems if p["metrics"] == "block-mmd"]
    assert problem["image"] == "all of poor"
    assert "poor/c.png" in problem["problem"]
    assert "would be another set" in problem["problem"]
    (many / "out" / "poor" / "c.png").write_bytes((many / "out" / "fine" / "c.png").read_bytes())
    assert not math.isnan(rows(call("psnr-y,block-mmd"))["poor"].mean)


def test_an_unreadable_reference_leaves_no_set_of_any_method(call, many):
    (many / "hr" / "c.png").write_bytes(b"no picture")
    run = call("block-mmd")
    assert all(math.isnan(r.mean) for r in run.summary_rows)
    assert all("c.png" in r.problem for r in run.score_rows)


def test_a_picture_that_changes_meanwhile_is_found_out(call, many):
    def change(done, _):
        if done == 12:
            write(many / "out" / "fine" / "d.png", picture("other"))

    run = call("block-mmd", workers=1, progress=change)
    (problem,) = run.problems
    assert "fine/d.png was changed" in problem["problem"]
    assert not math.isnan(rows(run)["poor"].mean)


def test_too_few_samples_are_not_applicable(tmp_path, own):
    support.scene(tmp_path, ["a", "b"], ["m"], side=16)
    run = srqa.evaluate(tmp_path / "out", tmp_path / "hr", scale=4, metrics=BOTH)
    assert not math.isnan(rows(run)["m"].mean)
    assert math.isnan(rows(run)["m"].ci_low)
    write(tmp_path / "hr" / "b.png", picture("b", 8, 8))
    write(tmp_path / "out" / "m" / "b.png", picture("c", 8, 8))
    write(tmp_path / "hr" / "a.png", picture("a", 8, 8))
    write(tmp_path / "out" / "m" / "a.png", picture("d", 8, 8))
    run = srqa.evaluate(tmp_path / "out", tmp_path / "hr", scale=4, metrics=BOTH)
    (entry,) = run.not_applicable
    assert entry["metrics"] == "block-frechet"
    assert "block-mmd has no such bound" in entry["problem"]
    assert run.problems == []
    assert run.summary_rows[1].signature.endswith("set of patches")
    assert any("2 of 2 outputs are smaller than 16 pixels" in w for w in run.warnings)


def test_a_metric_that_breaks_stops_no_other(plugin, many):
    plugin("""
        from srqa.metrics.spec import MetricSpec, SetValue

        def gather(planes):
            return planes.reshape(3, -1).T[:9]

        def broken(outputs, references):
            raise RuntimeError("it broke")

        def nan(outputs, references):
            return SetValue(float("nan"), 0.0, 0.0, 1)

        def wrong(planes):
            raise ZeroDivisionError("of a picture")

        METRICS = [
            MetricSpec("broken-set", broken, "breaks", level="set", gather=gather),
            MetricSpec("nan-set", nan, "gives nothing", level="set", gather=gather),
        ]
    """)
    run = srqa.evaluate(many / "out", many / "hr", scale=4, metrics="psnr-y,broken-set,nan-set")
    said = {r.metric: r.problem for r in run.score_rows if r.problem}
    assert "RuntimeError: it broke" in said["broken-set"]
    assert "NaN" in said["nan-set"]
    assert rows(run, "psnr-y")["fine"].n == 6
    assert rows(run, "broken-set")["fine"].n_failed == 1


def test_a_gather_that_breaks_names_the_picture(plugin, many):
    plugin("""
        from srqa.metrics.spec import MetricSpec

        def gather(planes):
            raise ZeroDivisionError("of a picture")

        METRICS = [MetricSpec("wrong-set", max, "breaks", level="set", gather=gather)]
    """)
    run = srqa.evaluate(many / "out", many / "hr", scale=4, metrics="wrong-set")
    assert all("ZeroDivisionError: of a picture" in r.problem for r in run.score_rows)
    assert all(".png" in r.problem for r in run.score_rows)


def test_weights_that_cannot_be_had_end_it(plugin, many):
    plugin("""
        from srqa.errors import WeightsError
        from srqa.metrics.spec import MetricSpec

        def gather(planes):
            raise WeightsError("There are none.")

        METRICS = [MetricSpec("weighed-set", max, "breaks", level="set", gather=gather)]
    """)
    with pytest.raises(WeightsError, match="There are none"):
        srqa.evaluate(many / "out", many / "hr", scale=4, metrics="weighed-set")


def test_no_reference_no_set(many, own):
    with pytest.raises(UsageError, match="block-mmd needs --ref"):
        srqa.evaluate(many / "out", metrics="block-mmd")


# what reads Runs


def test_gates_take_the_value_of_the_set(call):
    run = call("psnr-y,block-mmd")
    limit = (rows(run)["fine"].mean + rows(run)["poor"].mean) / 2
    (failure,) = check_conditions(run, [parse_condition(f"block-mmd>{limit}")])
    assert "poor has a value of" in failure
    with pytest.raises(UsageError, match="one value for all images"):
        parse_condition("any(block-mmd)>1")


def test_drops_compare_sets_of_one_size_only(call, many):
    before = call("block-mmd")
    gap = rows(before)["poor"].mean - rows(before)["fine"].mean
    assert check_drops(before, before, [("block-mmd", 0.0)]) == []
    (failure,) = check_drops(before, before, [("block-mmd", gap / 2)], "fine")
    assert "block-mmd of poor became worse" in failure
    for folder in (many / "hr", many / "out" / "fine", many / "out" / "poor"):
        (folder / "f.png").unlink()
    with pytest.raises(RunError, match=r"set of 120 patches.*set of 100 patches"):
        check_drops(call("block-mmd"), before, [("block-mmd", 0.1)])


def test_signatures_of_sets_of_any_size_are_comparable():
    text = "kid-patch | srqa 0.1 | sr | RGB | crop 0 | set of {} patches"
    assert definition(text.format(12)) == definition(text.format(9999))
    assert definition(text.format(12)) != definition(text.format(12).replace("sr |", "real |"))


def test_comparison_leaves_sets_out(call):
    run = call("psnr-y,block-mmd")
    assert [c.metric for c in compare_runs([run])] == ["psnr-y"]
    assert left_out([run]) == ["block-mmd"]
    with pytest.raises(UsageError, match="one value for all images of a method"):
        compare_runs([run], metrics=["block-mmd"])
    with pytest.raises(RunError, match="nothing to compare"):
        compare_runs([call("block-mmd")])


def test_tables_show_value_and_interval(call):
    run = call("psnr-y,block-mmd")
    (board,) = boards(run)
    assert [(method, n) for method, n, _ in board.rows] == [("fine", 6), ("poor", 6)]
    cell = board.rows[0][2][1]
    assert cell.best
    assert cell.interval
    assert not cell.remark
    assert "set of 120 patches" in markdown(run)
    assert "block-mmd" in latex(run)
    (alone,) = boards(call("block-mmd"))
    assert [n for _, n, _ in alone.rows] == [120, 120]


@pytest.mark.parametrize("metrics", ["psnr-y,block-mmd", "block-mmd,psnr-y", "block-mmd", BOTH])
def test_report_shows_sets_in_the_summary_only(call, tmp_path, metrics):
    run = call(metrics)
    page = write_report(run, tmp_path / "report.html").read_text("utf-8")
    assert "120 patches" in page
    assert "one value for all images of a method" in page
    assert ">0 images<" not in page
    data = json.loads(
        page.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    )
    levels = {m["name"]: m["level"] for m in data["metrics"]}
    assert levels["block-mmd"] == "set"
    place = list(levels).index("block-mmd")
    assert all(value is None for value in data["values"][place])
    assert data["metrics"][place]["family"] == "perception"


def test_one_method_alone(many, own, tmp_path):
    shutil.rmtree(many / "out" / "poor")
    run = srqa.evaluate(many / "out", many / "hr", scale=4, metrics="block-mmd")
    assert "over 120 patches" in write_report(run, tmp_path / "r.html").read_text("utf-8")


def test_the_command_fails_where_a_set_has_no_value(many, own, capsys):
    from srqa.cli import run

    arguments = ["evaluate", str(many / "out"), "--ref", str(many / "hr"), "--scale", "4"]
    assert run([*arguments, "-m", BOTH, "-q"]) == 0
    assert "set of 120 patches" in capsys.readouterr().out
    (many / "out" / "poor" / "c.png").write_bytes(b"no picture")
    assert run([*arguments, "-m", "block-mmd"]) == 5
    complaint = capsys.readouterr().err
    assert "1 of the sets" in complaint
    assert "poor/c.png" in complaint
