"""Reads thousands of damaged and hostile pickles, in a process of its own, and prints what happened as JSON.

Any audit event while a pickle is read (import, open, compile, exec, os.system, a socket ...) counts as an execution: reading
bytes that are in memory raises none. Run as ``python hostile_corpus.py mutations COUNT | readers COUNT | attacks FILE | bombs``.
"""

from __future__ import annotations

import contextlib
import copyreg
import json
import os
import pickle
import random
import resource
import struct
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.checkpoints.pickle import legacy as _legacy
from stylewidgets.checkpoints.pickle.records import DType, Global, PendingArray, Persistent, Storage, Stub, TensorRecord
from stylewidgets.checkpoints.pickle.unpickler import OPCODES, Limits, unpickle

PLAIN = (int, float, complex, str, bytes, bool, type(None), memoryview)
INERT = (Global, DType, PendingArray, slice)
ATTACKS = (
    "os system",
    "posix system",
    "nt system",
    "os popen",
    "os execv",
    "os putenv",
    "os remove",
    "os mkdir",
    "builtins eval",
    "builtins exec",
    "builtins getattr",
    "builtins setattr",
    "builtins __import__",
    "builtins compile",
    "builtins open",
    "builtins print",
    "builtins globals",
    "builtins map",
    "builtins type",
    "builtins input",
    "builtins breakpoint",
    "__builtin__ eval",
    "subprocess Popen",
    "subprocess call",
    "subprocess check_output",
    "operator attrgetter",
    "operator methodcaller",
    "operator itemgetter",
    "functools partial",
    "functools reduce",
    "torch load",
    "torch.hub load",
    "torch.jit load",
    "torch.serialization load",
    "torch._utils _import_dotted_name",
    "torch._inductor.codecache _reload_python_module",
    "numpy load",
    "numpy.testing._private.utils runstring",
    "numpy.f2py.crackfortran getlincoef",
    "numpy fromfile",
    "codecs decode",
    "codecs encode",
    "codecs open",
    "_codecs encode",
    "pickle loads",
    "pickle load",
    "_pickle loads",
    "cloudpickle loads",
    "dill loads",
    "joblib load",
    "marshal loads",
    "shelve open",
    "runpy run_path",
    "runpy _run_code",
    "ctypes CDLL",
    "ctypes.util find_library",
    "importlib import_module",
    "importlib.machinery SourceFileLoader",
    "types CodeType",
    "types FunctionType",
    "types ModuleType",
    "webbrowser open",
    "socket socket",
    "socket create_connection",
    "urllib.request urlopen",
    "shutil rmtree",
    "pathlib Path.write_text",
    "tempfile mktemp",
    "pty spawn",
    "pdb run",
    "timeit timeit",
    "cProfile run",
    "bdb Bdb",
    "code InteractiveInterpreter",
    "asyncio run",
    "multiprocessing Process",
    "threading Thread",
    "site main",
    "ensurepip bootstrap",
    "pip main",
    "idlelib.run Executive",
    "logging.config listen",
    "smtplib SMTP",
    "dnnlib.util call_func_by_name",
    "dnnlib.util open_url",
    "torch_utils.persistence persistent_class",
    "torch_utils.persistence _reconstruct_persistent_obj.__globals__",
    "copyreg __newobj__",
    "copyreg _reconstructor",
    "collections OrderedDict.fromkeys",
    "torch.storage _load_from_bytes",
    "numpy.core.multiarray _reconstruct",
    "numpy.core.multiarray scalar",
    "numpy dtype",
    "numpy ndarray",
    "numpy.core.numeric _frombuffer",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch._tensor _rebuild_from_type_v2",
    "builtins set",
    "builtins list",
    "builtins slice",
    "torch Size",
    "torch device",
    "pathlib PosixPath",
    "stylewidgets.checkpoints.pickle.unpickler Machine",
)

events: list[str] = []
armed = False


def watch(event: str, args: tuple[Any, ...]) -> None:
    if armed and event != "builtins.id":  # of `check_plain`
        events.append(f"{event} {args[0]}"[:100] if event in ("import", "open") else event)


class Outcome:
    """Counts what reading gives; keeps what must not happen."""

    def __init__(self) -> None:
        self.read = self.refused = 0
        self.wrong: list[str] = []
        self.reasons: set[str] = set()

    def try_one(self, what: str, data: bytes, act: Callable[[bytes], Any]) -> Any:
        global armed
        value = None
        before = len(events)
        armed = True
        try:
            value = act(data)
            self.read += 1
        except CheckpointError as error:
            self.refused += 1
            reason = str(error)
            self.reasons.add("".join(c for c in reason if c.isalpha() or c == " ")[:40])
            if "\n" in reason or not 10 < len(reason) < 400:
                self.wrong.append(f"{what}: the reason is not one line: {reason[:200]!r}")
        except BaseException as error:
            self.wrong.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
        finally:
            armed = False
        if len(events) > before:
            self.wrong.append(f"{what}: audit events {events[before : before + 5]}")
        return value

    def summary(self, **more: Any) -> str:
        return json.dumps(
            {
                "read": self.read,
                "refused": self.refused,
                "wrong": self.wrong[:20],
                "reasons": len(self.reasons),
                "events": events[:20],
                **more,
            }
        )


def check_plain(value: Any) -> None:
    """Raises TypeError for anything that is neither plain nor a passive record. Walks without recursion."""
    todo, seen = [value], set()
    while todo:
        item = todo.pop()
        if isinstance(item, PLAIN) or id(item) in seen:
            continue
        seen.add(id(item))
        todo.extend(_parts(item))


def _parts(item: Any) -> list[Any]:
    if type(item) in (list, tuple, set, frozenset):
        return list(item)
    if type(item) is dict:
        return [*item, *item.values()]
    if isinstance(item, Stub):
        return [item.args, item.kwargs, item.state, item.items, *(part for pair in item.entries for part in pair)]
    if isinstance(item, Persistent):
        item.fingerprint()
        return [item.class_name, item.meta, item.state]
    if isinstance(item, (TensorRecord, Storage)):
        look(item)
        return []
    if isinstance(item, np.ndarray) and item.dtype.kind in "biufc":
        return []
    if isinstance(item, INERT):
        return []
    raise TypeError(f"a value of type {type(item)}")


def look(item: Any) -> None:
    """Read the numbers behind a record, which may be refused only now."""
    try:
        item.array().sum() if isinstance(item, TensorRecord) else len(item.data)
    except CheckpointError as error:
        if "\n" in str(error):
            raise TypeError("a reason of several lines") from error


def read_all(data: bytes) -> Any:
    value = unpickle(data, limits=Limits(memory=16 << 20))
    with np.errstate(all="ignore"):
        check_plain(value)
    return value


# -- what is damaged ---------------------------------------------------------------------------------------------------
def storage(values: np.ndarray[Any, Any], kind: str = "FloatStorage", count: int | None = None) -> bytes:
    """The nested stream that torch writes for a storage, without torch."""
    count = len(values) if count is None else count
    body = b"\x80\x02" + _inline(("storage", Name(f"torch\n{kind}"), "0", "cpu", count, None)) + b"Q."
    return stream(body, ["0"]) + struct.pack("<q", count) + values.tobytes()


def stream(body: bytes, keys: list[str]) -> bytes:
    """The pickles of such a stream around the one of its value."""
    before = [_legacy.MAGIC, _legacy.PROTOCOL, {"little_endian": True}]
    return b"".join(pickle.dumps(value, 2) for value in before) + body + pickle.dumps(keys, 2)


class Name:
    """A name in a pickle: "module\\nname"."""

    def __init__(self, text: str) -> None:
        self.text = text


class Call:
    """A call in a pickle."""

    def __init__(self, name: str, *args: Any) -> None:
        self.name, self.args = Name(name.replace(" ", "\n")), args


def _inline(value: Any) -> bytes:
    """Opcodes of a value with names and calls in it, which pickle itself would have to import."""
    if isinstance(value, Name):
        return b"c" + value.text.encode() + b"\n"
    if isinstance(value, Call):
        return _inline(value.name) + _inline(value.args) + b"R"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(_inline, value)) + b"t"
    if isinstance(value, dict):
        return b"}(" + b"".join(_inline(part) for pair in value.items() for part in pair) + b"u"
    if isinstance(value, list):
        return b"](" + b"".join(map(_inline, value)) + b"e"
    return pickle.dumps(value, 3)[2:-1]


def tensor(values: np.ndarray[Any, Any]) -> Call:
    made = Call("torch.storage _load_from_bytes", storage(values))
    half = len(values) // 2
    whole = Call("torch._utils _rebuild_tensor_v2", made, 0, (2, half), (half, 1), False, {})
    return Call("torch._utils _rebuild_parameter", whole, True, {})


def bases() -> list[bytes]:
    """Small pickles of everything that checkpoints hold, in all protocols."""
    values = {
        "a": [1, 2.5, None, True, "tä", b"x\xff", 2**60, -5, 300],
        "t": (1, ((),)),
        "s": {1, 2},
        "f": frozenset([3]),
        "o": OrderedDict(x=1),
        "n": np.arange(6, dtype=np.float32).reshape(2, 3),
        "v": np.float32(2.5),
        "c": 1j,
        "l": slice(1, 2),
    }
    made = [pickle.dumps(values, protocol) for protocol in range(6)]
    state = {
        "_parameters": {"w": tensor(np.arange(4, dtype=np.float32))},
        "_modules": {},
        "_buffers": Call("collections OrderedDict"),
    }
    meta = {"type": "class", "version": 6, "module_src": "import os", "class_name": "Generator", "state": state}
    saved = {"G_ema": Call("torch_utils.persistence _reconstruct_persistent_obj", meta), "x": Call("os system", "true")}
    made.append(b"\x80\x03" + _inline(saved) + b".")
    network = (
        b"cdnnlib.tflib.network\nNetwork\n)\x81"
        + _inline(
            {"version": 4, "name": "Gs", "variables": [("lod", np.float32(0)), ("a", np.ones(2))], "components": {}}
        )
        + b"b"
    )
    made.append(b"\x80\x04(NN" + network + b"t.")
    return made


def mutated(source: random.Random, data: bytes, all_bases: list[bytes]) -> bytes:
    """One to four changes: bytes flipped, opcodes spliced in, parts cut, doubled, or taken from another file."""
    made = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 3, 4))):
        at = source.randrange(len(made) + 1)
        kind = source.randrange(7)
        if kind == 0 and at < len(made):
            made[at] ^= 1 << source.randrange(8)
        elif kind == 1 and at < len(made):
            made[at] = source.choice(list(OPCODES))
        elif kind == 2:
            made[at:at] = bytes(source.choice(list(OPCODES)) for _ in range(source.randint(1, 6)))
        elif kind == 3:
            made = made[:at] or made
        elif kind == 4:
            del made[at : at + source.randint(1, 12)]
        elif kind == 5:
            made[at:at] = made[at : at + source.randint(1, 60)]
        else:
            other = source.choice(all_bases)
            start = source.randrange(len(other))
            made[at:at] = other[start : start + source.randint(1, 80)]
    return bytes(made)


def mutations(count: int) -> str:
    source, outcome, every = random.Random(0), Outcome(), bases()
    for data in every:
        read_all(data)  # imports what reading needs, before anything is watched; and shows that these are whole
    for i in range(count):
        data = mutated(source, source.choice(every), every)
        outcome.try_one(f"mutation {i} {data[:300]!r}", data, read_all)
    return outcome.summary(count=count)


def readers(count: int) -> str:
    """Damaged files of whole networks, through the readers up to the generator."""
    import pickle_writers as write  # type: ignore[import-not-found]  # found beside this file, which runs as a script
    import torch

    from stylewidgets.checkpoints.build import build
    from stylewidgets.checkpoints.formats import persistence_pickle, tensorflow_pickle
    from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config

    state = StyleGAN2(StyleGAN2Config(z_dim=2, w_dim=2, resolution=8, channels=(2, 2), mapping_layers=1)).state_dict()
    saved = write.dumps(write.snapshot(write.module(state, write.stylegan2_attributes(state, 256.0))), 3)
    network = write.dumps((None, None, write.network("Gs", write.stylegan2_variables(state))), 4)
    paths: list[tuple[bytes, Callable[[bytes], Any]]] = [
        (saved, lambda data: build(persistence_pickle.from_value(read_all(data)))),
        (network, lambda data: build(tensorflow_pickle.from_value(read_all(data)))),
    ]
    source, outcome = random.Random(1), Outcome()
    torch.manual_seed(0)
    for data, act in paths:
        act(data)
        with contextlib.suppress(CheckpointError):
            act(data.replace(b"noise_const", b"noise_canst"))  # imports what estimates need
    for i in range(count):
        data, act = paths[i % 2]
        changed = mutated(source, data, [data])
        outcome.try_one(f"file {i}", changed, act)
    return outcome.summary(count=count)


# -- what calls --------------------------------------------------------------------------------------------------------
def calls(name: str, argument: bytes) -> Iterator[tuple[str, bytes]]:
    """Every way to call a name: (opcodes, pickle)."""
    module, _, attribute = name.partition(" ")
    text = f"{module}\n{attribute}\n".encode()
    stacked = _inline(module) + _inline(attribute) + b"\x93"
    for kind, named in (("GLOBAL", b"c" + text), ("STACK_GLOBAL", stacked)):
        yield f"{kind} REDUCE", named + b"(" + argument + b"tR."
        yield f"{kind} NEWOBJ", named + b"(" + argument + b"t\x81."
        yield f"{kind} NEWOBJ_EX", named + b"(" + argument + b"t}\x92."
        yield f"{kind} NEWOBJ_EX keywords", named + b"(" + argument + b"t}" + _inline("file") + argument + b"s\x92."
        yield f"{kind} OBJ", b"(" + named + argument + b"o."
        yield f"{kind} BUILD", named + b")R(" + argument + b"tb."
        yield f"{kind} BUILD slots", named + b")\x81N}" + _inline("__class__") + named + b"s\x86b."
        yield f"{kind} APPEND", named + b")R" + argument + b"a."
        yield f"{kind} SETITEM", named + b")R" + argument + argument + b"s."
        yield f"{kind} called twice", named + b"(" + argument + b"tR(" + argument + b"tR."
        yield f"{kind} as a type", b"cnumpy.core.multiarray\n_reconstruct\n(" + named + b"K\x00\x85C\x01btR."
        yield (
            f"{kind} as a subclass",
            b"ctorch._tensor\n_rebuild_from_type_v2\n(" + named + named + b"(" + argument + b"tNtR.",
        )
    yield "INST", b"(" + argument + b"i" + text + b"."


def attacks(canary: str) -> str:
    outcome = Outcome()
    for data in bases():
        read_all(data)
    copyreg.add_extension("os", "system", 1)
    copyreg.add_extension("posix", "system", 300)
    command = _inline(f"echo executed > {canary}")
    ways: set[str] = set()
    for name in ATTACKS:
        for way, data in calls(name, command):
            ways.add(way)
            outcome.try_one(f"{way} {name}", data, read_all)
    called = command + b"\x85R."
    for data in (
        b"\x82\x01" + called,
        b"\x83\x2c\x01" + called,
        b"\x84\x01\x00\x00\x00" + called,
        b"Pos.system\n.",
        command + b"Q.",
        b"\x97.",
        b"\x98.",
        b"N" + called,
        b"K\x05)\x81.",
        b"]}b.",
        b"N}b.",
    ):
        outcome.try_one(f"refused {data[:20]!r}", data, refused)
    return outcome.summary(ways=len(ways), names=len(ATTACKS), canary=os.path.exists(canary))


def refused(data: bytes) -> None:
    read_all(data)
    raise AssertionError("it was read")


# -- what asks for memory ----------------------------------------------------------------------------------------------
def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that ask for much; each has to be refused, or read into little."""
    huge = b"\xff" * 8
    yield "BINBYTES8", b"\x8e" + huge + b"x."
    yield "BYTEARRAY8", b"\x96" + (1 << 40).to_bytes(8, "little") + b"x."
    yield "BINUNICODE8", b"\x8d" + huge + b"x."
    yield "BINBYTES", b"B\xff\xff\xff\x7fx."
    yield "LONG4", b"\x8b\xff\xff\xff\x7fx."
    yield "LONG4 of a megabyte", b"\x8b" + (1 << 20).to_bytes(4, "little") + b"\x7f" * (1 << 20) + b"."
    yield "LONG digits", b"L" + b"9" * 1_000_000 + b"L\n."
    yield "INT digits", b"I" + b"9" * 1_000_000 + b"\n."
    yield "FRAME", b"\x80\x04\x95" + huge + b"N."
    yield "FRAME signed", b"\x80\x04\x95" + (1 << 63).to_bytes(8, "little") + b"N."
    yield "sparse memo", b"N" + b"".join(b"r" + (k << 20).to_bytes(4, "little") for k in range(4096)) + b"."
    yield "memo key of many digits", b"Np" + b"9" * 100_000 + b"\n."
    yield "lines without end", b"c" + b"a" * 3_000_000
    yield "lists", b"]" * 400_000
    yield "sets", b"\x8f" * 400_000
    yield "dictionaries", b"}" * 400_000
    yield "marks", b"(" * 400_000
    yield "memoised", b"\x80\x04]" + b"\x94" * 400_000
    yield "tuples in tuples", b"N" + b"\x85" * 400_000
    yield "tuples in tuples, whole", b"N" + b"\x85" * 100_000 + b"."
    yield "lists in lists, whole", b"]" * 50_000 + b"a" * 49_999 + b"."
    yield (
        "records in records, whole",
        b"ca\nb\nq\x00" + b"N" + b"".join(b"\x85q\x01h\x00h\x01R" for _ in range(20_000)) + b".",
    )
    yield "doubled tuples", b"N" + b"2\x86" * 1000 + b"."
    yield "doubled tuples as a key", b"}N" + b"2\x86" * 100 + b"Ns."
    yield "doubled tuples in a set", b"\x8f(N" + b"2\x86" * 100 + b"\x90."
    yield "doubled tuples in a frozen set", b"(N" + b"2\x86" * 100 + b"\x91."
    yield (
        "huge numbers as keys",
        b"}" + b"".join(b"\x8a\x40" + bytes([i % 256] * 63) + b"\x01Ns" for i in range(200)) + b".",
    )
    laughs = b"]" + b"".join(b"q%c](" % i + b"h%c" % i * 10 + b"e" for i in range(30)) + b"."
    yield "billion laughs", laughs
    yield "a list that holds itself", b"]q\x00h\x00a."
    yield "a list appended to itself often", b"]q\x00" + b"(" + b"h\x00" * 1000 + b"e" + b"."
    text = b"X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20)
    encoded = b"c_codecs\nencode\nq\x00" + text + b"X\x06\x00\x00\x00latin1\x86q\x01"
    yield "text encoded often", encoded + b"h\x00h\x01R" * 4000 + b"."
    yield (
        "lists copied often",
        b"cbuiltins\nlist\nq\x00](" + b"N" * 50_000 + b"eq\x01" + b"h\x00h\x01\x85R" * 4000 + b".",
    )
    numbers = b"".join(b"M%c%c" % (i % 256, i // 256) for i in range(20_000))
    yield "sets copied often", b"cbuiltins\nset\nq\x00](" + numbers + b"eq\x01" + b"h\x00h\x01\x85R" * 4000 + b"."
    yield "names that grow", b"ca\n" + b"b" * 900 + b"\n)R" + b")R" * 100_000 + b"."
    yield "long names", b"c" + b"a" * 100_000 + b"\nb\n."
    yield "different names", b"".join(b"ca\n%d\n0" % i for i in range(200_000)) + b"N."
    yield "names of calls", b"".join(b"(ia\n%d\n0" % i for i in range(100_000)) + b"N."
    for shape in ((1 << 20, 1 << 20), (0, 1 << 40), (1,) * 200, (-1, 4), (1 << 200,)):
        made = Call("numpy.core.numeric _frombuffer", bytes(16), Call("numpy dtype", "f4"), shape, "C")
        yield f"array of {str(shape)[:20]}", _inline(made) + b"."
    for kind in ("O8", "V1000000000", "U100000000", "f16", "M8[us]", "f4,f4", "{'names':['a']}"):
        yield (
            f"element type {kind}",
            _inline(Call("numpy.core.multiarray scalar", Call("numpy dtype", kind), b"x" * 8)) + b".",
        )
    data = Call("torch.storage _load_from_bytes", storage(np.arange(4, dtype=np.float32)))
    for size, stride in (((1 << 30,), (0,)), ((1 << 40,), (1,)), ((2,), (1 << 40,)), ((1,) * 500, (1,) * 500)):
        made = Call("torch._utils _rebuild_tensor_v2", data, 0, size, stride, False, {})
        yield f"tensor of {str(size)[:20]}", _inline(made) + b"."
    for count in (1 << 40, 1 << 62, -1):
        counted = Call("torch.storage _load_from_bytes", storage(np.arange(4, dtype=np.float32), count=count))
        yield (
            f"storage of {count}",
            _inline(Call("torch._utils _rebuild_tensor_v2", counted, 0, (2,), (1,), False, {})) + b".",
        )
    nested = storage(np.arange(4, dtype=np.float32))
    for _ in range(12):
        nested = stream(_inline(Call("torch.storage _load_from_bytes", nested)) + b".", [])
    data = Call("torch.storage _load_from_bytes", nested)
    yield (
        "storages in storages",
        _inline(Call("torch._utils _rebuild_tensor_v2", data, 0, (2,), (1,), False, {})) + b".",
    )


def explode() -> str:
    outcome = Outcome()
    for data in bases():
        read_all(data)
    files = list(bombs())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = Path("/proc/self/statm")
    size = int(status.read_text().split()[0]) * resource.getpagesize() if status.exists() else 1 << 32
    resource.setrlimit(resource.RLIMIT_AS, (size + (512 << 20), resource.getrlimit(resource.RLIMIT_AS)[1]))
    slow = []
    for name, data in files:
        start = time.perf_counter()
        outcome.try_one(name, data, read_all)
        slow.append((time.perf_counter() - start, name))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    return outcome.summary(count=len(files), grown=grown, slowest=sorted(slow)[-3:])


if __name__ == "__main__":
    sys.addaudithook(watch)
    task = sys.argv[1]
    if task == "mutations":
        print(mutations(int(sys.argv[2])))
    elif task == "readers":
        print(readers(int(sys.argv[2])))
    else:
        print(attacks(sys.argv[2]) if task == "attacks" else explode())
