"""The text of a loss: what is read, how it is written, what is refused and how."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from srqa.errors import UsageError
from srqa.losses import canonical, catalog
from srqa.losses.expression import Choice, Number

CANONICAL = {
    "l1": "l1",
    " l1 ": "l1",
    "L1": "l1",
    "l1+0.1*content+0.005*gan": "l1 + 0.1*content:relu3_3 + 0.005*gan:vanilla",
    "l1 + 0.1*content:relu3_3 + 0.005*gan:ragan": "l1 + 0.1*content:relu3_3 + 0.005*gan:ragan",
    "1*l1 + 1.0 * l2 + .5 *tv + 2.*cycle": "l1 + l2 + 0.5*tv + 2*cycle",
    "1e-3*l1+5E-3*tv+1e+2*l2": "0.001*l1 + 0.005*tv + 100*l2",
    "1e-7*l1": "1e-07*l1",
    "0.1234567890123*l1": "0.1234567890123*l1",
    "l1\n + 0*lpips\t": "l1 + 0*lpips",
    "charbonnier:1e-6": "charbonnier:1e-06",
    "charbonnier:epsilon=0.001": "charbonnier",
    "content:mse:conv5_3": "content:conv5_3:mse",
    "content:norm=l1:layer=relu1_1": "content:relu1_1:l1",
    "content:relu2_2:euclidean": "content:relu2_2",
    "texture : relu2_2 : mse": "texture:relu2_2:mse",
    "gan:patch": "gan:vanilla:patch",
    "gan:penalty=5:wgan-gp": "gan:wgan-gp:penalty=5",
    "gan:features=32:side=64:lsgan": "gan:lsgan:features=32:side=64",
    "edge:2.5:l2": "edge:l2:2.5",
    "edge:strength=4": "edge",
    "mask:charbonnier": "mask:charbonnier",
    "ssim-y + lpips_vgg": "ssim-y + lpips-vgg",
    "content:relu2_2 + content:relu3_3": "content:relu2_2 + content:relu3_3",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical(text):
    assert canonical(text) == CANONICAL[text]
    assert canonical(CANONICAL[text]) == CANONICAL[text]


REFUSED = [
    # text, what is marked, what the message and the hint say
    ("", "^", "ends where a term should follow", "A loss is a sum such as"),
    ("l1 +", "    ^", "ends where a term should follow", "Terms: l1, l2"),
    ("l1 + contant", "     ^^^^^^^", "no loss term 'contant'", "Did you mean content?"),
    ("0.1*lpip", "    ^^^^", "no loss term 'lpip'", "Did you mean lpips"),
    ("0.1 l1", "    ^", "* and a term after the weight", "A loss is"),
    ("l1*0.1", "  ^", "+ and another term", "A loss is"),
    ("l1 - 0.1*tv", "   ^", "+ and another term", "A loss is"),
    ("l1 l2", "   ^", "+ and another term", "A loss is"),
    ("l1 ++ l2", "    ^", "a term should stand here", "A loss is"),
    ("+ l1", "^", "a term should stand here", "A loss is"),
    ("l1 + -1*tv", "     ^", "weight of the loss is a number of at least 0", "A loss is"),
    ("1e999*l1", "^^^^^", "too large", "A loss is"),
    ("nan*l1", "^^^", "no loss term 'nan'", "A loss is"),
    ("inf*l1", "^^^", "no loss term 'inf'", "A loss is"),
    ("l1 + 0.5*", "         ^", "ends where a term should follow", "A loss is"),
    ("l1:", "   ^", "ends where an option of l1", "A loss is"),
    ("l1:3", "   ^", "l1 has no such option", "l1 takes no options."),
    ("content:relu9_1", "        ^^^^^^^", "no such option", "layer: conv1_1, relu1_1"),
    ("content:relu2_2:relu3_3", " " * 16 + "^^^^^^^", "layer of content is set twice", ""),
    ("content:layer=mse", "        ^^^^^^^^^", "no such option", "norm: euclidean, mse, l1"),
    ("charbonnier:0", " " * 12 + "^", "epsilon of charbonnier must be a number above 0", ""),
    ("charbonnier:eps=1", " " * 12 + "^^^^^", "no such option", "epsilon: a number above 0"),
    ("charbonnier:epsilon=l1", " " * 12 + "^" * 10, "must be a number above 0", ""),
    ("gan:3", "    ^", "no such option", "kind: vanilla, lsgan, wgan-gp, ragan"),
    ("gan:wgan", "    ^^^^", "no such option", "wgan-gp"),
    ("gan:features=2.5", "    ^^^^^^^^^^^^", "a whole number from 1 to 1024", ""),
    ("gan:side=16", "    ^^^^^^^", "a whole number from 32 to 4096", ""),
    ("gan:penalty=3", "^" * 13, "Only gan:wgan-gp has a penalty", ""),
    ("gan:patch:side=64", "^" * 17, "Only the discriminator srgan", ""),
    ("gan + gan:ragan", "      ^^^^^^^^^", "one discriminator, not two", ""),
    ("l1 + tv + 2*l1", "            ^^", "l1 stands twice", "sum of both weights"),
    ("charbonnier + charbonnier:0.001", " " * 14 + "^" * 17, "charbonnier stands twice", ""),
    ("0*l1 + 0*tv", "^" * 11, "All weights of the loss are 0", "watched"),
    ("psnr", "^^^^", "psnr is infinite for equal pictures", ""),
    ("l1 + niqe", "     ^^^^", "niqe has no gradient", ""),
    ("l1 + fid-patch", "     ^^^^^^^^^", "whole sets", ""),
    ("lr-psnr", "^^^^^^^", "the term cycle", ""),
    ("pyiqa:lpips", "^^^^^", "no loss term 'pyiqa'", ""),
    ("fused:my.json", "^^^^^", "no loss term 'fused'", ""),
    ("l1\n+ nope", "     ^^^^", "no loss term 'nope'", ""),
    ("l1 + ü", "     ^", "a term should stand here", "A loss is"),
    ("l1; import os", "  ^", "+ and another term", "A loss is"),
]


@pytest.mark.parametrize(("text", "marks", "problem", "hint"), REFUSED)
def test_refusals_mark_the_place(text, marks, problem, hint):
    with pytest.raises(UsageError) as caught:
        canonical(text)
    sentence, shown, marked = str(caught.value).split("\n")
    assert problem in sentence
    assert shown == " " * 8 + re.sub(r"\s", " ", text)
    assert marked == " " * 8 + marks
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_licences_must_be_accepted(monkeypatch):
    monkeypatch.delenv("SRQA_ACCEPT_LICENCE", raising=False)
    with pytest.raises(UsageError, match="arniqa may not serve commercial purposes"):
        canonical("l1 + 0.1*arniqa")
    monkeypatch.setenv("SRQA_ACCEPT_LICENCE", "1")
    assert canonical("l1 + 0.1*arniqa") == "l1 + 0.1*arniqa"


def test_options_of_a_term_are_told_apart_without_their_names():
    """A bare word or number must belong to one option alone."""
    for name, options in catalog.TERMS.items():
        words = [w for o in options if isinstance(o, Choice) for w in o.words]
        assert len(words) == len(set(words)), name
        for option in options:
            if isinstance(option, Choice):
                assert option.default in option.words
            else:
                assert isinstance(option, Number)
                assert option.admits(option.default)


def test_every_term_is_read_with_its_defaults():
    for name in catalog.names():
        if name == "arniqa":
            continue
        assert canonical(name).split(":")[0] == name


def test_text_is_checked_without_torch():
    code = (
        "import sys; from srqa.losses import canonical; canonical('l1 + content + gan + ssim');"
        "print('torch' in sys.modules, 'scipy' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "False"]


def test_the_page_names_every_term_and_option():
    page = (Path(__file__).parents[2] / "docs" / "losses.md").read_text("utf-8")
    rows = {}
    for found in re.finditer(r"^\| `([\w-]+)` \|.*$", page, re.M):
        rows.setdefault(found[1], found[0])
    for name, options in catalog.TERMS.items():
        for option in options:
            if isinstance(option, Number):
                assert f"`{option.name}={option.default:g}`" in rows[name]
            elif option.name != "layer":
                assert all(f"`{word}`" in rows[name] for word in option.words)


def test_the_pages_examples_are_losses():
    page = (Path(__file__).parents[2] / "docs" / "losses.md").read_text("utf-8")
    examples = re.findall(r"--loss '([^']+)'", page)
    assert len(examples) >= 5
    for text in examples:
        assert canonical(canonical(text)) == canonical(text)
