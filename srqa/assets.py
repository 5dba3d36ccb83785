"""Where the files that travel beside the package lie: `dashboards/` and `studies/`."""

from __future__ import annotations

from pathlib import Path

from srqa.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def path(relative: str) -> Path:
    """Find a file or folder of `dashboards/` or `studies/`.

    A wheel carries both inside the package; a checkout (an editable install) has them beside it.

    Args:
        relative: path from the top of the repository, for example ``"studies/README.md"``.

    Raises:
        InputError: if it is in neither place.

    Example:
        >>> from srqa import assets
        >>> assets.path("studies").is_dir()
        True
    """
    for root in (_PACKAGE, _PACKAGE.parent):
        candidate = root / relative
        if candidate.exists():
            return candidate
    raise InputError(
        f"srqa's own file {relative!r} is missing from this installation.",
        hint="Install srqa again from a wheel or a complete checkout.",
    )
