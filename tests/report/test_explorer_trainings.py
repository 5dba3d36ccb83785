"""The explorer's page of trainings: read from the log, in the real page."""

import json

import pytest
import support
from streamlit.testing.v1 import AppTest

from srqa import assets
from srqa.errors import InputError
from srqa.report.explorer import serving, trainings

RECORDS = [
    {"step": 0, "method": "bicubic", "validation": {"psnr-y": 30.0}},
    {"step": 100, "loss": {"l1": 0.2, "total": 0.2}, "rate": 1e-3, "seconds": 4.0},
    {"step": 200, "loss": {"l1": 0.1, "total": 0.1}, "rate": 1e-4, "seconds": 8.0,
     "validation": {"psnr-y": 31.0}},
]  # fmt: skip


def made(folder, records=RECORDS, more=""):
    folder.mkdir(parents=True)
    lines = "".join(json.dumps(one) + "\n" for one in records)
    (folder / "log.jsonl").write_text(lines + more)
    return folder


def test_curves_are_what_the_log_says(tmp_path):
    one, other = made(tmp_path / "a" / "run"), made(tmp_path / "b" / "run", more='{"step": 3')
    found = trainings.curves([one, other])
    assert set(found["training"]) == {"a/run", "b/run"}
    first = found[found["training"] == "a/run"]
    losses = first[(first["kind"] == "loss") & (first["name"] == "l1")]
    assert dict(zip(losses["step"], losses["value"], strict=True)) == {100: 0.2, 200: 0.1}
    looks = first[first["kind"] == "validation"]
    assert looks[["method", "value"]].values.tolist() == [["bicubic", 30.0], ["network", 31.0]]
    assert trainings.progress([one])["step"].tolist() == [200]
    (one / "log.jsonl").write_text("no log\n")
    with pytest.raises(InputError, match="is no log of a training"):
        trainings.curves([one])


def test_the_page_shows_them_and_follows(tmp_path, monkeypatch):
    folder = made(tmp_path / "run", RECORDS[:2])
    explored = serving.Explored((), None, (folder,))
    monkeypatch.setattr(serving, "_CURRENT", [explored])
    page = AppTest.from_file(str(assets.path("dashboards/explorer.py")), default_timeout=60).run()
    assert not page.exception
    assert page.selectbox(key="term").options == ["l1", "total"]
    assert [m.value for m in page.markdown if "dashed" in m.value] == [
        "**psnr-y of validation; dashed: bicubic**"
    ]
    assert page.dataframe[0].value["step"].tolist() == [100]
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(RECORDS[2]) + "\n")
    page.run()
    assert page.dataframe[0].value["step"].tolist() == [200]


def test_a_folder_that_is_neither(tmp_path):
    (tmp_path / "empty").mkdir()
    done = support.srqa("explore", tmp_path / "empty")
    assert done.returncode == 3
    assert "empty" in done.stderr
