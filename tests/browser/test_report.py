"""The HTML report in a real Chromium."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from report_runs import make_run, no_reference_metric, run_with_pictures

from srqa.metrics import registry
from srqa.report.html import write_report

pytestmark = pytest.mark.browser
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
HOW = "install it: `pip install srqa[browser]` and `apt-get install chromium` (or similar)"


def _missing(what: str) -> None:
    message = f"{what} is missing; {HOW}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        _missing("Chromium")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield started
        started.close()


class Opened:
    """A page, and everything that it must not do."""

    def __init__(self, page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda m: self.complaints.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        page.on("request", self._request)

    def _request(self, request) -> None:
        if not request.url.startswith(("data:", "blob:", "file:")):
            self.complaints.append(f"request to {request.url}")


@pytest.fixture
def visit(browser) -> Iterator:
    """Opens a report from file:// and checks afterwards that it stayed quiet."""
    contexts, opened = [], []

    def go(report: Path, width: int = 1280, height: int = 900, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        one = Opened(context.new_page())
        opened.append(one)
        one.page.goto(report.as_uri())
        return one.page

    yield go
    complaints = [complaint for one in opened for complaint in one.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    run = run_with_pictures(folder, methods=("blur", "noise", "third"), size=(240, 320))
    write_report(run, folder / "report.html")
    return folder


def ready(page) -> None:
    until(page, "globalThis.srqaReport && srqaReport.viewer.panes.length > 1")
    page.locator("#pictures").scroll_into_view_if_needed()
    settle(page)


def until(page, expression: str, seconds: float = 15) -> None:
    """Wait for an expression; Playwright's own way needs eval, which the page forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(30)


def settle(page) -> None:
    """Wait until what was asked for has been drawn."""
    page.evaluate("new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))")


def open_table(page) -> None:
    """Unfold the table of images; it is drawn when the browser reports the unfolding."""
    page.locator("details.every summary").click()
    until(page, "document.querySelector('table.images tbody tr') !== null")


def state(page) -> dict:
    return page.evaluate("srqaReport.viewer.state")


def set_state(page, **change) -> None:
    page.evaluate("change => srqaReport.viewer.set(change)", change)
    settle(page)


def drawn(page, pane: str, kind: str = "picture") -> np.ndarray:
    """What a pane's canvas holds, (H, W, 3)."""
    width, height, data = page.evaluate(
        """([pane, kind]) => {
            const c = document.querySelector(`.pane[data-id="${pane}"] canvas.${kind}`);
            const copy = new OffscreenCanvas(c.width, c.height).getContext("2d");
            copy.drawImage(c, 0, 0);
            const d = copy.getImageData(0, 0, c.width, c.height).data;
            return [c.width, c.height, [...d]];
        }""",
        [pane, kind],
    )
    return np.array(data, np.uint8).reshape(height, width, 4)[..., :3]


def stored(folder: Path, page, method: int | None) -> np.ndarray:
    content = page.locator('.filmstrip [aria-pressed="true"]').inner_text().strip()
    place = "reference" if method is None else f"output/m{method}"
    return np.asarray(Image.open(folder / place / f"{content}.png"))


def first_cells(page) -> list[str]:
    return [
        text.strip()
        for text in page.locator("table.summary").first.locator("tbody th").all_inner_texts()
    ]


def test_tables_sort_by_click_and_by_keyboard(visit, tmp_path: Path) -> None:
    order = {"a": 2, "b": 3, "c": 1}
    run = make_run(
        methods=("a", "b", "c"),
        metrics=("psnr", "mse"),
        value=lambda method, metric, dataset, i: float(order[method] + i),
    )
    page = visit(write_report(run, tmp_path / "r.html"))
    head = page.locator("table.summary thead th")
    assert first_cells(page) == ["b", "a", "c"]
    assert head.nth(1).get_attribute("aria-sort") == "descending"
    head.nth(2).locator("button").click()
    assert first_cells(page) == ["c", "a", "b"]
    assert head.nth(2).get_attribute("aria-sort") == "ascending"
    assert head.nth(1).get_attribute("aria-sort") == "none"
    head.nth(2).locator("button").press("Enter")
    assert first_cells(page) == ["b", "a", "c"]
    assert head.nth(2).get_attribute("aria-sort") == "descending"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert first_cells(page) == ["a", "b", "c"]


def test_what_stands_under_the_means(visit, tmp_path: Path) -> None:
    page = visit(write_report(make_run(), tmp_path / "r.html"))
    cell = page.locator("td.num").first
    assert cell.locator(".ci").is_visible()
    page.get_by_role("button", name="Gap to best").click()
    assert cell.locator(".gap").is_visible()
    assert not cell.locator(".ci").is_visible()
    page.get_by_role("button", name="Means only").click()
    assert not cell.locator(".gap").is_visible()


def test_theme_follows_the_system_and_the_switch(visit, tmp_path: Path) -> None:
    report = write_report(make_run(), tmp_path / "r.html")
    brightness = (
        "(getComputedStyle(document.body).backgroundColor.match(/\\d+/g) || []).map(Number)"
        ".slice(0, 3).reduce((a, b) => a + b) / 3"
    )
    page = visit(report, color_scheme="dark")
    assert page.evaluate(brightness) < 60
    page.get_by_role("button", name="Light", exact=True).click()
    assert page.evaluate(brightness) > 200
    page.reload()
    assert page.evaluate(brightness) > 200
    page.get_by_role("button", name="Auto", exact=True).click()
    assert page.evaluate(brightness) < 60


def test_zoom_follows_the_pointer_in_all_panes(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html")
    ready(page)
    canvas = page.locator(".pane canvas.picture")
    assert canvas.count() == 4
    box = canvas.nth(2).bounding_box()
    seen = []
    for u, v in ((0.25, 0.5), (0.75, 0.25)):
        page.mouse.move(box["x"] + u * box["width"], box["y"] + v * box["height"])
        settle(page)
        places = canvas.evaluate_all("all => all.map(c => [+c.dataset.left, +c.dataset.top])")
        assert len({tuple(place) for place in places}) == 1
        assert places[0][0] == pytest.approx(u * (320 - box["width"] / 4), abs=1.5)
        assert places[0][1] == pytest.approx(v * (240 - box["height"] / 4), abs=1.5)
        seen.append(places[0])
    assert seen[0] != seen[1]
    page.mouse.move(5, 5)
    settle(page)
    assert not state(page)["active"]


@pytest.mark.parametrize("zoom", [2, 4, 8])
def test_zoomed_pixels_are_those_of_the_files(visit, pictures: Path, zoom: int) -> None:
    page = visit(pictures / "report.html")
    ready(page)
    set_state(page, zoom=zoom, u=0, v=0, held=True)
    for pane, method in (("-1", None), ("1", 1)):
        shown, pixels = drawn(page, pane), stored(pictures, page, method)
        rows, columns = shown.shape[0] // zoom - 1, shown.shape[1] // zoom - 1
        start = zoom // 2 + 24 // zoom * zoom  # past the cross in the corner
        inside = shown[start::zoom, start::zoom][: rows - start // zoom, : columns - start // zoom]
        first = start // zoom
        wanted = pixels[first : first + inside.shape[0], first : first + inside.shape[1]]
        assert np.array_equal(inside, wanted)


def test_error_map_is_the_absolute_difference(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html")
    ready(page)
    reference = stored(pictures, page, None).astype(int)
    for method in range(3):
        sums = np.array(page.evaluate(f"[...srqaReport.viewer.errors('{method}')]"))
        wanted = np.abs(stored(pictures, page, method) - reference).sum(axis=2)
        assert np.array_equal(sums.reshape(wanted.shape), wanted)
    page.locator(".viewer").focus()
    page.keyboard.press("e")
    settle(page)
    assert state(page)["mode"] == "error"
    assert page.locator('.pane[data-id="0"] canvas.error').is_visible()
    assert not page.locator('.pane[data-id="0"] canvas.picture').is_visible()
    assert page.locator('.pane[data-id="-1"] canvas.picture').is_visible()
    dark = []
    for gain in (1, 4, 16):
        page.get_by_role("button", name=f"gain {gain}", exact=True).click()
        settle(page)
        dark.append(drawn(page, "0", "error").mean())
    assert dark[0] < dark[1] < dark[2]
    assert "16 levels" in page.locator(".scale").inner_text()


def test_hold_drag_wheel_and_keys(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html")
    ready(page)
    box = page.locator(".pane canvas.picture").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    assert state(page)["zoom"] == 4  # the page scrolls; pictures zoom only once held
    page.locator("#pictures").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = page.locator(".pane canvas.picture").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    assert state(page)["held"]
    page.mouse.move(x + 40, y)
    assert state(page)["u"] == pytest.approx(0.5, abs=0.01)
    page.mouse.wheel(0, -100)
    settle(page)
    assert state(page)["zoom"] == 8
    page.keyboard.press("-")
    assert state(page)["zoom"] == 4
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=4)
    page.mouse.up()
    assert state(page)["held"]
    assert state(page)["u"] < 0.49
    before = state(page)["v"]
    page.keyboard.press("ArrowDown")
    assert state(page)["v"] > before
    page.keyboard.press("Escape")
    assert not state(page)["active"]


def test_space_flicks_to_the_reference(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html")
    ready(page)
    set_state(page, zoom=4, u=0, v=0, held=True)
    page.locator(".viewer").focus()
    own, reference = drawn(page, "0"), drawn(page, "-1")
    page.keyboard.down("Space")
    settle(page)
    assert np.array_equal(drawn(page, "0"), reference)
    page.keyboard.up("Space")
    settle(page)
    assert np.array_equal(drawn(page, "0"), own)
    assert not np.array_equal(own, reference)


def test_dots_tell_their_image_and_open_its_pictures(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html")
    ready(page)
    page.locator("#distributions").scroll_into_view_if_needed()
    page.locator(".card svg").first.focus()
    settle(page)  # scrolling hides the box
    page.keyboard.press("ArrowRight")
    tip = page.locator(".tip")
    assert tip.is_visible()
    assert re.search(r"img\d\s+\w+\s+psnr \d\d\.\d\d dB, \d of 3", tip.inner_text())
    assert page.locator(".card .ring circle").count() == 3
    name = tip.inner_text().split()[0]
    box = page.locator(".card .ring circle").nth(1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert tip.inner_text().split()[0] == name
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    chosen = page.locator('.filmstrip [aria-pressed="true"]')
    assert chosen.inner_text().strip() == name
    assert page.locator(".about h3").inner_text().startswith(name)


def test_contents_and_panes_can_be_chosen(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html")
    ready(page)
    page.locator(".filmstrip button").nth(1).click()
    until(page, "document.querySelector('.viewer').dataset.content === '1'")
    page.get_by_role("button", name="noise", exact=True).click()
    assert page.locator(".pane:visible").count() == 3
    page.locator(".viewer").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert "x " in page.locator('.pane[data-id="-1"] .readout').inner_text()
    assert "error " in page.locator('.pane[data-id="0"] .readout').inner_text()


def test_plane_of_perception_and_distortion(
    visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {s.name: s for s in (*registry.specs(), no_reference_metric())}
    monkeypatch.setattr(registry, "_registry", lambda: known)
    table = {("sharp", "psnr"): 30.0, ("real", "psnr"): 25.0}
    table |= {("sharp", "calm"): 6.0, ("real", "calm"): 3.0}
    run = make_run(
        methods=("sharp", "real"),
        metrics=("psnr", "calm"),
        value=lambda method, metric, dataset, i: table[method, metric] + i / 10,
    )
    page = visit(write_report(run, tmp_path / "r.html"))
    spots = page.locator("#plane .spot")
    assert spots.count() == 2
    sharp, real = (spots.nth(i).bounding_box() for i in range(2))
    assert sharp["x"] > real["x"]  # more dB lies to the right
    assert real["y"] < sharp["y"]  # a lower score of a lower-is-better metric lies further up
    assert page.locator("#plane .axis").all_text_contents() == [
        "psnr (dB)   better →",
        "calm, axis reversed   better →",
    ]
    spots.first.hover()
    assert "psnr 30.20 dB [" in page.locator(".tip").inner_text()


def test_no_plane_without_both_kinds(visit, tmp_path: Path) -> None:
    page = visit(write_report(make_run(), tmp_path / "r.html"))
    assert not page.locator("#plane").is_visible()
    assert not page.locator('nav [href="#plane"]').is_visible()


def test_unknown_metrics_and_odd_values_draw(visit, tmp_path: Path) -> None:
    numbers = [float("inf"), float("nan"), 3.0, -2.0, 1e9]
    run = make_run(
        metrics=("from-the-future", "psnr", "niqe-from-elsewhere"),
        value=lambda method, metric, dataset, i: numbers[i],
    )
    page = visit(write_report(run, tmp_path / "r.html"))
    assert page.locator(".card").count() == 3
    assert page.locator("text=∞ × 1").count() == 9
    open_table(page)
    assert page.locator("table.images tbody tr").count() == 15


def test_fifteen_thousand_rows_stay_usable(visit, tmp_path: Path) -> None:
    metrics = ("psnr-y", "ssim-y", "psnr", "ssim", "ms-ssim", "mse", "rmse", "m1", "m2", "m3")
    report = write_report(make_run(metrics=metrics, images=5000), tmp_path / "r.html")
    page = visit(report)
    open_table(page)
    table = page.locator("table.images")
    assert table.locator("tbody tr").count() < 100
    milliseconds = page.evaluate(
        """() => {
            const start = performance.now();
            document.querySelectorAll("table.images thead button")[2].click();
            document.querySelector("table.images").getBoundingClientRect();
            return performance.now() - start;
        }"""
    )
    assert milliseconds < 1500
    numbers = [float(t) for t in table.locator("tbody td:nth-child(3)").all_inner_texts()[:20]]
    assert numbers == sorted(numbers, reverse=True)
    page.locator(".tall").evaluate("node => { node.scrollTop = node.scrollHeight; }")
    settle(page)
    last = table.locator("tbody tr").last
    assert last.get_attribute("aria-rowindex") == "15001"
    page.locator(".filter input").fill("img0042")
    until(page, "document.querySelectorAll('table.images tbody tr').length === 3")
    assert page.locator(".filter .num").inner_text() == "3 of 15,000 rows"


def test_hostile_names_stay_text(visit, tmp_path: Path) -> None:
    names = ("<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "插值 🦋")
    page = visit(write_report(make_run(methods=names), tmp_path / "r.html"))
    open_table(page)
    assert page.locator("img").count() == 0
    assert sorted(first_cells(page)) == sorted(names)
    page.locator(".card svg").first.focus()
    settle(page)  # scrolling hides the box
    page.keyboard.press("ArrowRight")
    assert any(name in page.locator(".tip").inner_text() for name in names)


def test_phone_has_no_horizontal_overflow(visit, pictures: Path, tmp_path: Path) -> None:
    long_names = ("a-very-long-method-name_with_x4_and_500000_iterations" * 2, "b", "c")
    wide = make_run(methods=long_names, metrics=("psnr", "ssim", "mse", "rmse", "ms-ssim"))
    for report in (pictures / "report.html", write_report(wide, tmp_path / "r.html")):
        page = visit(report, width=390, height=844, has_touch=True, device_scale_factor=2)
        page.wait_for_timeout(300)
        open_table(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_touch_holds_a_place(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html", width=390, height=844, has_touch=True)
    ready(page)
    canvas = page.locator(".pane canvas.picture").nth(1)
    canvas.scroll_into_view_if_needed()
    canvas.tap(position={"x": 30, "y": 60})
    assert state(page)["held"]
    assert state(page)["u"] < 0.3
    page.get_by_role("button", name="Whole picture").tap()
    assert not state(page)["active"]


def test_print_shows_pictures_and_error_maps_without_controls(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html")
    until(page, "document.documentElement.dataset.printable === 'true'")
    page.emulate_media(media="print")
    assert page.locator(".stills figure:visible img").count() == 12
    assert page.locator(".stills canvas.printed:visible").count() == 9
    assert page.locator("button:visible").count() == page.locator("thead button:visible").count()
    assert not page.locator(".live").is_visible()
    assert len(page.pdf(format="A4")) > 20_000


def test_pictures_stand_there_without_scripts(visit, pictures: Path) -> None:
    page = visit(pictures / "report.html", java_script_enabled=False)
    assert page.locator(".stills img:visible").count() == 12
    assert page.locator("table.summary").is_visible()
    assert not page.locator("#distributions").is_visible()


def test_signatures_can_be_copied(visit, tmp_path: Path) -> None:
    page = visit(write_report(make_run(), tmp_path / "r.html"))
    button = page.locator("button.copy").first
    button.click()
    until(page, "document.querySelector('button.copy').textContent !== 'Copy'")
    assert button.inner_text() in ("Copied", "Selected")
