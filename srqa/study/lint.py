"""What is wrong with a study before it starts, or will be regretted after it ended."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from srqa.errors import SrqaError, UsageError
from srqa.study import pictures
from srqa.study.definition import Localised
from srqa.study.loading import secret
from srqa.study.outlook import outlook
from srqa.study.pictures import Source
from srqa.study.study import Study

Level = Literal["error", "warning", "fact"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What lint says.

    Attributes:
        level: "error" keeps the study from starting, "warning" should be looked at, "fact" informs.
        message: a sentence.
    """

    level: Level
    message: str


def lint(study: Study, progress: Callable[[int, int], None] | None = None) -> list[Finding]:
    """Look at a study's definition and pictures; errors first.

    Args:
        study: the study; its stimuli are prepared if all is well.
        progress: called with how many pictures were read, of how many.
    """
    found: list[Finding] = []
    try:
        sources = pictures.find(study.definition, study.folder, study.data)
    except SrqaError as error:
        return [Finding("error", _whole(error))]
    found += _files(sources, progress)
    found += _secrets(study)
    found += _texts(study)
    found += _names(study, sources)
    if not any(finding.level == "error" for finding in found):
        try:
            found += [Finding("warning", note) for note in study.prepare()]
            found += _design(study)
            found += _room(study)
        except SrqaError as error:
            found.append(Finding("error", _whole(error)))
    order = {"error": 0, "warning": 1, "fact": 2}
    return sorted(dict.fromkeys(found), key=lambda finding: order[finding.level])


def _whole(error: SrqaError) -> str:
    return f"{error} {error.hint}".strip()


def _files(
    sources: Sequence[Source], progress: Callable[[int, int], None] | None
) -> Iterable[Finding]:
    sizes: dict[tuple[str, str], dict[tuple[int, int], str]] = defaultdict(dict)
    same: dict[str, Source] = {}
    for done, source in enumerate(sources, 1):
        try:
            pixels, _, notes = pictures.load(source)
        except SrqaError as error:
            yield Finding("error", _whole(error))
            continue
        finally:
            if progress:
                progress(done, len(sources))
        yield from (Finding("warning", f"{source.relative} {note}.") for note in notes)
        size = (pixels.shape[1], pixels.shape[0])
        sizes[source.group].setdefault(size, source.relative)
        digest = hashlib.sha256(pixels.tobytes() + str(size).encode()).hexdigest()
        other = same.setdefault(digest, source)
        if other is not source and source.role == "test":
            yield Finding(
                "warning", f"{source.relative} and {other.relative} show the very same pixels."
            )
    for (_, content), kinds in sizes.items():
        if len(kinds) > 1:
            told = ", ".join(f"{name} is {w}x{h}" for (w, h), name in kinds.items())
            yield Finding("error", f"Pictures of the content {content} differ in size: {told}.")


def _secrets(study: Study) -> Iterable[Finding]:
    platform = study.definition.participants.platform
    if platform is None:
        return
    try:
        secret(platform.completion_code)
    except UsageError as error:
        yield Finding("error", _whole(error))
    if platform.completion_code and not platform.completion_code.startswith("env:"):
        yield Finding("warning", "The completion code stands in the definition; use env:NAME.")
    if not platform.parameters:
        yield Finding("warning", "The platform has no id_params, so nobody is kept from returning.")


def _texts(study: Study) -> Iterable[Finding]:
    try:
        for locale in study.languages:
            study.text(locale)
    except SrqaError as error:
        yield Finding("error", _whole(error))
    told: list[tuple[str, Localised]] = [("title", study.definition.title)]
    if study.definition.consent.text is not None:
        told.append(("consent.text", study.definition.consent.text))
    told += [(f"questions.{q.id}", q.text) for q in study.definition.questions]
    for where, text in told:
        if isinstance(text, dict):
            for locale in study.languages:
                if locale not in text:
                    yield Finding("warning", f"{where} has no text in the language {locale}.")


def _names(study: Study, sources: Sequence[Source]) -> Iterable[Finding]:
    """Participants must not learn which methods there are."""
    shown = [study.name, study.definition.seed or ""]
    title = study.definition.title
    shown += [title] if isinstance(title, str) else list(title.values())
    for method in sorted({s.method for s in sources if s.role == "test"}):
        if len(method) > 2 and any(method.lower() in text.lower() for text in shown):
            yield Finding(
                "warning",
                f"The method {method} is named in the study's name or title, which participants "
                "see.",
            )


def _design(study: Study) -> Iterable[Finding]:
    found = outlook(study)
    session = study.definition.session
    if found.minutes > session.max_minutes:
        yield Finding(
            "warning",
            f"A session takes about {found.minutes:.0f} minutes, more than session.max_minutes "
            f"({session.max_minutes:g}).",
        )
    if found.gap < session.min_gap_same_content:
        yield Finding(
            "warning",
            f"Trials of one content can be kept only {found.gap} apart, not "
            f"{session.min_gap_same_content} (session.min_gap_same_content).",
        )
    yield from _training(study)
    yield Finding("fact", f"{found.stimuli} stimuli, {found.questions} questions about them.")
    yield Finding("fact", f"A session: {found.trials_each} trials, {found.minutes:.0f} minutes.")
    votes = found.votes
    if votes is not None:
        wide = f", intervals of about ±{found.half_width:.2f}" if found.half_width else ""
        yield Finding("fact", f"With all participants {votes:.1f} votes a question{wide}.")
        if votes < study.definition.stop.min_votes:
            yield Finding(
                "warning",
                f"participants.max gives {votes:.1f} votes a question, fewer than stop.min_votes "
                f"({study.definition.stop.min_votes}).",
            )
    if found.needed is not None:
        yield Finding(
            "fact",
            f"The stop rule needs about {found.needed_votes} votes a question, that is "
            f"{found.needed} participants.",
        )


def _training(study: Study) -> Iterable[Finding]:
    if study.definition.is_paired:
        return
    scale = study.method.rating_scale(study.definition.scale.points)
    for one in study.definition.training:
        if one.expect is None or (one.expect[0] <= scale.low and one.expect[1] >= scale.high):
            yield Finding(
                "warning", f"Training praises every answer to {one.stimulus}: narrow its `expect`."
            )


def _room(study: Study) -> Iterable[Finding]:
    width, height = study.definition.display.min_viewport
    beside = study.method.shows != "one" and study.definition.display.show == "side_by_side"
    for row in study.stimuli.values():
        need = row["width"] * (2 if beside else 1)
        if row["role"] != "gold" and (need > width or row["height"] > height):
            yield Finding(
                "warning",
                f"{row['name']} ({row['width']}x{row['height']}{', two of them' if beside else ''})"
                f" does not fit into display.min_viewport ({width}x{height}).",
            )
            return
