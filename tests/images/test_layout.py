"""Folders become datasets, methods and scales, and every output finds its reference."""

from __future__ import annotations

import random
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srqa.errors import PairingError, UsageError
from srqa.images.layout import Collection, Missing, collect, parse_layout

Row = tuple[str, float | None, str, str, str]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def spread(text: str) -> list[str]:
    """Names of `a/{b,c}/{d,e}.png`, as a shell would spread them."""
    if "{" not in text:
        return [text]
    head, rest = text.split("{", 1)
    middle, tail = rest.split("}", 1)
    return [name for part in middle.split(",") for name in spread(f"{head}{part}{tail}")]


def rows(collection: Collection) -> list[Row]:
    """dataset, scale, content, method and reference_name."""
    return [
        (item.dataset, item.scale, item.content, item.method, item.reference_name)
        for item in collection.items
    ]


CASES: dict[str, tuple[Sequence[str], Sequence[str], str, list[Row]]] = {
    "a lone folder is the method": (
        ["outputs/{a,b}.png", "hr/{a,b}.png"],
        ["outputs"],
        "hr",
        [("", None, "a", "outputs", "a.png"), ("", None, "b", "outputs", "b.png")],
    ),
    "sub-folders are methods": (
        ["outputs/{hat,swinir}/a_x4.png", "hr/a.png"],
        ["outputs"],
        "hr",
        [("", 4, "a", "hat", "a.png"), ("", 4, "a", "swinir", "a.png")],
    ),
    "several folders are methods": (
        ["hat/a_x4_HAT.png", "swinir/a_x4_SwinIR.png", "hr/a.png"],
        ["hat", "swinir"],
        "hr",
        [("", 4, "a", "hat", "a.png"), ("", 4, "a", "swinir", "a.png")],
    ),
    "folders of one name": (
        ["r/a/out/p.png", "r/b/out/p.png", "hr/p.png"],
        ["r/a/out", "r/b/out"],
        "hr",
        [("", None, "p", "a", "p.png"), ("", None, "p", "b", "p.png")],
    ),
    "folders that all share are no part of a method": (
        ["r/{hat,swin}/test/{S5,S14}/a.png", "hr/{S5,S14}/a.png"],
        ["r"],
        "hr",
        [
            (dataset, None, "a", m, f"{dataset}/a.png")
            for dataset in ("S14", "S5")
            for m in ("hat", "swin")
        ],
    ),
    "files beside a folder": (
        ["o/a.png", "o/hat/a.png", "hr/a.png"],
        ["o"],
        "hr",
        [("", None, "a", "hat", "a.png"), ("", None, "a", "o", "a.png")],
    ),
    "as BasicSR writes, one method": (
        ["SwinIR_x4/visualization/Set5/baby_SwinIR_x4.png", "hr/Set5/baby.png"],
        ["SwinIR_x4"],
        "hr",
        [("Set5", 4, "baby", "SwinIR_x4", "Set5/baby.png")],
    ),
    "as BasicSR writes, a dataset of one method": (
        ["SwinIR_x4/visualization/Set5/baby_SwinIR_x4.png", "hr/Set5/baby.png"],
        ["SwinIR_x4/visualization/Set5"],
        "hr",
        [("Set5", 4, "baby", "SwinIR_x4", "Set5/baby.png")],
    ),
    "as BasicSR writes, several methods": (
        ["results/{A,B}_x4/visualization/Set5/b_x4.png", "hr/Set5/b.png"],
        ["results"],
        "hr",
        [("Set5", 4, "b", method, "Set5/b.png") for method in ("A_x4", "B_x4")],
    ),
    "methods in the order of the command line": (
        ["{hat,swinir,bicubic}/a.png", "hr/a.png"],
        ["swinir", "hat", "bicubic"],
        "hr",
        [("", None, "a", method, "a.png") for method in ("swinir", "hat", "bicubic")],
    ),
    "files in the order of the command line": (
        ["{b,c,a}.png", "hr.png"],
        ["b.png", "c.png", "a.png"],
        "hr.png",
        [("", None, "hr", method, "hr.png") for method in "bca"],
    ),
    "method/dataset": (
        ["outputs/m/{S5,s14}/a.png", "hr/{S5,S14}/a.png"],
        ["outputs"],
        "hr",
        [("S14", None, "a", "m", "S14/a.png"), ("S5", None, "a", "m", "S5/a.png")],
    ),
    "dataset/method": (
        ["outputs/{S5,S14}/m/a.png", "hr/{S5,S14}/HR/a.png"],
        ["outputs"],
        "hr",
        [("S14", None, "a", "m", "S14/HR/a.png"), ("S5", None, "a", "m", "S5/HR/a.png")],
    ),
    "dataset only": (
        ["m/{S5,S14}/a.png", "hr/{S5,S14}/a.png"],
        ["m"],
        "hr",
        [("S14", None, "a", "m", "S14/a.png"), ("S5", None, "a", "m", "S5/a.png")],
    ),
    "folders that are datasets": (
        ["m/S5/a.png", "m/S14/a.png", "hr/{S5,S14}/a.png"],
        ["m/S5", "m/S14"],
        "hr",
        [("S14", None, "a", "m", "S14/a.png"), ("S5", None, "a", "m", "S5/a.png")],
    ),
    "one dataset of the references": (
        ["m/{S5,S14}/a.png", "hr/S5/a.png"],
        ["m/S5"],
        "hr/S5",
        [("S5", None, "a", "m", "a.png")],
    ),
    "datasets in folders of folders": (
        ["m/Vid4/{walk,city}/1.png", "hr/Vid4/{walk,city}/1.png"],
        ["m"],
        "hr",
        [
            ("Vid4/city", None, "1", "m", "Vid4/city/1.png"),
            ("Vid4/walk", None, "1", "m", "Vid4/walk/1.png"),
        ],
    ),
    "the reference tells the dataset": (
        ["outputs/m/{a,b}.png", "hr/S5/a.png", "hr/S14/b.png"],
        ["outputs"],
        "hr",
        [("S14", None, "b", "m", "S14/b.png"), ("S5", None, "a", "m", "S5/a.png")],
    ),
    "scale in folders": (
        ["outputs/m/S5/{x2,X4}/a.png", "hr/S5/a.png"],
        ["outputs"],
        "hr",
        [("S5", 2, "a", "m", "S5/a.png"), ("S5", 4, "a", "m", "S5/a.png")],
    ),
    "scale in a method's name": (
        ["outputs/EDSR_x3.5/a.png", "hr/a.png"],
        ["outputs"],
        "hr",
        [("", 3.5, "a", "EDSR_x3.5", "a.png")],
    ),
    "scale as in DIV2K": (
        ["m/x2/0801x2.png", "m/x4/0801x4.png", "hr/0801.png"],
        ["m"],
        "hr",
        [("", 2, "0801", "m", "0801.png"), ("", 4, "0801", "m", "0801.png")],
    ),
    "references by scale": (
        ["m/a_{x2,x4}.png", "hr/{x2,x4}/a.png"],
        ["m"],
        "hr",
        [("", 2, "a", "m", "x2/a.png"), ("", 4, "a", "m", "x4/a.png")],
    ),
    "references by scale and name": (
        ["m/S5/a_{x2,x4}.png", "hr/S5/HR/{x2,x4}/a_HR.png"],
        ["m"],
        "hr",
        [("S5", 2, "a", "m", "S5/HR/x2/a_HR.png"), ("S5", 4, "a", "m", "S5/HR/x4/a_HR.png")],
    ),
    "references named by scale": (
        ["m/a_{x2,x4}.png", "hr/a_{x2,x4}.png"],
        ["m"],
        "hr",
        [("", 2, "a", "m", "a_x2.png"), ("", 4, "a", "m", "a_x4.png")],
    ),
    "scale of some is scale of all": (
        ["p/a.png", "q/a_x4.png", "hr/a.png"],
        ["p", "q"],
        "hr",
        [("", 4, "a", "p", "a.png"), ("", 4, "a", "q", "a.png")],
    ),
    "one content, whatever the rules": (
        ["p/{a,b}_P.png", "q/{a,b}_HR.png", "hr/{a,b}_HR.png"],
        ["p", "q"],
        "hr",
        [
            ("", None, "a", "p", "a_HR.png"),
            ("", None, "a", "q", "a_HR.png"),
            ("", None, "b", "p", "b_HR.png"),
            ("", None, "b", "q", "b_HR.png"),
        ],
    ),
    "single files": (
        ["out.png", "hr.png"],
        ["out.png"],
        "hr.png",
        [("", None, "hr", "out", "hr.png")],
    ),
    "several files of one reference": (
        ["hat/a.png", "swinir/a.png", "hr/a.png"],
        ["hat/a.png", "swinir/a.png"],
        "hr/a.png",
        [("", None, "a", "hat", "a.png"), ("", None, "a", "swinir", "a.png")],
    ),
    "a folder of outputs of one reference": (
        ["outputs/{hat,swinir}_x4.png", "hr/a.png"],
        ["outputs"],
        "hr/a.png",
        [("", 4, "a", "hat_x4", "a.png"), ("", 4, "a", "swinir_x4", "a.png")],
    ),
    "a file and a folder of references": (
        ["m/a.png", "hr/{a,b}.png"],
        ["m/a.png"],
        "hr",
        [("", None, "a", "m", "a.png")],
    ),
    "outputs inside the references": (
        ["data/{a,b}.png", "data/m/{a,b}.png"],
        ["data/m"],
        "data",
        [("", None, "a", "m", "a.png"), ("", None, "b", "m", "b.png")],
    ),
    "references inside the outputs": (
        ["data/{HR,m}/a.png"],
        ["data"],
        "data/HR",
        [("", None, "a", "m", "a.png")],
    ),
    "the same folder": (
        ["data/a.png"],
        ["data"],
        "data",
        [("", None, "a", "data", "a.png")],
    ),
    "a folder within a given folder": (
        ["o/m/a.png", "o/n/a.png", "hr/a.png"],
        ["o", "o/n"],
        "hr",
        [("", None, "a", "o/m", "a.png"), ("", None, "a", "n", "a.png")],
    ),
    "spaces and other scripts": (
        ["输出 1/我的 方法/婴儿_x4.png", "高清/婴儿.png"],
        ["输出 1"],
        "高清",
        [("", 4, "婴儿", "我的 方法", "婴儿.png")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_folders_are_understood(tree: Path, case: str) -> None:
    files, inputs, reference, expected = CASES[case]
    touch(*(name for file in files for name in spread(file)))
    assert rows(collect(inputs, reference)) == expected
    absolute = collect([tree / place for place in inputs], tree / reference)
    assert rows(absolute) == expected


def test_what_an_item_and_a_rule_say(tree: Path) -> None:
    touch("o/m/S5/a_x4_M.png", "hr/S5/a.jpg", "m2/S5/a.png")
    collection = collect(["o"], "hr")
    (item,) = collection.items
    assert item.name == "m/S5/a_x4_M.png"
    assert item.image == tree / "o/m/S5/a_x4_M.png"
    assert item.reference == tree / "hr/S5/a.jpg"
    assert item.lr is None
    (rule,) = collection.rules
    assert (rule.method, rule.dataset, rule.pairs) == ("m", "S5", 1)
    assert rule.rule == "suffix '_M' and the scale '_x4' removed from outputs"
    assert rule.example == ("m/S5/a_x4_M.png", "S5/a.jpg")
    both = collect(["o/m", "m2/"], "hr")
    assert [item.name for item in both.items] == ["m/S5/a_x4_M.png", "m2/S5/a.png"]
    assert (both.methods, both.datasets, both.scales) == (("m", "m2"), ("S5",), (4,))


@pytest.mark.parametrize(
    ("files", "layout", "expected"),
    [
        (
            ["o/m/S5/a_x4.png", "hr/S5/a.png"],
            "{method}/{dataset}/{content}_x{scale}.png",
            [("S5", 4, "a", "m", "S5/a.png")],
        ),
        (
            ["o/m/S5/a_x4.png", "hr/S5/a.png"],
            "{method}/*/{content}_x{scale}",
            [("S5", 4, "a", "m", "S5/a.png")],
        ),
        (
            ["o/img_1_{hat,Swin-IR}.PNG", "hr/img_1.png"],
            "{content}_{method}.png",
            [("", None, "img_1", m, "img_1.png") for m in ("Swin-IR", "hat")],
        ),
        (["o/m/x4/a.png", "hr/a.png"], "{method}/*/{content}", [("", 4, "a", "m", "a.png")]),
        (
            ["o/m_img_1.png", "o/img_2.png", "hr/img_1.png"],
            "{method}_{content}_1.{ext}",
            [],
        ),
        (
            ["o/S5/1/m.png", "o/S14/1/m.png", "hr/S5/1.png", "hr/S14/1.png"],
            "{dataset}/{content}/{method}",
            [("S14", None, "1", "m", "S14/1.png"), ("S5", None, "1", "m", "S5/1.png")],
        ),
        (
            ["o/S5/a.png", "o/S14/b.png", "hr/{a,b}.png"],
            "{dataset}/{content}",
            [("S14", None, "b", "o", "b.png"), ("S5", None, "a", "o", "a.png")],
        ),
        (
            ["o/m/a_m.png", "o/m/a_n.png", "hr/a.png"],
            "{method}/{content}_{method}",
            [("", None, "a", "m", "a.png")],
        ),
    ],
)
def test_given_layout(tree: Path, files: list[str], layout: str, expected: list[Row]) -> None:
    touch(*(name for file in files for name in spread(file)))
    if not expected:
        with pytest.raises(PairingError):
            collect(["o"], "hr", layout=layout)
        return
    assert rows(collect(["o"], "hr", layout=layout)) == expected


def test_layouts_of_a_mixed_folder(tree: Path) -> None:
    touch(*spread("S5/img_{001,002}_SRF_4_{HR,LR,SRCNN,bicubic}.png"))
    collection = collect(
        ["S5"],
        "S5",
        layout="{content}_SRF_{scale}_{method}",
        reference_layout="{content}_SRF_{scale}_HR.png",
    )
    assert collection.methods == ("HR", "LR", "SRCNN", "bicubic")
    assert {(i.content, i.reference_name) for i in collection.items} == {
        (f"img_{n}", f"img_{n}_SRF_4_HR.png") for n in ("001", "002")
    }
    assert collection.scales == (4,)
    assert any("6 of 8 pictures in S5/ do not fit" in note for note in collection.notes)
    stripped = collect(["S5"], "S5", layout="{content}_SRCNN", reference_layout="{content}_HR")
    assert [(i.content, i.method) for i in stripped.items] == [("img_001", "S5"), ("img_002", "S5")]


@pytest.mark.parametrize(
    ("layout", "problem"),
    [
        ("{method}/a.png", "has no {content}"),
        ("{methode}/{content}", "unknown field {methode}"),
        ("{method}{content}", "Nothing sets '{content}' apart"),
        ("{method}*/{content}", "Nothing sets"),
        ("{method/{content}", "A brace stands alone"),
        ("/{method}/{content}", "starts with '/'"),
        ("", "has no {content}"),
    ],
)
def test_layout_that_cannot_be_read(layout: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem.replace("{", r"\{")):
        parse_layout(layout)


def test_layout_reads_no_further_than_a_folder() -> None:
    pattern = parse_layout("{method}/x{scale}/{content}.png")
    found = pattern.fullmatch("hat/x3.5/a b.PNG")
    assert found
    assert found.groupdict() == {"method": "hat", "scale": "3.5", "content": "a b"}
    assert not pattern.fullmatch("hat/more/x4/a.png")
    assert not pattern.fullmatch("hat/x4/a.jpg")
    assert not parse_layout("a.{content}").fullmatch("ab.png.png")


def test_given_scale(tree: Path) -> None:
    touch(*spread("m/a_{x2,x4}.png"), "n/a_x2.png", "p/a.png", "hr/a.png")
    several = collect(["m"], "hr", scale=4)
    assert [(i.name, i.scale) for i in several.items] == [("a_x4.png", 4)]
    assert several.notes == ("Outputs of x2 are left out (1), for the scale is 4.",)
    against = collect(["n"], "hr", scale=4)
    assert [i.scale for i in against.items] == [4]
    assert against.notes == ("Names say x2, but the scale is given as 4.",)
    (scale,) = collect(["p"], "hr", scale=3).scales
    assert isinstance(scale, float)
    assert scale == 3
    assert collect(["p"], "hr").scales == (None,)


def test_given_scale_chooses_the_reference(tree: Path) -> None:
    touch("m/a.png", *spread("hr/{x2,x4}/a.png"))
    assert collect(["m"], "hr", scale=2).items[0].reference_name == "x2/a.png"
    with pytest.raises(PairingError, match="fits two references") as caught:
        collect(["m"], "hr")
    assert "--scale" in caught.value.hint


def test_missing_and_extra_files(tree: Path) -> None:
    touch(*spread("m/{a,b,fooo}_x4.png"), *spread("hr/{a,b,foo,bar}.png"))
    with pytest.raises(PairingError) as caught:
        collect(["m/"], "hr/")
    assert str(caught.value) == (
        "1 of 3 outputs in m/ has no reference in hr/: fooo_x4.png (nearest: foo.png); and "
        "2 references have no output of m: bar.png, foo.png (nearest: fooo_x4.png)."
    )
    assert "srqa pairs m/ --ref hr/" in caught.value.hint
    assert "--on-missing skip" in caught.value.hint
    collection = collect(["m"], "hr", on_missing="skip")
    assert [item.content for item in collection.items] == ["a", "b"]
    assert collection.missing == (
        Missing("output", "", "m", "fooo_x4.png", ("foo.png",)),
        Missing("reference", "", "m", "bar.png", ()),
        Missing("reference", "", "m", "foo.png", ("fooo_x4.png",)),
    )


def test_a_method_that_lacks_a_content_or_dataset(tree: Path) -> None:
    touch(
        *spread("m/{S5,S14}/{a,b}.png"), *spread("n/S5/a.png"), *spread("hr/{S5,S14,B}/{a,b}.png")
    )
    with pytest.raises(PairingError, match=r"^3 references have no output of n: S14/a\.png, S14/b"):
        collect(["m", "n"], "hr")
    collection = collect(["m", "n"], "hr", on_missing="skip")
    assert [(m.method, m.dataset, m.name) for m in collection.missing] == [
        ("n", "S14", "S14/a.png"),
        ("n", "S14", "S14/b.png"),
        ("n", "S5", "S5/b.png"),
    ]
    assert collection.notes == ("There are no outputs for B among the references.",)
    assert len(collection.items) == 5


def test_a_method_that_lacks_a_scale_is_noted(tree: Path) -> None:
    touch(*spread("o/{m_x2,m_x4}/a.png"), "hr/a.png")
    collection = collect(["o"], "hr")
    assert [(i.method, i.scale) for i in collection.items] == [("m_x2", 2), ("m_x4", 4)]
    assert len(collection.notes) == 2
    touch("o/m_x4/b.png", "hr/b.png")
    with pytest.raises(PairingError, match=r"1 reference has no output of m_x2: b\.png"):
        collect(["o"], "hr")


def test_nothing_pairs(tree: Path) -> None:
    touch("m/a.png", "hr/zebra.png")
    with pytest.raises(PairingError, match=r"1 of 1 outputs in m has no reference in hr: a\.png"):
        collect(["m"], "hr")
    collection = collect(["m"], "hr", on_missing="skip")
    assert not collection.items
    assert [m.side for m in collection.missing] == ["output", "reference"]
    assert [(rule.rule, rule.pairs) for rule in collection.rules] == [("no rule fits", 0)]


def test_duplicates(tree: Path) -> None:
    touch("m/baby.png", "m/baby.jpg", "hr/baby.png")
    for on_missing in ("error", "skip"):
        with pytest.raises(PairingError, match=r"baby\.jpg and baby\.png both belong to"):
            collect(["m"], "hr", on_missing=on_missing)  # type: ignore[arg-type]
    touch("o/m/S5/a.png", "o/S5/m/a.png", "ref/S5/a.png")
    with pytest.raises(PairingError, match=r"S5/m/a\.png and m/S5/a\.png both belong to"):
        collect(["o"], "ref")


def test_without_references(tree: Path) -> None:
    touch(*spread("o/{m,n}/{a,b}_x4.png"), *spread("d/080{1,2}x2.png"), *spread("e/{c.png,c.jpg}"))
    assert rows(collect(["o"], None)) == [
        ("", 4, content, method, "") for content in "ab" for method in "mn"
    ]
    assert rows(collect(["d"], None)) == [("", 2, c, "d", "") for c in ("0801", "0802")]
    assert [i.content for i in collect(["e"], None).items] == ["c.jpg", "c.png"]
    assert rows(collect(["o/m/a_x4.png"], None)) == [("", 4, "a", "m", "")]
    (item,) = collect(["d/0801x2.png"], None).items
    assert (item.content, item.scale, item.reference) == ("0801x2", None, None)


def test_low_resolution(tree: Path) -> None:
    touch(*spread("m/S5/a_{x2,x4}.png"), "hr/S5/a.png", "one.png")
    touch("lr/S5/LR_bicubic/X2/ax2.png", "lr/S5/LR_bicubic/X4/ax4.png")
    for reference in ("hr", None):
        items = collect(["m"], reference, lr="lr").items
        assert [i.lr for i in items] == [tree / f"lr/S5/LR_bicubic/X{s}/ax{s}.png" for s in (2, 4)]
    near = collect(["m"], "hr", lr="lr/S5/LR_bicubic/X4", on_missing="skip")
    assert [i.lr and i.lr.name for i in near.items] == [None, "ax4.png"]
    assert near.notes == ("There is no low-resolution input in X4/ for S5/a_x2.png.",)
    assert {i.lr for i in collect(["m"], "hr", lr="one.png").items} == {tree / "one.png"}
    touch("other/z.png")
    with pytest.raises(PairingError, match="belongs to any output"):
        collect(["m"], "hr", lr="other")


def test_low_resolution_of_a_dataset_that_has_no_outputs(tree: Path) -> None:
    touch("m/S5/a.png", *spread("{hr,lr}/{S5,S14}/a.png"))
    (item,) = collect(["m"], "hr", lr="lr", on_missing="skip").items
    assert item.lr == tree / "lr/S5/a.png"


def test_low_resolution_of_several_methods(tree: Path) -> None:
    touch(*spread("o/{m,n}/{a,b}_x4.png"), *spread("lr/{a,b,c}.png"), *spread("hr/{a,b}_HR.png"))
    for reference in ("hr", None):
        items = collect(["o"], reference, lr="lr").items
        assert [(i.method, i.lr and i.lr.stem) for i in items] == [
            ("m", "a"),
            ("n", "a"),
            ("m", "b"),
            ("n", "b"),
        ]
    with pytest.raises(PairingError, match="several contents"):
        collect(["o"], "hr", lr="lr/a.png")


def test_csv(tree: Path) -> None:
    touch(*spread("o/{p,q}.png"), "hr/one.png", "lists/two.png", "lists/lr.png")
    Path("lists/pairs.csv").write_text(
        "output,reference,method,content,scale,lr,remark\n"
        "p.png,one.png,hat,,3,lr.png,good\n"
        "../o/q.png,two.png,,zwei,,,\n"
    )
    collection = collect(["o"], "hr", pair="csv:lists/pairs.csv")
    assert rows(collection) == [
        ("", 3, "one", "hat", "one.png"),
        ("", 3, "zwei", "o", "two.png"),
    ]
    assert [i.lr and i.lr.name for i in collection.items] == ["lr.png", None]
    assert {rule.rule for rule in collection.rules} == {"csv:pairs.csv"}
    touch("o/r.png")
    with pytest.raises(PairingError, match=r"1 of 3 outputs in o has no reference in hr: r\.png"):
        collect(["o"], "hr", pair="csv:lists/pairs.csv")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("z.png,a.png,4", r"z\.png in line 2 of pairs\.csv is not among the outputs"),
        ("a.png,z.png,4", r"z\.png in line 2 of pairs\.csv does not exist"),
        ("a.png,a.png,big", r"The scale 'big' in line 2 of pairs\.csv is no number"),
    ],
)
def test_csv_that_does_not_fit(tree: Path, line: str, problem: str) -> None:
    touch("o/a.png", "hr/a.png")
    Path("pairs.csv").write_text(f"output,reference,scale\n{line}\n")
    with pytest.raises(PairingError, match=problem):
        collect(["o"], "hr", pair="csv:pairs.csv")


def test_rule_that_is_given(tree: Path) -> None:
    touch("m/a_x4_SwinIR.png", "hr/a.png")
    rule = r"regex:^(?P<content>.+?)_x(?P<scale>\d)_SwinIR$"
    assert rows(collect(["m"], "hr", pair=rule)) == [("", 4, "a", "m", "a.png")]
    with pytest.raises(UsageError):
        collect(["m"], "hr", pair="order")


def test_other_files_are_ignored_and_listed(tree: Path) -> None:
    touch("m/a.png", "m/._a.png", "m/Thumbs.db", "m/log.txt", "m/.git/b.png", "hr/a.png", "hr/x.md")
    collection = collect(["m"], "hr")
    assert [i.content for i in collection.items] == ["a"]
    assert collection.ignored == ("hr/x.md", "m/._a.png", "m/.git", "m/Thumbs.db", "m/log.txt")


def test_links(tree: Path) -> None:
    touch("real/a.png", "hr/a.png")
    Path("o").mkdir()
    Path("o/m").symlink_to(tree / "real", target_is_directory=True)
    Path("o/loop").symlink_to(tree / "o", target_is_directory=True)
    Path("o/self").symlink_to("self")
    Path("o/gone").symlink_to("nowhere")
    Path("linked").symlink_to("o", target_is_directory=True)
    collection = collect(["o"], "hr")
    assert rows(collection) == [("", None, "a", "m", "a.png")]
    assert collection.ignored == ("o/gone", "o/self")
    assert rows(collect(["linked"], "hr")) == rows(collection)


@pytest.mark.parametrize(
    ("inputs", "reference", "problem"),
    [
        (["none"], "hr", "none does not exist"),
        (["m"], "none", "none does not exist"),
        (["empty"], "hr", "There are no pictures in .*empty"),
        (["m"], "empty", "There are no pictures in .*empty"),
        (["m/log.txt"], "hr", "log.txt is not a picture"),
        (["m"], "m/log.txt", "log.txt is not a picture"),
    ],
)
def test_what_is_not_there(tree: Path, inputs: list[str], reference: str, problem: str) -> None:
    touch("m/a.png", "m/log.txt", "hr/a.png", "empty/log.txt")
    with pytest.raises(PairingError, match=problem):
        collect(inputs, reference)


def test_no_inputs(tree: Path) -> None:
    with pytest.raises(UsageError, match="No outputs are given"):
        collect([], None)


def test_decomposed_names(tree: Path) -> None:
    name = unicodedata.normalize("NFD", "é/ü.png")
    touch(f"o/{name}", "hr/é/ü.png")
    (item,) = collect(["o"], "hr").items
    assert (item.dataset, item.content, item.name) == ("é", "ü", "é/ü.png")
    assert item.image.exists()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text("ab1_", min_size=1, max_size=5), min_size=1, max_size=5, unique=True),
    st.randoms(use_true_random=False),
)
def test_order_decides_nothing_but_the_order_of_methods(
    tmp_path_factory: pytest.TempPathFactory, stems: list[str], shuffle: random.Random
) -> None:
    root = tmp_path_factory.mktemp("order")
    places = [root / method for method in ("m", "n", "p")]
    for stem in stems:
        for folder in (*places, root / "hr"):
            touch(str(folder / f"{stem}.png"))
    expected = collect(places, root / "hr")
    assert len(expected.items) == 3 * len(stems)
    shuffle.shuffle(places)
    shuffled = collect(places, root / "hr")
    assert set(shuffled.items) == set(expected.items)
    assert set(shuffled.rules) == set(expected.rules)
    assert shuffled.methods == tuple(place.name for place in places)
    contents = list(dict.fromkeys(item.content for item in expected.items))
    assert [(i.content, i.method) for i in shuffled.items] == [
        (content, method) for content in contents for method in shuffled.methods
    ]


def test_discovery_imports_nothing_heavy() -> None:
    code = (
        "import sys, srqa.images.layout; "
        "print(sorted({'numpy', 'pandas', 'cv2', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
