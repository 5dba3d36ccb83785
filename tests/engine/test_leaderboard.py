"""From high-resolution pictures to a ranking: stages that are done are not done again."""

import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from support import picture, write

from srqa.engine.leaderboard import find_entrants, leaderboard
from srqa.engine.results import ModelRow, Run
from srqa.engine.storage import schema
from srqa.errors import InputError, RunError, UsageError
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.models.cost import count

METRICS = "psnr-y,ssim-y"


@pytest.fixture
def hr(tmp_path):
    for name in "abc":
        write(tmp_path / "hr" / f"{name}.png", picture(name, 48, 64))
    return tmp_path / "hr"


@pytest.fixture
def small(tmp_path):
    """``small(seed)`` writes the checkpoint of a small network with random numbers, x4."""
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    def make(seed, name="small.pth"):
        torch.manual_seed(seed)
        net = SRVGGNetCompact(num_feat=8, num_conv=2, upscale=4)
        torch.save({"params": net.state_dict()}, tmp_path / name)
        return str(tmp_path / name)

    return make


@pytest.fixture
def calls(monkeypatch):
    """Names of the pictures that were enlarged, in order."""
    from srqa.models import folders

    done = []
    real = folders.Work._one

    def one(self, job, *rest):
        done.append(f"{self._upscaler.name}/{job.name}")
        return real(self, job, *rest)

    monkeypatch.setattr(folders.Work, "_one", one)
    return done


def board(hr, out, models="nearest,bicubic", **options):
    return leaderboard(hr, models, **({"out": out, "metrics": METRICS} | options))


class TestTheWay:
    def test_numbers_are_those_of_the_stages_alone(self, hr, tmp_path):
        import srqa

        run = board(hr, tmp_path / "run")
        psnr = {(r.method, r.content): r.value for r in run.score_rows if r.metric == "psnr-y"}
        assert len(psnr) == 6
        made = run.manifest["leaderboard"]
        assert made["preset"] == "bi"
        assert [one["model"] for one in made["upscaling"]] == ["nearest", "bicubic"]
        for name in "abc":
            pixels = read(hr / f"{name}.png").pixels
            low = imresize(pixels, 0.25)
            assert np.array_equal(read(tmp_path / "run" / "lr" / "x4" / f"{name}.png").pixels, low)
            made = srqa.upscale(low, "bicubic", scale=4)
            place = tmp_path / "run" / "outputs" / "bicubic" / "x4" / f"{name}.png"
            assert np.array_equal(read(place).pixels, made)
            sr, ref = (p[4:-4, 4:-4] / 255 for p in (made, pixels))
            assert psnr["bicubic", name] == pytest.approx(srqa.metric("psnr-y")(sr, ref), abs=1e-6)

    def test_nothing_is_done_twice(self, hr, tmp_path, calls):
        first = board(hr, tmp_path / "run")
        assert len(calls) == 6
        files = {p: p.stat().st_mtime_ns for p in (tmp_path / "run").rglob("*.png")}
        second = board(hr, tmp_path / "run")
        assert len(calls) == 6
        assert {p: p.stat().st_mtime_ns for p in files} == files
        assert second.summary_rows == first.summary_rows
        assert second.model_rows == first.model_rows

    def test_a_changed_model_is_all_that_is_computed(self, hr, tmp_path, calls, small):
        models = f"bicubic,{small(0)}"
        first = board(hr, tmp_path / "run", models)
        calls.clear()
        small(1)
        second = board(hr, tmp_path / "run", models)
        assert calls == ["small/a.png", "small/b.png", "small/c.png"]
        of = [{r.method: r.mean for r in run.summary_rows if r.metric == "psnr-y"}
              for run in (first, second)]  # fmt: skip
        assert of[0]["bicubic"] == of[1]["bicubic"]
        assert of[0]["small"] != of[1]["small"]

    def test_one_more_model_one_more_picture_one_less(self, hr, tmp_path, calls):
        board(hr, tmp_path / "run", "bicubic")
        calls.clear()
        write(hr / "d.png", picture("d", 48, 64))
        run = board(hr, tmp_path / "run", "bicubic,nearest")
        assert calls == ["bicubic/d.png", *(f"nearest/{n}.png" for n in "abcd")]
        assert {r.n for r in run.summary_rows} == {4}
        calls.clear()
        (hr / "a.png").unlink()
        run = board(hr, tmp_path / "run", "nearest")
        assert calls == []
        assert (run.methods, {r.n for r in run.summary_rows}) == (["nearest"], {3})

    def test_killed_anywhere_and_run_again(self, hr, tmp_path, monkeypatch):
        whole = board(hr, tmp_path / "whole")

        class Killed(BaseException):
            pass

        for moment in ("nearest x4", "bicubic x4", "counting", "evaluating"):

            def progress(what, done, _total, moment=moment):
                if what.startswith(moment) and (done or moment == "counting"):
                    raise Killed

            with pytest.raises(Killed):
                board(hr, tmp_path / "parts", progress=progress)
        parts = board(hr, tmp_path / "parts")
        assert parts.summary_rows == whole.summary_rows
        for path in (tmp_path / "whole").rglob("*.png"):
            other = tmp_path / "parts" / path.relative_to(tmp_path / "whole")
            assert path.read_bytes() == other.read_bytes()
        assert not list((tmp_path / "parts").rglob("*.jsonl"))

    def test_datasets_and_scales(self, tmp_path):
        for dataset in ("one", "two"):
            for name in "ab":
                write(
                    tmp_path / "hr" / dataset / f"{name}.png", picture(f"{dataset}{name}", 48, 60)
                )
        run = board(tmp_path / "hr", tmp_path / "run", scale=[2, 3, 4])
        keys = {(r.dataset, r.scale, r.method) for r in run.summary_rows}
        assert keys == {(d, s, m) for d in ("one", "two") for s in (2.0, 3.0, 4.0)
                        for m in ("nearest", "bicubic")}  # fmt: skip
        assert {(r.method, r.scale) for r in run.model_rows} == {(m, s) for _, s, m in keys}
        assert all("crop " + f"{r.scale:g}" in r.signature for r in run.summary_rows)

    def test_datasets_whose_pictures_lie_in_a_folder_hr(self, tmp_path):
        for dataset in ("Set5", "Set14"):
            write(tmp_path / "hr" / dataset / "HR" / "a.png", picture(dataset, 48, 60))
        run = board(tmp_path / "hr", tmp_path / "run", "nearest")
        keys = {(r.dataset, r.method) for r in run.summary_rows}
        assert keys == {("Set5", "nearest"), ("Set14", "nearest")}

    def test_several_folders_are_several_datasets(self, tmp_path):
        for dataset in ("one", "two"):
            write(tmp_path / dataset / "a.png", picture(dataset, 48, 60))
        run = board([tmp_path / "one", tmp_path / "two"], tmp_path / "run")
        assert {r.dataset for r in run.summary_rows} == {"one", "two"}
        assert (tmp_path / "run" / "hr" / "one").resolve() == tmp_path / "one"
        board([tmp_path / "one", tmp_path / "two"], tmp_path / "run", overwrite=True)
        assert (tmp_path / "one" / "a.png").exists()  # a link is removed, not what it leads to

    def test_named_test_sets(self, hr, tmp_path, monkeypatch):
        from srqa.images import testsets

        monkeypatch.setenv("SRQA_DATA", str(tmp_path / "data.json"))
        with pytest.raises(InputError, match="neither a folder nor a test set"):
            board("mine", tmp_path / "run")
        testsets.add("mine", hr)
        run = board("mine", tmp_path / "run")
        assert {r.dataset for r in run.summary_rows} == {"mine"}

    def test_sides_that_the_scale_does_not_divide(self, tmp_path):
        write(tmp_path / "hr" / "a.png", picture("a", 50, 63))
        run = board(tmp_path / "hr", tmp_path / "run")
        assert all(math.isfinite(r.mean) and "sizes modcrop" in r.signature
                   for r in run.summary_rows)  # fmt: skip

    def test_another_degradation_begins_anew(self, hr, tmp_path, calls):
        first = board(hr, tmp_path / "run")
        calls.clear()
        second = board(hr, tmp_path / "run", preset="jpeg")
        assert len(calls) == 6
        assert second.summary_rows[0].mean < first.summary_rows[0].mean


class TestWhoTakesPart:
    def test_scales_that_a_model_cannot(self):
        entrants, notes = find_entrants("bicubic,real-esrgan-x4plus", [2.0, 4.0])
        assert [e.scales for e in entrants] == [(2.0, 4.0), (4.0,)]
        assert notes == ["real-esrgan-x4plus does not enlarge by x2 and takes no part there."]

    @pytest.mark.parametrize(("models", "words"), [
        ("bicubic,real-esrgan-x4plus", "none of the scales"), ("bicubik", "no model called"),
        ("bicubic,bicubic", "named twice"), (" , ", "No models"),
    ])  # fmt: skip
    def test_refused(self, models, words):
        with pytest.raises(UsageError, match=words):
            find_entrants(models, [2.0])

    def test_a_picture_that_fails(self, hr, tmp_path):
        (hr / "b.png").write_bytes(b"broken")
        run = board(hr, tmp_path / "run")
        assert any(w.startswith("Not degraded: b.png") for w in run.warnings)
        assert {r.n for r in run.summary_rows} == {2}

    def test_a_model_that_gives_no_numbers(self, hr, tmp_path, small):
        path = small(0)
        state = torch.load(path)["params"]
        state["body.0.bias"] += 1e38
        state["body.2.weight"] *= 1e38
        torch.save({"params": state}, path)
        with pytest.raises(InputError, match=r"small enlarges none.*NaN or infinite"):
            board(hr, tmp_path / "run", f"bicubic,{path}")

    def test_a_run_of_something_else_is_not_replaced(self, hr, tmp_path):
        import srqa

        srqa.evaluate(hr, hr, scale=4, metrics=METRICS, out=tmp_path / "run")
        with pytest.raises(RunError, match="no leaderboard"):
            board(hr, tmp_path / "run")
        board(hr, tmp_path / "run", overwrite=True)


class TestCosts:
    def test_table(self, hr, tmp_path, small):
        run = board(hr, tmp_path / "run", f"bicubic,{small(0)}")
        table = pq.read_table(tmp_path / "run" / "models.parquet")
        assert table.schema.equals(schema("models"))
        again = Run.load(tmp_path / "run")
        assert again.model_rows == run.model_rows
        assert list(again.models["method"]) == ["bicubic", "small"]
        document = again.to_json()
        assert [row["method"] for row in document["models"]] == ["bicubic", "small"]
        rows = {row.method: row for row in run.model_rows}
        # Three 3x3 convolutions: 3 to 8, 8 to 8 twice, 8 to 48, and PReLUs.
        products = 9 * (3 * 8 + 8 * 8 * 2 + 8 * 48)
        assert rows["small"].multiply_adds == pytest.approx(products * 320 * 180)
        assert rows["small"].parameters == products + 8 + 8 * 2 + 48 + 8 * 3
        assert (rows["bicubic"].parameters, rows["bicubic"].multiply_adds) == (0, 0)
        assert rows["small"].pictures == 3
        assert rows["small"].megapixels == pytest.approx(3 * 48 * 64 / 1e6)
        assert rows["small"].seconds_a_megapixel > 0
        assert rows["small"].memory > 12 * 16 * 4 * 51

    def test_an_evaluation_that_replaces_it_has_none(self, hr, tmp_path):
        import srqa

        board(hr, tmp_path / "run")
        srqa.evaluate(hr, hr, scale=4, metrics=METRICS, out=tmp_path / "run", overwrite=True)
        assert not (tmp_path / "run" / "models.parquet").exists()
        assert Run.load(tmp_path / "run").model_rows == []

    def test_counted_once(self, hr, tmp_path, monkeypatch, small):
        models = f"bicubic,{small(0)}"
        board(hr, tmp_path / "run", models)
        monkeypatch.setattr("srqa.engine.costs.count", lambda *_: pytest.fail("counted again"))
        board(hr, tmp_path / "run", models)
        kept = json.loads((tmp_path / "run/outputs/small/x4/.cost.json").read_text())
        assert kept["cost"]["parameters"] > 0

    def test_counting(self):
        """One convolution of 3 to 64 channels; its input, output and what it adds up are alive."""
        from srqa.models.upscaler import Upscaler

        conv = torch.nn.Conv2d(3, 64, 3, padding=1)
        one = Upscaler("one", lambda x, _: conv(x), scales=(1,), channels=3, module=conv)
        cost = count(one, 1)
        assert (cost.multiply_adds, cost.parameters) == (3 * 64 * 9, 3 * 64 * 9 + 64)
        assert cost.memory == 4 * (3 + 64)
        two = Upscaler("two", lambda x, _: conv(conv(x)[:, :3]), scales=(1,), channels=3,
                       module=conv)  # fmt: skip
        assert count(two, 1).memory == 4 * (3 + 64 + 64)

    def test_columns(self):
        assert list(ModelRow.__dataclass_fields__) == schema("models").names
