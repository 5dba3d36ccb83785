"""One tree of exceptions. Each class carries the exit code of the command line.

Every message is one sentence that says what is wrong and with which file; `hint` says what to do.
"""

from __future__ import annotations


class SrqaError(Exception):
    """Base of all errors that srqa raises on purpose.

    Attributes:
        hint: what the user can do about it, or an empty string.
        exit_code: what the command line exits with.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(SrqaError):
    """The request itself is wrong: an unknown metric, options that contradict each other."""

    exit_code = 2


class InputError(SrqaError):
    """Input files are missing, unreadable or do not fit together."""


class ReadError(InputError):
    """A picture cannot be decoded."""


class PairingError(InputError):
    """Outputs and references cannot be paired."""


class MismatchError(InputError):
    """Two pictures that should be compared differ in size."""


class OutputError(SrqaError):
    """Results cannot be written: no rights, no space, or something stands in the way."""


class RunError(InputError):
    """A Run folder is missing, incomplete, or does not fit the request."""


class WeightsError(SrqaError):
    """Trained weights cannot be had or are not what they should be."""

    exit_code = 4


class NotApplicableError(SrqaError):
    """A metric has no value for this picture, for instance because it is too small."""


class MissingPackageError(UsageError):
    """A metric or a format needs a package that is not installed."""
