"""Pictures for the studies that come with srqa: made on first use from others' photographs."""

from __future__ import annotations

import os
from pathlib import Path

from srqa.errors import InputError

BUILTIN = "demo"


def builtin(name: str, data: Path) -> Path:
    """The folder of `builtin:NAME`: "demo/outputs" and "demo/hr", made if it is not there.

    Raises:
        InputError: there is no such folder, or the package with the photographs is missing.
    """
    head, _, rest = name.partition("/")
    if head != BUILTIN or rest not in ("outputs", "hr"):
        raise InputError(
            f"There is no builtin:{name}.", hint="builtin:demo/outputs, builtin:demo/hr"
        )
    folder = data / "pictures"
    if not (folder / rest).is_dir():
        from srqa.demo import make_pictures

        temporary = data / f"pictures.{os.getpid()}"
        make_pictures(temporary)
        try:
            temporary.replace(folder)
        except OSError:
            if not (folder / rest).is_dir():
                raise
    return folder / rest
