"""The stack that a pickle works on: a method for each opcode that does more than push a value."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

from ..errors import CheckpointError
from .bounds import AGAIN, Budget, Limits
from .constructors import CONSTRUCTORS, array_of_state, key_of, known_name
from .records import DType, Global, PendingArray, Persistent, Storage, Stub, TensorRecord

COPIED = 4096  # byte strings up to this length become bytes; longer ones are views of the file


class Stack:
    """What the opcodes of pickles act on, and what each of them does. `unpickler.Machine` runs them."""

    def __init__(
        self,
        data: memoryview,
        position: int = 0,
        persistent_load: Callable[[object], Any] | None = None,
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
        self._stack: list[object] = []
        self._marks: list[list[object]] = []
        self._memo: dict[int, Any] = {}
        self._globals: dict[str, Global] = {}

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

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _to_mark(self) -> list[object]:
        items = self._stack
        self._stack = self._marks.pop()
        return items

    def _pairs(self, items: list[object]) -> list[tuple[object, Any]]:
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

    def tuple_n(n: int) -> Callable[[Stack], None]:  # type: ignore[misc]
        def make(self: Stack) -> None:
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

    def _extend(self, items: list[object]) -> None:
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

    def _set(self, pairs: list[tuple[object, Any]]) -> None:
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

    def _global(self, module: object, name: object) -> Global:
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

    def _call(self, what: object, args: object, kwargs: object = None) -> object:
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

    def _persistent(self, key: object) -> None:
        if self._persistent_load is None:
            raise CheckpointError(
                "it refers to data outside the pickle, which a file of this kind does not hold. It is refused"
            )
        self._push(self._persistent_load(key))

    def persid(self) -> None:
        self._persistent(self._line().decode("utf-8"))

    def binpersid(self) -> None:
        self._persistent(self._stack.pop())
