"""`srqa study init`: a commented study.yaml for the pictures at hand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import yaml

from srqa.errors import OutputError, UsageError
from srqa.files import make_folder, write_text
from srqa.images.collection import Item
from srqa.images.layout import collect
from srqa.images.read import read
from srqa.study.loading import FILE, definition_of
from srqa.study.methods import METHODS, MethodName
from srqa.study.study import HOME, check_name

_TEMPLATE = """\
# A study of image quality. Look at it with `srqa study lint {name}`, try it with
# `srqa study simulate {name} --observers 24`, run it with `srqa study serve {name}`.
# `srqa study schema` prints every setting; docs/studies.md explains them.
version: 1
title:
  en: {title}
  zh: 图像质量研究

# acr: one picture, five categories. acr_hr: the same, references hidden among the pictures.
# dcr: a picture beside its reference. ccr: two pictures in random order, from much worse to much
# better. slider: 0 to 100. pair, pair_tie: which of two looks better.
method: {method}

stimuli:
  root: {root}
{reference}{include}\
  # The same part of all pictures of a content; leave it away to show whole pictures.
  # policy: center, grid, all, or max_metric_disagreement (where metrics rank methods differently).
{crop}
session:
  trials: {trials}             # of one participant; leave it away to ask everything
  max_minutes: 20
  break_every: 25
  min_gap_same_content: 2
  repeats: 3             # asked a second time, to see how people agree with themselves
{pairs}
# Before the first trial that counts, with feedback.
training:
{training}
checks:
  gold: {gold}                # pictures of known quality hidden among the others
  traps: 1               # "please answer Fair"
{identical}  min_response_ms: 350
  max_failed: 1          # more failed checks flag a participant

display:
  exact_pixels: require  # require | prefer | ignore: a pixel of the picture is one of the screen
  min_viewport: [{width}, {height}]
  mobile: block
  background: "#777777"
  calibrate: none        # card: ask for a bank card, to learn how large pixels are

# Tests of eyes and screen; leave away what you do not want.
screening: {{acuity: landolt, colour: plates, brightness: shapes}}

participants:
  max: {participants}
  # platform: {{name: prolific, completion_code: "env:SRQA_CODE"}}

stop: {{ci_half_width: {width_of_interval}, quantile: 0.9, min_votes: 12}}
privacy: {{store_ip: false, retain_days: 365, erase: true}}
analysis:
  screening: [{screening}]
  metrics: [{metrics}]
"""


def init_study(
    name: str,
    images: Sequence[Path],
    reference: Path | None = None,
    method: MethodName | None = None,
    home: Path | str | None = None,
    pattern: str | None = None,
) -> Path:
    """Write `studies/NAME/study.yaml` for folders of outputs.

    Args:
        name: of the study.
        images: the folder of outputs.
        reference: the folder of references.
        method: how to ask; "acr" without.
        home: the folder of studies.
        pattern: where method, scale and content stand in a path below `images`.

    Returns:
        The file.

    Raises:
        UsageError: several folders, or a method that needs references without any.
        OutputError: the study is there already.
        PairingError: outputs and references cannot be paired.
    """
    check_name(name)
    if len(images) != 1:
        raise UsageError(
            "A study has one folder of outputs, with a folder for each method in it.",
            hint="Name the folder that holds them.",
        )
    how = METHODS[method or "acr"]
    if how.needs_reference and reference is None:
        raise UsageError(f"The method {how.name} needs references.", hint="Name them with --ref.")
    folder = Path(home or os.environ.get("SRQA_STUDIES") or HOME) / name
    file = folder / FILE
    if file.exists():
        raise OutputError(f"{file} is there already.", hint="Choose another name, or remove it.")
    root = images[0]
    items = collect([root], reference, layout=pattern, on_missing="skip").items
    text = _text(name, file, root, reference, how.name, items, pattern)
    definition_of(text, str(file))
    make_folder(folder)
    write_text(file, text)
    return file


def _text(
    name: str,
    file: Path,
    root: Path,
    reference: Path | None,
    method: MethodName,
    rows: Sequence[Item],
    pattern: str | None,
) -> str:
    methods = list(dict.fromkeys(item.method for item in rows))
    sizes = [read(rows[k].image) for k in {0, len(rows) // 2, len(rows) - 1}]
    smallest = min(min(p.width, p.height) for p in sizes)
    crop = min(512, smallest // 16 * 16)
    paired = METHODS[method].kind == "choice"
    two = METHODS[method].shows != "one"
    contents = len({(i.dataset, i.content) for i in rows})
    questions = contents * len(methods) * (len(methods) - 1) // 2 if paired else len(rows)
    ends = [rows[0], next((r for r in rows if r.method != methods[0]), rows[-1])]
    told = [Path(item.image).absolute().relative_to(root.absolute()) for item in ends]
    folder = file.absolute().parent
    lines = {
        "root": _quoted(os.path.relpath(root.absolute(), folder)),
        "reference": "",
        "include": f"  include: {{method: [{', '.join(_quoted(m) for m in methods)}]}}\n",
    }
    if pattern:
        lines["root"] += f"\n  pattern: {_quoted(pattern)}"
    if reference is not None:
        there = _quoted(os.path.relpath(reference.absolute(), folder))
        lines["reference"] = f"  reference: {{root: {there}}}\n"
    trials = min(60, questions)
    return _TEMPLATE.format(
        name=name,
        title=_quoted(f"How good do these pictures look? ({name})"),
        method=method,
        **lines,
        crop=f"  crop: {{size: {crop}, policy: center}}\n" if crop >= 16 else "",
        trials=trials,
        pairs="pairs: {design: full, within: content}   # full | random | active\n"
        if paired
        else "",
        training=_training([_quoted(path.as_posix()) for path in told], method),
        gold=2 if reference is not None else 0,
        identical="  identical_pairs: 2     # a picture against itself tells a side preference\n"
        if paired
        else "",
        width=max(1024, crop * (2 if two else 1) + 80),
        height=max(700, crop + 200),
        participants=max(12, round(36 * questions / trials)),
        width_of_interval=10 if method == "slider" else 0.35,
        screening="" if paired else "trap",
        metrics="psnr-y, ssim-y" if reference is not None else "niqe",
    )


def _training(paths: Sequence[str], method: MethodName) -> str:
    note = "  # Correct these: which pictures, and what answers are right?\n"
    if METHODS[method].kind == "choice":
        return f"{note}  - {{pair: [{paths[0]}, {paths[1]}]}}   # the better one first\n"
    scale = METHODS[method].rating_scale(5)
    low, high = f"{scale.low:g}", f"{scale.high:g}"
    return note + "".join(f"  - {{stimulus: {p}, expect: [{low}, {high}]}}\n" for p in paths)


def _quoted(text: str) -> str:
    """A text as it can stand in YAML between brackets."""
    dumped = yaml.safe_dump([text], default_flow_style=True, allow_unicode=True, width=10_000)
    return dumped.strip()[1:-1]
