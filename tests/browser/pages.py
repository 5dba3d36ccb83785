"""What the tests of pages share: waiting for what a page does later, and looking at its pictures.

A page answers most things in its own time: it draws in the next frame, and hears of scrolling,
unfolding and taps after they happened. So a test first waits for what it is about (`expect`,
`until`), however slow the machine is, and only then looks.
"""

from __future__ import annotations

import base64
import io
import time
from pathlib import Path

import numpy as np
from PIL import Image

PATIENCE = 60_000  # milliseconds; only what is broken takes so long


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


def expect(what):
    """Playwright's assertions, which wait; it is an optional package."""
    from playwright.sync_api import expect as assertions

    return assertions(what)


def until(page, expression: str) -> None:
    """Wait for an expression; Playwright's own way needs eval, which the page forbids."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(30)


def settle(page) -> None:
    """Wait until what was asked for has been drawn and scrolling has been told of."""
    page.evaluate("new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))")


def bring(page, locator) -> None:
    """Scroll something into view, with the pointer where it touches nothing."""
    page.mouse.move(1, 1)
    locator.scroll_into_view_if_needed()
    settle(page)


def ready(page) -> None:
    """Wait for the first pictures and for the thumbnails."""
    until(page, "globalThis.srqaReport && srqaReport.viewer.panes.length > 1")
    until(
        page, "document.querySelector('.filmstrip button:not(:has(canvas[data-filled]))') === null"
    )
    bring(page, page.locator("#pictures"))


def open_table(page) -> None:
    """Unfold the table of images; it is drawn when the browser reports the unfolding."""
    page.locator("details.every summary").click()
    until(page, "document.querySelector('table.images tbody tr') !== null")
    settle(page)


def becomes(page, condition: str) -> None:
    """Wait for the viewer's state, as in `becomes(page, "zoom === 4")`, and for its drawing."""
    names = "zoom, mode, gain, u, v, active, held, flick"
    until(page, f"(({{{names}}}) => {condition})(srqaReport.viewer.state)")
    settle(page)


def state(page) -> dict:
    return page.evaluate("srqaReport.viewer.state")


def set_state(page, **change) -> None:
    page.evaluate("change => srqaReport.viewer.set(change)", change)
    settle(page)


def scroll_by_wheel(page, down: float) -> None:
    """Turn the wheel where the pointer is, and wait until the page has scrolled."""
    before = page.evaluate(
        """() => {
            globalThis.scrollEnded = false;
            addEventListener("scrollend", () => { scrollEnded = true; }, {once: true});
            return scrollY;
        }"""
    )
    page.mouse.wheel(0, down)
    until(page, f"scrollEnded && scrollY !== {before}")
    settle(page)


def drawn(page, pane: str, kind: str = "picture") -> np.ndarray:
    """What a pane's canvas holds, (H, W, 3)."""
    address = page.evaluate(
        """([pane, kind]) => {
            const c = document.querySelector(`.pane[data-id="${pane}"] canvas.${kind}`);
            return c.toDataURL("image/png");
        }""",
        [pane, kind],
    )
    png = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def stored(folder: Path, page, method: int | None) -> np.ndarray:
    content = page.locator('.filmstrip [aria-pressed="true"]').inner_text().strip()
    place = "reference" if method is None else f"output/m{method}"
    return np.asarray(Image.open(folder / place / f"{content}.png"))


def expect_order(page, *names: str) -> None:
    """Wait until these methods stand in this order in the first summary table."""
    cells = page.locator("table.summary").first.locator("tbody th")
    expect(cells).to_have_text(list(names))
