"""What is written is safetensors as the library reads it, and always the same bytes."""

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load, save

from srqa.errors import WeightsError
from srqa.weights.tensors import pack, unpack


@pytest.fixture
def arrays(rng):
    kinds = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
    found = {kind: rng.integers(0, 2, (3, 5)).astype(kind) for kind in kinds}
    return found | {
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 4), np.float32),
        "transposed": rng.normal(size=(4, 3, 2)).astype(np.float32).transpose(2, 0, 1),
        "big-endian": np.arange(5, dtype=">f4"),
        "név.weight": np.ones(1, np.float32),
    }


def test_the_library_reads_it(arrays, tmp_path):
    data = pack(arrays, {"origin": "test"})
    for found in (load(data), unpack(data)):
        assert set(found) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype.newbyteorder("<")
    (tmp_path / "x.safetensors").write_bytes(data)
    with safetensors.safe_open(tmp_path / "x.safetensors", "numpy") as file:
        assert file.metadata() == {"origin": "test"}


def test_it_reads_what_the_library_writes(arrays):
    plain = {n: np.asarray(a, a.dtype.newbyteorder("<"), order="C") for n, a in arrays.items()}
    found = unpack(save(plain))
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())


def test_the_order_of_arrays_changes_nothing(arrays):
    words = {"a": "1", "b": "2"}
    backwards = dict(reversed(arrays.items()))
    assert pack(arrays, words) == pack(backwards, dict(reversed(words.items())))
    assert pack(arrays, words) == pack(unpack(pack(arrays, words)), words)


def test_numbers_are_aligned(arrays):
    data = pack(arrays, {})
    assert int.from_bytes(data[:8], "little") % 8 == 0


def test_arrays_may_be_written_to(arrays):
    for array in unpack(pack(arrays, {})).values():
        array[...] = 0


@pytest.mark.parametrize("kind", ["complex64", "object", "U3", "M8[s]"])
def test_other_kinds_are_refused(kind):
    with pytest.raises(WeightsError, match="no plain number"):
        pack({"a": np.zeros(2, kind)}, {})


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\xff" * 64, b"PK\x03\x04"])
def test_no_safetensors(data):
    with pytest.raises(WeightsError, match="no safetensors"):
        unpack(data)
