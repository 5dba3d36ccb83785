"""The page of metrics against people, and the explorer, in a real Chromium."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from pages import PATIENCE, expect, settle, until
from raters import answers, free_port
from support import noisy, picture, write

import srqa
from srqa.report.correlation.page import write_page
from srqa.study.simulate import simulate_study
from srqa.study.study import open_study

pytestmark = pytest.mark.browser
METHODS = ("near", "mid", "far")
CONTENTS = [f"p{i}" for i in range(9)]
BRIGHTNESS = (
    "(getComputedStyle(document.body).backgroundColor.match(/\\d+/g) || []).map(Number)"
    ".slice(0, 3).reduce((a, b) => a + b) / 3"
)

PAPER = (
    "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    ".match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 3"
)


@pytest.fixture(scope="module")
def rated(tmp_path_factory) -> tuple[Path, pd.DataFrame]:
    """A Run with pictures, and human scores of them."""
    folder = tmp_path_factory.mktemp("rated")
    rng, rows = np.random.default_rng(0), []
    for i, content in enumerate(CONTENTS):
        pixels = picture(content, 96, 112)
        write(folder / f"hr/{content}.png", pixels)
        for k, method in enumerate(METHODS):
            write(folder / f"out/{method}/{content}.png", noisy(pixels, 3 + 5 * k, seed=i))
            rows.append((content, method, 4.2 - k + rng.normal(0, 0.3), 0.7, 20))
    ratings = pd.DataFrame(rows, columns=["content", "method", "mos", "sd", "n"])
    srqa.evaluate(folder / "out", folder / "hr", scale=4, metrics="psnr-y,ssim-y,gmsd",
                  out=folder / "run")  # fmt: skip
    ratings.to_csv(folder / "mos.csv", index=False)
    return folder, ratings


@pytest.fixture(scope="module")
def page_file(rated) -> Path:
    folder, ratings = rated
    found = srqa.correlate(ratings, folder / "run", resamples=100)
    return write_page(found, folder / "report.html", title="Three metrics")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_shows_its_parts(visit, page_file, width) -> None:
    page = visit(page_file, width=width)
    expect(page.locator("#ranking .forest svg .row")).to_have_count(3)
    expect(page.locator("#scatter .card svg")).to_have_count(3)
    expect(page.locator("#noticed .steps svg")).to_have_count(3)
    expect(page.locator(".matrix")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pointing_finds_the_picture_in_every_plot(visit, page_file) -> None:
    page = visit(page_file)
    point = page.locator("#scatter .card").first.locator(".pt").nth(4)
    point.scroll_into_view_if_needed()
    settle(page)
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".tip")).to_be_visible()
    expect(page.locator(".tip")).to_contain_text("MOS")
    expect(page.locator(".tip img")).to_have_count(1)
    assert page.locator("#scatter .pin").count() == 3
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(2, 2)
    until(page, "document.querySelectorAll('#scatter .pin').length === 9")


def test_plots_by_keyboard_and_other_figures(visit, page_file) -> None:
    page = visit(page_file)
    plot = page.locator("#scatter .card svg").first
    plot.scroll_into_view_if_needed()
    settle(page)
    plot.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tip")).to_be_visible()
    before = page.locator("#ranking .value").first.text_content()
    page.locator("#ranking select").select_option("krcc")
    assert page.locator("#ranking .value").first.text_content() != before


def test_table_sorts_and_steps_tell(visit, page_file) -> None:
    page = visit(page_file)
    heads = page.locator("table.summary.sortable thead button")
    heads.filter(has_text="RMSE").click()
    cells = page.locator("table.summary.sortable tbody tr td:nth-child(5)")
    values = [float(c.get_attribute("data-value")) for c in cells.all()]
    assert values == sorted(values)
    step = page.locator("#noticed .step").first
    step.scroll_into_view_if_needed()
    settle(page)
    step.hover()
    expect(page.locator(".tip")).to_contain_text("people side with it")


def test_theme_is_switched_and_remembered(visit, page_file) -> None:
    page = visit(page_file, color_scheme="dark")
    until(page, f"{BRIGHTNESS} < 60")
    page.get_by_role("button", name="Light", exact=True).click()
    until(page, f"{BRIGHTNESS} > 200")
    page.reload()
    until(page, f"{BRIGHTNESS} > 200")


def test_disagreements_show_pictures(visit, page_file) -> None:
    page = visit(page_file)
    shown = page.evaluate("srqaCorrelation.data.metrics.length")
    assert shown == 3
    duels = page.locator(".duel")
    if duels.count():  # the metrics may agree on every pair of outputs
        expect(duels.first.locator("img").first).to_be_visible()


@contextmanager
def exploring(folder: Path, *options: str, **environment: str):
    """`srqa explore` on a port of its own; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "srqa", "explore", "run", *options, "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | environment,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 120
        while not answers(f"{address}/_stcore/health"):
            assert process.poll() is None, process.stdout.read().decode()
            assert time.monotonic() < end, "the explorer does not start"
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def explorer(rated):
    with exploring(rated[0], "--ratings", "mos.csv") as address:
        yield address


@pytest.fixture
def look(browser):
    contexts, errors = [], []

    def go(url: str, **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return page

    yield go
    for context in contexts:
        context.close()
    assert errors == []


def test_explorer_opens_and_its_addresses_can_be_shared(explorer, look) -> None:
    page = look(explorer)
    expect(page.get_by_text("27 of 27 pictures")).to_be_visible()
    page.locator('[data-testid="stButtonGroup"]').get_by_text("Pictures").click()
    until(page, "location.search.includes('page=Pictures')")
    address = page.url
    other = look(address)
    expect(other.locator(".explore .pane").first).to_be_visible()


def test_explorer_shows_pictures_from_an_address(explorer, look) -> None:
    page = look(f"{explorer}/?page=Pictures&content=p3")
    expect(page.locator('.explore[data-ready="p3"]')).to_be_visible()
    expect(page.locator(".explore .pane")).to_have_count(4)
    expect(page.locator(".explore .who").filter(has_text="far")).to_have_count(1)
    page.get_by_role("button", name="Error", exact=True).click()
    until(page, "srqaExplorer.viewer.state.mode === 'error'")


def test_explorer_plane_leads_to_pictures(explorer, look) -> None:
    page = look(f"{explorer}/?page=Plane")
    chart = page.locator('[data-testid="stVegaLiteChart"]').locator("canvas, svg").first
    expect(chart).to_be_visible()
    for _ in range(20):  # the chart listens some time after it shows
        box = chart.bounding_box()
        page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
        page.wait_for_timeout(1500)
        if "page=Pictures" in page.url:
            break
    until(page, "location.search.includes('page=Pictures')")
    expect(page.locator(".explore .pane").first).to_be_visible()


def test_explorer_compares_with_people(explorer, look) -> None:
    page = look(f"{explorer}/?page=People")
    expect(page.get_by_text("agrees best with people").first).to_be_visible()


def test_explorer_follows_a_switch_of_theme(explorer, look) -> None:
    """Of the system while the page is open, and by the page's own menu."""
    page = look(f"{explorer}/?page=Pictures&content=p3", color_scheme="light")
    until(page, f"{PAPER} > 200")
    expect(page.locator('.explore[data-ready="p3"]')).to_be_visible()
    page.emulate_media(color_scheme="dark")
    until(page, f"{PAPER} < 60")
    page.locator('[data-testid="stMainMenu"]').click()
    page.get_by_test_id("stMainMenuItem-theme-Light").click()
    until(page, f"{PAPER} > 200")
    expect(page.locator('.explore[data-ready="p3"]')).to_be_visible()


@pytest.fixture(scope="module")
def studied(rated) -> tuple[Path, str]:
    """A study of the same pictures, and a database in which synthetic people have answered it."""
    folder, _ = rated
    definition = {
        "version": 1, "title": {"en": "Pictures"}, "languages": ["en"], "method": "acr",
        "stimuli": {"root": "../out", "pattern": "{method}/{content}.png",
                    "reference": {"root": "../hr"}},
        "session": {"trials": 27, "min_gap_same_content": 1},
    }  # fmt: skip
    (folder / "study").mkdir()
    (folder / "study/study.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    study = open_study(folder / "study", prepare=True)
    database = str(folder / "answers.sqlite")
    simulate_study(study, observers=8, seed=1, database=database)
    study.store.database.close()
    return folder, database


def test_explorer_shows_the_answers_of_a_study(studied, look) -> None:
    folder, database = studied
    with exploring(folder, "--study", "study", SRQA_DATABASE=database) as address:
        page = look(f"{address}/?page=People")
        finding = page.get_by_text("agrees best with people").first
        expect(finding).to_contain_text("over 27 pictures (9 contents, 3 methods)")
        expect(page.locator('[data-testid="stVegaLiteChart"]').first).to_be_visible()
        expect(page.get_by_text("noise ceiling").first).to_contain_text("halves of the panel")
