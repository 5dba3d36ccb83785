"""Answers of a study in files for others."""

from __future__ import annotations

from pathlib import Path

from srqa.files import make_folder
from srqa.ratings.formats import write
from srqa.study.answers import collect, numbered
from srqa.study.study import Study

SUFFIX = {"csv": ".csv", "parquet": ".parquet", "sureal": ".py"}
CONTROLS = ("training", "trap", "gold", "repeat", "bias")


def default_name(study: Study, form: str) -> str:
    """What an export is called."""
    kind = "" if form in ("csv", "parquet") else f"-{form}"
    return f"{study.name}{kind}{SUFFIX.get(form, '.csv')}"


def export_answers(study: Study, file: Path, form: str = "csv") -> tuple[int, tuple[str, ...]]:
    """Write answers; participants are numbered.

    Args:
        study: the study.
        file: to write or replace.
        form: "csv" or "parquet" with all answers, control questions flagged; "wide", "avt",
            "sureal" or "pwcmp" with opinions only, since these formats know no control questions.

    Returns:
        How many answers, and what was left out.

    Raises:
        InputError: there are no answers.
        UsageError: the format cannot hold them.
    """
    answers = collect(study, numbered(study)).answers
    notes: tuple[str, ...] = ()
    if form not in ("csv", "parquet"):
        control = answers.has_flag(CONTROLS[0])
        for word in CONTROLS[1:]:
            control = control | answers.has_flag(word)
        if control.any():
            answers = answers.select(~control)
            notes = (f"{int(control.sum())} answers to control and repeated trials are left out.",)
    make_folder(file.parent)
    write(answers, file, "tidy" if form in ("csv", "parquet") else form)
    return len(answers), notes
