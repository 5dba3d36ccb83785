"""The HTML report, without a browser."""

from __future__ import annotations

import base64
import hashlib
import html as entities
import io
import json
import math
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_runs import assemble, make_run, no_reference_metric, run_with_pictures, texture

from srqa.engine.results import Run, Score
from srqa.errors import OutputError
from srqa.metrics import registry
from srqa.report.choice import choose
from srqa.report.facts import Facts, Group
from srqa.report.html import render, write_report
from srqa.report.pictures import encode
from srqa.report.words import Scrubber

EVIL = "<img src=x onerror=alert(1)>"
VOID = {"meta", "img", "input", "link", "br", "hr"}


class _Checker(HTMLParser):
    """Collects tags and attributes, and complains about elements that are not closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if "id" in dict(attrs):
            self.ids.append(str(dict(attrs)["id"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def parsed(page: str) -> _Checker:
    checker = _Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    return checker


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def words_of(page: str) -> str:
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(entities.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def findings_of(page: str) -> str:
    found = re.search(r'<div class="findings">(.*?)</div>', page, re.S)
    assert found
    return re.sub(r"\s+([.,:])", r"\1", words_of(found[1]))


def test_file_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    out = write_report(run_with_pictures(tmp_path / "p"), tmp_path / "report.html")
    page = out.read_text(encoding="utf-8")
    checker = parsed(page)
    for tag, attributes in checker.tags:
        for name in ("src", "href", "action", "poster", "srcset", "data"):
            value = attributes.get(name) or ""
            assert value.startswith(("data:image/", "#")) or not value, (tag, name, value[:60])
        assert tag not in {"link", "iframe", "object", "base", "form"}
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_policy_allows_exactly_this_script_and_style(tmp_path: Path) -> None:
    page = render(make_run())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]
    for tag in ("script", "style"):
        text = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        assert len(text) == 1
        sha = base64.b64encode(hashlib.sha256(text[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{sha}'" in policy[1]


@pytest.mark.parametrize(
    "name",
    [EVIL, "</script><script>alert(1)</script>", "{{data}}", "a & b \"c\" 'd'", "双三次 插值"],
)
def test_names_are_only_ever_text(name: str) -> None:
    run = make_run(methods=(name, "plain"), groups=((name, 4.0),), warnings=[name])
    run.manifest["command"] = f"srqa evaluate {name}"
    page = render(run, title=name)
    checker = parsed(page)
    assert not [tag for tag, _ in checker.tags if tag == "img"]
    assert len([tag for tag, _ in checker.tags if tag == "script"]) == 2
    assert name in data_of(page)["methods"]
    assert " ".join(name.split()) in words_of(page)


def test_headline_says_who_leads_with_the_interval_of_the_difference() -> None:
    lead = {"a": 1.0, "b": 0.0, "c": -2.0}
    run = make_run(
        methods=("a", "b", "c"),
        metrics=("psnr-y",),
        value=lambda method, metric, dataset, i: (
            30 + lead[method] + i + 0.1 * (i % 3) * lead[method]
        ),
        images=12,
    )
    said = findings_of(render(run))
    assert re.search(
        r"^a leads on psnr-y: 36\.60 dB \[[\d., ]+\], ahead of b by 1\.10 dB \[[\d., ]+\]",
        said,
    )


def test_headline_does_not_say_ahead_when_the_interval_includes_zero() -> None:
    run = make_run(
        methods=("a", "b"),
        metrics=("psnr-y",),
        value=lambda method, metric, dataset, i: (
            30 + i + (0.5 * (-1) ** i + 0.01) * (method == "a")
        ),
        images=8,
    )
    page = render(run)
    said = findings_of(page)
    assert "ahead" not in said
    assert "includes zero" in said
    assert "not told from the best" in page


def test_headline_of_a_metric_where_lower_is_better() -> None:
    run = make_run(
        methods=("a", "b"),
        metrics=("rmse",),
        value=lambda method, metric, dataset, i: 5.0 + i + (method == "b") * (2 + 0.1 * i),
    )
    page = render(run)
    said = findings_of(page)
    assert said.startswith("a leads on rmse: 7.00 [")
    assert "ahead of b by 2.20 [" in said
    assert 'aria-sort="ascending"' in page


def test_one_method_and_one_image() -> None:
    page = render(make_run(methods=("only",), images=1))
    parsed(page)
    said = findings_of(page)
    assert said.startswith("only reaches psnr-y")
    assert "over 1 image." in said
    assert "no interval" in page
    assert "nan" not in words_of(page).lower().split()
    two = findings_of(render(make_run(methods=("a", "b"), images=1)))
    assert "too few for an interval" in two


def test_no_value_at_all() -> None:
    run = make_run(value=lambda *_: math.nan)
    run = assemble([replace(row, problem="the file is damaged") for row in run.score_rows])
    page = render(run)
    parsed(page)
    assert "No image has a value" in findings_of(page)
    assert "the file is damaged" in words_of(page)


def test_infinite_missing_and_failed_values() -> None:
    run = make_run(methods=("a", "b"), metrics=("psnr",))
    rows = list(run.score_rows)
    rows[0] = replace(rows[0], value=math.inf)
    rows[2] = replace(rows[2], value=math.nan, problem="the sizes differ")
    rows[4] = replace(rows[4], value=math.nan, problem="n/a: smaller than 11 pixels")
    page = render(assemble(rows))
    parsed(page)
    data = data_of(page)
    assert "inf" in data["values"][0]
    assert data["values"][0].count(None) == 2
    words = words_of(page)
    assert "n 2 · 1 infinite · 1 failed" in words
    assert "Problems 1" in words
    assert "Not applicable 1" in words
    assert "smaller than 11 pixels" in words


def test_all_pictures_equal_their_references() -> None:
    run = make_run(methods=("a", "b"), metrics=("psnr",), value=lambda *_: math.inf)
    page = render(run)
    parsed(page)
    assert "leads on psnr: inf" in findings_of(page)
    assert "Infinity" not in json.dumps(data_of(page))


def test_metrics_that_nobody_registered_have_no_direction() -> None:
    page = render(make_run(metrics=("from-the-future", "psnr-y")))
    parsed(page)
    signs = {m["name"]: m["sign"] for m in data_of(page)["metrics"]}
    assert signs == {"from-the-future": 0, "psnr-y": 1}
    assert "psnr-y, 29.86 dB" in findings_of(page)
    only = findings_of(render(make_run(metrics=("from-the-future",))))
    assert "whether higher is better is not known" in only


def test_guidance_comes_with_agreement_and_its_source() -> None:
    page = render(make_run(metrics=("lpips", "delta-e")))
    words = words_of(page[page.index('<section id="guidance"') :])
    lpips, delta_e = words.split("mean colour difference", 1)[0], words.split("CIEDE2000", 1)[1]
    assert (
        "Agreement with people 2AFC 76 % (people 80 %) on choices between outputs of modern "
        "generative SR networks (measured by srqa's authors)"
    ) in lpips
    assert "Agreement with people" not in delta_e


def test_no_reference_metrics_alone_and_beside_fidelity(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {s.name: s for s in (*registry.specs(), no_reference_metric())}
    monkeypatch.setattr(registry, "_registry", lambda: known)
    alone = make_run(metrics=("calm",))
    rows = [replace(row, reference="") for row in alone.score_rows]
    page = render(assemble(rows))
    parsed(page)
    assert "leads on calm" in findings_of(page) or "best calm" in findings_of(page)
    families = {
        m["name"]: m["family"]
        for m in data_of(render(make_run(metrics=("psnr", "calm"))))["metrics"]
    }
    assert families == {"psnr": "fidelity", "calm": "perception"}


def test_several_datasets_and_scales() -> None:
    groups = (("Set5", 2.0), ("Set5", 4.0), ("Urban100", 4.0), ("", None))
    page = render(make_run(groups=groups))
    checker = parsed(page)
    assert len([tag for tag, _ in checker.tags if tag == "table"]) == 4
    words = words_of(page)
    for title in ("Set5 ×2", "Set5 ×4", "Urban100 ×4", "No dataset named"):
        assert title in words
    assert "On Set5 ×2, " in findings_of(page)
    chosen = choose(Facts(make_run(groups=groups)), 6)
    assert {choice.group for choice in chosen} == {Group(*group) for group in groups}


def test_standings_pair_images() -> None:
    run = make_run(
        methods=("a", "b"),
        metrics=("psnr", "mse"),
        value=lambda method, metric, dataset, i: 10.0 * i + (method == "a"),
    )
    facts = Facts(run)
    group = Group("Set5", 4.0)
    psnr, mse = facts.standings[group, "b", "psnr"], facts.standings[group, "a", "mse"]
    assert (psnr.best, psnr.lead, psnr.low, psnr.high, psnr.n) == (False, -1.0, -1.0, -1.0, 5)
    assert (mse.best, mse.lead, mse.tied) == (False, -1.0, False)
    assert facts.standings[group, "b", "mse"].best


def test_contents_are_the_extremes() -> None:
    table = {"a": [10.0, 20.0, 30.0, 25.0, 26.0], "b": [9.0, 19.0, 29.0, 5.0, 25.0]}
    run = make_run(
        methods=("a", "b"),
        metrics=("psnr",),
        value=lambda method, metric, dataset, i: table[method][i],
    )
    facts = Facts(run)
    reasons = {choice.content: choice.reasons for choice in choose(facts, 4)}
    assert list(reasons)[:3] == ["img0003", "img0000", "img0002"]
    assert reasons["img0003"] == ("methods differ most: 20.00 dB psnr", "worst psnr of b")
    assert reasons["img0002"][-1] == "best psnr of every method"
    assert choose(facts, 0) == []
    assert len(choose(facts, 99)) == 5


def test_pictures_are_embedded_without_loss(tmp_path: Path) -> None:
    run = run_with_pictures(tmp_path, images=2)
    page = render(run)
    sources = re.findall(r'<img src="data:image/(?:png|webp);base64,([^"]+)"', page)
    assert len(sources) == 6
    shown = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(s))).convert("RGB")) for s in sources
    ]
    stored = [np.asarray(Image.open(row.path)) for row in run.file_rows]
    for picture in stored:
        assert any(np.array_equal(picture, other) for other in shown)


@pytest.mark.parametrize("grey", [False, True])
def test_coding_is_exact(grey: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    pixels = pixels[..., 0] if grey else pixels
    _, data = encode(pixels)
    back = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(back, np.dstack([pixels] * 3) if grey else pixels)


def test_missing_and_changed_pictures_are_left_out_with_a_sentence(tmp_path: Path) -> None:
    run = run_with_pictures(tmp_path, methods=("a", "b"), images=1)
    by_name = {row.name: Path(row.path) for row in run.file_rows}
    by_name["m0/img0.png"].unlink()
    Image.fromarray(texture(9, (96, 120))).save(by_name["m1/img0.png"])
    page = render(run)
    parsed(page)
    words = words_of(page)
    assert "Not shown: m0/img0.png cannot be read any more." in words
    assert "Not shown: m1/img0.png has changed since it was scored." in words
    assert page.count("<img ") == 1
    by_name["img0.png"].unlink()
    assert "img0.png cannot be read any more" in words_of(render(run))


def test_large_pictures_are_cut_where_methods_differ(tmp_path: Path) -> None:
    run = run_with_pictures(tmp_path, images=1, size=(1000, 1400), methods=("a", "b"))
    path = Path(next(row.path for row in run.file_rows if row.name == "m0/img0.png"))
    pixels = np.asarray(Image.open(path)).copy()
    pixels[700:900, 1000:1300] = 0
    Image.fromarray(pixels).save(path)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    files = [replace(r, sha256=sha) if r.name == "m0/img0.png" else r for r in run.file_rows]
    page = render(Run(run.manifest, run.score_rows, run.summary_rows, files))
    found = re.search(r"crop (\d+)x(\d+) at \((\d+), (\d+)\) of 1400x1000", words_of(page))
    assert found
    width, height, x, y = map(int, found.groups())
    assert width * height <= 800_000
    assert x <= 1000
    assert x + width >= 1300
    assert y <= 700
    assert y + height >= 900


def test_the_file_stays_small_by_showing_fewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_with_pictures(tmp_path, images=4)
    monkeypatch.setattr("srqa.report.pictures.MAX_BYTES", 250_000)
    page = render(run)
    shown = page.count('<article class="exhibit"')
    assert 1 <= shown < 4
    assert f"{shown} of 4 contents are shown" in words_of(page)


def test_sizes_that_do_not_agree(tmp_path: Path) -> None:
    run = run_with_pictures(tmp_path, images=1, methods=("a", "b"))
    files = []
    for row in run.file_rows:
        size = {"m0/img0.png": (95, 118), "m1/img0.png": (24, 30)}.get(row.name)
        if size:
            Image.fromarray(texture(0, size)).save(row.path)
            sha = hashlib.sha256(Path(row.path).read_bytes()).hexdigest()
            row = replace(row, sha256=sha)
        files.append(row)
    words = words_of(render(Run(run.manifest, run.score_rows, run.summary_rows, files)))
    assert "common part 118x95 of 120x96" in words
    assert "The output of b is 30x24, not 120x96." in words


def test_pictures_without_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {s.name: s for s in (*registry.specs(), no_reference_metric())}
    monkeypatch.setattr(registry, "_registry", lambda: known)
    page = render(run_with_pictures(tmp_path, reference=False, images=2))
    parsed(page)
    assert page.count("<img ") == 4
    assert 'data-method="-1"' not in page.split("<script", 1)[0]


def test_no_path_of_the_user_gets_out(tmp_path: Path) -> None:
    home = tmp_path / "home of jane"
    run = run_with_pictures(home, images=1, warnings=[f"{home}/output/m0/img0.png looks odd"])
    run.manifest["command"] = (
        f"srqa evaluate '{home}/output' --ref={home}/reference --scale 4 -m psnr"
    )
    bad = Score("", "img1", 4.0, "blur", "m0/img1.png", "", "psnr", "image", math.nan, "", 0.0)
    bad = replace(bad, problem="/mnt/secret/share/img1.png is damaged: C:\\Users\\jane\\x.png")
    run = assemble([*run.score_rows, bad], run.file_rows, **run.manifest)
    page = render(run)
    for secret in (str(tmp_path), "home of jane", "/mnt/secret", "jane"):
        assert secret not in page
    words = words_of(page)
    assert "srqa evaluate …/output --ref=…/reference --scale 4 -m psnr" in words
    assert "img1.png is damaged" in words


def test_scrubbing_leaves_other_text_alone() -> None:
    scrub = Scrubber(make_run())
    for text in ("n/a: 3/4 of it", "Y 16/255 to 235/255", "a/b/c.png", "x / y", "and/or"):
        assert scrub.text(text) == text


def test_five_thousand_images_stay_small_and_quick(tmp_path: Path) -> None:
    metrics = ("psnr-y", "ssim-y", "psnr", "ssim", "ms-ssim", "mse", "rmse", "m1", "m2", "m3")
    run = make_run(metrics=metrics, images=5000)
    start = time.process_time()
    out = write_report(run, tmp_path / "big.html")
    seconds = time.process_time() - start  # of this process: others do not count
    assert out.stat().st_size < 6e6
    assert seconds < 30
    assert len(data_of(out.read_text(encoding="utf-8"))["rows"]) == 15000


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run = run_with_pictures(tmp_path / "p", images=3)
    write_report(run, tmp_path / "r.html", pictures=2, progress=lambda a, b: told.append((a, b)))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_a_place_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        write_report(make_run(), tmp_path / "file" / "report.html", pictures=0)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    run = make_run(methods=("caf\udce9", "b"))
    out = write_report(run, tmp_path / "r.html")
    page = out.read_text(encoding="utf-8")
    assert data_of(page)["methods"][1] == "b"
