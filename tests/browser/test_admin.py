"""The researcher's pages in a real Chromium, on a study that has answers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from pages import PATIENCE, expect
from raters import METHODS, PASSPHRASE, Served, make_study

from srqa.ratings.formats import read
from srqa.study import flow, intake
from srqa.study.exporting import SUFFIX
from srqa.study.study import Study, open_study

pytestmark = pytest.mark.browser
PEOPLE = 6


def answer_all(study: Study, name: str, quality: dict[str, int]) -> None:
    """A participant who walks the whole way, with better answers for better methods."""
    token = flow.enter(study, {"PID": name, "lang": "en"}).token
    assert token
    screen = flow.submit(study, token, "consent", {"agree": True})
    device = {
        "pixel_ratio": 1, "viewport": [1280, 800], "screen": [1280, 800], "touch": False,
        "mobile": False, "pixel_exact": True, "browser": "test", "system": "test",
    }  # fmt: skip
    flow.submit(study, token, "device", device)
    screen = flow.submit(study, token, "instructions", {})
    by_opaque = {row["opaque"]: row["method"] for row in study.stimuli.values()}
    while screen.name == "trials":
        for number, trial in enumerate(screen.payload["trials"]):
            method = by_opaque[trial["images"][0]["id"]]
            value = min(5, max(1, quality[method] + (number + len(name)) % 3 - 1))
            body = {
                "assignment": trial["id"], "token": trial["token"], "value": value,
                "response_ms": 900 + 10 * number, "pixel_exact": True,
            }  # fmt: skip
            intake.take_answer(study, body)
        screen = flow.submit(study, token, "trials", {})
    assert screen.name == "done"


@pytest.fixture(scope="module")
def answered(tmp_path_factory) -> Iterator[Served]:
    session = {"trials": 6, "break_every": 50, "min_gap_same_content": 0}
    folder = make_study(
        tmp_path_factory.mktemp("admin"), "acr", session=session, participants={"platform": None}
    )
    study = open_study(folder, prepare=True)
    quality = dict(zip(METHODS, (4, 3, 2), strict=True))
    for k in range(PEOPLE):
        answer_all(study, f"p{'x' * k}", quality)
    study.store.database.close()
    one = Served(folder, "admin")
    yield one
    one.kill()


@pytest.fixture
def page(browser, answered):
    context = browser.new_context(viewport={"width": 1300, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    broken = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(answered.url)
    yield page
    context.close()
    assert broken == []


def enter(page) -> None:
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_test_id("stMetric").first).to_be_visible()


def turn_to(page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()


def test_nothing_is_shown_before_the_passphrase(page) -> None:
    expect(page.get_by_label("Passphrase")).to_be_visible()
    page.get_by_label("Passphrase").fill("open sesame open")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_text("That is not it")).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_have_count(0)
    assert not any(name in page.content() for name in METHODS)


def test_progress_and_scores(page, answered) -> None:
    enter(page)
    numbers = page.get_by_test_id("stMetricValue")
    expect(numbers.nth(0)).to_have_text(str(PEOPLE))
    expect(numbers.nth(3)).to_have_text(str(6 * PEOPLE))
    expect(page.get_by_text("of the intervals lie within")).to_be_visible()
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(3)
    expect(charts.first.locator("canvas, svg").first).to_be_visible()
    turn_to(page, "Scores")
    expect(page.get_by_text("Methods, MOS")).to_be_visible()
    expect(page.get_by_text("SOS parameter a =")).to_be_visible()


def test_correlation_with_metrics(page) -> None:
    enter(page)
    turn_to(page, "Metrics")
    page.get_by_role("button", name="Compute what is lacking").click()
    expect(page.get_by_text("Agreement with people")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)


def test_pause_and_resume(page, answered) -> None:
    enter(page)
    page.get_by_role("button", name="Pause", exact=False).first.click()
    page.get_by_label("Why? Participants do not see it.").fill("lunch")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Pause the study").click()
    expect(page.get_by_text("The study is paused: lunch")).to_be_visible()
    assert flow.enter(answered.study(), {"PID": "late"}).ended == "paused"
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("The study is paused")).to_have_count(0)
    assert answered.study().store.row()["state"] == "open"


def test_leave_somebody_out_and_take_them_back(page, answered) -> None:
    enter(page)
    turn_to(page, "People")
    page.get_by_role("combobox").click()
    page.get_by_role("option").first.click()
    page.get_by_role("button", name="Leave out").click()
    page.get_by_label("Leave out why?").fill("asleep")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Leave their answers out").click()
    expect(page.get_by_text(", void")).to_be_visible()
    (out,) = [p for p in answered.participants() if p["state"] == "void"]
    assert out["reason"] == "asleep"
    page.get_by_role("button", name="Take back in").click()
    page.get_by_label("Take back in why?").fill("awake after all")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Count their answers again").click()
    expect(page.get_by_text(", finished")).to_be_visible()
    assert {p["state"] for p in answered.participants()} == {"finished"}


def offered(page, form: str, suffix: str) -> bytes:
    """What the page gives for download in a format."""
    page.get_by_test_id("stSelectbox").get_by_role("combobox").click()
    page.get_by_role("option", name=form).click()
    page.get_by_role("button", name="Prepare").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(rf"Download .*{re.escape(suffix)}$")).click()
    return Path(download.value.path()).read_bytes()


def exported(page) -> list[dict[str, str]]:
    turn_to(page, "Export")
    text = offered(page, "CSV, every answer", ".csv").decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_export_of_every_answer(page) -> None:
    enter(page)
    rows = exported(page)
    assert len(rows) == 6 * PEOPLE
    assert {row["method"] for row in rows} == set(METHODS)


def test_other_formats(page, tmp_path) -> None:
    enter(page)
    turn_to(page, "Export")
    frame = pd.read_parquet(io.BytesIO(offered(page, "Parquet, every answer", ".parquet")))
    assert len(frame) == 6 * PEOPLE
    for form, name in (("CSV, a row a stimulus", "wide"), ("AVT matrix", "avt"),
                       ("sureal (a Python dataset)", "sureal")):  # fmt: skip
        suffix = f"-{name}{SUFFIX.get(name, '.csv')}"
        file = tmp_path / f"answers{suffix}"
        file.write_bytes(offered(page, form, suffix))
        found = read(file, name)
        assert sorted(found.value) == sorted(frame["value"]), form
        assert len(found.observers) == PEOPLE
    page.get_by_test_id("stSelectbox").get_by_role("combobox").click()
    page.get_by_role("option", name="pwcmp (pairs)").click()
    page.get_by_role("button", name="Prepare").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("choices between two pictures")
    expect(page.get_by_role("button", name=re.compile("Download .*-pwcmp"))).to_have_count(0)


def test_erase_somebody_for_good(page, answered) -> None:
    gone = answered.participants()[0]
    study = answered.study()
    enter(page)
    assert len(exported(page)) == 6 * PEOPLE
    left_behind = study.data / "exports"
    left_behind.mkdir()
    (left_behind / "answers.csv").write_text(gone["id"])
    turn_to(page, "People")
    chosen = page.get_by_role("combobox", name="Participant")
    chosen.click()
    page.get_by_role("option", name=gone["id"]).click()
    page.get_by_role("button", name="Erase").click()
    page.get_by_label("Type ERASE").fill("erase")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Erase for good")).to_be_disabled()
    page.get_by_label("Type ERASE").fill("ERASE")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text(re.compile("Participant .*, finished"))).to_have_count(0)
    assert [p["id"] for p in answered.participants()].count(gone["id"]) == 0
    assert len(answered.participants()) == PEOPLE - 1
    for file in study.data.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        assert gone["id"].encode() not in data, file
        assert gone["token_hash"].encode() not in data, file
    assert not left_behind.exists()
    chosen.click()
    expect(page.get_by_role("option")).to_have_count(PEOPLE - 1)
    page.keyboard.press("Escape")
    turn_to(page, "Export")
    expect(page.get_by_role("button", name="Prepare")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"Download .*\.csv"))).to_have_count(0)
    rows = exported(page)
    assert len(rows) == 6 * (PEOPLE - 1)
    assert gone["id"] not in str(rows)


def test_with_a_login_the_passphrase_is_no_way_in(tmp_path, browser) -> None:
    folder = make_study(tmp_path, "acr", participants={"platform": None})
    secrets = folder / ".streamlit/secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text(
        """admins = ["ann@example.org"]
        [auth]
        redirect_uri = "http://127.0.0.1/oauth2callback"
        cookie_secret = "0123456789abcdef0123456789abcdef"
        client_id = "srqa"
        client_secret = "secret"
        server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"
        """
    )
    one = Served(folder, "admin")
    try:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(one.url)
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        expect(page.get_by_label("Passphrase")).to_have_count(0)
        expect(page.get_by_test_id("stMetric")).to_have_count(0)
        context.close()
    finally:
        one.kill()
