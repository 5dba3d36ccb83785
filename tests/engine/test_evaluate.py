"""`evaluate`: the numbers, whatever the order, the threads and the batches; failures; memory."""

import json
import random
import subprocess
import sys
from textwrap import dedent

import numpy as np
import pytest
import support
from support import noisy, picture, write

import srqa
from srqa.errors import InputError, PairingError, UsageError
from srqa.images.resize import imresize

MARKING = """
    import time
    from pathlib import Path
    from srqa.metrics.spec import MetricSpec

    def level(plane):
        return float(plane.mean())

    def broken(distorted, reference):
        raise RuntimeError("out of order\\nwith a second line")

    def no_number(distorted, reference):
        return float("nan")

    def darkness(distorted, reference):
        return float(1 - distorted.mean())

    METRICS = [
        MetricSpec("level", level, "mean level", kind="nr", input="gray", crop="none"),
        MetricSpec("broken", broken, "always fails"),
        MetricSpec("no-number", no_number, "always NaN"),
        MetricSpec("darkness", darkness, "lower is better", higher_is_better=False, bounds=(0, 1)),
    ]
"""


def by_image(run, metric=None):
    return {
        (row.dataset, row.method, row.content, row.metric): row.value
        for row in run.score_rows
        if metric in (None, row.metric)
    }


def test_rcan_on_set5_equals_the_authors_matlab(reference):
    """The figures of RCAN's own MATLAB scripts, each image, to their six printed digits."""
    expected = json.loads((reference / "expected.json").read_text())["set5_rcan_x4"]
    set5 = reference / "set5"
    run = srqa.evaluate(set5 / "rcan_x4", set5 / "hr_mod4", scale=4)
    for metric, key in (("psnr-y", "psnr_y"), ("ssim-y", "ssim_y")):
        figures = dict(expected[key])
        mean = figures.pop("mean")
        found = {row.content: row.value for row in run.score_rows if row.metric == metric}
        assert set(found) == set(figures)
        for content, figure in figures.items():
            assert found[content] == pytest.approx(figure, abs=1e-6), (metric, content)
        (summary,) = [row for row in run.summary_rows if row.metric == metric]
        assert summary.mean == pytest.approx(mean, abs=1e-6)
        assert summary.n == 5
    assert {row.signature for row in run.summary_rows} == {
        "psnr-y | srqa 0.1 | sr | Y:bt601 float | crop 4 | mean of images",
        "ssim-y | srqa 0.1 | sr | Y:bt601 float | crop 4 | mean of images",
    }


EVERY_INPUT = ["psnr", "psnr-y", "ssim", "ssim-y", "mse", "delta-e", "gmsd", "shift"]


class TestTheSameResult:
    @pytest.fixture
    def mixed(self, tmp_path):
        """Two sizes, grey and colour, so that batches are mixed and incomplete."""
        for i, content in enumerate("abcdefg"):
            pixels = picture(content, 64, 72 if i % 3 else 64)
            if i == 4:
                pixels = np.ascontiguousarray(pixels[..., 0])
            write(tmp_path / "hr" / f"{content}.png", pixels)
            write(tmp_path / "out" / f"{content}.png", noisy(pixels, 4 + i, seed=i))
        return tmp_path

    def run(self, mixed, **options):
        return by_image(
            srqa.evaluate(
                mixed / "out", mixed / "hr", scale=2, metrics=EVERY_INPUT, cache=False,
                device="cpu", **options,
            )
        )  # fmt: skip

    def test_with_any_number_of_threads(self, mixed):
        one = self.run(mixed, workers=1)
        assert len(one) == 7 * len(EVERY_INPUT)
        assert not any(np.isnan(value) for value in one.values())
        for workers in (2, 4):
            assert self.run(mixed, workers=workers) == one

    def test_with_any_batch_size(self, mixed):
        """Batches are computed by torch in float32: equal to 1e-6 of the value."""
        one = self.run(mixed, batch_size=1)
        for batch_size in (2, 3, 8):
            batched = self.run(mixed, batch_size=batch_size)
            assert batched.keys() == one.keys()
            for key, value in batched.items():
                tolerance = 1e-4 if key[3] == "delta-e" else 2e-6
                assert value == pytest.approx(one[key], rel=tolerance, abs=2e-6), key

    def test_batches_of_any_size_agree_with_each_other(self, mixed):
        three, eight = (self.run(mixed, batch_size=n) for n in (3, 8))
        for key, value in three.items():
            assert value == pytest.approx(eight[key], rel=1e-6, abs=1e-6), key

    def test_in_any_order(self, mixed):
        paths = sorted((mixed / "out").iterdir())
        rng = random.Random(3)
        runs = []
        for _ in range(3):
            rng.shuffle(paths)
            run = srqa.evaluate(list(paths), mixed / "hr", scale=2, cache=False)
            runs.append((run.score_rows and by_image(run), run.summary_rows))
        assert runs[0] == runs[1] == runs[2]

    def test_with_and_without_the_cache(self, mixed):
        run = srqa.evaluate(mixed / "out", mixed / "hr", scale=2)
        again = srqa.evaluate(mixed / "out", mixed / "hr", scale=2)
        without = srqa.evaluate(mixed / "out", mixed / "hr", scale=2, cache=False)
        assert by_image(run) == by_image(again) == by_image(without)
        assert run.summary_rows == again.summary_rows == without.summary_rows


class TestMethodsAndDatasets:
    def test_folder_of_methods_of_datasets(self, tmp_path):
        for dataset in ("Set5", "Urban100"):
            for content in ("a", "b"):
                pixels = picture(dataset + content)
                write(tmp_path / "hr" / dataset / f"{content}.png", pixels)
                for seed, method in enumerate(("swinir", "hat")):
                    out = tmp_path / "out" / method / dataset / f"{content}_x4.png"
                    write(out, noisy(pixels, 4, seed))
        run = srqa.evaluate(tmp_path / "out", tmp_path / "hr")
        assert {(r.dataset, r.method, r.content) for r in run.score_rows} == {
            (d, m, c) for d in ("Set5", "Urban100") for m in ("swinir", "hat") for c in "ab"
        }
        assert {r.scale for r in run.score_rows} == {4.0}
        assert [(r.dataset, r.method, r.metric, r.n) for r in run.summary_rows] == [
            (d, m, k, 2)
            for d in ("Set5", "Urban100")
            for m in ("hat", "swinir")
            for k in ("psnr-y", "ssim-y")
        ]
        several = srqa.evaluate(
            [tmp_path / "out" / "hat", tmp_path / "out" / "swinir"], tmp_path / "hr"
        )
        assert by_image(several) == by_image(run)

    def test_several_scales(self, tmp_path):
        for scale in (2, 4):
            pixels = picture("a")
            write(tmp_path / "hr" / "a.png", pixels)
            write(tmp_path / "out" / f"x{scale}" / f"a_x{scale}.png", noisy(pixels, 3))
        run = srqa.evaluate(tmp_path / "out", tmp_path / "hr", metrics="psnr-y")
        assert [(r.scale, r.signature.split(" | ")[4]) for r in run.summary_rows] == [
            (2.0, "crop 2"),
            (4.0, "crop 4"),
        ]


class TestScale:
    def place(self, folder, name):
        write(folder / "hr" / "a.png", picture())
        write(folder / "out" / name, noisy(picture(), 4))
        return folder / "out", folder / "hr"

    def test_unknown(self, tmp_path):
        run = srqa.evaluate(*self.place(tmp_path, "a.png"))
        assert run.score_rows[0].scale is None
        assert any("scale is not known" in text for text in run.warnings)
        assert run.summary_rows[0].signature.split(" | ")[4] == "crop 0 (scale unknown)"

    def test_from_names(self, tmp_path):
        run = srqa.evaluate(*self.place(tmp_path, "a_x3.png"))
        assert run.score_rows[0].scale == 3
        assert not any("scale" in text for text in run.warnings)

    def test_from_the_low_resolution_input(self, tmp_path):
        place = self.place(tmp_path, "a.png")
        write(tmp_path / "lr" / "a.png", picture()[::4, ::4])
        run = srqa.evaluate(*place, lr=tmp_path / "lr")
        assert run.score_rows[0].scale == 4

    def test_given_beats_names(self, tmp_path):
        run = srqa.evaluate(*self.place(tmp_path, "a_x3.png"), scale=2)
        assert run.score_rows[0].scale == 2

    def test_whole_numbers_are_as_good_as_floats(self, tmp_path):
        place = self.place(tmp_path, "a.png")
        assert by_image(srqa.evaluate(*place, scale=4)) == by_image(
            srqa.evaluate(*place, scale=4.0)
        )

    def test_no_scale_needs_no_warning_where_nothing_is_cut_by_it(self, tmp_path):
        run = srqa.evaluate(*self.place(tmp_path, "a.png"), protocol="real")
        assert run.warnings == []


def test_lr_psnr(tmp_path):
    hr = picture("a", 64, 64)
    lr = imresize(hr, 1 / 4)
    write(tmp_path / "lr" / "a.png", lr)
    write(tmp_path / "out" / "right" / "a.png", imresize(lr, 4))
    write(tmp_path / "out" / "wrong" / "a.png", np.roll(hr, 5, axis=1))
    run = srqa.evaluate(tmp_path / "out", lr=tmp_path / "lr", metrics="lr-psnr", scale=4)
    right, wrong = (row.value for row in run.score_rows)
    assert right > wrong + 5
    files = {(row.role, row.name) for row in run.file_rows}
    assert ("lr", "a.png") in files
    missing = srqa.evaluate(
        tmp_path / "out", tmp_path / "out" / "wrong", lr=tmp_path / "lr", metrics="lr-psnr,psnr"
    )
    assert {row.metric for row in missing.score_rows} == {"lr-psnr", "psnr"}


def test_one_content_without_a_low_resolution_input(evaluate, pictures):
    for content in "ab":
        write(pictures / "lr" / f"{content}.png", picture(content)[::4, ::4])
    run = evaluate(lr=pictures / "lr", metrics="psnr-y,lr-psnr")
    lacking = [row for row in run.score_rows if row.problem]
    assert {(row.content, row.metric) for row in lacking} == {("c", "lr-psnr")}
    assert all("no low-resolution input" in row.problem for row in lacking)
    assert not any(row.failed for row in lacking)


class TestUsersMetrics:
    def test_without_references(self, plugin, pictures):
        plugin(MARKING)
        run = srqa.evaluate(pictures / "out", metrics="level")
        assert len(run.score_rows) == 6
        expected = picture("a").astype(float) @ (0.298936, 0.587043, 0.114021) / 255
        value = by_image(run)["", "fine", "a", "level"]
        assert value == pytest.approx(expected.mean(), abs=0.01)
        assert run.score_rows[0].reference == ""
        assert run.summary_rows[0].signature == (
            "level | srqa 0.1 | sr | gray float | crop 0 | mean of images"
        )
        with pytest.raises(UsageError, match="psnr-y needs --ref"):
            srqa.evaluate(pictures / "out", metrics="level,psnr-y")

    def test_pirm_cuts_the_border_for_them_too(self, plugin, tmp_path):
        plugin(MARKING)
        framed = np.full((32, 32, 3), 255, np.uint8)
        framed[4:-4, 4:-4] = 0
        write(tmp_path / "out" / "a.png", framed)
        assert srqa.evaluate(tmp_path / "out", metrics="level").score_rows[0].value > 0.4
        pirm = srqa.evaluate(tmp_path / "out", metrics="level", protocol="pirm")
        assert pirm.score_rows[0].value == 0

    def test_one_that_raises_leaves_the_others(self, plugin, evaluate):
        plugin(MARKING)
        alone = by_image(evaluate(cache=False))
        run = evaluate(metrics="psnr-y,broken,ssim-y,no-number")
        found = by_image(run)
        assert {key: found[key] for key in alone} == alone
        broken = [row for row in run.score_rows if row.metric == "broken"]
        assert len(broken) == 6
        assert broken[0].problem == "broken failed on fine/a.png: RuntimeError: out of order"
        assert all(row.failed and np.isnan(row.value) for row in broken)
        empty = [row for row in run.score_rows if row.metric == "no-number"]
        assert empty[0].problem == "no-number gave no number (NaN) for fine/a.png."
        counts = {row.metric: (row.n, row.n_failed) for row in run.summary_rows}
        assert counts["broken"] == counts["no-number"] == (0, 3)
        assert counts["psnr-y"] == (3, 0)

    def test_a_failure_is_not_remembered(self, plugin, evaluate):
        plugin(MARKING)
        assert evaluate(metrics="broken").problems
        plugin(MARKING.replace("raise RuntimeError", "return 1.0 #"))
        assert not evaluate(metrics="broken").problems

    def test_through_the_command_line(self, tmp_path, pictures):
        site = support.install(tmp_path / "site", MARKING)
        options = {"env": support.environment(tmp_path / "cache", site), "cwd": tmp_path}
        listed = support.srqa("metrics", "list", "--kind", "nr", **options)
        assert "level" in listed.stdout
        shown = support.srqa("metrics", "show", "level", "--json", **options)
        assert json.loads(shown.stdout)["kind"] == "nr"
        made = support.srqa(
            "evaluate", "out", "--ref", "hr", "--scale", "4", "-m", "psnr-y,darkness,broken",
            "--out", "run", **options,
        )  # fmt: skip
        assert made.returncode == 5
        assert "darkness ↓" in made.stdout
        assert "failed 3" in " ".join(made.stdout.split())
        page = support.srqa("report", "run", **options)
        assert page.returncode == 0, page.stderr
        assert "darkness" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
        elsewhere = support.srqa("compare", "run", "-m", "psnr-y", cwd=tmp_path)
        assert elsewhere.returncode == 0, elsewhere.stderr

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ("METRICS = [3]", "gives a int, not a MetricSpec"),
            (
                "from srqa.metrics.spec import MetricSpec\nMETRICS = MetricSpec('ssim', abs, '')",
                "'ssim' of 'usermetrics:METRICS' has a name that is taken",
            ),
            ("import nothing_of_that_name", "usermetrics"),
            ("x = 1", "usermetrics"),
        ],
    )
    def test_a_broken_plugin_is_one_sentence(self, tmp_path, source, words):
        site = support.install(tmp_path / "site", source)
        outcome = support.srqa("metrics", "list", env=support.environment(plugins=site))
        assert outcome.returncode == 2
        support.assert_one_sentence(outcome.stderr, words)


class TestFromPython:
    def test_options_that_are_wrong(self, pictures):
        place = pictures / "out", pictures / "hr"
        for options in (
            {"metrics": ["nope"]},
            {"metrics": "psnr-y,"},
            {"scale": 0},
            {"scale": float("nan")},
            {"workers": 0},
            {"batch_size": -1},
            {"resume": True},
            {"device": "gpu"},
            {"protocol": "nope"},
        ):
            with pytest.raises(UsageError):
                srqa.evaluate(*place, **options)

    def test_paths_may_be_text(self, pictures):
        run = srqa.evaluate(str(pictures / "out"), str(pictures / "hr"), metrics=["psnr"])
        assert run.metrics == ["psnr"]

    def test_names_of_the_other_toolbox_and_doubles(self, evaluate):
        assert evaluate(metrics="psnry,PSNR-Y,ssimc").metrics == ["psnr-y", "ssim"]

    def test_frames(self, evaluate):
        run = evaluate()
        assert len(run.scores) == 12
        assert list(run.summary.method) == ["fine", "fine", "poor", "poor"]
        assert set(run.files.role) == {"output", "reference"}
        assert run.methods == ["fine", "poor"]

    def test_progress_ends_with_all(self, evaluate):
        seen = []
        evaluate(progress=lambda done, total: seen.append((done, total)))
        assert seen[0] == (0, 6)
        assert seen[-1] == (6, 6)
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    def test_pairing_is_checked_first(self, pictures):
        (pictures / "hr" / "a.png").unlink()
        with pytest.raises(PairingError):
            srqa.evaluate(pictures / "out", pictures / "hr", out=pictures / "run")
        assert not (pictures / "run").exists()

    def test_a_file_as_reference(self, pictures):
        run = srqa.evaluate(
            [pictures / "out/fine/a.png", pictures / "out/poor/a.png"], pictures / "hr/a.png"
        )
        assert len(run.score_rows) == 4

    def test_the_cores_are_given_back(self, evaluate):
        import cv2

        before = cv2.getNumThreads()
        evaluate()
        assert cv2.getNumThreads() == before


class TestMetricOnArrays:
    def test_numpy_pil_and_tensors_agree(self):
        import torch
        from PIL import Image

        hr, sr = picture(), noisy(picture(), 5)
        for name in ("psnr", "psnr-y", "ssim", "ssim-y"):
            metric = srqa.metric(name)
            value = metric(sr, hr)
            assert metric(Image.fromarray(sr), Image.fromarray(hr)) == value
            tensors = [torch.from_numpy(p.transpose(2, 0, 1) / np.float32(255)) for p in (sr, hr)]
            assert float(metric(*tensors)) == pytest.approx(value, rel=2e-6)
            batch = metric(*(t[None].repeat(3, 1, 1, 1) for t in tensors))
            assert batch.shape == (3,)

    def test_agrees_with_the_engine_uncropped(self, pictures):
        run = srqa.evaluate(pictures / "out", pictures / "hr", protocol="real")
        for row in run.score_rows:
            hr = picture(row.content, 32, 40)
            from PIL import Image

            sr = np.asarray(Image.open(pictures / "out" / row.image))
            assert srqa.metric(row.metric)(sr, hr) == pytest.approx(row.value, rel=2e-6)

    def test_mistakes(self):
        with pytest.raises(UsageError, match="takes a reference"):
            srqa.metric("psnr")(picture())
        with pytest.raises(InputError, match="not a picture"):
            srqa.metric("psnr")(np.zeros((4, 4, 4)), np.zeros((4, 4, 4)))
        with pytest.raises(InputError, match="must be in"):
            srqa.metric("psnr")(picture().astype(float), picture().astype(float))
        with pytest.raises(InputError, match="differ in size"):
            srqa.metric("psnr")(picture(), picture()[1:])


MEASURE = """
    import resource, sys
    import srqa
    for _ in range(int(sys.argv[2])):
        srqa.evaluate(sys.argv[1] + "/out", sys.argv[1] + "/hr", scale=4, workers=2, cache=False,
                      metrics="psnr-y,ssim-y")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource")
def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path):
    """300 pictures against 30: the 270 more would be 210 MB if they were kept."""

    def peak(count):
        folder = tmp_path / str(count)
        for seed in range(count):
            # Flat pictures: large in memory, quick to decode. Each has a content of its own.
            pixels = np.full((512, 512, 3), seed % 250, np.uint8)
            write(folder / "hr" / f"p{seed}.png", pixels)
            write(folder / "out" / f"p{seed}.png", pixels + 1)
        ended = subprocess.run(
            [sys.executable, "-c", dedent(MEASURE), folder, "1"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(ended.stdout) / 1024

    few, many = peak(30), peak(300)
    # 30 to 40 MiB more were measured.
    assert many < few + 100, f"{few:.0f} MiB for 30 pictures, {many:.0f} MiB for 300"


@pytest.mark.parametrize("channel", ["", "-y"])
def test_ssim_and_ms_ssim_filter_the_pictures_once(channel, tmp_path, monkeypatch):
    from srqa.metrics import structural

    for name in ("a", "b"):
        reference = picture(name, 200, 180)
        write(tmp_path / f"hr/{name}.png", reference)
        write(tmp_path / f"out/{name}.png", noisy(reference, 0.05))
    samples = []
    filtered = structural._contrast_and_means

    def watched(a, b, wide=False):
        samples.append(a.size)
        return filtered(a, b, wide)

    def scores(*names):
        samples.clear()
        run = srqa.evaluate(
            tmp_path / "out", tmp_path / "hr", scale=2, metrics=",".join(names), cache=False
        )
        return run.scores.sort_values(["metric", "image"]).value.tolist(), sum(samples)

    ssim, ms_ssim = f"ssim{channel}", f"ms-ssim{channel}"
    monkeypatch.setattr(structural, "_contrast_and_means", watched)
    (first, alone), (second, other) = scores(ssim), scores(ms_ssim)
    for names in ((ssim, ms_ssim), (ms_ssim, ssim)):
        both, together = scores(*names)
        assert both == second + first  # bit for bit
        assert together == other < alone + other


def test_a_worker_waits_while_another_imports_torch():
    """Its module is there, but half empty, as long as it is being imported."""
    pytest.importorskip("torch")
    code = """
        import sys, threading
        from srqa.engine.runner import limit_torch_threads
        other = threading.Thread(target=lambda: __import__("torch"))
        other.start()
        while "torch" not in sys.modules:
            pass
        limit_torch_threads(2)
        other.join()
        print(sys.modules["torch"].get_num_threads())
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("1", "")
