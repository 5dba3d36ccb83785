"""A real Chromium, and reports opened in it that must stay quiet."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from pages import PATIENCE, Opened
from raters import FIND, Participant, Served, stay_quiet
from report_runs import run_with_pictures

from srqa.report.html import write_report

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--force-color-profile=srgb",
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
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        _missing("playwright")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        _missing("Chromium")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=executable, args=ARGUMENTS, timeout=PATIENCE
        )
        yield started
        started.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable]:
    """Opens a report from file:// and checks afterwards that it stayed quiet."""
    contexts, opened = [], []

    def go(report: Path, width: int = 1280, height: int = 900, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE)
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


@pytest.fixture
def person(browser) -> Iterator[Callable[..., Participant]]:
    """Opens a study for somebody new, and checks afterwards that the page stayed quiet."""
    contexts, complaints = [], []

    def go(
        at: Served, query: str = "", width: int = 1280, height: int = 800,
        load: bool = True, sockets: Callable | None = None, noisy: bool = False,
        **options,
    ) -> Participant:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        context.set_default_timeout(60_000)
        context.add_init_script(FIND)
        contexts.append(context)
        page = context.new_page()
        if not noisy:
            page.on("console", lambda m: complaints.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        one = Participant(page, at.study())
        if sockets:
            page.route_web_socket("**/_stcore/stream", sockets)
        if load:
            page.goto(f"{at.url}{query}")
        return one

    yield go
    for context in contexts:
        context.close()
    assert stay_quiet(complaints) == []
