"""Participants walk through studies in a real Chromium, from consent to the completion code."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from raters import (
    CODE,
    METHODS,
    Served,
    answered,
    expect,
    finish,
    picture,
    served,
    words_of,
)

from srqa.study import tables as t

pytestmark = pytest.mark.browser

ASKED = ("acr", "acr_hr", "dcr", "ccr", "slider", "pair", "pair_tie")
RATIOS = (1, 1.25, 1.5, 1.75, 2)
LOCALES = ("en", "zh")
WINDOWS = ((1366, 820), (560, 860))
WALKS = [
    (method, ratio, LOCALES[(i + j) % 2], WINDOWS[(i + j // 2) % 2])
    for i, method in enumerate(ASKED)
    for j, ratio in enumerate(RATIOS)
]


def test_walks_cover_every_pair_of_conditions() -> None:
    factors = (ASKED, RATIOS, LOCALES, WINDOWS)
    for a, b in itertools.combinations(range(4), 2):
        covered = {(walk[a], walk[b]) for walk in WALKS}
        assert covered == set(itertools.product(factors[a], factors[b]))


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> Iterator[Callable[[str], Served]]:
    """One server a method, started when it is first needed; only the last one runs on."""
    running: dict[str, tuple] = {}

    def get(method: str) -> Served:
        if method not in running:
            for context, _ in running.values():
                context.__exit__(None, None, None)
            running.clear()
            context = served(tmp_path_factory.mktemp(method), method, training=_training(method))
            running[method] = (context, context.__enter__())
        return running[method][1]

    yield get
    for context, _ in running.values():
        context.__exit__(None, None, None)


def _training(method: str) -> list[dict]:
    first = f"{METHODS[0]}/scene0.png"
    if method.startswith("pair"):
        return [{"pair": [first, f"{METHODS[2]}/scene0.png"]}]
    expect_ = {"slider": [50, 100], "ccr": [-3, -1]}.get(method, [4, 5])
    return [{"stimulus": first, "expect": expect_}]


@pytest.mark.parametrize(("method", "ratio", "locale", "window"), WALKS)
def test_from_consent_to_the_code(studies, person, method, ratio, locale, window) -> None:
    at = studies(method)
    name = f"{method}-{ratio}-{locale}"
    before = len(at.answers())
    one = person(at, f"?PID={name}&lang={locale}", *window, device_scale_factor=ratio)
    words = words_of(one.study, locale)
    one.begin(words)
    pictures = 1 if method in ("acr", "acr_hr", "slider") else 2
    known = [picture(c, m) for c in range(2) for m in range(4)]

    def look(trial: int) -> None:
        shown, stimuli = one.shown(), one.stimuli()
        assert len(shown) == pictures, f"trial {trial}: {shown}"
        for opaque, *_ in shown:
            assert any(np.array_equal(stimuli[opaque], source) for source in known)

    count = finish(one, words, ("key", "click"), look)
    assert count == 5
    expect(one.rater.get_by_role("heading", level=1)).to_have_text(words["thanks"])
    expect(one.rater.locator(".code")).to_have_text(CODE)
    kept = at.answers()[before:]
    assert len(kept) == count
    for row in kept:
        assert row["pixel_exact"] is True
        assert row["pixel_ratio"] == ratio
        assert row["viewport"] == "x".join(map(str, window))
        assert 0 < row["response_ms"] < 600_000
        assert row["shown_ms"] <= row["response_ms"] + 0.2
    assert at.study().store.rows(t.device)[-1]["pixel_exact"] is True


def test_one_after_the_other(tmp_path_factory, person) -> None:
    display = {"show": "sequence", "flicker": True}
    session = {"trials": 2}
    folder = tmp_path_factory.mktemp("sequence")
    with served(folder, "dcr", display=display, session=session) as at:
        one = person(at, "?PID=patient&lang=en")
        one.begin(words_of(one.study, "en"))
        name = one.rater.locator(".stage .name").first
        expect(name).to_have_text("Reference")
        expect(one.rater.locator(".answers button").first).to_be_disabled()
        (first,) = one.shown()
        one.asked()
        expect(name).to_have_text("To judge")
        (second,) = one.shown()
        assert first[0] != second[0]
        assert first[1:] == second[1:]
        one.page.keyboard.press("Space")
        expect(name).to_have_text("Reference")
        assert finish(one, words_of(one.study, "en")) == 2
        assert all(row["pixel_exact"] for row in at.answers())


def test_control_questions_behind_a_proxys_path(tmp_path_factory, person) -> None:
    checks = {"traps": 1, "gold": 1}
    session = {"trials": 4, "repeats": 1}
    folder = tmp_path_factory.mktemp("traps")
    with served(folder, "acr", base="lab/noise", checks=checks, session=session) as at:
        one = person(at, "?PID=careful&lang=en")
        words = words_of(one.study, "en")
        one.begin(words)
        traps = 0
        while (now := one.asked()) in ("trials", "break"):
            if now == "break":
                one.press(words["go"])
                one.at("trials")
                continue
            before = one.done()
            told = one.rater.locator(".question").inner_text()
            wanted = re.search("answer “(.+)”", told)
            traps += bool(wanted)
            one.rater.get_by_role("button", name=wanted[1] if wanted else "Fair").click()
            answered(one, before)
        one.at("done")
        assert traps == 1
        assert len(at.answers()) == 7
        flags = at.study().store.rows(t.quality_flag)
        assert not any(flag["check"] == "trap" for flag in flags)
        assert "/lab/noise/" in one.page.url


SAMPLE = """() => {
  globalThis.seen = [];
  let fresh = null;
  const look = () => {
    const canvas = rater()?.querySelector(".trial:not(.inline) .stage canvas");
    if (canvas && canvas !== fresh) fresh = canvas; // it has not been painted yet
    else if (canvas) {
      const context = canvas.getContext("2d");
      const at = (x, y) => context.getImageData(x, y, 1, 1).data.slice(0, 3).join();
      const middle = at(canvas.width >> 1, canvas.height >> 1);
      seen.push([performance.now(), at(2, 2), middle]);
    }
    requestAnimationFrame(look);
  };
  look();
}"""


def test_nothing_but_grey_between_two_pictures(tmp_path_factory, person) -> None:
    """Every frame is looked at: the surround never changes, and grey lies between pictures."""
    with served(tmp_path_factory.mktemp("grey"), "acr", display={"gap_ms": 300}) as at:
        one = person(at, "?PID=eagle&lang=en")
        words = words_of(one.study, "en")
        one.page.evaluate(SAMPLE)
        one.begin(words)
        finish(one, words)
        frames = one.page.evaluate("seen")
    grey = "119,119,119"
    assert {corner for _, corner, _ in frames} == {grey}
    runs = [list(run) for _, run in itertools.groupby(frames, key=lambda frame: frame[2])]
    shown = [k for k, run in enumerate(runs) if run[0][2] != grey]
    assert len(shown) == 4
    for before, after in itertools.pairwise(shown):
        assert after - before == 2  # one run of grey in between
        pause = runs[before + 1]
        assert runs[after][0][0] - pause[0][0] > 270
