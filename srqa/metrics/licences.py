"""Under which licences a metric's code and trained numbers stand, and which must be accepted.

Licences are SPDX expressions. A metric whose code or numbers may serve no commercial purpose is
computed only for users who said that they accept that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from srqa import weights
from srqa.errors import UsageError
from srqa.metrics.spec import MetricSpec

PERMISSIVE = frozenset(
    ("Apache-2.0", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unlicense",
     "CC0-1.0", "CC-BY-4.0", "PSF-2.0", "0BSD", "LicenseRef-LIVE")
)  # fmt: skip
"""What may be used for any purpose, given its notices; that of LIVE is in NOTICE."""

VARIABLE = "SRQA_ACCEPT_LICENCE"
"""Set to 1, this environment variable accepts as `accept_licence=True` does."""


def is_permissive(licence: str) -> bool:
    """Whether every part of an SPDX expression may be used for any purpose.

    Example:
        >>> is_permissive("BSD-2-Clause AND BSD-3-Clause"), is_permissive("GPL-3.0-or-later")
        (True, False)
    """
    choices = [re.split(r"\s+AND\s+", part) for part in re.split(r"\s+OR\s+", licence.strip("() "))]
    return any(all(p.strip("() ") in PERMISSIVE for p in parts) for parts in choices)


def forbids_commerce(licence: str) -> bool:
    """Whether a licence is known to forbid commercial use.

    Example:
        >>> [forbids_commerce(x) for x in ("CC-BY-NC-4.0", "PolyForm-Noncommercial-1.0.0", "MIT")]
        [True, True, False]
    """
    words = re.split(r"[^a-z0-9]+", licence.lower().replace("non-commercial", "noncommercial"))
    return "nc" in words or "noncommercial" in words


def weights_licences(spec: MetricSpec) -> tuple[str, ...]:
    """The licences of a metric's trained numbers, each once."""
    found = [weights.get(name).licence for name in spec.weights]
    return tuple(dict.fromkeys([*found, *filter(None, [spec.weights_licence])]))


def permissive(spec: MetricSpec) -> bool:
    """Whether a metric's code and trained numbers may be used for any purpose."""
    return all(map(is_permissive, (spec.code_licence, *weights_licences(spec))))


def needs_acceptance(spec: MetricSpec) -> bool:
    """Whether a metric's code or trained numbers may serve no commercial purpose."""
    return any(map(forbids_commerce, (spec.code_licence, *weights_licences(spec))))


def restrictions(spec: MetricSpec) -> str:
    """What of a metric may serve no commercial purpose, in words; empty if nothing is.

    Example:
        >>> from srqa.metrics import registry
        >>> restrictions(registry.get("arniqa"))
        'its trained weights stand under CC-BY-NC-4.0'
    """
    parts = []
    if forbids_commerce(spec.code_licence):
        owner = f"the code of {spec.provider}" if spec.provider else "its code"
        parts.append(f"{owner} stands under {spec.code_licence}")
    strict = [licence for licence in weights_licences(spec) if forbids_commerce(licence)]
    if strict:
        parts.append(f"its trained weights stand under {' and '.join(strict)}")
    return ", and ".join(parts)


def accepted_by_environment() -> bool:
    """Whether the environment variable `SRQA_ACCEPT_LICENCE` accepts."""
    return os.environ.get(VARIABLE, "").lower() not in ("", "0", "false", "no", "off")


def check_accepted(specs: Iterable[MetricSpec], accepted: bool) -> None:
    """Refuse metrics whose licences must be accepted first.

    Raises:
        UsageError: there is one; the message names its licence.
    """
    if accepted or accepted_by_environment():
        return
    for spec in specs:
        if needs_acceptance(spec):
            raise UsageError(
                f"{spec.name} may not serve commercial purposes: {restrictions(spec)}.",
                hint=f"If that suits you: --accept-licence, accept_licence=True in Python, or the "
                f"environment variable {VARIABLE}=1.",
            )
