"""The examples in the docstrings."""

import doctest
import importlib
import pkgutil

import pytest

import srqa.losses

MODULES = [
    "srqa.losses",
    *(f"srqa.losses.{m.name}" for m in pkgutil.iter_modules(srqa.losses.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, weights):
    found = doctest.testmod(importlib.import_module(name), extraglobs={"srqa": srqa})
    assert found.failed == 0
    assert found.attempted > 0 or name.endswith("expression")
