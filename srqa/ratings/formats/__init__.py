"""Others' formats of answers: a module each, one list of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import Answers, RatingScale, check_values, shortened
from srqa.ratings.formats import avt, jpeg_aic, koniq, pwcmp, sureal, wide
from srqa.ratings.tables import load, save


@dataclass(frozen=True, slots=True)
class Format:
    """How answers lie in a file.

    Attributes:
        name: what the user says.
        summary: what it is.
        read: from a path.
        write: to a path.
    """

    name: str
    summary: str
    read: Callable[[Path], Answers]
    write: Callable[[Answers, Path], Path]


FORMATS = {
    found.name: found
    for found in (
        Format("tidy", "a row an answer: .csv, .tsv, .parquet", load, save),
        Format("wide", "stimuli by observers, with or without names", wide.read, wide.write),
        Format("avt", "AVT matrices: video_name, user1, user2, ...", avt.read, avt.write),
        Format("sureal", "sureal's Python datasets, read as literals", sureal.read, sureal.write),
        Format("pwcmp", "pwcmp's table of choices", pwcmp.read, pwcmp.write),
        Format("koniq", "KonIQ histograms: image_name, c1 to c5", koniq.read, koniq.write),
        Format("jpeg-aic", "JPEG AIC-3 triplets with a pivot", jpeg_aic.read, jpeg_aic.write),
    )
}


def read(
    path: Path | str,
    name: str | None = None,
    rating_scale: RatingScale | None = None,
    study: str | None = None,
    known: Collection[str] | None = None,
) -> Answers:
    """Read answers.

    Args:
        path: the file.
        name: of the format; without it, the suffix .py or the header's names tell.
        rating_scale: what values were possible; the format's own, or the narrowest standard scale
            that holds them, without.
        study: which one to take, where a tidy table holds several.
        known: names of all stimuli that may occur; others are refused.

    Raises:
        UsageError: no such format, or a study is named of a format that holds one only.
        InputError: the file is missing or is not in that format, a value is off the scale, or a
            stimulus is unknown.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    form = _format(name or guess(path))
    if form.name == "tidy":
        return load(path, rating_scale, study, known)
    if study is not None:
        raise UsageError(f"The format {form.name} knows no studies, so none can be taken.")
    answers = wide.read(path, rating_scale) if form.name == "wide" else form.read(path)
    if rating_scale is not None:
        answers = answers.with_values(answers.value, rating_scale)
        check_values(answers)
    unknown = [] if known is None else sorted(set(answers.names) - set(known))
    if unknown:
        raise InputError(f"{path}: Stimuli that the study does not have: {shortened(unknown)}.")
    return answers


def write(answers: Answers, path: Path | str, name: str = "tidy") -> Path:
    """Write answers.

    Raises:
        UsageError: no such format.
        InputError: the format cannot hold these answers.
        OutputError: the file cannot be written.
    """
    return _format(name).write(answers, Path(path))


def guess(path: Path) -> str:
    """The name of the format that a file seems to be in."""
    if path.suffix == ".py":
        return "sureal"
    if path.suffix in (".parquet", ".tsv"):
        return "tidy"
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        header = [name.strip().lower() for name in lines.readline().split(",")]
    names = set(header)
    if "observer" in names and ({"value"} <= names or {"left", "right", "choice"} <= names):
        return "tidy"
    if {"image_name", "c1", "c5"} <= names:
        return "koniq"
    if {"img_left", "img_right", "response"} <= names:
        return "jpeg-aic"
    if pwcmp.is_header(header):
        return "pwcmp"
    return "avt" if header[0] == "video_name" else "wide"


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise UsageError(f"There is no format {name!r}.", hint=f"Known are {', '.join(FORMATS)}.")
    return FORMATS[name]
