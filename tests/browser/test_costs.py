"""What methods cost, in a report in a real Chromium."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pages import expect
from report_runs import make_run

from srqa.engine.results import ModelRow, Run
from srqa.report.html import write_report

pytestmark = pytest.mark.browser


def row(method: str, scale: float = 4.0, **facts: float) -> ModelRow:
    made = ModelRow(
        method=method,
        scale=scale,
        parameters=0,
        multiply_adds=0.0,
        seconds_a_megapixel=0.5,
        memory=3_000_000,
        memory_how="counted",
        pictures=5,
        megapixels=1.3,
        device="CPU, 2 threads",
        dtype="float32",
        weights="",
        licence="",
    )
    return replace(made, **facts)


@pytest.fixture
def run() -> Run:
    made = make_run(methods=("bicubic", "rcan", "swinir"))
    made.model_rows = [
        row("bicubic"),
        row("rcan", parameters=15_600_000, multiply_adds=919e9, seconds_a_megapixel=210.0),
        row("swinir", parameters=897_000, multiply_adds=49.6e9, seconds_a_megapixel=90.0),
    ]
    return made


def test_table_and_plot(visit, run: Run, tmp_path: Path) -> None:
    page = visit(write_report(run, tmp_path / "r.html"))
    expect(page.locator("nav a[href='#costs']")).to_be_visible()
    table = page.locator("table.costs")
    expect(table).to_contain_text("15.6 M")
    expect(table).to_contain_text("49.6 G")
    expect(table).to_contain_text("3 MB")
    plot = page.locator("#costs .plot")
    expect(plot.locator(".spot")).to_have_count(3)
    places = {
        text: plot.locator(".name", has_text=text).bounding_box()["x"]
        for text in ("bicubic", "swinir")
    }
    assert places["bicubic"] < places["swinir"]
    plot.locator(".spot").nth(1).hover()
    expect(page.locator(".tip")).to_contain_text("s / megapixel 210")


def test_axes_are_chosen(visit, run: Run, tmp_path: Path) -> None:
    page = visit(write_report(run, tmp_path / "r.html"))
    picks = page.locator("#costs .picks select")
    picks.nth(0).select_option(label="parameters")
    spots = page.locator("#costs .plot .spot")
    expect(spots).to_have_count(2)  # bicubic has none
    picks.nth(1).select_option(label="ssim-y")
    expect(page.locator("#costs .plot .axis").last).to_contain_text("ssim-y")


def test_sorting_by_cost(visit, run: Run, tmp_path: Path) -> None:
    page = visit(write_report(run, tmp_path / "r.html"))
    page.locator("table.costs thead th").nth(3).locator("button").click()
    names = page.locator("table.costs tbody th")
    expect(names.nth(0)).to_contain_text("bicubic")
    expect(names.nth(2)).to_contain_text("rcan")


def test_runs_of_others_have_no_costs(visit, tmp_path: Path) -> None:
    page = visit(write_report(make_run(), tmp_path / "r.html"))
    expect(page.locator("#costs")).to_have_count(0)
    expect(page.locator("nav a[href='#costs']")).to_be_hidden()
