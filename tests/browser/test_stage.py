"""The stage on which raters see pictures: exact pixels, views, zoom and pan, in a real Chromium."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from pages import expect, settle, until
from PIL import Image

from srqa import viewer

pytestmark = pytest.mark.browser

SIZES = ((200, 301), (200, 301))
RATIOS = (1, 1.1, 1.25, 4 / 3, 1.5, 1.75, 2, 2.625)


def noise(i: int) -> np.ndarray:
    """No two neighbours alike: whatever is resampled or moved shows at once."""
    return np.random.default_rng(i).integers(0, 256, (*SIZES[i], 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a stage whose box is no whole number of pixels high, and two pictures."""
    folder = tmp_path_factory.mktemp("stage")
    addresses = []
    for i in range(2):
        stream = io.BytesIO()
        Image.fromarray(noise(i)).save(stream, "png")
        addresses.append(
            f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
        )
    (folder / "stage.html").write_text(
        f"""<!doctype html><meta charset="utf-8"><title>stage</title>
        <style>body {{ margin: 0 }} {viewer.styles("stage")}
        #stage {{ position: fixed; left: 0; top: 0; width: 100vw; height: calc(100vh - 101.3px) }}
        </style><div id="stage"></div><script>{viewer.scripts("surface", "stage")}
        globalThis.stage = srqaStage.create(document.getElementById("stage"), {{}});
        (async () => {{
          const decode = async (u) => srqaStage.decode(await (await fetch(u)).blob());
          globalThis.pictures = await Promise.all({addresses!r}.map(decode));
          pictures.forEach((p, i) => {{ p.id = i; p.label = "AB"[i]; }});
        }})();
        globalThis.show = (view, more = {{}}) =>
          stage.show({{view, pictures: view === "single" ? [pictures[0]] : pictures, ...more}});
        </script>""",
        encoding="utf-8",
    )
    return folder / "stage.html"


@pytest.fixture
def opened(visit, place):
    def go(**options):
        page = visit(place, **options)
        until(page, "globalThis.pictures !== undefined && stage.surface.width > 0")
        return page

    return go


def show(page, view: str, **more) -> None:
    page.evaluate("([view, more]) => show(view, more)", [view, more])


def seen(page) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))


def on_screen(page, zoom: int = 1) -> dict[int, np.ndarray]:
    """The screenshot's part where each picture lies."""
    screen = seen(page)
    return {
        p["id"]: screen[p["y"] : p["y"] + p["height"] : zoom, p["x"] : p["x"] + p["width"] : zoom]
        for p in page.evaluate("stage.places()")
    }


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("width", "height"), [(1283, 811), (701, 901)])
def test_every_sample_is_a_pixel_of_the_screen(opened, ratio, width, height) -> None:
    page = opened(width=width, height=height, device_scale_factor=ratio)
    for view, shown in (("single", 1), ("side", 2), ("flick", 1)):
        show(page, view)
        proof = page.evaluate("stage.proof()")
        assert (proof["exact"], proof["faults"], proof["whole"]) == (True, [], True)
        parts = on_screen(page)
        assert len(parts) == shown
        for i, part in parts.items():
            assert np.array_equal(part, noise(i)), (view, i)


def test_the_surround_is_the_grey_that_was_asked_for(opened) -> None:
    page = opened()
    show(page, "single")
    screen = seen(page)
    assert tuple(screen[5, 5]) == (0x77, 0x77, 0x77)
    page.evaluate("stage.blank()")
    until(page, "stage.places().length === 0")
    settle(page)
    assert np.all(seen(page)[:700] == 0x77)


def test_the_proof_finds_what_spoils_pixels(opened) -> None:
    page = opened()
    show(page, "single")
    assert page.evaluate("stage.proof().exact")
    root = "document.getElementById('stage')"
    for spoil, mend, fault in (
        (f"{root}.style.transform = 'scale(0.9)'", f"{root}.style.transform = ''", "scale"),
        (f"{root}.style.left = '0.4px'", f"{root}.style.left = '0px'", "origin"),
        ("stage.set({zoom: 2})", "stage.set({zoom: 1})", "zoom"),
        ("stage.surface.context.fillRect(640, 350, 1, 1)", "stage.set({})", "samples"),
    ):
        page.evaluate(spoil)
        proof = page.evaluate("stage.proof()")
        assert not proof["exact"]
        assert fault in proof["faults"]
        page.evaluate(mend)
        settle(page)
        assert page.evaluate("stage.proof().exact")


def test_zoom_repeats_pixels_and_moves_all_panes_together(opened) -> None:
    page = opened(width=700, height=420)
    show(page, "side")
    for zoom in (2, 4):
        page.evaluate("zoom => stage.set({zoom, u: 0.5, v: 0.5})", zoom)
        settle(page)
        first, second = page.evaluate("stage.places()")
        screen = seen(page)
        for place, left, right in ((first, 0, 334), (second, 366, 700)):
            part = screen[60:300, left:right]
            rows = (np.arange(60, 300) - place["y"]) // zoom
            columns = (np.arange(left, right) - place["x"]) // zoom
            inside = (columns >= 0) & (columns < 301)
            wanted = noise(place["id"])[np.ix_(rows, columns[inside])]
            assert np.array_equal(part[:, inside], wanted)
    before = page.evaluate("stage.places()")
    page.mouse.move(170, 200)
    page.mouse.down()
    page.mouse.move(150, 190, steps=4)
    page.mouse.up()
    until(page, "stage.used.pans > 0")
    settle(page)
    after = page.evaluate("stage.places()")
    moved = {(b["x"] - a["x"], b["y"] - a["y"]) for a, b in zip(before, after, strict=True)}
    assert len(moved) == 1
    across, down = moved.pop()
    assert -21 <= across <= -15
    assert -11 <= down <= -5
    page.keyboard.down("Control")
    page.mouse.wheel(0, 100)
    until(page, "stage.state.zoom === 2")
    page.keyboard.up("Control")
    assert page.evaluate("devicePixelRatio") == 1  # the page itself is not zoomed


def test_flick_puts_both_in_one_place(opened) -> None:
    page = opened()
    show(page, "side")
    page.evaluate("stage.toggle()")
    settle(page)
    (first,) = on_screen(page).items()
    where = page.evaluate("stage.places()[0]")
    page.evaluate("stage.toggle()")
    settle(page)
    (second,) = on_screen(page).items()
    assert (first[0], second[0]) == (0, 1)
    assert np.array_equal(first[1], noise(0))
    assert np.array_equal(second[1], noise(1))
    assert page.evaluate("stage.places()[0]") == where | {"id": 1}
    assert page.evaluate("stage.used.toggles") == 2


def test_the_divider_parts_two_pictures(opened) -> None:
    page = opened()
    show(page, "split")
    handle = page.get_by_role("slider")
    expect(handle).to_have_attribute("aria-valuenow", "50")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + 20, steps=3)
    page.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "70")
    handle.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuenow", "68")
    settle(page)
    parts = on_screen(page)
    cut = round(301 * page.evaluate("stage.state.split"))
    reach = slice(0, cut - 20), slice(cut + 20, 301)  # the handle lies above the middle
    assert np.array_equal(parts[0][:, reach[0]], noise(0)[:, reach[0]])
    assert np.array_equal(parts[1][:, reach[1]], noise(1)[:, reach[1]])


def test_two_fingers_zoom_and_one_moves(opened) -> None:
    page = opened(width=500, height=600, has_touch=True, is_mobile=False)
    show(page, "single")
    client = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", (230, 250), (270, 250))
    for spread in (40, 60, 90):
        touch("touchMove", (250 - spread, 250), (250 + spread, 250))
    touch("touchEnd")
    until(page, "stage.state.zoom === 2 || stage.state.zoom === 4")
    assert page.evaluate("visualViewport.scale") == 1
    before = page.evaluate("stage.state.u")
    touch("touchStart", (250, 250))
    for x in (240, 220, 200):
        touch("touchMove", (x, 250))
    touch("touchEnd")
    until(page, f"stage.state.u > {before}")
