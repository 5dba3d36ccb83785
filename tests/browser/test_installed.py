"""`srqa study serve` from an installed wheel, in an empty folder, in a real Chromium."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from pages import PATIENCE, expect
from raters import answers, free_port

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """What `pip install` of the wheel puts into site-packages."""
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--quiet",
         "-w", str(out), str(ROOT)],
        check=True,
    )  # fmt: skip
    (wheel,) = out.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(out / "site")
    return out / "site"


def test_the_demo_study_is_served(site, tmp_path, browser) -> None:
    pytest.importorskip("skimage")
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "srqa", "study", "serve", "demo", "--port", str(port),
             "--address", "127.0.0.1"],
            cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(site)}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE / 1000
        while not answers(f"http://127.0.0.1:{port}/_stcore/health"):
            assert server.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.1)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/?lang=en")
        page.get_by_role("button", name="I agree").click()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="I am ready").click()
        good = page.locator(".trial:not(.inline)").get_by_role("button", name="Good")
        expect(good).to_be_enabled()
        good.click()
        expect(page.get_by_role("button", name="Next")).to_be_visible()
        context.close()
    finally:
        server.terminate()
        server.wait(30)
    assert (tmp_path / "studies/demo").is_dir()
    assert not any((site / "srqa/studies/demo").glob("*.sqlite*"))
