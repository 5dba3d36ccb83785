"""Arrays as safetensors, always the same bytes for the same arrays.

The format is a header's length (8 bytes, little endian), the header (JSON), and the numbers. It is
written here, and read by the library `safetensors`: the sha256 of what is written is pinned in the
manifest, so it must not change with a version of the library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from srqa.errors import WeightsError

Arrays = dict[str, np.ndarray]
_CODES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}


def pack(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """Arrays and words about them as the bytes of a safetensors file.

    Raises:
        WeightsError: an array is of a kind that has no code, for instance objects.
    """
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    blocks, end = [], 0
    # The widest numbers first, so that all are aligned.
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):
        if array.dtype.name not in _CODES:
            raise WeightsError(f"The array {name!r} holds {array.dtype}, which is no plain number.")
        plain = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        block = plain.tobytes()
        header[name] = {
            "dtype": _CODES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [end, end + len(block)],
        }
        blocks.append(block)
        end += len(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *blocks])


def unpack(data: bytes) -> Arrays:
    """The arrays of a safetensors file; each is its own and may be written to.

    Raises:
        WeightsError: it is no such file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: Arrays = load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"This is no safetensors file: {error}.") from error
    return {name: np.require(array, requirements="W") for name, array in arrays.items()}
