"""A Run's tables: their columns, their CSV twins, the JSON document, means and intervals."""

import csv
import io
import json
import math
from importlib.resources import files

import jsonschema
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import noisy, picture, write

import srqa
from srqa.engine.results import Run, Score, plain, summarise
from srqa.engine.storage import save_run

TEXT, REAL, COUNT, FLAG = pa.string(), pa.float64(), pa.int64(), pa.bool_()
SCHEMAS = {
    "scores": {
        "dataset": TEXT, "content": TEXT, "scale": REAL, "method": TEXT, "image": TEXT,
        "reference": TEXT, "metric": TEXT, "level": TEXT, "value": REAL, "unit": TEXT,
        "seconds": REAL, "problem": TEXT,
    },
    "summary": {
        "dataset": TEXT, "scale": REAL, "method": TEXT, "metric": TEXT, "mean": REAL,
        "ci_low": REAL, "ci_high": REAL, "std": REAL, "median": REAL, "min": REAL, "max": REAL,
        "n": COUNT, "n_infinite": COUNT, "n_failed": COUNT, "signature": TEXT,
    },
    "files": {
        "role": TEXT, "name": TEXT, "path": TEXT, "sha256": TEXT, "bytes": COUNT, "width": COUNT,
        "height": COUNT, "channels": COUNT, "depth": COUNT, "format": TEXT, "lossy": FLAG,
        "notes": TEXT,
    },
}  # fmt: skip


@pytest.fixture
def run(evaluate, pictures):
    """One value is infinite, one fails, one is not applicable, a name needs quoting."""
    write(pictures / "out" / "fine" / "a.png", picture("a", 32, 40))
    (pictures / "out" / "poor" / "b.png").write_bytes(b'broken, "quoted"\nfile')
    for place in ("hr", "out/fine", "out/poor"):
        write(pictures / place / 'tiny, "x".png', picture("t", 18, 18))
    write(pictures / "out" / "fine" / 'tiny, "x".png', noisy(picture("t", 18, 18), 3))
    write(pictures / "out" / "poor" / 'tiny, "x".png', noisy(picture("t", 18, 18), 9))
    return evaluate(out=pictures / "run")


@pytest.mark.parametrize("table", SCHEMAS)
def test_parquet_columns(run, table):
    found = pq.read_schema(run.path / f"{table}.parquet")
    assert dict(zip(found.names, found.types, strict=True)) == SCHEMAS[table]
    assert found.names == list(SCHEMAS[table])
    assert [f.name for f in found if f.nullable] == (["scale"] if table != "files" else [])


def test_tables_without_a_row_keep_their_columns(run, tmp_path):
    empty = Run(run.manifest, [], [], [])
    save_run(empty, tmp_path / "empty")
    for table, columns in SCHEMAS.items():
        found = pq.read_schema(tmp_path / "empty" / f"{table}.parquet")
        assert dict(zip(found.names, found.types, strict=True)) == columns
    assert Run.load(tmp_path / "empty").score_rows == []


def same(text, value):
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return text == ""
    if isinstance(value, bool):
        return text == str(value)
    if isinstance(value, int | float):
        return float(text) == value
    return text == value


@pytest.mark.parametrize("table", ["summary", "files"])
def test_csv_twins(run, table):
    rows = pq.read_table(run.path / f"{table}.parquet").to_pylist()
    with (run.path / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        texts = list(csv.DictReader(stream))
    assert list(texts[0]) == list(SCHEMAS[table])
    assert len(texts) == len(rows)
    for text, row in zip(texts, rows, strict=True):
        for column, value in row.items():
            assert same(text[column], value), (column, text[column], value)


def test_wide_csv(run):
    rows = pq.read_table(run.path / "scores.parquet").to_pylist()
    wide = pd.read_csv(run.path / "scores.csv", keep_default_na=False)
    assert list(wide.columns) == [
        "dataset", "content", "scale", "method", "image", "psnr-y", "ssim-y", "problem"
    ]  # fmt: skip
    assert len(wide) == 8
    by_image = {line["image"]: line for _, line in wide.iterrows()}
    for row in rows:
        assert same(str(by_image[row["image"]][row["metric"]]), row["value"])
    assert by_image["fine/a.png"]["psnr-y"] == "inf"
    assert by_image["poor/b.png"]["psnr-y"] == ""
    assert "not a picture" in by_image["poor/b.png"]["problem"]


def test_load_gives_what_was_saved(run):
    again = Run.load(run.path)
    assert again.manifest == json.loads(json.dumps(run.manifest))
    for attribute in ("summary", "files", "scores"):
        pd.testing.assert_frame_equal(getattr(again, attribute), getattr(run, attribute))


def test_files(run):
    rows = {(row.role, row.name): row for row in run.file_rows}
    assert ("output", "poor/b.png") not in rows
    row = rows["reference", "a.png"]
    content = (run.path.parent / "hr" / "a.png").read_bytes()
    import hashlib

    assert row.sha256 == hashlib.sha256(content).hexdigest()
    assert row.bytes == len(content)
    assert (row.width, row.height, row.channels, row.depth, row.format) == (40, 32, 3, 8, "png")
    assert row.path == (run.path.parent / "hr" / "a.png").as_posix()


def test_manifest_says_how_numbers_were_made(run):
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert manifest["srqa"] == srqa.__version__
    assert manifest["protocol"]["name"] == "sr"
    assert manifest["metrics"] == ["psnr-y", "ssim-y"]
    assert {"numpy", "python"} <= set(manifest["versions"])
    assert manifest["started"] <= manifest["finished"]
    assert {s["signature"] for s in manifest["signatures"]} == {
        row.signature for row in run.summary_rows
    }


@pytest.fixture(scope="module")
def schema():
    text = files("srqa.report").joinpath("schemas/run.schema.json").read_text("utf-8")
    found = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(found)
    return found


class TestJson:
    def document(self, run):
        return json.loads(json.dumps(run.to_json(), allow_nan=False))

    def test_is_valid(self, run, schema):
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(
            self.document(run)
        )

    def test_values(self, run):
        document = self.document(run)
        values = {(r["image"], r["metric"]): r["value"] for r in document["images"]}
        assert values["fine/a.png", "psnr-y"] == "inf"
        assert values["fine/a.png", "ssim-y"] == 1.0
        assert values["poor/b.png", "psnr-y"] is None
        assert values['fine/tiny, "x".png', "ssim-y"] is None  # 10 pixels are left
        summary = {(r["method"], r["metric"]): r for r in document["summary"]}
        fine, poor = summary["fine", "psnr-y"], summary["poor", "psnr-y"]
        assert (fine["n"], fine["n_infinite"], fine["n_failed"], fine["max"]) == (3, 1, 0, "inf")
        assert (poor["n"], poor["n_infinite"], poor["n_failed"]) == (3, 0, 1)
        assert summary["fine", "ssim-y"]["n"] == 3
        (problem,) = document["problems"]
        assert problem["image"] == "poor/b.png"

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d.pop("problems"),
            lambda d: d["summary"][0].update(mean="infinite"),
            lambda d: d["summary"][0].update(n=1.5),
            lambda d: d["summary"][0].pop("signature"),
            lambda d: d["images"][0].update(extra=1),
            lambda d: d["images"][0].update(scale=0),
            lambda d: d["manifest"].pop("protocol"),
            lambda d: d["manifest"]["protocol"].update(crop=-1),
            lambda d: d.update(schema=2),
        ],
    )
    def test_schema_refuses(self, run, schema, change):
        document = self.document(run)
        change(document)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)

    def test_plain_values(self):
        given = {"a": [math.inf, (-math.inf, math.nan)], "b": 1.5, "c": None, "d": True, "e": "x"}
        expected = {"a": ["inf", ["-inf", None]], "b": 1.5, "c": None, "d": True, "e": "x"}
        assert plain(given) == expected


def scores(values, method="m", problem=""):
    return [
        Score("", str(i), 4.0, method, f"{i}.png", "", "psnr-y", "image", v, "dB", 0.0,
              problem if math.isnan(v) else "")
        for i, v in enumerate(values)
    ]  # fmt: skip


def summary(values, **options):
    (row,) = summarise(scores(values, **options), {("psnr-y", 4.0): "s"})
    return row


class TestSummary:
    def test_plain_numbers(self):
        values = [30.0, 31.5, 29.25, 33.0, 30.5]
        row = summary(values)
        assert row.mean == np.mean(values)
        assert row.median == np.median(values)
        assert row.std == pytest.approx(np.std(values, ddof=1))
        assert (row.min, row.max, row.n, row.n_infinite, row.n_failed) == (29.25, 33.0, 5, 0, 0)
        assert row.ci_low < row.mean < row.ci_high
        assert math.isnan(summary(values[:4]).ci_low), "too few for an interval"

    def test_infinite_values_are_counted_beside_the_mean(self):
        row = summary([30.0, math.inf, 32.0])
        assert (row.mean, row.n, row.n_infinite, row.min, row.max) == (31.0, 2, 1, 30.0, math.inf)

    def test_all_infinite(self):
        row = summary([math.inf, math.inf])
        assert (row.mean, row.median, row.n, row.n_infinite) == (math.inf, math.inf, 0, 2)
        assert math.isnan(row.ci_low)
        assert math.isnan(row.std)

    def test_failures_and_what_is_not_applicable(self):
        row = summary([30.0, math.nan], problem="broken")
        assert (row.mean, row.n, row.n_failed) == (30.0, 1, 1)
        row = summary([30.0, math.nan], problem="n/a: too small")
        assert (row.mean, row.n, row.n_failed) == (30.0, 1, 0)
        row = summary([math.nan], problem="broken")
        assert math.isnan(row.mean)
        assert math.isnan(row.max)
        assert (row.n, row.n_failed) == (0, 1)

    def test_one_value_has_no_interval(self):
        row = summary([30.0])
        assert math.isnan(row.ci_low)
        assert math.isnan(row.ci_high)

    def test_the_interval_of_a_method_does_not_depend_on_the_others(self):
        rng = np.random.default_rng(0)
        values = {m: rng.normal(30, 2, n).tolist() for m, n in (("a", 8), ("b", 8), ("c", 5))}
        alone = {m: summary(v, method=m) for m, v in values.items()}
        rows = [row for m, v in values.items() for row in scores(v, method=m)]
        together = summarise(rows, {("psnr-y", 4.0): "s"})
        assert {row.method for row in together} == set(alone)
        for row in together:
            for column in ("mean", "std", "ci_low", "ci_high"):
                expected = getattr(alone[row.method], column)
                assert getattr(row, column) == pytest.approx(expected, rel=1e-12)


def test_csv_opens_in_a_spreadsheet(run):
    text = (run.path / "scores.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1
    assert any('tiny, "x"' in row for row in rows)
