"""Names are paired by rules: what each rule explains, what none may guess."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srqa.errors import PairingError, UsageError
from srqa.images.names import Picture, find_scale, nfc
from srqa.images.pairing import pair, read_pairs


def entries(*names: str, side: str = "out", scale: float | None = None) -> list[Picture]:
    paths = [PurePosixPath(nfc(name)) for name in names]
    return [Picture(f"{side}/{p}", str(p), p.stem, p.suffix, scale) for p in paths]


def paired(outputs: list[str], references: list[str], rule: str = "auto") -> dict[str, str]:
    result = pair(entries(*outputs), entries(*references, side="ref"), rule)
    return {match.output.name: match.reference.name for match in result.matches}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("baby_x4", ("baby", 4)),
        ("x4", ("", 4)),
        ("X4", ("", 4)),
        ("4x", ("", 4)),
        ("x3.5", ("", 3.5)),
        ("baby_x3.5_SwinIR", ("baby_SwinIR", 3.5)),
        ("x2_baby", ("baby", 2)),
        ("a_x2_x4", ("a_x2", 4)),
        ("img_001_SRF_4_HR", ("img_001_HR", 4)),
        ("婴儿 x4", ("婴儿", 4)),
        ("matrix2", ("matrix2", None)),
        ("RealESRGAN_x4plus", ("RealESRGAN_x4plus", None)),
        ("photo_1920x1080", ("photo_1920x1080", None)),
        ("0801x2", ("0801x2", None)),
        ("x0", ("x0", None)),
    ],
)
def test_token_of_scale(text: str, expected: tuple[str, float | None]) -> None:
    assert find_scale(text) == expected


def test_glued_token_of_scale() -> None:
    assert find_scale("0801x2", glued=True) == ("0801", 2)
    assert find_scale("babyx4_SR", glued=True) == ("baby_SR", 4)
    assert find_scale("photo_1920x1080", glued=True)[1] is None


SUFFIX_AND_SCALE = "suffix '_SwinIR' and the scale '_x4' removed from outputs"
STRIPPED_BOTH = "suffix '_SRCNN' removed from outputs, suffix '_HR' removed from references"


@pytest.mark.parametrize(
    ("outputs", "references", "rule"),
    [
        (["a.png", "b.png"], ["a.png", "b.png"], "same relative path"),
        (["a.png", "b.png"], ["a.jpg", "b.tif"], "same stem"),
        (["Baby.png", "b.png"], ["baby.PNG", "B.png"], "same stem, upper and lower case ignored"),
        (
            ["a_x4.png", "b_x4.png"],
            ["a.png", "b.png"],
            "same relative path, the scale '_x4' removed from",
        ),
        (["0801x4.png"], ["0801.png"], "same relative path, the scale 'x4' removed from outputs"),
        (
            ["babyx4.png", "birdx4.png"],
            ["baby.png", "bird.png"],
            "same relative path, the scale 'x4' removed",
        ),
        (["a.png", "b.png"], ["a_x4.png", "b_x4.png"], "the scale '_x4' removed from references"),
        (["a_SwinIR.png", "b_SwinIR.png"], ["a.png", "b.png"], "suffix '_SwinIR' removed from out"),
        (["a_x4_SwinIR.png", "b_x4_SwinIR.png"], ["a.png", "b.png"], SUFFIX_AND_SCALE),
        (["a_SwinIR_x4.png", "b_SwinIR_x4.png"], ["a.png", "b.png"], SUFFIX_AND_SCALE),
        (["a_x2_A.png", "a_x4_A.png"], ["a.png"], "suffix '_A' and the scale removed from"),
        (["SR-a.png", "SR-b.png"], ["a.png", "b.png"], "prefix 'SR-' removed from outputs"),
        (["a.png", "b.png"], ["a_HR.png", "b_HR.png"], "suffix '_HR' removed from references"),
        (["img001.png", "img002.png"], ["001.png", "002.png"], "prefix 'img' removed from outputs"),
        (["a_Out.png", "b_Out.png"], ["A.png", "B.png"], "upper and lower case ignored"),
        (["i_1_SRCNN.png", "i_2_SRCNN.png"], ["i_1_HR.png", "i_2_HR.png"], STRIPPED_BOTH),
        (["img_001_SRF_4_SRCNN.png"], ["img_001_SRF_4_HR.png"], STRIPPED_BOTH),
        (
            ["婴儿 1_模型A.png", "鸟 2_模型A.png"],
            ["婴儿 1.png", "鸟 2.png"],
            "suffix '_模型A' removed",
        ),
    ],
)
def test_auto_finds_the_rule(outputs: list[str], references: list[str], rule: str) -> None:
    result = pair(entries(*outputs), entries(*references, side="ref"))
    assert {m.output.name: m.reference.name for m in result.matches} == dict(
        zip(outputs, references * (len(outputs) // len(references)), strict=True)
    )
    assert rule in result.rule
    assert not result.outputs
    assert not result.references


def test_content_is_what_the_rule_leaves() -> None:
    outputs, references = ["img_001_SRF_4_SRCNN.png"], ["img_001_SRF_4_HR.png"]
    (match,) = pair(entries(*outputs), entries(*references)).matches
    assert (match.content, match.scale) == ("img_001", 4)


def test_two_scales_of_one_content() -> None:
    matches = pair(entries("0801x2.png", "0801x4.png"), entries("0801.png")).matches
    assert [(m.content, m.scale) for m in matches] == [("0801", 2), ("0801", 4)]


def test_reference_of_the_same_scale_is_preferred() -> None:
    outputs = entries("a_x2.png", "a_x4.png")
    references = entries("a.png", side="x4", scale=4) + entries("a.png", side="x2", scale=2)
    assert [m.reference.scale for m in pair(outputs, references).matches] == [2, 4]
    with pytest.raises(PairingError, match=r"a\.png fits two references"):
        pair(entries("a.png"), references)


def test_decomposed_names_match() -> None:
    decomposed = unicodedata.normalize("NFD", "über straße.png")
    assert paired([decomposed], ["über straße.png"])


@pytest.mark.parametrize(
    ("outputs", "references"),
    [
        (["1"], ["11"]),
        (["11"], ["1"]),
        (["1_1"], ["1"]),
        (["img_1"], ["img_11"]),
        (["img_001"], ["img_002"]),
        (["img_001_SwinIR"], ["img_002_HR"]),
        (["face_smith"], ["face_jones"]),
        (["face_smith_A"], ["face_jones_B"]),
        (["babyface"], ["baby"]),
        (["baboon", "baby"], ["ba"]),
        (["box4"], ["box2"]),
        (["a_x2"], ["a_x4"]),
        (["a_x2", "b_x2"], ["a_x4", "b_x4", "c"]),
        (["1x2", "2x2"], ["1x4", "2x4"]),
        (["urban_1", "urban_2"], ["bsd_1", "bsd_2"]),
        (["face", "arm"], ["face_left", "leg_left"]),
    ],
)
def test_different_pictures_stay_apart(outputs: list[str], references: list[str]) -> None:
    assert not paired([f"{o}.png" for o in outputs], [f"{r}.png" for r in references])


def test_a_token_of_scale_that_is_part_of_the_name_stays() -> None:
    assert paired(["box4.png", "a.png"], ["box4.png", "a.png"])
    (match,) = pair(entries("box4.png"), entries("box4.png")).matches
    assert (match.content, match.scale) == ("box4", None)


def test_numbers_that_begin_alike() -> None:
    outputs, references = ["1_x4.png", "11_x4.png", "111_x4.png"], ["111.png", "1.png", "11.png"]
    assert paired(outputs, references) == {f"{n}_x4.png": f"{n}.png" for n in ("1", "11", "111")}


def test_longest_name_wins() -> None:
    assert paired(["a_b_c.png"], ["a.png", "a_b.png"]) == {"a_b_c.png": "a_b.png"}


@pytest.mark.parametrize(
    ("outputs", "references", "choices"),
    [
        (["a_b"], ["a", "b"], ["strip:*_b", "strip:a_*"]),
        (["1", "2"], ["1_HR", "2_HR", "1_LR", "2_LR"], ["strip:*|*_HR", "strip:*|*_LR"]),
    ],
)
def test_two_rules_that_disagree(
    outputs: list[str], references: list[str], choices: list[str]
) -> None:
    outputs, references = [f"{o}.png" for o in outputs], [f"{r}.png" for r in references]
    with pytest.raises(PairingError, match="Two rules explain") as caught:
        paired(outputs, references)
    results = []
    for choice in choices:
        assert f"--pair '{choice}'" in caught.value.hint
        results.append(paired(outputs, references, choice))
        assert set(results[-1]) == set(outputs)
    assert results[0] != results[1]


def test_two_outputs_of_one_reference() -> None:
    with pytest.raises(PairingError, match=r"baby\.jpg and baby\.png both belong to .* baby\.tif"):
        paired(["baby.jpg", "baby.png"], ["baby.tif"])
    with pytest.raises(PairingError, match=r"baby\.jpg and baby\.png both belong to"):
        paired(["baby.jpg", "baby.png"], ["baby.png"])


def test_two_references_of_one_output() -> None:
    with pytest.raises(PairingError, match=r"a\.bmp fits two references, a\.jpg and a\.png"):
        paired(["a.bmp"], ["a.jpg", "a.png"])
    assert paired(["a.png"], ["a.jpg", "a.png"]) == {"a.png": "a.png"}


def test_who_remains_alone_has_nearest_candidates() -> None:
    outputs = entries("baby_x4_A.png", "fooo_x4_A.png", "zebra_x4_A.png")
    result = pair(outputs, entries("baby.png", "foo.png", "monarch.png"))
    assert [(e.name, near) for e, near in result.outputs] == [
        ("fooo_x4_A.png", ("foo.png",)),
        ("zebra_x4_A.png", ()),
    ]
    assert [(e.name, near) for e, near in result.references] == [
        ("foo.png", ("fooo_x4_A.png",)),
        ("monarch.png", ()),
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("path", {"a.png": "a.png"}),
        ("stem", {"a.png": "a.png", "b.png": "b.tif"}),
        ("strip:*_x4_M", {"c_x4_M.png": "c.png"}),
        ("strip:*_x4_M|*_HR", {"c_x4_M.png": "c_HR.png"}),
        ("regex:^(?P<content>.+?)_x(?P<scale>[0-9]+)_M$", {"c_x4_M.png": "c.png"}),
        ("regex:^(?P<content>.+?)(_x4_M|_HR)$", {"c_x4_M.png": "c_HR.png"}),
    ],
)
def test_rule_that_is_given(rule: str, expected: dict[str, str]) -> None:
    references = sorted({*expected.values(), "other.png"})
    assert paired(["a.png", "b.png", "c_x4_M.png"], references, rule) == expected


def test_given_rule_leaves_out_what_it_does_not_speak_of() -> None:
    result = pair(entries("1_M.png"), entries("1_HR.png", "1_LR.png", "2_HR.png"), "strip:*_M|*_HR")
    assert [e.name for e, _ in result.references] == ["2_HR.png"]
    assert result.matches[0].content == "1"


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("sorted", "no rule of pairing 'sorted'"),
        ("strip:", "no rule"),
        ("strip:_x4", "must hold one"),
        ("strip:*a*", "must hold one"),
        ("regex:(", "cannot be read"),
        ("regex:^(.+)_x4$", "no group named 'content'"),
        ("regex:^(?P<content>a)_(?P<scale>.+)$", "finds the scale 'big'"),
    ],
)
def test_rule_that_cannot_be_read(rule: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        paired(["a_big.png"], ["a.png"], rule)


STEMS = st.lists(
    st.text("ab19_ 婴é", min_size=1, max_size=8).map(nfc).filter(lambda t: t == t.strip("_ ")),
    min_size=2,
    max_size=8,
    unique=True,
)
AFFIXES = st.sampled_from(["", "_SwinIR", "_x4", "_x3.5_HAT", "-out", "_Real-ESRGAN_v2"])
REFERENCE_AFFIXES = st.sampled_from(["", "_HR", "_x4", "_x3.5_gt", "-Ref"])
PREFIXES = st.sampled_from(["", "SR_", "out-"])


@settings(max_examples=150, deadline=None)
@given(STEMS, PREFIXES, AFFIXES, REFERENCE_AFFIXES, st.randoms(use_true_random=False))
@example(["1", "11", "111"], "", "_x4", "", random.Random(0))
@example(["1", "1_1", "1_1_1"], "SR_", "_SwinIR", "-Ref", random.Random(0))
def test_any_affixes_pair_exactly_in_any_order(
    stems: list[str], prefix: str, suffix: str, other: str, shuffle: random.Random
) -> None:
    expected = {f"{prefix}{stem}{suffix}.png": f"{stem}{other}.png" for stem in stems}
    outputs, references = list(expected), list(expected.values())
    shuffle.shuffle(outputs)
    shuffle.shuffle(references)
    if "_x" in suffix and "_x" in other and suffix != other:
        return
    assert paired(outputs, references) == expected


@settings(max_examples=100, deadline=None)
@given(STEMS, STEMS)
def test_nothing_is_paired_twice(outputs: list[str], references: list[str]) -> None:
    try:
        found = paired([f"{o}.png" for o in outputs], [f"{r}.png" for r in references])
    except PairingError:
        return
    assert len(set(found.values())) == len(found)


def test_csv(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("\ufeffoutput, reference ,scale\na b.png,x.png,4\n\nc.png,x.png,\n")
    rows = read_pairs(file)
    assert [(row.line, row.output, row.reference) for row in rows] == [
        (2, "a b.png", "x.png"),
        (4, "c.png", "x.png"),
    ]
    assert [row.extra for row in rows] == [{"scale": "4"}, {}]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1, has no column 'output'"),
        ("output,ref\na,b\n", "line 1, has no column 'reference' among output, ref"),
        ("output,reference\na.png,\n", "line 2, has no output or no reference"),
        ("output,reference\na,b\na,c\n", "line 3, names a, which stands already in line 2"),
        ("output,reference\na,b,c\n", "line 2, has more values than columns"),
        ("output,reference\n", "holds no pairs"),
    ],
)
def test_csv_that_cannot_be_used(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(text)
    with pytest.raises(PairingError, match=problem):
        read_pairs(file)


def test_csv_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"output,reference\n\xe4.png,b.png\n")
    for name in ("none.csv", "latin.csv"):
        with pytest.raises(PairingError, match=f"{name} cannot be read"):
            read_pairs(tmp_path / name)
