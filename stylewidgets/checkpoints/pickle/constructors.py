"""The allow-list: what a pickle may make besides plain values, and the functions of our own that make it.

Each function takes the arguments that the file gives and returns a plain value or a passive record. None of them
imports, looks up or calls anything that the file names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointError
from .records import (
    ITEM_SIZES,
    Buffer,
    DType,
    Global,
    PendingArray,
    Persistent,
    Storage,
    Stub,
    TensorRecord,
    shape_of,
    whole,
)

Spend = Callable[[int], None]
Constructor = Callable[[tuple[object, ...], Spend], Any]
SIMPLE_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16)")
DICTS = (
    "collections.OrderedDict",
    "builtins.dict",
    "dnnlib.util.EasyDict",
    "easydict.EasyDict",
    "collections.defaultdict",
)
TORCH_DTYPES = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "long": "int64",
    "int": "int32",
    "short": "int16",
}


def key_of(value: object) -> object:
    """`value`, when it can be a dictionary key cheaply: hashing nested tuples or huge numbers may take for ever."""
    todo, seen = [value], 0
    while todo:
        item = todo.pop()
        seen += 1
        if isinstance(item, tuple) and seen + len(item) < 200:
            todo.extend(item)
        elif isinstance(item, int):
            if not -(1 << 63) <= item < 1 << 64:
                raise CheckpointError("a dictionary key is a number of more than 64 bits. The file is damaged")
        elif not (item is None or isinstance(item, (str, float, bytes, Global, Stub, Persistent))):
            raise CheckpointError(f"a dictionary key is a {type(item).__name__}. The file is damaged")
    return value


def raw_bytes(value: object, spend: Spend) -> Buffer:
    """Bytes, of which older pickles make text of the same length."""
    if isinstance(value, str):
        spend(len(value))
        return value.encode("latin-1")
    if isinstance(value, (bytes, memoryview)):
        return value
    raise CheckpointError(f"bytes were expected; the file holds a {type(value).__name__}. It is damaged")


def _dict(args: tuple[object, ...], spend: Spend) -> dict[object, Any]:
    pairs = next((a for a in args if isinstance(a, (list, dict))), ())
    spend(100 * len(pairs))
    if isinstance(pairs, dict):
        return dict(pairs)
    if not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
        raise CheckpointError("a dictionary is made of something else than pairs. The file is damaged")
    return {key_of(key): value for key, value in pairs}


def _items(args: tuple[object, ...], spend: Spend) -> list[object]:
    if not args:
        return []
    if len(args) != 1 or not isinstance(args[0], (list, tuple, set, frozenset)):
        raise CheckpointError("a collection is made of something else than a list. The file is damaged")
    spend(100 * len(args[0]))
    return list(args[0])


def _set(args: tuple[object, ...], spend: Spend) -> set[object]:
    return {key_of(item) for item in _items(args, spend)}


def _slice(args: tuple[object, ...], spend: Spend) -> slice:
    if not 1 <= len(args) <= 3:
        raise CheckpointError("a slice takes one to three numbers. The file is damaged")
    return slice(*args)


def _complex(args: tuple[object, ...], spend: Spend) -> complex:
    if len(args) == 2 and isinstance(args[0], (int, float)) and isinstance(args[1], (int, float)):
        return complex(args[0], args[1])
    raise CheckpointError("a complex number takes two numbers. The file is damaged")


def _encode(args: tuple[object, ...], spend: Spend) -> Buffer:
    if len(args) != 2 or not isinstance(args[0], str) or args[1] not in ("latin1", "latin-1"):
        raise CheckpointError("bytes written as text are not in latin-1. The file is damaged")
    return raw_bytes(args[0], spend)


def _byte_string(args: tuple[object, ...], spend: Spend) -> Buffer:
    if args and isinstance(args[0], str):
        return _encode(args, spend)
    return raw_bytes(args[0] if len(args) == 1 else b"", spend)


def _device(args: tuple[object, ...], spend: Spend) -> str:
    return ":".join(str(a) for a in args if isinstance(a, str) or (isinstance(a, int) and abs(a) < 1 << 16))


def _path(args: tuple[object, ...], spend: Spend) -> str:
    parts = [a for a in args if isinstance(a, str)]
    spend(4 * sum(map(len, parts)))
    return "/".join(parts)


def _size(args: tuple[object, ...], spend: Spend) -> tuple[int, ...]:
    return shape_of(args[0] if args else (), "a size")


def _dtype(args: tuple[object, ...], spend: Spend) -> DType | Stub:
    code = args[0] if args else None
    if isinstance(code, bytes):
        code = code.decode("latin-1")
    found = SIMPLE_DTYPE.fullmatch(code) if isinstance(code, str) and len(code) < 8 else None
    return DType(found[1]) if found else Stub("numpy.dtype", args)


def _scalar(args: tuple[object, ...], spend: Spend) -> object:
    if not args or not isinstance(args[0], DType):
        return Stub("numpy.scalar", args)
    kind = args[0].numpy()
    raw = raw_bytes(args[1] if len(args) == 2 else None, spend)
    if len(raw) != kind.itemsize:
        raise CheckpointError("a number has the wrong length. The file is damaged")
    return np.frombuffer(raw, kind)[0].item()


def _pending_array(args: tuple[object, ...], spend: Spend) -> PendingArray | Stub:
    if args and isinstance(args[0], Global) and args[0].name in ("numpy.ndarray", "numpy.matrix"):
        return PendingArray()
    return Stub("numpy.array", args)


def array(raw: object, kind: object, shape: object, fortran: bool, spend: Spend) -> object:
    """A numpy array that looks at the file's bytes; a `Stub` for element types that are not numbers."""
    if not isinstance(kind, DType):
        return Stub("numpy.array", (raw, kind, shape))
    sizes = shape_of(shape, "the shape of an array")
    data = raw_bytes(raw, spend)
    dtype = kind.numpy()
    total = dtype.itemsize
    for n in sizes:
        total *= n
    if total != len(data):
        raise CheckpointError(f"an array of shape {list(sizes)} has {len(data)} bytes of data. The file is damaged")
    flat: NDArray[np.generic] = np.frombuffer(data, dtype) if total else np.empty(0, dtype)
    return flat.reshape(sizes, order="F" if fortran else "C")


def _frombuffer(args: tuple[object, ...], spend: Spend) -> object:
    if len(args) not in (3, 4):
        raise CheckpointError("an array lacks its type or shape. The file is damaged")
    return array(args[0], args[1], args[2], args[3:] == ("F",), spend)


def array_of_state(state: object, spend: Spend) -> object:
    """The array that a BUILD with (version, shape, type, fortran order, bytes) describes."""
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise CheckpointError("an array lacks its shape or data. The file is damaged")
    shape, kind, fortran, raw = state[-4:]
    return array(raw, kind, shape, bool(isinstance(fortran, int) and fortran), spend)


def _tensor(args: tuple[object, ...], spend: Spend) -> TensorRecord:
    if len(args) < 4 or not isinstance(args[0], Storage):
        raise CheckpointError("a tensor lacks its storage, size or stride. The file is damaged")
    size, stride = shape_of(args[2], "the size of a tensor"), shape_of(args[3], "the stride of a tensor")
    if len(size) != len(stride):
        raise CheckpointError("a tensor has sizes and strides of different number. The file is damaged")
    return TensorRecord(args[0], whole(args[1], "the offset of a tensor"), size, stride)


def _typed_tensor(args: tuple[object, ...], spend: Spend) -> TensorRecord:
    record = _tensor(args, spend)
    kind = args[6] if len(args) > 6 else None
    name = kind.name.removeprefix("torch.") if isinstance(kind, Global) else ""
    record.dtype_name = TORCH_DTYPES.get(name, name)
    if record.dtype_name not in ITEM_SIZES:
        raise CheckpointError(f"a tensor has elements of type {name[:40]!r}, which is not supported")
    return record


def _first(args: tuple[object, ...], spend: Spend) -> object:
    if not args:
        raise CheckpointError("a parameter lacks its tensor. The file is damaged")
    return args[0]


def _typed_storage(args: tuple[object, ...], spend: Spend) -> Storage | Stub:
    found = next((a for a in args if isinstance(a, Storage)), None)
    return found or Stub("torch.storage.TypedStorage", args)


def _persistent(args: tuple[object, ...], spend: Spend) -> Persistent:
    if len(args) != 1 or not isinstance(args[0], dict):
        raise CheckpointError("a saved module lacks its description. The file is damaged")
    return Persistent(args[0])


def _reconstructor(args: tuple[object, ...], spend: Spend) -> object:
    if not args or not isinstance(args[0], Global):
        return Stub("copyreg._reconstructor", args)
    if args[0].name in DICTS:
        return _dict(args[2:], spend)
    return Stub(args[0].name, args[1:])


def _subclass_tensor(args: tuple[object, ...], spend: Spend) -> object:
    if len(args) >= 3 and isinstance(args[0], Global) and isinstance(args[2], tuple):
        maker = CONSTRUCTORS.get(args[0].name)
        if maker in (_tensor, _typed_tensor, _first):
            return maker(args[2], spend)
    return Stub("torch._tensor._rebuild_from_type", args)


CONSTRUCTORS: dict[str, Constructor] = {
    **dict.fromkeys(DICTS, _dict),
    "builtins.set": _set,
    "builtins.frozenset": lambda args, spend: frozenset(_set(args, spend)),
    "builtins.list": _items,
    "builtins.tuple": lambda args, spend: tuple(_items(args, spend)),
    "builtins.slice": _slice,
    "builtins.complex": _complex,
    "builtins.bytes": _byte_string,
    "builtins.bytearray": _byte_string,
    "_codecs.encode": _encode,
    "copyreg._reconstructor": _reconstructor,
    "numpy.dtype": _dtype,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.multiarray._reconstruct": _pending_array,
    "numpy.core.numeric._frombuffer": _frombuffer,
    "torch.Size": _size,
    "torch.device": _device,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _typed_tensor,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type": _subclass_tensor,
    "torch._tensor._rebuild_from_type_v2": _subclass_tensor,
    "torch.storage.TypedStorage": _typed_storage,
    "torch.storage._TypedStorage": _typed_storage,
    "torch_utils.persistence._reconstruct_persistent_obj": _persistent,
    **dict.fromkeys((f"pathlib.{name}Path" for name in ("", "Posix", "Windows", "PurePosix", "PureWindows")), _path),
}
ALIASES = {
    "__builtin__.": "builtins.",
    "copy_reg.": "copyreg.",
    "numpy._core.": "numpy.core.",
    "pathlib._local.": "pathlib.",
}


def known_name(name: str) -> str:
    """The one spelling of a name that changed between versions of Python and numpy."""
    for old, new in ALIASES.items():
        if name.startswith(old):
            return new + name[len(old) :]
    return name
