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
from .constructors import CONSTRUCTORS, array_of_state, key_of, known_name
from .records import DType, Global, PendingArray, Persistent, Storage, Stub, TensorRecord

__all__ = ["AGAIN", "Budget", "Limits", "Machine", "as_view", "unpickle"]

COPIED = 4096  # byte strings up to this length become bytes; longer ones are views of the file


def unpickle(
    data: bytes | memoryview | mmap.mmap | IO[bytes],
    *,
    persistent_load: Callable[[Any], Any] | None = None,
    limits: Limits | None = None,
) -> Any:
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


class Machine:
    """The stack machine; `load` may be called again for the next pickle of the same data, `position` is where it starts."""

    def __init__(
        self,
        data: memoryview,
        position: int = 0,
        persistent_load: Callable[[Any], Any] | None = None,
        limits: Limits | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.budget = budget or Budget(self.limits.memory + 6 * len(data))
        self.position = position
        self._data = data
        self._persistent_load = persistent_load
        self._reset()

    def _reset(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._globals: dict[str, Global] = {}

    def load(self) -> Any:
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

    def _run(self) -> Any:
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

    # reading arguments

    def _take(self, n: int) -> memoryview:
        start = self.position
        if n < 0 or start + n > len(self._data):
            raise CheckpointError(
                f"{n} bytes are announced at byte {start}, {len(self._data) - start} are left. {AGAIN}"
            )
        self.position = start + n
        return self._data[start : start + n]

    def _number(self, n: int) -> int:
        return int.from_bytes(self._take(n), "little")

    def _line(self) -> bytes:
        limit, left = 256, len(self._data) - self.position
        while True:  # a growing window: few bytes are looked at twice
            text = bytes(self._data[self.position : self.position + limit])
            if (at := text.find(b"\n")) >= 0:
                self.position += at + 1
                self.budget.spend(4 * at)
                return text[:at]
            if limit >= left:
                break
            limit *= 16
        raise CheckpointError(f"a line of text at byte {self.position} has no end. {AGAIN}")

    # the stack

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _to_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._marks.pop()
        return items

    def _pairs(self, items: list[Any]) -> list[tuple[Any, Any]]:
        if len(items) % 2:
            raise CheckpointError(f"a dictionary has a key without a value at byte {self.position}. {AGAIN}")
        return list(zip(items[::2], items[1::2], strict=True))

    # opcodes that do more than push a value

    def proto(self) -> None:
        if (version := self._number(1)) > 5:
            raise CheckpointError(f"its pickle protocol {version} is newer than any known one. {AGAIN}")

    def frame(self) -> None:
        size = self._number(8)
        if size > len(self._data) - self.position:
            raise CheckpointError(
                f"{size} bytes are announced at byte {self.position}, "
                f"{len(self._data) - self.position} are left. {AGAIN}"
            )

    def mark(self) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._to_mark()

    def pop_mark(self) -> None:
        self._to_mark()

    def long_text(self) -> None:
        line = self._line().rstrip(b"L")
        if len(line) > 2 * self.limits.integer:
            raise CheckpointError(f"a whole number has {len(line)} digits. It is damaged or hostile")
        self._push(bool(int(line)) if line in (b"00", b"01") else int(line))

    def _long(self, n: int) -> None:
        if n > self.limits.integer:
            raise CheckpointError(f"a whole number has {n} bytes. It is damaged or hostile")
        self._push(int.from_bytes(self._take(n), "little", signed=True))

    def string_text(self) -> None:
        line = self._line()
        if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
            raise CheckpointError(f"text without quotes before byte {self.position}. {AGAIN}")
        self._push(codecs.escape_decode(line[1:-1])[0].decode("latin-1"))

    def _text(self, n: int) -> None:
        view = self._take(n)
        self.budget.spend(4 * n)
        self._push(str(view, "utf-8", "surrogatepass"))

    def _latin(self, n: int) -> None:
        view = self._take(n)
        if n > COPIED:  # what Python 2 wrote as text of this length is data
            self._push(view)
        else:
            self.budget.spend(n)
            self._push(str(view, "latin-1"))

    def _bytes(self, n: int) -> None:
        view = self._take(n)
        if n > COPIED:
            self._push(view)
        else:
            self.budget.spend(n)
            self._push(bytes(view))

    def tuple_n(n: int) -> Callable[[Machine], None]:  # type: ignore[misc]
        def make(self: Machine) -> None:
            if len(self._stack) < n:
                raise IndexError
            self._stack[-n:] = [tuple(self._stack[-n:])]

        return make

    def tuple_marked(self) -> None:
        items = self._to_mark()
        self._push(tuple(items))

    def list_marked(self) -> None:
        items = self._to_mark()
        self._push(items)

    def dict_marked(self) -> None:
        pairs = self._pairs(self._to_mark())
        self._push({key_of(key): value for key, value in pairs})

    def frozenset_marked(self) -> None:
        items = self._to_mark()
        self._push(frozenset(key_of(item) for item in items))

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Stub):
            target.items.extend(items)
        elif isinstance(target, list):
            target.extend(items)
        else:
            raise CheckpointError(
                f"something is appended to a {type(target).__name__} at byte {self.position}. {AGAIN}"
            )

    def append(self) -> None:
        self._extend([self._stack.pop()])

    def appends(self) -> None:
        self._extend(self._to_mark())

    def additems(self) -> None:
        items = self._to_mark()
        target = self._stack[-1]
        if isinstance(target, Stub):
            target.items.extend(items)
        elif isinstance(target, set):
            target.update(key_of(item) for item in items)
        else:
            raise CheckpointError(f"something is added to a {type(target).__name__} at byte {self.position}. {AGAIN}")

    def _set(self, pairs: list[tuple[Any, Any]]) -> None:
        target = self._stack[-1]
        if isinstance(target, Stub):
            target.entries.extend(pairs)
        elif isinstance(target, dict):
            for key, value in pairs:
                target[key_of(key)] = value
        else:
            raise CheckpointError(f"a {type(target).__name__} is used as a dictionary at byte {self.position}. {AGAIN}")

    def setitem(self) -> None:
        value = self._stack.pop()
        key = self._stack.pop()
        self._set([(key, value)])

    def setitems(self) -> None:
        self._set(self._pairs(self._to_mark()))

    def _get(self, key: int) -> None:
        if key not in self._memo:
            raise CheckpointError(f"value {key} is used at byte {self.position} but never made. {AGAIN}")
        self._push(self._memo[key])

    def _put(self, key: int) -> None:
        value = self._stack[-1]
        self._memo[key] = value
        if isinstance(value, PendingArray):
            value.memo_keys.append(key)

    def memoize(self) -> None:
        self._put(len(self._memo))

    # names, and what would be calls

    def _global(self, module: Any, name: Any) -> Global:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise CheckpointError(f"a name that is no text at byte {self.position}. {AGAIN}")
        if len(module) + len(name) > 1000:
            raise CheckpointError(f"a name of {len(module) + len(name)} characters at byte {self.position}. {AGAIN}")
        full = known_name(f"{module}.{name}")
        return self._globals.setdefault(full, Global(full))

    def global_text(self) -> None:
        module = self._line().decode("utf-8")
        self._push(self._global(module, self._line().decode("utf-8")))

    def stack_global(self) -> None:
        name = self._stack.pop()
        self._push(self._global(self._stack.pop(), name))

    def _call(self, what: Any, args: Any, kwargs: Any = None) -> Any:
        """Our own function for a name of the allow-list, a `Stub` for any other; never the thing itself."""
        if not isinstance(what, (Global, Stub)):
            raise CheckpointError(f"a {type(what).__name__} is called at byte {self.position}. {AGAIN}")
        if not isinstance(args, tuple):
            raise CheckpointError(f"a call without a tuple of arguments at byte {self.position}. {AGAIN}")
        maker = CONSTRUCTORS.get(what.name) if isinstance(what, Global) and not kwargs else None
        return Stub(what.name, args, kwargs) if maker is None else maker(args, self.budget.spend)

    def reduce(self) -> None:
        args = self._stack.pop()
        self._stack[-1] = self._call(self._stack[-1], args)

    def newobj_ex(self) -> None:
        kwargs = self._stack.pop()
        args = self._stack.pop()
        self._stack[-1] = self._call(self._stack[-1], args, kwargs)

    def inst(self) -> None:
        module = self._line().decode("utf-8")
        what = self._global(module, self._line().decode("utf-8"))
        args = tuple(self._to_mark())
        self._push(self._call(what, args))

    def obj(self) -> None:
        what, *args = self._to_mark()
        self._push(self._call(what, tuple(args)))

    def build(self) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if isinstance(target, PendingArray):
            made = array_of_state(state, self.budget.spend)
            for key in target.memo_keys:
                if self._memo.get(key) is target:
                    self._memo[key] = made
            self._stack[-1] = made
        elif isinstance(target, DType):
            if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
                target.order = state[1]
        elif isinstance(target, Stub):
            target.state = state
        elif not isinstance(
            target, (dict, set, Persistent, TensorRecord, Storage)
        ):  # attributes of those are not needed
            raise CheckpointError(f"a {type(target).__name__} is given attributes at byte {self.position}. {AGAIN}")

    def extension(self) -> None:
        raise CheckpointError("it uses the extension registry of Python, which no checkpoint does. It is refused")

    def buffer(self) -> None:
        raise CheckpointError("its data lies outside the file (out-of-band pickle). Save it again in one file")

    def _persistent(self, key: Any) -> None:
        if self._persistent_load is None:
            raise CheckpointError(
                "it refers to data outside the pickle, which a file of this kind does not hold. It is refused"
            )
        self._push(self._persistent_load(key))

    def persid(self) -> None:
        self._persistent(self._line().decode("utf-8"))

    def binpersid(self) -> None:
        self._persistent(self._stack.pop())


M = Machine
# what each opcode does, and an upper bound of the memory it takes apart from strings
OPCODES: dict[int, tuple[Callable[[Machine], None], int]] = {
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
