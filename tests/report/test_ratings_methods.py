"""The methods paragraph: its facts, its grammar for no, one and many, Markdown and LaTeX."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ratings_support import pairs_frame, rated_study

from srqa.ratings import analyze, from_frame, from_matrix
from srqa.ratings.answers import Stimulus
from srqa.report.ratings import methods
from srqa.report.ratings.references import REFERENCES


def body(analysis):
    return methods.markdown(analysis).split("\n\n## References")[0]


class TestFacts:
    def test_ratings(self):
        found = analyze(rated_study(observers=10), screen=["variance"])
        text = body(found)
        assert "A panel of 10 observers rated 24 pictures (4 methods on 6 contents)" in text
        assert "on a scale from 1 to 5 [1], in 240 ratings" in text
        assert "every observer rated every picture once" in text
        assert "all 10 observers were kept" in text
        values = found.standings.values
        assert f"hat ({values[0]:.2f}, {found.standings.tiers[0]})" in text
        assert "Holm's correction over the 6 pairs" in text
        half = np.mean(found.rated.scores.ci_high - found.rated.scores.ci_low) / 2
        assert f"mean half width of the intervals is {half:.2f}" in text

    def test_exclusions_come_with_their_figures(self):
        study = rated_study(observers=9)
        spoilt = study.value.copy()
        rows = study.observer == 4
        spoilt[rows] = 6 - spoilt[rows]
        found = analyze(study.with_values(spoilt), screen=["correlation:0.2"])
        text = body(found)
        (flag,) = found.screened.steps[0].flags
        assert f"which excluded 1 of 9 observers ({flag.observer}: {flag.reason})" in text.replace(
            "−", "-"
        )
        assert "The results rest on the remaining 8 observers and 192 answers." in text

    def test_partial_design(self):
        text = body(analyze(rated_study(observers=30, votes=8)))
        assert "The design was partial: an observer rated 8 pictures" in text
        assert "a picture received 10 votes." in text
        assert "drawn from a normal distribution" in text

    def test_choices(self):
        frame = pairs_frame()
        found = analyze(from_frame(frame))
        ties = int((frame["choice"] == "tie").sum())
        text = body(found)
        assert "A panel of 12 observers compared 16 pictures (4 methods on 4 contents)" in text
        assert f"in {len(frame)} answers (24 answers an observer)" in text
        assert f"Of the answers, {ties} ({100 * ties / len(frame):.1f} %) were ties." in text
        assert "Thurstone's case V" in text
        assert "simultaneous 95 % intervals" in text
        bt = body(analyze(from_frame(frame), scale="bt", correction="holm"))
        assert "Bradley and Terry" in bt
        assert "Wald tests" in bt

    @pytest.mark.parametrize(
        "model", ["none", "p913", "p913-iterated", "p910", "p910-ap", "regularised", "zrec"]
    )
    def test_every_model_has_its_sentence(self, model):
        text = body(analyze(rated_study(), recover=model))
        sought = {"none": "means of the votes", "zrec": "ZREC", "p913": "P.913",
                  "p913-iterated": "least squares"}  # fmt: skip
        assert sought.get(model, "P.910 [") in text

    def test_hidden_references(self):
        stimuli = [Stimulus("ref"), *(Stimulus(n, method=n, reference="ref") for n in "ab")]
        votes = from_matrix(np.array([[5.0, 4, 5], [3, 3, 4], [2, 3, 1]]), stimuli)
        text = body(analyze(votes, "acr-hr", crush=True))
        assert "hidden references (ACR-HR)" in text
        assert "5 was added (DMOS); differences above the scale were crushed" in text


def small(people, pictures, seed=0):
    votes = np.random.default_rng(seed).integers(1, 6, (pictures, people)).astype(float)
    return from_matrix(votes, [Stimulus(f"s{j}", method=f"m{j}") for j in range(pictures)])


CASES = {
    "one observer": lambda: analyze(small(1, 3)),
    "one picture": lambda: analyze(small(5, 1)),
    "one answer": lambda: analyze(small(1, 1)),
    "two of each": lambda: analyze(small(2, 2)),
    "many": lambda: analyze(rated_study(observers=30, votes=7), screen=["bt500", "variance"]),
    "one pair": lambda: analyze(
        from_frame(pd.DataFrame({"observer": ["p"], "left": "a", "right": "b", "choice": "left"}))
    ),
    "one tie": lambda: analyze(
        from_frame(
            pd.DataFrame({"observer": list("pqr"), "left": "a", "right": "b",
                          "choice": ["left", "right", "tie"]})
        )
    ),
    "pairs": lambda: analyze(from_frame(pairs_frame()), screen=["likelihood"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_grammar(case):
    found = CASES[case]()
    text = body(found)
    nouns = "picture|observer|vote|answer|rating|tie|method|content|pair|triad|degree"
    assert not re.search(rf"(?<![\d.,])1 (single )?({nouns})s\b", text)
    assert not re.search(rf"(?<![\d.,])(?!1 )\d[\d,]* (single )?({nouns})\b", text)
    assert "(s)" not in text
    assert "nan" not in text
    assert "  " not in text
    assert " ." not in text
    assert not re.search(r"\b0 (is|are)\b", text)
    for sentence in re.split(r"(?<=[.])\s+(?=[A-Z])", text):
        assert sentence[0].isupper() or sentence[0].isdigit(), sentence
        assert sentence.count("(") == sentence.count(")"), sentence


@pytest.mark.parametrize("case", CASES)
def test_references_are_those_that_are_cited(case):
    found = CASES[case]()
    text, listed = methods.markdown(found).split("\n\n## References\n\n")
    numbers = {int(n) for part in re.findall(r"\[([\d, ]+)\]", text) for n in part.split(",")}
    lines = listed.strip().splitlines()
    assert numbers == set(range(1, len(lines) + 1))
    latex, bib = methods.latex(found), methods.bibtex(found)
    cited = {key for part in re.findall(r"\\cite\{([^}]*)\}", latex) for key in part.split(",")}
    assert cited == set(re.findall(r"^@\w+\{(\w+),", bib, re.M))
    assert len(cited) == len(lines)


def test_latex_escapes_what_is_special():
    answers = small(4, 2)
    names = tuple(
        replace(s, method=method)
        for s, method in zip(answers.stimuli, ("a_b&c%", "$x#{y}\\"), strict=True)
    )
    text = methods.latex(analyze(replace(answers, stimuli=names)))
    assert r"a\_b\&c\%" in text
    assert r"\$x\#\{y\}\textbackslash{}" in text
    plain = re.sub(r"\\[%&$#_{}]|^%.*$", "", text, flags=re.M)
    assert not re.search(r"[%&#_]", re.sub(r"\\cite\{[^}]*\}", "", plain))
    assert text.count("{") == text.count("}") or r"\{" in text


def test_names_that_look_like_citations_are_names():
    answers = small(4, 2)
    odd = tuple(replace(s, method=f"[[{s.method}]]") for s in answers.stimuli)
    assert "[[m0]]" in methods.markdown(analyze(replace(answers, stimuli=odd)))


def test_bibliography_is_well_formed():
    for reference in REFERENCES.values():
        entry = reference.bibtex()
        assert entry.count("{") == entry.count("}")
        assert reference.year in reference.plain()
        assert reference.plain().endswith(".")
