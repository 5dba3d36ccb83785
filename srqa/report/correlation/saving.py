"""A folder with all that a correlation found: tables, the page, words for a paper, the record."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from srqa.correlation.analysis import Correlation
from srqa.errors import OutputError
from srqa.files import explain, make_folder, replacing, write_text
from srqa.report.correlation import tables, words
from srqa.report.correlation.document import document
from srqa.report.correlation.page import write_page

RECORD = "correlation.json"
"""Written last: a folder without it is not whole."""
_TABLES = ("correlations", "differences", "between", "parts", "residuals", "pictures", "noticed",
           "steps", "preferences", "disagreements", "unmatched")  # fmt: skip
_TEXTS = ("table.md", "table.tex", "methods.md", "methods.tex", "references.bib")
_PAGE = "report.html"


def save(
    found: Correlation,
    folder: Path | str,
    *,
    overwrite: bool = False,
    title: str = "",
    command: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write tables (CSV, Parquet, Markdown, LaTeX), the HTML page, methods and `correlation.json`.

    Args:
        found: by `srqa.correlate`.
        folder: is made if need be.
        overwrite: whether results that lie there may be replaced; other files are left alone.
        title: heading of the page.
        command: that made it, for the page.
        progress: called with what is being written, how much of it, of how much.

    Returns:
        The files, `correlation.json` last.

    Raises:
        OutputError: results lie there already, or something cannot be written.
    """
    folder = Path(folder)
    if not overwrite:
        refuse_old(folder)
    make_folder(folder)
    old = existing(folder)
    for path in old[:1]:
        _remove(path)
    written: list[Path] = []
    for name, frame in tables.frames(found).items():
        for suffix in ("parquet", "csv"):
            path = folder / f"{name}.{suffix}"
            with replacing(path) as temporary:
                if suffix == "csv":
                    frame.to_csv(temporary, index=False)
                else:
                    frame.to_parquet(temporary, index=False)
            written.append(path)
    texts = (tables.markdown(found), tables.latex(found), words.methods_markdown(found),
             words.methods_latex(found), words.methods_bibtex(found))  # fmt: skip
    for name, text in zip(_TEXTS, texts, strict=True):
        write_text(folder / name, text)
        written.append(folder / name)
    written.append(
        write_page(found, folder / _PAGE, title=title, command=command, progress=progress)
    )
    for path in old[1:]:
        if path not in written:
            _remove(path)
    record = document(found) | {"files": [path.name for path in written]}
    write_text(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return (*written, folder / RECORD)


def refuse_old(folder: Path) -> None:
    """Refuse a folder in which a correlation lies.

    Raises:
        OutputError: it does.
    """
    if old := existing(folder):
        raise OutputError(
            f"{folder} holds results already ({old[0].name}).",
            hint="Choose another folder, or say --overwrite.",
        )


def existing(folder: Path) -> list[Path]:
    """Results that lie in a folder, the record first."""
    names = [RECORD, _PAGE, *_TEXTS]
    names += [f"{name}.{suffix}" for name in _TABLES for suffix in ("csv", "parquet")]
    return [folder / name for name in names if (folder / name).is_file()]


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise explain(error, path) from error
