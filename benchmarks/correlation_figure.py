"""The picture of docs/correlation.md and the README, from the demonstration's page in Chromium.

    srqa demo correlate --out demo-correlate
    python -m benchmarks.correlation_figure demo-correlate/simulated/report.html

It shows the page's head, the ranking and the two best metrics against the scores, with the pointer
on a picture.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "docs" / "images" / "correlation.png"
WIDTH, MARGIN, SHARPNESS = 1000, 24, 1.5
POINTED = ("chelsea-1", "bilinear")
"""Content and method of the picture under the pointer."""
ONLY = """
header.top, .warnings, footer, main > section:not(#ranking):not(#scatter), #scatter .intro,
#scatter .bar .picks, .findings p:not(.lede), .scatters .card:nth-child(n + 3) { display: none }
main.page { padding-bottom: 40px }
main > section { padding-block: 20px 0 }
"""


PLACE = """([content, method]) => {
  const {points, contents, methods} = srqaCorrelation.data;
  const rows = points.method.map((m, i) => [m, i]);
  const drawn = [...new Set(points.method)].flatMap((m) => rows.filter((row) => row[0] === m));
  return drawn.findIndex(([m, i]) =>
    methods[m] === method && contents[points.content[i]] === content);
}"""
"""Which of a plot's marks is of this picture: marks are drawn method by method."""


def main(report: Path) -> None:
    """Write the picture."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": 1500}, device_scale_factor=SHARPNESS,
            color_scheme="light", bypass_csp=True,
        )  # fmt: skip
        page.goto(report.resolve().as_uri())
        page.add_style_tag(content=ONLY)
        page.wait_for_selector("#scatter .card svg .pt")
        page.wait_for_timeout(500)
        place = page.evaluate(PLACE, list(POINTED))
        if place < 0:
            raise SystemExit(f"{report} has no picture {' by '.join(POINTED)}")
        mark = page.locator("#scatter .card").first.locator(".pt").nth(place).bounding_box()
        page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
        page.wait_for_timeout(500)
        top = page.locator("h1").bounding_box()["y"] - MARGIN
        last = page.locator("#scatter .card").first.bounding_box()
        height = last["y"] + last["height"] + MARGIN - top
        shot = page.screenshot(clip={"x": 0, "y": top, "width": WIDTH, "height": height})
        browser.close()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.save(TARGET, optimize=True)
    print(f"{TARGET}: {picture.width} x {picture.height}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
