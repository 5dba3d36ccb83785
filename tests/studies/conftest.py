"""Small contents for the studies: parts of scikit-image's photographs are not needed for tests."""

import pytest
from support import picture, write


@pytest.fixture
def photographs(tmp_path):
    """Six pictures of 96x112 pixels in a folder."""
    folder = tmp_path / "photographs"
    for name in "abcdef":
        write(folder / f"{name}.png", picture(name, 96, 112))
    return folder
