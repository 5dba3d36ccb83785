"""The loop: what comes out, again, after a kill, with several processes, and with bad input."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import support
import torch
from safetensors.torch import load_file

import srqa
from srqa.cli import run
from srqa.degradation.presets import degradation
from srqa.errors import InputError, OutputError, PairingError, ReadError, RunError, UsageError
from srqa.training import card, journal, settings, state
from srqa.training.batches import Batches
from srqa.training.loop import Running, Telling, train
from srqa.training.pictures import load
from srqa.training.settings import Settings
from srqa.training.step import DivergedError

NAMES = ("a", "b", "c", "ü d")
OFTEN = Running(log_every=2, validate_every=3, save_every=4)


@pytest.fixture
def hr(tmp_path):
    for name in NAMES:
        support.write(tmp_path / "hr" / f"{name}.png", support.picture(name, 50, 61))
    return tmp_path / "hr"


def small(hr, **others):
    given = {"model": "fsrcnn", "scale": 2, "options": {"d": 6, "s": 3, "m": 1}, "steps": 6,
             "batch": 2, "patch": 10, "hold_out": 1, "hr": (str(hr),) if hr else ()}  # fmt: skip
    return Settings(**given | others)


def tensors(folder):
    return load_file(next(folder.glob("*.safetensors")))


def same(first, second):
    one, other = tensors(first), tensors(second)
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


def log(folder):
    return [{k: v for k, v in one.items() if k != "seconds"} for one in journal.read(folder)]


def test_it_learns_and_says_so(hr, tmp_path):
    chosen = small(hr, steps=60, rate=2e-2, ema=0.5, patch=12, batch=4)
    kept = train(chosen, tmp_path / "run", running=Running(log_every=20, validate_every=60))
    records = journal.read(tmp_path / "run")
    assert [one["step"] for one in records] == [0, 20, 40, 60]
    losses = [one["loss"]["l1"] for one in records[1:]]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.7 * losses[0]
    facts = card.read(kept.card)
    assert facts == kept.facts
    assert facts["validation"]["bicubic"] == records[0]["validation"]
    assert facts["validation"]["network"] == records[-1]["validation"]
    assert (facts["steps"], facts["loss"], facts["seed"]) == (60, "l1", 0)
    assert facts["data"]["pictures"] == 3
    assert facts["versions"]["torch"] == torch.__version__


def test_the_network_runs_under_upscale_and_scores_as_told(hr, tmp_path):
    """The card's figure is what `srqa upscale` and the metrics give on the picture held out."""
    kept = train(small(hr, ema=0), tmp_path / "run")
    assert kept.network.name == "fsrcnn-x2.safetensors"
    (name,) = kept.facts["validation"]["pictures"]
    pixels = support.picture(Path(name).stem, 50, 61)[:, :60]
    made = srqa.upscale(srqa.degrade(pixels, 2), weights=kept.network)
    cut = slice(2, -2)
    psnr = srqa.metric("psnr-y")(
        np.ascontiguousarray(made[cut, cut]), np.ascontiguousarray(pixels[cut, cut])
    )
    assert kept.facts["validation"]["network"]["psnr-y"] == pytest.approx(psnr, abs=1e-9)


@pytest.mark.parametrize("loss", ["l1", "l1 + 0.05*gan:lsgan:patch", "l2 + 0.05*gan:wgan-gp:patch"])
@pytest.mark.parametrize("preset", ["bi", "real-esrgan"])
def test_a_training_that_was_interrupted_is_the_same_bit_for_bit(hr, tmp_path, loss, preset):
    chosen = small(hr, loss=loss, degradation=preset, patch=16, steps=7)
    train(chosen, tmp_path / "whole", running=OFTEN)

    def interrupt(done, total):
        if done in (3, 5):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for resume in (False, True):
            with pytest.raises(KeyboardInterrupt):
                train(chosen, tmp_path / "broken", running=OFTEN, resume=resume,
                      telling=Telling(step=interrupt))  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    train(chosen, tmp_path / "broken", running=OFTEN, resume=True)
    assert same(tmp_path / "whole", tmp_path / "broken")
    assert log(tmp_path / "whole") == log(tmp_path / "broken")
    whole, broken = (state.read(tmp_path / n / state.NAME) for n in ("whole", "broken"))
    for name in (n for n in whole if n.startswith(("optimiser", "adversarial"))):
        assert str(whole[name]) == str(broken[name])


def test_neither_threads_nor_records_change_the_result(hr, tmp_path):
    train(small(hr), tmp_path / "one", running=OFTEN)
    train(small(hr), tmp_path / "other", running=Running(workers=3, save_every=1, log_every=5))
    assert same(tmp_path / "one", tmp_path / "other")
    train(small(hr, seed=1), tmp_path / "seed")
    assert not same(tmp_path / "one", tmp_path / "seed")


SCRIPT = """
import sys
from srqa.cli import main
main(sys.argv[1:])
"""


def command(hr, out, *more):
    return [sys.executable, "-c", SCRIPT, "train", "sr", "--hr", str(hr), "--model", "fsrcnn",
            "--scale", "2", "--option", "d=6", "--option", "s=3", "--option", "m=1", "--batch", "2",
            "--patch", "10", "--hold-out", "1", "--threads", "1", "--out", str(out),
            *more]  # fmt: skip


def test_a_killed_process_goes_on_where_its_checkpoint_was(hr, tmp_path):
    steps = ("--steps", "150", "--save-every", "5", "--log-every", "2", "--validate-every", "75")
    with subprocess.Popen(command(hr, tmp_path / "killed", *steps)) as process:
        checkpoint = tmp_path / "killed" / state.NAME
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    reached = state.read(checkpoint)["steps"]
    assert 0 < reached < 150
    for name, more in (("killed", ["--resume"]), ("whole", [])):
        subprocess.run(command(hr, tmp_path / name, *steps, *more), check=True)
    assert same(tmp_path / "killed", tmp_path / "whole")
    assert log(tmp_path / "killed") == log(tmp_path / "whole")


def test_two_processes_are_as_one(hr, tmp_path):
    """Under torchrun, with the same batch in all; the sums of floats are in another order."""
    common = ("--steps", "5", "--ema", "0", "--batch", "4", "--log-every", "1")
    subprocess.run(command(hr, tmp_path / "one", *common), check=True)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                "--nproc-per-node", "2"]  # fmt: skip
    script = tmp_path / "srqa_train.py"
    script.write_text(SCRIPT)
    given = command(hr, tmp_path / "two", *common)[3:]
    done = subprocess.run([*torchrun, str(script), *given], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fsrcnn-x2.safetensors") == 1
    one, two = tensors(tmp_path / "one"), tensors(tmp_path / "two")
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-4, atol=1e-6)
    for first, second in zip(log(tmp_path / "one"), log(tmp_path / "two"), strict=True):
        if "loss" in first:
            assert first["loss"] == pytest.approx(second["loss"], rel=1e-4)


def test_patches_are_aligned_and_as_the_file_would_be(hr):
    """What a network sees of a patch is a part of the picture that `srqa degrade` makes."""
    for preset, scale in (("bi", 2), ("bd", 3), ("jpeg", 2)):
        made = degradation(preset, scale)
        data = load([str(hr)], [], 0, made, 8, seed=0)
        batches = Batches(data.training, made, patch=8, channels=3, seed=4)
        wholes = [(p.high, srqa.degrade(p.high, preset=made)) for p in data.training]
        for step in range(6):
            low, high = batches.example(step, 1)
            assert low.shape == (8, 8, 3)
            assert high.shape == (8 * scale, 8 * scale, 3)
            assert any(_within(low, high, *whole, scale) for whole in wholes)


def _within(low, high, whole_high, whole_low, scale):
    for turns in range(8):
        a, b = (np.rot90(p, turns % 4) for p in (low, high))
        a, b = (p[:, ::-1] if turns >= 4 else p for p in (a, b))
        windows = np.lib.stride_tricks.sliding_window_view(whole_high, b.shape)[::scale, ::scale, 0]
        for y, x in np.argwhere((windows == b).all(axis=(2, 3, 4))):
            if np.array_equal(whole_low[y : y + 8, x : x + 8], a):
                return True
    return False


def test_chance_is_drawn_for_every_patch_and_for_nothing_else(hr):
    made = degradation("real-esrgan", 2)
    data = load([str(hr)], [], 0, made, 12, seed=0)
    assert data.training[0].low is None
    batches = Batches(data.training, made, patch=12, channels=1, seed=4)
    low, high = batches.batch(7, 0, 3)
    assert low.shape == (3, 1, 12, 12)
    assert high.shape == (3, 1, 24, 24)
    again = Batches(data.training, made, patch=12, channels=1, seed=4)
    again.batch(6, 0, 3)
    torch.testing.assert_close(again.batch(7, 1, 2)[0], low[1:2], rtol=0, atol=0)
    assert not torch.equal(batches.batch(8, 0, 1)[0], low[:1])
    for step, batch in enumerate(batches.following(5, 9, 0, 3, workers=2), 5):
        assert torch.equal(batch[0], batches.batch(step, 0, 3)[0])


def test_sizes_of_one_picture_are_held_out_together(hr, tmp_path):
    for name in NAMES:
        support.write(tmp_path / "half" / f"{name}.png", support.picture(name, 30, 30))
    data = load([str(hr), str(tmp_path / "half")], [], 1, degradation("bi", 2), 8, seed=0)
    assert {p.name for p in data.validation} == {"hr/c.png", "half/c.png"}
    assert len(data.training) == 6
    other = load([str(hr)], [str(tmp_path / "half")], None, degradation("bi", 2), 8, seed=0)
    assert (len(other.training), len(other.validation)) == (4, 4)


def test_schedules():
    rates = {
        name: [Settings("espcn", 2, ("x",), steps=100, rate=1.0, schedule=name).rate_at(step)
               for step in (0, 25, 50, 80, 99)]
        for name in settings.SCHEDULES
    }  # fmt: skip
    assert rates["constant"] == [1.0] * 5
    assert rates["halving"] == [1.0, 1.0, 0.5, 0.25, 0.125]
    assert rates["cosine"] == pytest.approx([1, 0.853553, 0.5, 0.0954915, 0.000246720], rel=1e-5)


def test_the_mean_of_weights(hr, tmp_path):
    """By hand: with decay min(ema, (1 + n) / (10 + n)) after step n."""
    whole = {}
    for steps in (1, 2, 3):
        chosen = small(hr, steps=steps, schedule="constant", ema=0.9)
        train(chosen, tmp_path / f"{steps}", running=Running(save_every=1))
        whole[steps] = state.read(tmp_path / f"{steps}" / state.NAME)
    torch.manual_seed(state.number(0, "network"))
    mean = state.build("fsrcnn", 2, {"d": 6, "s": 3, "m": 1}).state_dict()
    for step in (1, 2, 3):
        decay = min(0.9, (1 + step) / (10 + step))
        own = whole[step]["network"]
        mean = {name: decay * mean[name] + (1 - decay) * own[name] for name in mean}
        for name in mean:
            torch.testing.assert_close(whole[step]["mean"][name], mean[name])


def test_start_takes_what_fits(hr, tmp_path):
    train(small(hr, model="espcn", options={"first": 4, "second": 4}), tmp_path / "x2")
    notes = []
    begun = small(hr, model="espcn", options={"first": 4, "second": 4}, scale=3, patch=10,
                  start=str(tmp_path / "x2" / "espcn-x2.safetensors"), steps=1, rate=1e-12,
                  ema=0)  # fmt: skip
    train(begun, tmp_path / "x3", telling=Telling(note=notes.append))
    first, second = tensors(tmp_path / "x2"), tensors(tmp_path / "x3")
    torch.testing.assert_close(first["first_part.0.weight"], second["first_part.0.weight"])
    assert any("4 of 6 tensors are those of" in note for note in notes)
    other = small(hr, start=str(tmp_path / "x2" / "espcn-x2.safetensors"))
    with pytest.raises(InputError, match=r"No weights of .* fit fsrcnn"):
        train(other, tmp_path / "none")


# Bad input -------------------------------------------------------------------------------------


def test_no_pictures(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PairingError, match="no pictures"):
        train(small(tmp_path / "empty"), tmp_path / "run")
    with pytest.raises(InputError, match="There is no "):
        train(small(tmp_path / "nowhere"), tmp_path / "run")


def test_pictures_smaller_than_a_patch(hr, tmp_path):
    support.write(hr / "tiny.png", support.picture("tiny", 19, 61))
    notes = []
    train(small(hr, steps=1), tmp_path / "run", telling=Telling(note=notes.append))
    assert notes == [
        "Left out, being smaller than 20 pixels a side, which a patch needs at this scale: "
        "tiny.png (61x19)."
    ]
    with pytest.raises(InputError, match="All 5 pictures are smaller than 80 pixels") as caught:
        train(small(hr, patch=40), tmp_path / "none")
    assert "--patch" in caught.value.hint


def test_a_damaged_picture(hr, tmp_path):
    whole = (hr / "a.png").read_bytes()
    (hr / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match=r"a\.png"):
        train(small(hr), tmp_path / "run")


def test_nothing_left_to_train_on(hr, tmp_path):
    with pytest.raises(UsageError, match="none is left to train on if 4 are held out"):
        train(small(hr, hold_out=4), tmp_path / "run")


def test_a_loss_that_is_none(hr, tmp_path):
    with pytest.raises(UsageError, match="l3"):
        train(small(hr, loss="l1 + 2*l3"), tmp_path / "run")
    with pytest.raises(UsageError, match="needs 16 pixels a side; patches have 8") as caught:
        train(small(hr, loss="content:relu5_3", patch=4), tmp_path / "run")
    assert "--patch 8" in caught.value.hint


def test_metrics_that_compare_nothing(hr, tmp_path):
    with pytest.raises(UsageError, match="niqe does not compare"):
        train(small(hr, metrics=("niqe",)), tmp_path / "run")


@pytest.mark.parametrize("name", ["total", "weights"])
def test_nan_stops_it_and_keeps_the_last_checkpoint(hr, tmp_path, monkeypatch, name):
    from srqa.training import step

    real = step.Step.__call__

    def poisoned(self, now, batch, stopping):
        if now.steps == 5 and name == "total":
            batch = (batch[0] * float("nan"), batch[1])
        result = real(self, now, batch, stopping)
        if now.steps == 8 and name == "weights":
            next(now.network.parameters()).data.fill_(float("inf"))
        return result

    monkeypatch.setattr(step.Step, "__call__", poisoned)
    said = "term l1 was nan at step 6" if name == "total" else "not finite after step 8"
    with pytest.raises(DivergedError, match=f"{said}.*The last good checkpoint is kept"):
        train(small(hr, steps=12), tmp_path / "run", running=OFTEN)
    kept = state.read(tmp_path / "run" / state.NAME)
    assert kept["steps"] == 4
    assert all(bool(tensor.isfinite().all()) for tensor in kept["network"].values())
    assert all(bool(tensor.isfinite().all()) for tensor in tensors(tmp_path / "run").values())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_no_space(hr, tmp_path, monkeypatch):
    train(small(hr, steps=4), tmp_path / "run", running=OFTEN)
    before = (tmp_path / "run" / state.NAME).read_bytes()
    (tmp_path / "run" / journal.NAME).unlink()
    (tmp_path / "run" / journal.NAME).symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space is left"):
        journal.write(tmp_path / "run", {"step": 1})
    now = state.State(small(hr, steps=4), "cpu", mixed=False)
    real = torch.save
    monkeypatch.setattr(torch, "save", lambda what, path: real(what, "/dev/full"))
    with pytest.raises(OutputError, match="cannot be written"):
        now.save(tmp_path / "run", "")
    assert (tmp_path / "run" / state.NAME).read_bytes() == before


def test_another_configuration_is_told_apart(hr, tmp_path):
    train(small(hr), tmp_path / "run", running=OFTEN)
    with pytest.raises(RunError, match="holds a training already") as caught:
        train(small(hr), tmp_path / "run")
    assert "--resume" in caught.value.hint
    with pytest.raises(RunError, match="loss was 'l1' and is 'l2'; patch was 10 and is 11"):
        train(small(hr, patch=11, loss="l2"), tmp_path / "run", resume=True)
    support.write(hr / "a.png", support.picture("other", 50, 61))
    with pytest.raises(RunError, match="begun with other pictures"):
        train(small(hr), tmp_path / "run", resume=True)
    with pytest.raises(RunError, match="There is no checkpoint in"):
        train(small(hr), tmp_path / "new", resume=True)
    (tmp_path / "run" / state.NAME).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(RunError, match="cannot be read"):
        train(small(hr), tmp_path / "run", resume=True)


def test_two_trainings_in_one_folder(hr, tmp_path):
    """The second is refused while the first is at work."""
    begun, end = threading.Event(), threading.Event()

    def wait(done, total):
        begun.set()
        end.wait(60)

    first = threading.Thread(
        target=train, args=(small(hr), tmp_path / "run"), kwargs={"telling": Telling(step=wait)}
    )
    first.start()
    try:
        assert begun.wait(60)
        with pytest.raises(RunError, match="Another training is writing into"):
            train(small(hr), tmp_path / "run")
    finally:
        end.set()
        first.join()
    assert (tmp_path / "run" / "fsrcnn-x2.safetensors").exists()


def test_no_rights(hr, tmp_path, ordinary_user):
    (tmp_path / "closed").mkdir(mode=0o555)
    with ordinary_user(), pytest.raises(OutputError, match="No rights to write"):
        train(small(hr), tmp_path / "closed")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": 0}, "steps is a whole number from 1"),
        ({"batch": 0}, "batch is a whole number from 1"),
        ({"patch": 3}, "patch is a whole number from 4"),
        ({"rate": float("nan")}, "learning rate is a positive number"),
        ({"schedule": "sine"}, "A schedule is cosine or constant or halving, not 'sine'"),
        ({"ema": 1.0}, "ema lies between 0 and 1"),
        ({"hold_out": -1}, "hold-out is a number of pictures"),
        ({"hr": ()}, "needs high-resolution pictures"),
        ({"scale": 7}, "fsrcnn can be trained for 2 or 3 or 4, not for 7"),
    ],
)
def test_settings_that_make_no_sense(given, said):
    with pytest.raises(UsageError, match=said):
        small(**{"hr": "x"} | given)


def test_a_configuration_file(hr, tmp_path, capsys):
    file = tmp_path / "train.toml"
    file.write_text(
        f'model = "fsrcnn"\nscale = 2\nhr = ["{hr}"]\nsteps = 2\nbatch = 2\npatch = 10\n'
        'hold-out = 1\n[options]\nd = 6\ns = 3\nm = 1\n[degradation]\npreset = "bi"\n'
        "noise = [0, 5]\n"
    )
    done = support.srqa("train", "sr", "--config", file, "--steps", "3", "--option", "m=2",
                        "--out", tmp_path / "run")  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "run" / "fsrcnn-x2.json").read_text())
    chosen = facts["settings"]
    assert (chosen["steps"], chosen["options"]) == (3, {"d": 6, "s": 3, "m": 2})
    assert chosen["degradation_settings"] == {"noise": [0, 5]}
    assert done.stdout.strip().endswith("fsrcnn-x2.safetensors")
    assert "bicubic" in done.stderr
    for text, said, code in (
        ("model = 'espcn'\nstps = 3", "no setting 'stps'", 2),
        ("model = [", "is no TOML", 3),
        ("model = 3\nscale = 2", "model cannot be 3", 2),
        ("scale = 2", "Training needs a model", 2),
    ):
        file.write_text(text)
        given = ["train", "sr", "--config", str(file), "--hr", str(hr), "--out", str(tmp_path)]
        assert run(given) == code
        assert said in capsys.readouterr().err


def test_an_interrupt_says_how_to_go_on(hr, tmp_path):
    reset = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    given = command(hr, tmp_path / "run", "--steps", "100000", "--save-every", "1")
    given[2] = reset + SCRIPT
    with subprocess.Popen(given, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "run" / state.NAME).exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 130, said
    assert "of 100000 steps" in said
    assert "--resume goes on with it" in said
    reached = state.read(tmp_path / "run" / state.NAME)["steps"]
    assert f"Interrupted after {reached} of" in said
