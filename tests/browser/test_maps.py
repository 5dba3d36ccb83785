"""The page of maps in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import support
import tifffile
from pages import expect, settle, until

from srqa.engine.mapping import Style
from srqa.engine.maps import make_maps
from srqa.report.maps import write_page

pytestmark = pytest.mark.browser

NAMES = ("error", "ssim-y")
METHODS = ("fine", "poor", "worse")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maps of two contents and three methods with a page, and their values beside it."""
    place = support.scene(
        tmp_path_factory.mktemp("maps"), contents=("a", "b b"), methods=METHODS, side=96
    )
    for out, form in (("maps", "colour"), ("values", "float")):
        made = make_maps(
            [place / "out"], place / "hr", place / out, names=NAMES, scale=4, style=Style(form)
        )
        if form == "colour":
            write_page(made)
    return place


@pytest.fixture
def page(visit, folder):
    return visit(folder / "maps/index.html")


def shot(page, row: int, column: int):
    """A picture of the first content: row 0 holds the outputs, the others the maps."""
    rows = page.locator("table.atlas").first.locator("tbody tr")
    return rows.nth(row).locator(".shot").nth(column + (row == 0))


def shown_content(page) -> str:
    return page.locator("article.content h2").first.inner_text().replace("×4", "").strip()


def readings(page) -> list[str]:
    return page.locator("table.atlas").first.locator(".here").all_inner_texts()


def becomes(page, condition: str) -> None:
    until(page, f"(({{x, y, zoom, px, py}}) => {condition})(srqaMaps[0].state)")
    settle(page)


def test_every_content_with_its_maps(page) -> None:
    tables = page.locator("table.atlas")
    expect(tables).to_have_count(2)
    expect(tables.first.locator("thead th")).to_have_text(["Reference", *METHODS])
    expect(tables.first.locator("th.key h3")).to_have_text(list(NAMES))
    expect(tables.first.locator(".shot img")).to_have_count(4 + 2 * 3)
    until(page, "[...document.images].every((i) => i.complete && i.naturalWidth === 104)")
    expect(tables.first.locator(".ends").first).to_contain_text("64 levels")
    shown = page.evaluate(
        "[...document.querySelectorAll('.atlas .shot')].map((s) => Math.round(s.clientWidth))"
    )
    assert len(set(shown)) == 1  # all pictures have one size


def test_values_under_the_pointer_are_those_of_the_maps(page, folder) -> None:
    until(page, "[...document.images].every((i) => i.complete)")
    target = shot(page, 0, 1)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    for x, y in ((40, 50), (70, 20)):
        page.mouse.move(
            box["x"] + (x + 0.5) * box["width"] / 104, box["y"] + (y + 0.5) * box["height"] / 96
        )
        becomes(page, f"px !== null && Math.floor(px * 104) === {x} && Math.floor(py * 96) === {y}")
        found = iter(readings(page))
        for name, peak in zip(NAMES, (64.0, 1.0), strict=True):
            for method in METHODS:
                path = folder / f"values/{method}/{shown_content(page)}_{name}.tiff"
                value = min(float(tifffile.imread(path)[y, x]), peak)
                read = float(next(found).removeprefix("≥ "))
                assert read == pytest.approx(value, abs=peak / 254)
    page.mouse.move(2, 2)
    becomes(page, "px === null")
    assert set(readings(page)) == {""}


def test_the_rim_has_no_value(page) -> None:
    until(page, "[...document.images].every((i) => i.complete)")
    target = shot(page, 0, 0)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    page.mouse.move(box["x"] + 3 * box["width"] / 104, box["y"] + box["height"] / 2)
    becomes(page, "px !== null")
    found = readings(page)
    assert "no value" not in found[:3]
    assert found[3:] == ["no value"] * 3


def test_a_click_zooms_all_pictures_of_the_content(page) -> None:
    target = shot(page, 1, 0)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    becomes(page, "zoom === 4 && Math.abs(x - 0.25) < 0.01 && Math.abs(y - 0.5) < 0.01")
    scales = (
        page.locator("table.atlas")
        .first.locator(".shot img")
        .evaluate_all("all => all.map((i) => new DOMMatrix(getComputedStyle(i).transform).a)")
    )
    assert set(scales) == {4}
    others = (
        page.locator("table.atlas")
        .nth(1)
        .locator(".shot img")
        .evaluate_all("all => all.map((i) => new DOMMatrix(getComputedStyle(i).transform).a)")
    )
    assert set(others) == {1}
    page.mouse.down()
    page.mouse.move(x - 40, y, steps=4)
    page.mouse.up()
    becomes(page, "zoom === 4 && x > 0.27")
    page.keyboard.press("+")
    becomes(page, "zoom === 8")
    before = page.evaluate("srqaMaps[0].state.y")
    page.keyboard.press("ArrowDown")
    becomes(page, f"y > {before}")
    page.mouse.wheel(0, 100)
    becomes(page, "zoom === 4")
    page.keyboard.press("Escape")
    becomes(page, "zoom === 1")


def test_the_zoomed_pixel_is_the_one_that_was_pointed_at(page) -> None:
    """The wheel keeps the pixel under the pointer where it is."""
    target = shot(page, 1, 1)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6)
    becomes(page, "zoom === 4")
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.2)
    becomes(page, "px > 0.4")
    before = page.evaluate("[srqaMaps[0].state.px, srqaMaps[0].state.py]")
    page.mouse.wheel(0, -100)
    becomes(page, "zoom === 8")
    page.mouse.move(box["x"] + box["width"] * 0.8 + 0.5, box["y"] + box["height"] * 0.2)
    settle(page)
    after = page.evaluate("[srqaMaps[0].state.px, srqaMaps[0].state.py]")
    assert np.allclose(before, after, atol=0.01)


def test_links_lead_to_the_files(page, folder) -> None:
    links = page.locator(".atlas .under a").evaluate_all("all => all.map((a) => a.href)")
    assert len(links) == 12
    from urllib.parse import unquote, urlparse

    for link in links:
        assert Path(unquote(urlparse(link).path)).is_file()


def test_theme(visit, folder) -> None:
    page = visit(folder / "maps/index.html", color_scheme="dark")
    brightness = (
        "(getComputedStyle(document.body).backgroundColor.match(/\\d+/g) || []).map(Number)"
        ".slice(0, 3).reduce((a, b) => a + b) / 3"
    )
    until(page, f"{brightness} < 60")
    page.get_by_role("button", name="Light", exact=True).click()
    until(page, f"{brightness} > 200")


def test_narrow_screens_scroll_the_table_and_not_the_page(visit, folder) -> None:
    page = visit(folder / "maps/index.html", width=390, height=800, has_touch=True)
    until(page, "document.documentElement.scrollWidth <= 390")
    scroll = page.locator("article.content .scroll").first
    until(page, "(e => e.scrollWidth > e.clientWidth)(document.querySelector('.content .scroll'))")
    key = page.locator("th.key").first
    key.scroll_into_view_if_needed()
    left = key.bounding_box()["x"]
    scroll.evaluate("e => { e.scrollLeft = 200; }")
    settle(page)
    assert key.bounding_box()["x"] == pytest.approx(left, abs=8)  # the scale stays in sight
    shot(page, 1, 1).tap()
    becomes(page, "zoom === 4")
    shot(page, 1, 1).tap()
    becomes(page, "zoom === 1")


def test_it_is_whole_without_scripts(visit, folder) -> None:
    page = visit(folder / "maps/index.html", java_script_enabled=False)
    expect(page.locator("table.atlas").first.locator(".shot img")).to_have_count(10)
    expect(page.locator(".how")).to_be_hidden()
    expect(page.locator(".theme")).to_be_hidden()
