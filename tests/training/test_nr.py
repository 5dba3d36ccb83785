"""`srqa train nr`: places, artefacts, pairs, the fit, and one training for real."""

import json
import shutil

import numpy as np
import pytest
import skimage.data

from srqa.errors import InputError, PairingError, RunError, UsageError
from srqa.metrics.registry import get
from srqa.metrics.srqa_nr import read_head
from srqa.training.nr import fitting, training
from srqa.training.nr.artefacts import ALWAYS_WORSE, KINDS, UNORDERED
from srqa.training.nr.fitting import Checked, Judged, Problem, folds
from srqa.training.nr.guards import failed, guards
from srqa.training.nr.pairs import SURE, pairs
from srqa.training.nr.places import SIDE, find_places
from srqa.training.nr.report import figures
from srqa.training.nr.samples import Samples, mean_ranks
from srqa.training.nr.store import Store
from tests.support import srqa, write


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos with a space")
    write(folder / "astronaut.png", skimage.data.astronaut())
    write(folder / "chelsea é.png", skimage.data.chelsea())
    write(folder / "small.png", skimage.data.coffee()[:100])
    return folder


# -------------------------------------------------------------------------------------- places


def test_places_come_from_all_photographs_and_do_not_overlap(photos):
    places, notes = find_places(photos, 4, seed=3)
    assert {p.photograph for p in places} == {"astronaut", "chelsea é"}
    assert all(p.pixels.shape == (SIDE, SIDE, 3) for p in places)
    assert "small.png" in notes[0]
    again, _ = find_places(photos, 4, seed=3)
    assert all((a.pixels == b.pixels).all() for a, b in zip(places, again, strict=True))
    other, _ = find_places(photos, 4, seed=4)
    assert any((a.pixels != b.pixels).any() for a, b in zip(places, other, strict=True))


def test_a_jpeg_is_halved_first(tmp_path):
    from PIL import Image

    big = np.tile(skimage.data.astronaut(), (1, 1, 1))
    Image.fromarray(big).save(tmp_path / "a.jpg", quality=95)
    places, _ = find_places(tmp_path, 9)
    assert len(places) == 1


def test_folders_without_photographs_are_refused(tmp_path, photos):
    with pytest.raises(PairingError):
        find_places(tmp_path, 4)
    shutil.copy(photos / "small.png", tmp_path)
    with pytest.raises(InputError, match="No photograph"):
        find_places(tmp_path, 4)


# ----------------------------------------------------------------------------------- artefacts


@pytest.mark.parametrize("kind", KINDS)
def test_artefacts_grow_with_their_strength(kind):
    picture = skimage.data.astronaut()[100:292, 100:292].astype(np.float32) / 255
    for seed in range(4):
        artefact = KINDS[kind](np.random.default_rng(seed), picture.copy())
        steps = [artefact(s) for s in (0.05, 0.35, 0.65, 0.95)]
        errors = [float(np.square(step - picture).mean()) for step in steps]
        assert all(step.shape == picture.shape for step in steps)
        assert all(step.min() >= 0 and step.max() <= 1 + 1e-6 for step in steps)
        assert errors[0] > 0
        assert kind in UNORDERED or errors == sorted(errors)


# --------------------------------------------------------------------------------------- pairs


def made(measured, families, groups, kinds, bases, described=None):
    n = len(families)
    return Samples(
        names=np.array([str(i) for i in range(n)]),
        families=np.array(families),
        groups=np.array(groups),
        kinds=np.array(kinds),
        bases=np.array(bases),
        measured=np.array(measured, float),
        described=np.zeros((n, 3), np.float32) if described is None else described,
    )


def test_labels_are_mean_ranks_of_three_measures():
    measured = np.array([[0.0, 1.0, 1.0], [0.5, 0.4, 0.9], [0.2, 0.3, 0.8]])
    assert mean_ranks(measured) == pytest.approx([1, 1 / 3, 1 / 6])


def test_pairs_of_a_place():
    nan = (np.nan,) * 3
    samples = made(
        [(0, 1, 1), (0.2, 0.8, 0.8), (0.3, 0.9, 0.9), (0.1, 0.99, 0.99), (0.05, 1, 1), nan, nan],
        ["pristine", "output", "output", "series", "series", "drill", "drill"],
        [-1, 0, 0, 0, 0, 0, 0],
        ["", "", "", "noise", "noise", "blur", "blur"],
        [-1, -1, -1, 0, 0, 0, 0],
    )
    found = pairs(samples)
    target = {(a, b): t for a, b, t in zip(*found[:3], strict=True)}
    assert found.weight.sum() == pytest.approx(1)
    assert target[0, 3] == target[3, 4] == SURE  # though the measures have the stronger first
    assert target[0, 5] == target[0, 6] == target[5, 6] == SURE
    assert (1, 5) not in target
    assert target[1, 2] == pytest.approx(1 / (1 + np.exp((1 / 3) / 0.2)))
    assert "noise" not in ALWAYS_WORSE


def test_guards_are_neither_labelled_nor_learned_from():
    samples = made(
        [(0, 1, 1), (0.2, 0.8, 0.8), (np.nan,) * 3, (np.nan,) * 3],
        ["pristine", "output", "guard", "guard"],
        [-1, 0, -1, -1], ["", "", "blur", "blur"], [-1, -1, 0, 0],
    )  # fmt: skip
    found = pairs(samples)
    assert len(samples.labels()) == 2
    assert set(found.first) | set(found.second) == {0, 1}
    for scores, passes in (([3, 2, 1, 0], 1), ([3, 2, 0, 1], 0), ([0, 2, 1, -1], 0)):
        checked = Checked(0.1, 0.0, [np.array(scores, np.float32)])
        assert figures([Judged("a", samples, found)], checked)["guards"] == {"blur": passes}


def test_a_head_that_breaks_a_guard_is_not_chosen(monkeypatch):
    samples = made(
        [(0, 1, 1), (0.2, 0.8, 0.8), (np.nan,) * 3],
        ["pristine", "output", "guard"], [-1, 0, -1], ["", "", "noise"], [-1, -1, 0],
    )  # fmt: skip
    places = [Judged.of(name, samples) for name in "ab"]
    scores = {0.1: [3, -3, 4], 0.2: [2, -2, 1], 0.4: [1, -1, 0]}  # the least loss breaks it

    class Solved:
        of = staticmethod(lambda _: Solved())
        solve = staticmethod(lambda decay, _: decay)
        sums = staticmethod(lambda _, decay: np.array(scores[decay], np.float32))

    monkeypatch.setattr(fitting, "Problem", Solved)
    assert fitting.cross_validate(places, 0, tuple(scores)).decay == 0.2
    assert fitting.cross_validate(places, 0, (0.1,)).decay == 0.1
    assert failed({"noise": 0.94, "blur": 0.95}) == {"noise": 0.94}


def test_guards_are_always_the_same():
    crop = skimage.data.astronaut()[:192, :192]
    names, pictures = zip(*guards(crop), strict=True)
    assert names[:6] == ("blur",) * 3 + ("jpeg",) * 3
    assert all(p.shape == crop.shape and p.dtype == np.uint8 for p in pictures)
    assert all((p == q).all() for p, (_, q) in zip(pictures, guards(crop), strict=True))
    error = [np.abs(p.astype(float) - crop).mean() for p in pictures]
    assert error[0] < error[1] < error[2]
    assert error[3] < error[4] < error[5]


def test_photographs_are_not_parted_by_folds():
    found = folds(["a", "b", "c", "a", "b"], 0)
    assert sorted(found.values()) == [0, 1, 2]


def test_the_fit_finds_what_it_should(rng):
    places = []
    truth = np.array([1.0, -2.0, 0.0])
    for number in range(6):
        described = (rng.normal(size=(20, 3)) + number).astype(np.float32)
        quality = described @ truth
        samples = made(
            np.stack([-quality, quality, quality], 1),
            ["output"] * 20, [-1] * 20, [""] * 20, [-1] * 20, described,
        )  # fmt: skip
        places.append(Judged.of(str(number), samples))
    problem = Problem.of(places)
    fresh = (rng.normal(size=(300, 3)) + 2.5).astype(np.float32)
    sums = problem.sums(fresh, problem.solve(1e-4))
    assert np.corrcoef(sums, fresh @ truth)[0, 1] > 0.97
    assert np.corrcoef(sums, fresh[:, 1])[0, 1] < -0.8


def test_the_fit_bends_where_better_turns_to_worse(rng):
    places = []
    for number in range(8):
        described = rng.uniform(-2, 2, (30, 3)).astype(np.float32)
        quality = -np.abs(described[:, 0])
        samples = made(
            np.stack([-quality, quality, quality], 1),
            ["output"] * 30, [-1] * 30, [""] * 30, [-1] * 30, described,
        )  # fmt: skip
        places.append(Judged.of(str(number), samples))
    problem = Problem.of(places)
    probe = np.zeros((3, 3), np.float32)
    probe[:, 0] = -1.5, 0, 1.5
    left, middle, right = problem.sums(probe, problem.solve(1e-4))
    assert middle > left + 1
    assert middle > right + 1


# ------------------------------------------------------------------------------------ the whole


def test_a_small_training_for_real(photos, tmp_path, weights):
    out = tmp_path / "own head.safetensors"
    made = training.train(photos, out, quick=True, places=2, workers=1)
    figures = json.loads(made.card.read_text("utf-8"))
    assert figures == made.figures | {k: figures[k] for k in figures.keys() - made.figures.keys()}
    assert (figures["places"], figures["photographs"], figures["seed"]) == (2, 2, 0)
    assert set(figures["guards"]) >= {"blur", "jpeg", "noise", "sharpening", "checkerboard"}
    assert all(0 <= share <= 1 for share in figures["guards"].values())
    spec = get(f"srqa-nr:{out}")
    picture = skimage.data.astronaut()[:200, :300].transpose(2, 0, 1) / 255
    assert 0 <= spec(picture) <= 100
    assert json.loads(read_head(out).card["card"]) == figures


@pytest.mark.slow
def test_one_training_for_real_and_again(photos, tmp_path, weights, monkeypatch):
    out = tmp_path / "own head.safetensors"
    first = training.train(photos, out, quick=True, workers=2)
    figures = json.loads(first.card.read_text("utf-8"))
    assert figures["places"] == 6
    assert figures["photographs"] == 2
    assert 0 < figures["srocc"] <= 1
    assert figures["srocc interval"][0] <= figures["srocc"] <= figures["srocc interval"][1]
    head = out.read_bytes()

    kept = sorted(out.with_suffix(".data").glob("*.npz"))
    kept[0].unlink()
    kept[1].write_bytes(kept[1].read_bytes()[:1000])
    calls = []
    make = training.make
    monkeypatch.setattr(training, "make", lambda *a: calls.append(a) or make(*a))
    training.train(photos, out, quick=True, workers=1)
    assert len(calls) == 2
    assert out.read_bytes() == head

    with pytest.raises(RunError, match="other settings"):
        training.train(photos, out, quick=True, seed=1)


def test_a_lone_photograph_and_another_suffix_are_refused(photos, tmp_path, weights):
    shutil.copy(photos / "astronaut.png", tmp_path)
    with pytest.raises(InputError, match="Only one photograph"):
        training.train(tmp_path, tmp_path / "a.safetensors", quick=True)
    with pytest.raises(UsageError, match="safetensors"):
        training.train(photos, tmp_path / "a.pt", quick=True)


def test_the_folder_of_another_recipe_is_refused(tmp_path, photos):
    places, _ = find_places(photos, 2)
    Store(tmp_path).open(places, seed=0)
    Store(tmp_path).open(places, seed=0)
    (tmp_path / "data.json").write_text("{", "utf-8")
    with pytest.raises(RunError, match="cannot be read"):
        Store(tmp_path).open(places, seed=0)


def test_the_command_says_what_is_wrong(tmp_path):
    (tmp_path / "empty").mkdir()
    done = srqa("train", "nr", "--hr", tmp_path / "empty", "--out", tmp_path / "a.safetensors")
    assert done.returncode == 3
    assert "no pictures" in done.stderr.lower()
    done = srqa("train", "nr", "--hr", tmp_path / "nowhere", "--out", tmp_path / "a.safetensors")
    assert done.returncode == 3
    assert "nowhere does not exist" in done.stderr
    assert not (tmp_path / "a.safetensors").exists()
