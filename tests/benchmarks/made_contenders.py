"""Contenders of a few lines."""

import time

import numpy as np


def sleeper(seconds, value):
    """Takes this long and finds this value."""

    def work():
        time.sleep(seconds)
        return {"metric": value}

    return work


def eater(megabytes):
    """Takes so much memory."""

    def work():
        return {"sum": float(np.ones(megabytes * 10**6 // 8).sum())}

    return work


def missing():
    """Lacks its library."""
    import a_library_that_nobody_has  # noqa: F401


def dying():
    """Ends without a word."""
    import os

    os._exit(3)
