"""Protocols: quantisation, crops, mod-crop, rounding of Y, users' own files, signatures."""

from importlib.metadata import version

import numpy as np
import pytest
from support import noisy, picture, write

import srqa
from srqa.engine.protocol import (
    PROTOCOLS,
    Prepared,
    Protocol,
    definition,
    fit,
    get_protocol,
    modcrop,
    quantise,
    same_type,
    signature,
)
from srqa.errors import MismatchError, UsageError
from srqa.images.read import Picture
from srqa.metrics import registry
from srqa.metrics.spec import MetricSpec

SR = get_protocol("sr")


def mean(plane):
    return float(plane.mean())


def no_reference(**options):
    return MetricSpec("mean-level", mean, "mean", kind="nr", crop="none", **options)


def y_of(pixels, rounded):
    y = 16 + pixels.astype(np.float64) @ (65.481, 128.553, 24.966) / 255
    return np.floor(y + 0.5) if rounded else y


def shown(pixels):
    return Picture(pixels, "png", False)


class TestQuantise:
    def test_clamps_and_rounds_half_up(self):
        given = np.array([[-0.4, 0.0, 0.5 / 255, 0.4999 / 255, 1.5 / 255, 254.5 / 255, 1.0, 1.7]])
        assert quantise(given.astype(np.float64), 8).tolist() == [[0, 0, 1, 0, 2, 255, 255, 255]]

    def test_does_not_truncate(self):
        given = (np.arange(256) / 255).astype(np.float32)[None]
        assert (quantise(given - np.float32(0.001), 8)[0, 1:] == np.arange(1, 256)).all()

    def test_sixteen_bits(self):
        given = np.array([[0, 128, 129, 257, 65535 - 128, 65535]], np.uint16)
        assert quantise(given, 8).tolist() == [[0, 0, 1, 1, 255, 255]]

    def test_stored_depth_and_bytes_are_left_alone(self):
        deep = np.arange(12, dtype=np.uint16).reshape(2, 6)
        assert quantise(deep, "stored") is deep
        flat = deep.astype(np.uint8)
        assert quantise(flat, 8) is flat


class TestPlanes:
    @pytest.mark.parametrize("rounded", [False, True])
    @pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
    def test_y(self, rounded, kind):
        pixels = picture()
        stored = {
            "uint8": pixels,
            "uint16": pixels.astype(np.uint16) * 257,
            "float32": pixels.astype(np.float32) / 255,
        }[kind]
        protocol = Protocol("p", depth="stored", y_rounded=rounded)
        plane = Prepared(stored, protocol).planes(registry.get("psnr-y"), 0)
        assert plane.shape == (1, 32, 40)
        assert plane.dtype == np.float32
        assert np.abs(plane[0] * 255 - y_of(pixels, rounded)).max() < 5e-5

    def test_release(self):
        prepared = Prepared(picture(), SR)
        psnr, psnr_y = map(registry.get, ("psnr", "psnr-y"))
        first, luma = prepared.planes(psnr, 2), prepared.planes(psnr_y, 0)
        assert prepared.planes(psnr, 2) is first
        prepared.release(SR.channel(psnr))
        again = prepared.planes(psnr, 2)
        assert again is not first
        np.testing.assert_array_equal(again, first)
        assert prepared.planes(psnr_y, 0) is luma

    def test_metric_that_always_rounds(self):
        plane = Prepared(picture(), SR).planes(no_reference(input="gray", rounding="uint8"), 0)
        assert np.abs(plane * 255 - np.rint(plane * 255)).max() < 1e-4
        plane = Prepared(picture(), SR).planes(no_reference(input="gray"), 0)
        assert np.abs(plane * 255 - np.rint(plane * 255)).max() > 0.1

    def test_crop(self):
        pixels = picture()
        prepared = Prepared(pixels, SR)
        whole = prepared.planes(registry.get("psnr"), 0)
        assert whole.shape == (3, 32, 40)
        assert (np.rint(whole * 255).astype(np.uint8) == pixels.transpose(2, 0, 1)).all()
        assert (prepared.planes(registry.get("psnr"), 3) == whole[:, 3:-3, 3:-3]).all()

    @pytest.mark.parametrize("channel", ["psnr", "psnr-y"])
    def test_grey_is_the_same_as_equal_channels(self, channel):
        grey = picture()[..., 0]
        spec = registry.get(channel)
        colour = Prepared(np.stack([grey] * 3, axis=-1), SR).planes(spec, 0)
        assert (Prepared(np.ascontiguousarray(grey), SR).planes(spec, 0) == colour).all()

    @pytest.mark.parametrize("other", ["uint16", "float32"])
    @pytest.mark.parametrize("channel", ["psnr", "psnr-y"])
    def test_equal_values_in_different_types(self, other, channel):
        eight = picture()
        wide = eight.astype(np.uint16) * 257
        if other == "float32":
            wide = eight / np.float32(255)
        stored = Protocol("p", depth="stored")
        planes = [
            Prepared(p, stored).planes(registry.get(channel), 0) for p in same_type(eight, wide)
        ]
        assert (planes[0] == planes[1]).all()


class TestFit:
    def test_modcrop_cuts_bottom_and_right(self):
        pixels = np.arange(7 * 9).reshape(7, 9)
        assert (modcrop(pixels, 4) == pixels[:4, :8]).all()
        assert modcrop(pixels, 1) is not None
        assert modcrop(pixels, 1).shape == (7, 9)

    def test_sr_refuses_what_matlab_cuts(self):
        hr = picture("a", 34, 43)
        output = shown(hr[:32, :40])
        with pytest.raises(MismatchError, match="40x32 and the reference 43x34"):
            fit(output, shown(hr), SR, 4, "error")
        a, b = fit(output, shown(hr), get_protocol("matlab"), 4, "error")
        assert (a == b).all()

    def test_ntire_cuts_both_to_a_multiple_of_4(self):
        hr = picture("a", 34, 43)
        ntire = get_protocol("ntire")
        a, b = fit(shown(hr), shown(hr), ntire, 2, "error")
        assert a.shape == b.shape == (32, 40, 3)
        a, b = fit(shown(hr[:33]), shown(hr[:33, :40]), ntire, 2, "error")
        assert a.shape == b.shape == (32, 40, 3)

    def test_the_output_is_not_cut_below_an_equal_reference(self):
        """matlab cuts the reference; an output as large as the whole reference is cut alike."""
        hr = picture("a", 34, 43)
        a, b = fit(shown(hr), shown(hr), get_protocol("matlab"), 4, "error")
        assert a.shape == b.shape == (32, 40, 3)

    def test_fractional_scales_cut_nothing(self):
        assert get_protocol("matlab").multiple(2.5) == 1
        assert get_protocol("matlab").multiple(None) == 1

    def test_crop_takes_the_common_top_left(self):
        a, b = fit(shown(picture("a", 20, 30)), shown(picture("b", 25, 28)), SR, 4, "crop")
        assert (a == picture("a", 20, 30)[:20, :28]).all()
        assert (b == picture("b", 25, 28)[:20, :28]).all()


CROPS = [
    # protocol, scale, of psnr-y, of a metric that sees the whole picture
    ("sr", 4.0, 4, 0),
    ("sr", 2.5, 3, 0),
    ("sr", None, 0, 0),
    ("matlab", 3.0, 3, 0),
    ("pirm", 2.0, 4, 4),
    ("pirm", None, 4, 4),
    ("ntire", 2.0, 4, 0),
    ("real", 4.0, 0, 0),
]


@pytest.mark.parametrize(("name", "scale", "fidelity", "whole"), CROPS)
def test_crops(name, scale, fidelity, whole):
    protocol = get_protocol(name)
    assert protocol.crop_for(registry.get("psnr-y"), scale) == fidelity
    assert protocol.crop_for(no_reference(), scale) == whole
    assert protocol.crop_for(registry.get("lr-psnr"), scale) == 0


def value(folder, metric, protocol, scale=4, **options):
    run = srqa.evaluate(
        folder / "out", folder / "hr", metrics=[metric], protocol=protocol, scale=scale,
        cache=False, **options,
    )  # fmt: skip
    (row,) = run.score_rows
    assert not row.problem
    return row.value


@pytest.fixture
def pair(tmp_path):
    hr = picture("a", 48, 56)
    write(tmp_path / "hr" / "a.png", hr)
    write(tmp_path / "out" / "a.png", noisy(hr, 6))
    return tmp_path


class TestThroughEvaluate:
    """The protocols' numbers against a few lines of numpy."""

    @pytest.mark.parametrize(
        ("protocol", "scale", "rounded", "crop"),
        [
            ("sr", 4, False, 4),
            ("sr", 2, False, 2),
            ("matlab", 4, True, 4),
            ("pirm", 2, True, 4),
            ("ntire", 2, False, 4),
            ("real", 4, False, 0),
        ],
    )
    def test_psnr_y(self, pair, protocol, scale, rounded, crop):
        hr, out = picture("a", 48, 56), noisy(picture("a", 48, 56), 6)
        error = (y_of(out, rounded) - y_of(hr, rounded))[crop : 48 - crop, crop : 56 - crop]
        expected = 10 * np.log10(255**2 / (error**2).mean())
        assert value(pair, "psnr-y", protocol, scale) == pytest.approx(expected, abs=1e-5)

    def test_chroma_alone_is_invisible_to_the_rounded_y(self, tmp_path):
        """Colours that differ while their rounded Y is the same: infinite or about 57 dB."""
        hr = np.full((32, 32, 3), (100, 100, 100), np.uint8)
        out = np.full((32, 32, 3), (101, 99, 102), np.uint8)
        assert (y_of(hr, True) == y_of(out, True)).all()
        write(tmp_path / "hr" / "a.png", hr)
        write(tmp_path / "out" / "a.png", out)
        assert value(tmp_path, "psnr-y", "matlab") == np.inf
        assert 50 < value(tmp_path, "psnr-y", "sr") < 75

    def test_sixteen_bits_count_under_real(self, tmp_path):
        hr = (picture("a").astype(np.uint16)) * 257
        out = hr.copy()
        out[::2] ^= 1  # one of 65535 steps
        write(tmp_path / "hr" / "a.png", hr)
        write(tmp_path / "out" / "a.png", out)
        expected = 10 * np.log10(65535**2 / ((out.astype(float) - hr) ** 2).mean())
        assert value(tmp_path, "psnr", "real") == pytest.approx(expected, abs=0.01)
        assert value(tmp_path, "psnr", "sr") == np.inf
        assert value(tmp_path, "psnr", "sr", depth=16) == pytest.approx(95, abs=5)
        assert value(tmp_path, "psnr", "real", depth=8) == np.inf

    def test_an_output_of_eight_bits_against_a_reference_of_sixteen(self, tmp_path):
        write(tmp_path / "hr" / "a.png", picture("a").astype(np.uint16) * 257)
        write(tmp_path / "out" / "a.png", picture("a"))
        for metric in ("psnr", "psnr-y"):
            assert value(tmp_path, metric, "real") == np.inf


class TestFiles:
    def toml(self, folder, text, name="mine"):
        path = folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def test_keys_override_the_base(self, tmp_path):
        path = self.toml(tmp_path, 'base = "pirm"\ncrop = 6\nversion = 3\n')
        made = get_protocol(path)
        pirm = get_protocol("pirm")
        assert (made.name, made.crop, made.version) == ("mine", 6, 3)
        assert (made.y_rounded, made.crop_all) == (pirm.y_rounded, pirm.crop_all)

    def test_the_base_is_sr_when_not_said(self, tmp_path):
        made = get_protocol(self.toml(tmp_path, "y_rounded = true"))
        assert (made.crop, made.depth, made.y_rounded) == (SR.crop, SR.depth, True)

    def test_decides_the_number(self, pair, tmp_path):
        path = self.toml(tmp_path, 'name = "six"\ncrop = 6\n')
        run = srqa.evaluate(
            pair / "out", pair / "hr", metrics="psnr-y", protocol=path, scale=4, cache=False
        )
        assert run.summary_rows[0].signature == (
            "psnr-y | srqa 0.1 | six | Y:bt601 float | crop 6 | mean of images"
        )
        assert run.score_rows[0].value != value(pair, "psnr-y", "sr")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("crops = 4", "unknown key 'crops' (did you mean crop?)"),
            ("zzz = 4", "unknown key 'zzz'"),
            ("crop = -1", 'crop is -1, but should be "scale" or a number of pixels'),
            ("crop = true", "crop is True"),
            ("crop = 1.5", "crop is 1.5"),
            ('modcrop = "x"', "modcrop is 'x'"),
            ("depth = 16", "depth is 16, but should be 8 or"),
            ("depth = true", "depth is True"),
            ("y_rounded = 1", "should be true or false"),
            ('name = ""', "name is ''"),
            ("version = -1", "version is -1"),
            ('base = "none"', "base is 'none'"),
            ('name = "sr"', "is taken by srqa's own protocol"),
            ("crop = ", "is not valid TOML"),
        ],
    )
    def test_mistakes(self, tmp_path, text, words):
        with pytest.raises(UsageError) as caught:
            get_protocol(self.toml(tmp_path, text))
        assert words in str(caught.value)
        assert "mine.toml" in str(caught.value)

    def test_files_that_cannot_be_read(self, tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            get_protocol(str(tmp_path / "gone.toml"))
        (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
        with pytest.raises(UsageError, match="not valid TOML"):
            get_protocol(str(tmp_path / "x.toml"))
        (tmp_path / "folder.toml").mkdir()
        with pytest.raises(UsageError, match="cannot be read"):
            get_protocol(str(tmp_path / "folder.toml"))


class TestSignature:
    def text(self, name, protocol="sr", scale=4.0, choices=()):
        return signature(registry.get(name), get_protocol(protocol), scale, "0.1.0", choices)

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (("psnr-y",), "psnr-y | srqa 0.1 | sr | Y:bt601 float | crop 4 | mean of images"),
            (("ssim",), "ssim | srqa 0.1 | sr | RGB | crop 4 | mean of images"),
            (
                ("psnr-y", "sr", None),
                "psnr-y | srqa 0.1 | sr | Y:bt601 float | crop 0 (scale unknown) | mean of images",
            ),
            (
                ("psnr-y", "matlab", 3.0),
                "psnr-y | srqa 0.1 | matlab | Y:bt601 rounded | crop 3 | modcrop scale "
                "| mean of images",
            ),
            (
                ("psnr-y", "pirm", None),
                "psnr-y | srqa 0.1 | pirm | Y:bt601 rounded | crop 4 | mean of images",
            ),
            (
                ("psnr-y", "real", None),
                "psnr-y | srqa 0.1 | real | Y:bt601 float | depth stored | crop 0 | mean of images",
            ),
            (("lr-psnr",), "lr-psnr | srqa 0.1 | sr | RGB | crop 0 | mean of images"),
            (
                ("ssim", "sr", 2.0, ["alpha white", "sizes crop"]),
                "ssim | srqa 0.1 | sr | RGB | crop 2 | alpha white | sizes crop | mean of images",
            ),
        ],
    )
    def test_texts(self, arguments, expected):
        assert self.text(*arguments) == expected

    def test_names_the_package_that_computes_it(self):
        provider = f"cvvdp {version('cvvdp')}"
        assert f"cvvdp | srqa 0.1 | {provider} | sr | RGB | crop" in self.text("cvvdp")
        assert self.text("fsim").startswith("fsim | srqa 0.1 | sr | RGB | crop 4")

    def test_versions_of_metric_and_protocol(self):
        spec = MetricSpec("mine", mean, "mean", version=2)
        text = signature(spec, Protocol("own", version=3, crop=1), 4.0, "1.12.3")
        assert text == "mine v2 | srqa 1.12 | own v3 | RGB | crop 1 | mean of images"

    def test_definition_leaves_out_the_version_of_srqa_alone(self):
        text = self.text("psnr-y")
        assert definition(text) == "psnr-y | sr | Y:bt601 float | crop 4 | mean of images"
        newer = signature(registry.get("psnr-y"), SR, 4.0, "7.0.0")
        assert definition(newer) == definition(text)

    def test_protocols_are_told_apart(self):
        texts = {definition(self.text("psnr-y", p.name)) for p in PROTOCOLS}
        assert len(texts) == len(PROTOCOLS)
