"""The head that travels: guards on pictures unseen in training, its card, how it computes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.stats
import skimage.data

import srqa
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.metrics import features, srqa_nr
from srqa.metrics.catalog import CATALOG
from srqa.training.nr.guards import guards
from srqa.training.nr.places import crops
from srqa.training.photographs import photographs as training_photographs

SPEC = {spec.name: spec for spec in CATALOG}["srqa-nr"]
SHARPER = ("noise", "sharpening", "checkerboard", "nearest x4", "nearest x3", "nearest x2")
DATA = Path(srqa_nr.__file__).parent / "data"


@pytest.fixture(scope="module")
def card():
    return json.loads(srqa_nr.read_head(DATA / "srqa-nr.safetensors").card["card"])


def photographs():
    """Five of skimage's, on none of which anything was trained, as they are."""
    folder = Path(skimage.data.__file__).parent
    yield from (getattr(skimage.data, n)() for n in ("astronaut", "chelsea", "coffee", "rocket"))
    yield read(folder / "motorcycle_left.png").pixels[..., :3]


def planes(pictures):
    import torch

    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def sharpness(pixels):
    """Variance of the Laplacian, as autofocus measures it."""
    return cv2.Laplacian(pixels.astype(float).mean(2), cv2.CV_64F).var()


@pytest.fixture(scope="module")
def crop_pixels():
    rng = np.random.default_rng(0)
    return [crop for pixels in photographs() for crop in crops(pixels, rng)]


@pytest.fixture(scope="module")
def guarded(weights, crop_pixels):
    """For each crop {guard: [(score, sharpness) of the crop and of each step]}."""
    found = []
    for crop in crop_pixels:
        names, pictures = zip(("", crop), *guards(crop), strict=True)
        scores = SPEC.function(planes(pictures)).tolist()
        steps = {name: [(scores[0], sharpness(crop))] for name in names[1:]}
        for name, value, picture in zip(names[1:], scores[1:], pictures[1:], strict=True):
            steps[name].append((value, sharpness(picture)))
        found.append(steps)
    return found


def passed(guarded, name):
    return sum(bool((np.diff([s for s, _ in each[name]]) < 0).all()) for each in guarded)


def allowed(n):
    """So few of n crops pass by chance, one time in twenty, where 95 % of all do."""
    return scipy.stats.binom.ppf(0.05, n, 0.95)


@pytest.mark.parametrize("name", [*SHARPER, "blur", "jpeg"])
def test_every_guard_holds_on_photographs_left_out(card, name):
    assert card["guards"][name] >= 0.95


@pytest.mark.parametrize("name", SHARPER)
def test_artefacts_lower_the_score_of_other_photographs(guarded, name):
    assert len(guarded) >= 20
    assert passed(guarded, name) >= allowed(len(guarded))


@pytest.mark.parametrize("name", SHARPER[:3])
def test_they_do_though_sharpness_rises(guarded, name):
    rises = [each for each in guarded if each[name][1][1] > each[name][0][1]]
    assert len(rises) > len(guarded) * 0.9
    assert passed(rises, name) >= allowed(len(rises))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_nearest_neighbours_score_below_bicubic_though_sharper(weights, crop_pixels, scale):
    found = []
    for crop in crop_pixels:
        small = imresize(crop, 1 / scale)
        bicubic, nearest = imresize(small, scale), small.repeat(scale, 0).repeat(scale, 1)
        assert sharpness(nearest) > sharpness(bicubic)
        one, other = SPEC.function(planes([bicubic, nearest])).tolist()
        found.append(one > other)
    assert sum(found) >= allowed(len(found))


def test_a_series_of_blur_falls_step_by_step_on_other_photographs(guarded):
    assert passed(guarded, "blur") >= allowed(len(guarded))


def test_a_series_of_jpeg_falls_but_for_grain_that_it_takes_away(guarded):
    """As docs/srqa-nr.md says: quality 50 may raise the score of grainy pictures a little."""
    scores = np.array([[score for score, _ in each["jpeg"]] for each in guarded])
    assert (np.diff(scores[:, 1:]) < 0).all()
    assert (scores[:, 2] < scores[:, 0]).all()
    assert (scores[:, 1] - scores[:, 0]).max() < 4
    assert passed(guarded, "jpeg") >= 0.65 * len(guarded)


def test_the_card_says_what_it_is_for_and_how_well_it_does(card):
    found = card
    assert (found["seed"], found["quick"], found["places"]) == (0, False, 420)
    assert found["photographs"] == 41
    low, high = found["srocc interval"]
    assert 0.65 < low < found["srocc"] < high
    assert found["labels"] == ["lpips", "haarpsi", "fsimc"]
    assert "several outputs of one content" in found["for"]
    assert "different contents" in found["not for"]
    assert "without people" in found["learned"]
    beside = json.loads((DATA / "srqa-nr.json").read_text("utf-8"))
    assert beside == found


def test_notice_names_every_photograph(card):
    told = " ".join((Path(srqa.__file__).parents[1] / "NOTICE").read_text("utf-8").split())
    titles = {"cincinnati-bridge": "Roebling Suspension Bridge", "citrus-fruits": "Citrus Fruits",
              "european-honey-bee": "European Honey Bee"}  # fmt: skip
    listed = {one.name: one for one in training_photographs()}
    assert len(card["trained on"]) == 41
    for name in card["trained on"]:
        assert name in listed
        plain = name.replace("Picture_", "Picture ")
        assert titles.get(name, plain) in told


def test_it_is_small(weights):
    import srqa.weights

    backbone = sum(srqa.weights.get(name).bytes for name in SPEC.weights)
    assert backbone + (DATA / "srqa-nr.safetensors").stat().st_size < 15e6
    assert (DATA / "srqa-nr.safetensors").stat().st_size < 50e3


def test_networks_are_preferred_to_bicubic_and_bicubic_to_nearest(reference, weights):
    folder = reference / "set5"
    preferred = []
    for low in sorted((folder / "lr_bicubic_x4").glob("*.png")):
        small = read(low).pixels[..., :3]
        pictures = [
            read(folder / "rcan_x4" / f"{low.stem}_RCAN_x4.png").pixels[..., :3],
            imresize(small, 4),
            small.repeat(4, 0).repeat(4, 1),
        ]
        preferred.append([SPEC(p.transpose(2, 0, 1) / np.float32(255)) for p in pictures])
    rcan, bicubic, nearest = np.array(preferred).T
    assert (rcan > bicubic).all()
    assert (bicubic > nearest).all()


def test_arrays_batches_and_gradients(weights):
    import torch

    picture = skimage.data.astronaut()[:300, :410].transpose(2, 0, 1) / np.float32(255)
    one = SPEC(picture)
    assert isinstance(one, float)
    batch = torch.from_numpy(np.stack([picture, picture[:, ::-1].copy()])).requires_grad_()
    both = SPEC(batch)
    assert both[0].item() == pytest.approx(one, abs=1e-4)
    both.sum().backward()
    assert torch.isfinite(batch.grad).all()
    assert batch.grad.abs().sum() > 0


def test_threads_share_a_picture(weights):
    """As many windows for each, the same score, and settings that hold in them."""
    import torch

    picture = skimage.data.coffee().transpose(2, 0, 1) / np.float32(255)
    one, found = {}, {}
    for dtype in ("float32", "bfloat16"):
        with features.settings(dtype=dtype):
            one[dtype] = SPEC(picture)
            try:
                torch.set_num_threads(3)
                found[dtype] = SPEC(picture)
            finally:
                torch.set_num_threads(1)
    assert found == pytest.approx(one, abs=1e-4)
    assert abs(one["bfloat16"] - one["float32"]) > 1e-3
    assert [len(p) for p in srqa_nr._parts(range(25), 12, 2)] == [6, 6, 7, 6]
    assert [len(p) for p in srqa_nr._parts(range(6), 12, 4)] == [2, 1, 1, 2]
    assert srqa_nr._parts(range(1), 12, 4) == [range(1)]


def test_small_and_flat_pictures(weights):
    for picture in (np.zeros((3, 64, 64)), np.ones((3, 64, 700)), np.full((3, 300, 65), 0.5)):
        assert 0 <= SPEC(picture.astype(np.float32)) <= 100


def test_by_name(weights):
    one = srqa.metric("srqa-nr")
    assert one.name == "srqa-nr"
    assert 0 < one(skimage.data.astronaut()) < 100
