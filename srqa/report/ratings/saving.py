"""A folder with all that an analysis found: tables, figures, the methods paragraph, the record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from srqa.errors import MissingPackageError, OutputError
from srqa.files import make_folder, replacing, write_text
from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.document import document
from srqa.ratings.analysis.tables import tables
from srqa.report.ratings import checks, methods, scores
from srqa.report.ratings.style import drawing
from srqa.report.ratings.style import save as save_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

RECORD = "analysis.json"
"""Written last: a folder without it is not whole."""
FIGURES = ("scores", "standings", "sos", "observers", "residuals")
TABLES = (
    "mos", "distribution", "jod", "pairs", "jod_covariance", "observers", "standings",
    "differences", "flags",
)  # fmt: skip
_PARQUET_ONLY = ("jod_covariance",)
_TEXTS = ("methods.md", "methods.tex", "references.bib")


def save(
    analysis: Analysis,
    folder: Path | str,
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write tables (CSV and Parquet), figures (SVG and PNG), methods and `analysis.json`.

    Args:
        analysis: by `srqa.ratings.analyze`.
        folder: is made if need be.
        overwrite: whether results that lie there may be replaced; other files are left alone.
        progress: called with what is being written, how much of it, of how much.

    Returns:
        The files, `analysis.json` last; without matplotlib there are no figures, which
        `analysis.json` says under `notes`.

    Raises:
        OutputError: results lie there already, or something cannot be written.
    """
    folder = Path(folder)
    if not overwrite:
        refuse_old(folder)
    make_folder(folder)
    old = existing(folder)
    if folder / RECORD in old:
        _remove(folder / RECORD)
    written: list[Path] = []
    for name, frame in tables(analysis).items():
        written += _table(frame, folder, name)
    texts = (methods.markdown(analysis), methods.latex(analysis), methods.bibtex(analysis))
    for name, text in zip(_TEXTS, texts, strict=True):
        write_text(folder / name, text)
        written.append(folder / name)
    notes: list[str] = []
    try:
        written += figures(analysis, folder, progress)
    except MissingPackageError as error:
        notes.append(f"No figures were drawn: {str(error)[:1].lower()}{str(error)[1:]}")
    for path in old:
        if path not in written and path.name != RECORD:
            _remove(path)
    record = document(analysis)
    record["notes"] += notes
    record["files"] = [path.name for path in written]
    write_text(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return (*written, folder / RECORD)


def figures(
    analysis: Analysis,
    folder: Path,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Path]:
    """Draw what there is to draw, as SVG and PNG.

    Raises:
        MissingPackageError: matplotlib is not installed.
        OutputError: a file cannot be written.
    """
    makers: dict[str, Callable[[], Figure | None]] = {
        "scores": lambda: scores.scores_figure(scores.points(analysis)),
        "standings": lambda: scores.standings_figure(analysis),
        "sos": lambda: checks.sos_figure(analysis),
        "observers": lambda: checks.observers_figure(analysis),
        "residuals": lambda: checks.residuals_figure(analysis),
    }
    written = []
    with drawing():
        for done, name in enumerate(FIGURES):
            if progress:
                progress("Drawing figures", done, len(FIGURES))
            figure = makers[name]()
            if figure is not None:
                written += save_figure(figure, folder, name)
    return written


def refuse_old(folder: Path) -> None:
    """Refuse a folder in which results lie.

    Raises:
        OutputError: they do.
    """
    if old := existing(folder):
        raise OutputError(
            f"{folder} holds results already ({old[0].name}).",
            hint="Choose another folder, or say --overwrite.",
        )


def existing(folder: Path) -> list[Path]:
    """Results that lie in a folder, the record first."""
    names = [RECORD, *_TEXTS]
    names += [f"{name}.{suffix}" for name in TABLES for suffix in ("csv", "parquet")]
    names += [f"{name}.{suffix}" for name in FIGURES for suffix in ("svg", "png")]
    return [folder / name for name in names if (folder / name).is_file()]


def _table(frame: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    paths = [folder / f"{name}.parquet"]
    with replacing(paths[0]) as temporary:
        frame.to_parquet(temporary, index=False)
    if name not in _PARQUET_ONLY:
        paths.append(folder / f"{name}.csv")
        with replacing(paths[1]) as temporary:
            frame.to_csv(temporary, index=False)
    return paths


def _remove(path: Path) -> None:
    from srqa.files import explain

    try:
        path.unlink()
    except OSError as error:
        raise explain(error, path) from error
