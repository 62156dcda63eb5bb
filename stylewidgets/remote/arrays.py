"""Bodies with arrays: safetensors bytes with plain values beside them. Nothing in them is executed."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from .messages import ABOUT, TENSOR_BODY, RemoteError, parsed, text

Arrays = dict[str, NDArray[Any]]

DTYPES = {"F32": "<f4", "U8": "u1", "BOOL": "?"}
"""What may cross."""


def pack(arrays: Mapping[str, NDArray[Any]], about: Mapping[str, object] | None = None) -> bytes:
    """The bytes of a body: float32, uint8 or bool arrays by name, and plain JSON values."""
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {ABOUT: text(about or {})})


def unpack(data: bytes, limit: int = TENSOR_BODY) -> tuple[Arrays, dict[str, Any]]:
    """The inverse of `pack`: arrays, and values.

    Raises:
        RemoteError: 413 for more than `limit` bytes; 422 for anything that `pack` does not make, and for floats that are not
            finite.
    """
    if len(data) > limit:
        raise RemoteError(f"a body may have {limit:,} bytes; this one has {len(data):,}", 413)
    try:
        found: list[tuple[str, dict[str, Any]]] = deserialize(data)  # type: ignore[no-untyped-call]
        (length,) = struct.unpack_from("<Q", data)
        about = json.loads(data[8 : 8 + length]).get("__metadata__", {}).get(ABOUT, "{}")
    except (SafetensorError, ValueError, struct.error, RecursionError, AttributeError) as error:
        raise RemoteError(f"a body of arrays is in the safetensors format; this one is not ({error})", 422) from None
    arrays: Arrays = {}
    for name, entry in found:
        if entry["dtype"] not in DTYPES:
            raise RemoteError(f"arrays are of {', '.join(DTYPES)}; {name[:40]!r} is {entry['dtype']}", 422)
        arrays[name] = np.frombuffer(entry["data"], np.dtype(DTYPES[entry["dtype"]])).reshape(entry["shape"])
        if arrays[name].dtype.kind == "f" and not np.isfinite(arrays[name]).all():
            raise RemoteError(f"{name[:40]!r} has numbers that are not finite", 422)
    return arrays, parsed(about, TENSOR_BODY)
