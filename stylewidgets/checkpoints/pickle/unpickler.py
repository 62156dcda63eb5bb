"""Reading pickles without executing anything.

A pickle is a program for a small stack machine; the danger is in the opcodes that look up a name and call it. This is
a machine of our own, not a subclass of Python's: here the stack never holds a class or a function, a name is just a
`Global`, and "calling" one runs a function from our table (`_constructors`) or leaves a `Stub`, a passive record of
the name and its arguments. Owning the machine also keeps every allocation within a budget, and lets large byte
strings be views of the file rather than copies. Opcodes are few where bytes are many, so plain Python is fast enough.
"""

from __future__ import annotations

import codecs
import mmap
import struct
from collections.abc import Callable
from typing import IO, Any

from ..errors import CheckpointError
from .bounds import AGAIN, Budget, Limits, as_view
from .stack import Stack

__all__ = ["AGAIN", "Budget", "Limits", "Machine", "as_view", "unpickle"]


def unpickle(
    data: bytes | memoryview | mmap.mmap | IO[bytes],
    *,
    persistent_load: Callable[[object], Any] | None = None,
    limits: Limits | None = None,
) -> object:
    """Read one pickle; nothing in it is executed.

    Args:
        data: the pickle, or a file open for reading in binary mode (which is mapped into memory where possible).
        persistent_load: what stands for a persistent id; without it such ids are refused.
        limits: what the file may ask for.

    Returns:
        Plain values (numbers, text, bytes, lists, tuples, dictionaries, sets, slices, numpy arrays of numbers) and the
        records `Stub`, `Global`, `Persistent`, `TensorRecord`, `Storage`, `DType`. Bytes longer than 4096 and arrays
        are views of `data`. The value may contain itself and may be nested deeply: walk it with care.
    Raises:
        CheckpointError: the pickle is damaged, cut short, or asks for too much; one line.
    """
    return Machine(as_view(data), persistent_load=persistent_load, limits=limits).load()


class Machine(Stack):
    """The stack machine; `load` may be called again for the next pickle of the same data, `position` is where it starts."""

    def load(self) -> object:
        """Run one pickle and return its value.

        Raises:
            CheckpointError: as `unpickle`.
        """
        self._reset()
        try:
            value = self._run()
        except CheckpointError:
            raise
        except (struct.error, IndexError) as error:
            raise CheckpointError(f"the pickle lacks something at byte {self.position}. {AGAIN}") from error
        except (ValueError, TypeError, LookupError, ArithmeticError, MemoryError, RecursionError) as error:
            text = " ".join(str(error).split())[:120]
            raise CheckpointError(f"the pickle makes no sense at byte {self.position} ({text}). {AGAIN}") from error
        self._reset()
        return value

    def _run(self) -> object:
        data, budget, end = self._data, self.budget, len(self._data)
        while self.position < end:
            code = data[self.position]
            self.position += 1
            if code == 0x2E:  # STOP
                return self._stack.pop()
            entry = OPCODES.get(code)
            if entry is None:
                raise CheckpointError(f"0x{code:02x} at byte {self.position - 1} is no pickle instruction. {AGAIN}")
            budget.spend(entry[1])
            entry[0](self)
        raise CheckpointError(f"the pickle ends after {end} bytes without an end mark. {AGAIN}")


M = Stack
# what each opcode does, and an upper bound of the memory it takes apart from strings
OPCODES: dict[int, tuple[Callable[[Stack], None], int]] = {
    0x80: (M.proto, 64),
    0x95: (M.frame, 64),
    0x28: (M.mark, 128),
    0x30: (M.pop, 64),
    0x31: (M.pop_mark, 64),
    0x32: (lambda m: m._push(m._stack[-1]), 64),
    # constants and numbers
    0x4E: (lambda m: m._push(None), 64),
    0x88: (lambda m: m._push(True), 64),
    0x89: (lambda m: m._push(False), 64),
    0x49: (M.long_text, 96),
    0x4C: (M.long_text, 96),
    0x4A: (lambda m: m._push(int.from_bytes(m._take(4), "little", signed=True)), 64),
    0x4B: (lambda m: m._push(m._number(1)), 64),
    0x4D: (lambda m: m._push(m._number(2)), 64),
    0x8A: (lambda m: m._long(m._number(1)), 128),
    0x8B: (lambda m: m._long(m._number(4)), 128),
    0x46: (lambda m: m._push(float(m._line())), 64),
    0x47: (lambda m: m._push(struct.unpack(">d", m._take(8))[0]), 64),
    # text and bytes
    0x53: (M.string_text, 128),
    0x54: (lambda m: m._latin(m._number(4)), 224),
    0x55: (lambda m: m._latin(m._number(1)), 128),
    0x56: (lambda m: m._push(codecs.raw_unicode_escape_decode(m._line())[0]), 128),
    0x58: (lambda m: m._text(m._number(4)), 128),
    0x8C: (lambda m: m._text(m._number(1)), 128),
    0x8D: (lambda m: m._text(m._number(8)), 128),
    0x42: (lambda m: m._bytes(m._number(4)), 224),
    0x43: (lambda m: m._bytes(m._number(1)), 128),
    0x8E: (lambda m: m._bytes(m._number(8)), 224),
    0x96: (lambda m: m._bytes(m._number(8)), 224),
    # collections
    0x5D: (lambda m: m._push([]), 192),
    0x29: (lambda m: m._push(()), 64),
    0x7D: (lambda m: m._push({}), 256),
    0x8F: (lambda m: m._push(set()), 256),
    0x74: (M.tuple_marked, 96),
    0x6C: (M.list_marked, 96),
    0x64: (M.dict_marked, 320),
    0x91: (M.frozenset_marked, 320),
    0x85: (M.tuple_n(1), 96),
    0x86: (M.tuple_n(2), 96),
    0x87: (M.tuple_n(3), 96),
    0x61: (M.append, 64),
    0x65: (M.appends, 64),
    0x90: (M.additems, 64),
    0x73: (M.setitem, 96),
    0x75: (M.setitems, 64),
    # memo
    0x67: (lambda m: m._get(int(m._line())), 64),
    0x68: (lambda m: m._get(m._number(1)), 64),
    0x6A: (lambda m: m._get(m._number(4)), 64),
    0x70: (lambda m: m._put(int(m._line())), 192),
    0x71: (lambda m: m._put(m._number(1)), 192),
    0x72: (lambda m: m._put(m._number(4)), 192),
    0x94: (M.memoize, 192),
    # names and calls
    0x63: (M.global_text, 320),
    0x93: (M.stack_global, 320),
    0x52: (M.reduce, 384),
    0x81: (M.reduce, 384),
    0x92: (M.newobj_ex, 384),
    0x69: (M.inst, 704),
    0x6F: (M.obj, 384),
    0x62: (M.build, 128),
    0x82: (M.extension, 0),
    0x83: (M.extension, 0),
    0x84: (M.extension, 0),
    0x97: (M.buffer, 0),
    0x98: (M.buffer, 0),
    0x50: (M.persid, 64),
    0x51: (M.binpersid, 64),
}
