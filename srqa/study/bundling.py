"""One zip with all that is needed to check a study's results, and the check."""

from __future__ import annotations

import hashlib
import io
import json
import math
import platform
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa import __version__
from srqa.errors import InputError
from srqa.files import make_folder, replacing
from srqa.ratings.analysis import Analysis
from srqa.ratings.analysis.tables import tables
from srqa.ratings.tables import from_frame, to_frame
from srqa.study import admin
from srqa.study.analysis import analyze_collected
from srqa.study.answers import Collected, collect, numbered
from srqa.study.loading import definition_of
from srqa.study.methods import METHODS
from srqa.study.study import Study

if TYPE_CHECKING:
    import pandas as pd

PACKAGES = ("numpy", "scipy", "pandas", "streamlit", "sqlalchemy", "statsmodels")
MANIFEST = "manifest.json"
TOLERANCE = 1e-6
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHECKED = ("mos", "jod", "standings", "differences")
_README = """\
A study of image quality, as srqa {version} bundled it: {title}

definition.yaml    what was asked, and how
stimuli.csv        every picture with its hashes (of the file given, and of the PNG shown)
answers.csv        every answer; observers are numbered at random
observers.csv      what is known of them
controls.json      control stimuli and the answers expected
metrics.csv        what metrics say of the stimuli, as far as they were computed
results/           tables of the analysis; report.html, where it was made
versions.json      software
manifest.json      sha256 of each file

Check it and compute everything anew:

    srqa study verify {name}

Analyse the answers in another way:

    srqa ratings analyze answers.csv --out results/
"""


@dataclass(frozen=True, slots=True)
class Check:
    """A thing that was verified.

    Attributes:
        what: in words.
        passed: whether it holds.
        detail: what differs, or how much was compared.
    """

    what: str
    passed: bool
    detail: str


def bundle(study: Study, analysis: Analysis, file: Path, report: Path | None = None) -> Path:
    """Write a study's bundle, whole or not at all.

    Args:
        study: the study.
        analysis: by `srqa.study.analysis.analyze_study`.
        file: the zip to write or replace.
        report: an HTML page to take along.

    Raises:
        InputError: there are no answers.
        OutputError: it cannot be written.
    """
    from srqa.ratings.analysis.document import document, without_nan

    names = numbered(study)
    collected = collect(study, names)
    parts: dict[str, bytes] = {
        "definition.yaml": _definition(study),
        "stimuli.csv": _csv(_stimuli(study)),
        "answers.csv": _csv(to_frame(collected.answers)),
        "observers.csv": _csv(_observers(study, names)),
        "controls.json": _json({"gold": dict(collected.gold), "trap": dict(collected.trap)}),
        "metrics.csv": _csv(_metrics(study)),
        "versions.json": _json(_versions()),
        "results/analysis.json": _json(without_nan(document(analysis))),
        "README.txt": _README.format(
            version=__version__, title=study.title("en"), name=file.name
        ).encode(),
    }
    for name, frame in tables(analysis).items():
        if name != "jod_covariance":
            parts[f"results/{name}.csv"] = _csv(frame)
    if report is not None and report.is_file():
        parts["results/report.html"] = report.read_bytes()
    manifest = {
        "format": "srqa-study-bundle",
        "version": 1,
        "study": study.name,
        "made": datetime.now(UTC).date().isoformat(),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(parts.items())},
    }
    parts[MANIFEST] = _json(manifest)
    make_folder(file.parent)
    with replacing(file) as temporary:
        temporary.write_bytes(_zipped(parts))
    return file


def verify(
    file: Path | str, progress: Callable[[str, int, int], None] | None = None
) -> list[Check]:
    """Check a bundle: every file's hash, and the analysis of the answers computed anew.

    Args:
        file: the zip.
        progress: as for `srqa.ratings.analyze`.

    Raises:
        InputError: it is no bundle of a study.
    """
    manifest, parts = _read(Path(file))
    listed: Mapping[str, str] = manifest["files"]
    changed = [n for n, digest in listed.items() if _digest(parts.get(n)) != digest]
    extra = sorted(set(parts) - set(listed) - {MANIFEST})
    checks = [
        Check(
            "files are as they were bundled",
            not changed and not extra,
            ", ".join(changed + extra) or f"{len(listed)} files",
        )
    ]
    if "answers.csv" not in parts or "definition.yaml" not in parts:
        return [*checks, Check("the analysis can be computed anew", False, "files are missing")]
    definition = definition_of(parts["definition.yaml"].decode(), "definition.yaml")
    controls = json.loads(parts["controls.json"])
    frame = _frame(parts["answers.csv"], text=True)
    scale = None
    if not definition.is_paired:
        scale = METHODS[definition.method].rating_scale(definition.scale.points)
    answers = from_frame(frame, rating_scale=scale)
    collected = Collected(answers, controls["gold"], controls["trap"], {})
    made = tables(analyze_collected(definition, collected, progress))
    for name in _CHECKED:
        if name in made and f"results/{name}.csv" in parts:
            stored = _frame(parts[f"results/{name}.csv"])
            checks.append(_same(name, stored, _frame(_csv(made[name]))))
    return checks


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in sorted(parts.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def _same(name: str, stored: pd.DataFrame, made: pd.DataFrame) -> Check:
    """Compare two tables by their first column, number by number."""
    what = f"{name} computed anew"
    key = "stimulus" if "stimulus" in stored else next(iter(stored.columns))
    keys = [key, "second"] if key == "first" else [key]
    if list(stored.columns) != list(made.columns) or len(stored) != len(made):
        return Check(what, False, "the tables have other columns or rows")
    stored, made = (f.sort_values(keys).reset_index(drop=True) for f in (stored, made))
    worst = 0.0
    for column in stored.columns:
        for old, new in zip(stored[column], made[column], strict=True):
            if isinstance(old, str) or isinstance(new, str):
                if old != new:
                    return Check(what, False, f"{column}: {old} became {new}")
                continue
            if math.isnan(old) and math.isnan(new):
                continue
            apart = abs(old - new) / max(1.0, abs(old))
            if not apart <= TOLERANCE:
                return Check(what, False, f"{column}: {old:g} became {new:g}")
            worst = max(worst, apart)
    return Check(what, True, f"{len(stored)} rows, the largest difference is {worst:.1g}")


def _read(file: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(item.file_size for item in archive.infolist()) > 2**31:
                raise InputError(f"{file} would unpack to more than 2 GiB.")
            parts = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(parts[MANIFEST])
    except FileNotFoundError as error:
        raise InputError(f"There is no file {file}.") from error
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(
            f"{file} is no bundle of a study.", hint="`srqa study bundle NAME` writes one."
        ) from error
    if manifest.get("format") != "srqa-study-bundle" or manifest.get("version") != 1:
        raise InputError(f"{file} is no bundle of a study that this srqa knows.")
    return manifest, parts


def _definition(study: Study) -> bytes:
    import yaml

    plain = study.definition.model_dump(mode="json", exclude_unset=True)
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False).encode()


def _stimuli(study: Study) -> pd.DataFrame:
    import pandas as pd

    columns = (
        "name", "source", "dataset", "content", "method", "scale", "role", "reference",
        "source_sha256", "sha256", "width", "height", "crop",
    )  # fmt: skip
    rows = [[row[name] for name in columns] for row in study.stimuli.values()]
    return pd.DataFrame(rows, columns=list(columns)).sort_values("name", ignore_index=True)


def _observers(study: Study, names: Mapping[str, str]) -> pd.DataFrame:
    frame = admin.participants(study)
    frame = frame[frame["state"].isin(["active", "finished", "excluded", "void"])]
    frame = frame.assign(observer=[names[who] for who in frame["participant"]])
    columns = [
        "observer", "state", "minutes", "answers", "flags", "locale", "pixel_ratio", "exact",
        "synthetic",
    ]  # fmt: skip
    return frame[columns].sort_values("observer", ignore_index=True)


def _metrics(study: Study) -> pd.DataFrame:
    from srqa.study.values import metric_table

    return metric_table(study)


def _versions() -> dict[str, str]:
    found = {"srqa": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, float_format="%.17g").encode()


def _frame(data: bytes, text: bool = False) -> pd.DataFrame:
    import pandas as pd

    if text:
        return pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    return pd.read_csv(io.BytesIO(data))


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()
