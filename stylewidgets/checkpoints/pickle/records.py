"""What the unpickler puts in place of objects that it must not make: passive records, none of them callable."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointError
from .fingerprints import source_hash

Buffer = bytes | memoryview
# element types by the names that torch and numpy share; bfloat16 is read as int16 and reinterpreted by torch
ITEM_SIZES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
}
STORAGE_TYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "UntypedStorage": "uint8",
    "_UntypedStorage": "uint8",
}
MAX_DIMENSIONS = 16


@dataclass(slots=True, eq=False, repr=False)
class Global:
    """A name in a pickle, such as ``torch.float32``. Nothing is imported and nothing stands behind it."""

    name: str

    def __repr__(self) -> str:
        return f"<name {self.name[:80]!r}>"


@dataclass(slots=True, eq=False, repr=False)
class Stub:
    """An object of a class that the allow-list does not know: what the file says about it, and no behaviour.

    Attributes:
        name: dotted name of the class or function that would have been called.
        args: positional arguments of that call.
        kwargs: keyword arguments of that call.
        state: what would have been given to ``__setstate__``, None for nothing.
        items: what would have been appended or added.
        entries: pairs that would have been set as dictionary items.
    """

    name: str
    args: object = ()
    kwargs: object = None
    state: Any = None
    items: list[object] = field(default_factory=list)
    entries: list[tuple[object, object]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<inert {self.name[:80]!r}>"


@dataclass(slots=True, eq=False, repr=False)
class Persistent:
    """An object written by ``torch_utils.persistence``: a class name, the text of its source, and its attributes.

    Attributes:
        class_name: such as ``Generator``.
        source: text of the Python file that defined the class. Never compiled, only hashed.
        state: the attributes, an empty dictionary when the file holds something else.
    """

    meta: dict[object, object]

    @property
    def class_name(self) -> str:
        name = self.meta.get("class_name")
        return name if isinstance(name, str) else ""

    @property
    def source(self) -> str:
        text = self.meta.get("module_src")
        return text if isinstance(text, str) else ""

    @property
    def state(self) -> dict[object, Any]:
        state = self.meta.get("state")
        return state if isinstance(state, dict) else {}

    def fingerprint(self) -> str:
        """`source_hash` of the source."""
        return source_hash(self.source)

    def __repr__(self) -> str:
        return f"<module {self.class_name[:80]!r}>"


@dataclass(slots=True, eq=False, repr=False)
class DType:
    """An element type of numpy: kind and size such as ``f4``, and byte order."""

    code: str
    order: str = "<"

    def numpy(self) -> np.dtype[np.generic]:
        return np.dtype((self.order if self.order in "<>" else "<") + self.code)


@dataclass(slots=True, eq=False, repr=False)
class PendingArray:
    """A numpy array whose contents come with a later BUILD; `memo_keys` are where it is to be replaced."""

    memo_keys: list[int] = field(default_factory=list)


class Storage:
    """The memory of tensors: raw little-endian elements of one type.

    Args:
        dtype: one of `ITEM_SIZES`.
        data: the elements; or a function without arguments that returns a `Storage` when first needed.
    """

    __slots__ = ("_data", "_dtype", "_load")

    def __init__(self, dtype: str, data: Buffer | None = None, load: Callable[[], Storage] | None = None) -> None:
        self._dtype = dtype
        self._data = data
        self._load = load

    def _resolve(self) -> None:
        if self._load is not None:
            found = self._load()
            self._load = None
            self._dtype, self._data = found.dtype, found.data

    @property
    def dtype(self) -> str:
        self._resolve()
        return self._dtype

    @property
    def data(self) -> Buffer:
        self._resolve()
        if self._data is None:
            raise CheckpointError(
                "the file holds a tensor without its data. It is damaged or cut short; fetch it again"
            )
        return self._data

    def fill(self, data: Buffer) -> None:
        """Give the elements to a storage that was announced before its data."""
        self._data = data


@dataclass(slots=True, eq=False, repr=False)
class TensorRecord:
    """A tensor as (storage, offset, size, stride), all in elements; `array` looks at it, nothing is copied before."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype_name: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.size

    @property
    def dtype(self) -> str:
        return self.dtype_name or self.storage.dtype

    def array(self) -> NDArray[np.generic]:
        """A read-only view of the elements (bfloat16 as int16).

        Raises:
            CheckpointError: the tensor does not lie within its storage, or repeats elements of it.
        """
        size, stride, data = self.size, self.stride, self.storage.data
        item = ITEM_SIZES[self.dtype]
        kind = np.dtype("int16" if self.dtype == "bfloat16" else self.dtype)
        available = len(data) // item
        count = math.prod(size)
        last = self.offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if count else self.offset
        if count > available or (count and last >= available):
            raise CheckpointError(
                f"a tensor of shape {list(size)} does not fit its storage of {available} elements. The file is damaged"
            )
        if not count:
            return np.empty(size, kind)
        view: NDArray[np.generic] = np.ndarray(size, kind, data, self.offset * item, tuple(s * item for s in stride))
        view.flags.writeable = False
        return view

    def __repr__(self) -> str:
        return f"<tensor {list(self.size)}>"


def storage_dtype(value: object) -> str:
    """The element type of a storage class named by the file.

    Raises:
        CheckpointError: it is not one of torch's storage classes.
    """
    name = value.name if isinstance(value, Global) else ""
    found = STORAGE_TYPES.get(name.rpartition(".")[2]) if name.startswith("torch.") else None
    if found is None:
        raise CheckpointError(
            f"{name[:80] or 'something else'} is no storage of torch. The file is damaged or not from torch"
        )
    return found


def whole(value: object, what: str, high: int = 1 << 48) -> int:
    """`value` as a whole number from 0 to `high`, or `CheckpointError`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= high:
        raise CheckpointError(f"{what} is not a sensible whole number. The file is damaged")
    return value


def shape_of(value: object, what: str) -> tuple[int, ...]:
    """`value` as a tuple of sizes or strides, or `CheckpointError`."""
    if not isinstance(value, (tuple, list)) or len(value) > MAX_DIMENSIONS:
        raise CheckpointError(f"{what} is not a list of up to {MAX_DIMENSIONS} sizes. The file is damaged")
    return tuple(whole(n, what) for n in value)
