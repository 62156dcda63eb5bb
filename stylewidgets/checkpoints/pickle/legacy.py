"""The stream that torch wrote before its zip format: a few pickles, then the bytes of each storage.

It is a file format of its own, and each storage inside a plain pickle is one such stream.
"""

from __future__ import annotations

from ..errors import CheckpointError
from .constructors import CONSTRUCTORS, Spend, raw_bytes
from .records import ITEM_SIZES, Storage, storage_dtype, whole
from .unpickler import AGAIN, Limits, Machine

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


def read(data: bytes | memoryview, limits: Limits | None = None) -> object:
    """The saved value, its tensors as records that look at `data`.

    Raises:
        CheckpointError: `data` is damaged or cut short.
    """
    view = memoryview(data)
    announced: dict[object, tuple[Storage, int]] = {}
    machine = Machine(view, limits=limits, persistent_load=lambda key: _announce(key, announced))
    if machine.load() != MAGIC or machine.load() != PROTOCOL:
        raise CheckpointError(f"it does not begin as torch's older files do. {AGAIN}")
    system = machine.load()
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise CheckpointError("it was written on a big-endian machine, which is not supported")
    value = machine.load()
    keys = machine.load()
    _fill(view, machine.position, keys, announced)
    return value


def read_storage(data: bytes | memoryview) -> Storage:
    """The one storage of a nested stream."""
    value = read(data, Limits(memory=1 << 20))
    if not isinstance(value, Storage):
        raise CheckpointError("a tensor's data is something else than a storage. The file is damaged")
    return value


def _announce(key: object, announced: dict[object, tuple[Storage, int]]) -> object:
    """The storage that a persistent id ("storage", type, key, location, count, view) stands for, or the name of a
    module's class in ("module", class, file, source): the source is not looked at."""
    if isinstance(key, tuple) and len(key) == 4 and key[0] == "module":
        return key[1]
    if (
        not isinstance(key, tuple)
        or len(key) not in (5, 6)
        or key[0] != "storage"
        or not isinstance(key[2], (str, int))
    ):
        raise CheckpointError("a tensor's data is not described as torch does. The file is damaged")
    dtype, count = storage_dtype(key[1]), whole(key[4], "the length of a storage")
    if len(key) == 6 and key[5] is not None:
        raise CheckpointError(
            "a storage is a part of another one, which is not supported. Save the file again with torch 1.6 or newer"
        )
    storage, known = announced.setdefault(key[2], (Storage(dtype), count))
    if known != count:
        raise CheckpointError("a storage is described twice, differently. The file is damaged")
    return storage


def _fill(view: memoryview, position: int, keys: object, announced: dict[object, tuple[Storage, int]]) -> None:
    if not isinstance(keys, list) or len(keys) > len(announced):
        raise CheckpointError(f"the list of storages does not fit the tensors. {AGAIN}")
    for key in keys:
        storage, count = announced.get(key, (None, 0)) if isinstance(key, (str, int)) else (None, 0)
        if storage is None:
            raise CheckpointError(f"data of a storage that no tensor uses. {AGAIN}")
        size = count * ITEM_SIZES[storage.dtype]
        start = position + 8
        if int.from_bytes(view[position:start], "little") != count or start + size > len(view):
            raise CheckpointError(f"a storage of {size} bytes is not whole. {AGAIN}")
        storage.fill(view[start : start + size])
        position = start + size


def _nested_storage(args: tuple[object, ...], spend: Spend) -> Storage:
    data = raw_bytes(args[0] if len(args) == 1 else None, spend)
    return Storage("uint8", load=lambda: read_storage(data))


CONSTRUCTORS["torch.storage._load_from_bytes"] = _nested_storage
