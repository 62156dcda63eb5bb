"""The unpickler gives plain values back, leaves everything else inert, and says in one line why it refuses."""

from __future__ import annotations

import io
import json
import pickle
import struct
import subprocess
import sys
import tracemalloc
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.checkpoints.pickle import legacy as _legacy
from stylewidgets.checkpoints.pickle.records import Global, Stub, TensorRecord
from stylewidgets.checkpoints.pickle.tensors import to_tensor
from stylewidgets.checkpoints.pickle.unpickler import OPCODES, Limits, unpickle

from .. import hostile_corpus

CORPUS = Path(hostile_corpus.__file__)
PROTOCOLS = range(6)


def corpus(*task: str) -> dict[str, Any]:
    """Run a part of the corpus in a process of its own; a crash of the interpreter fails here."""
    done = subprocess.run(
        [sys.executable, str(CORPUS), *task], capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# -- hostile files -----------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_ten_thousand_mutated_pickles_execute_nothing(thorough: int) -> None:
    found = corpus("mutations", str(10_000 * thorough))
    assert found["wrong"] == [] and found["events"] == []
    assert found["read"] + found["refused"] == 10_000 * thorough
    assert (
        found["read"] > 300 and found["refused"] > 3000 and found["reasons"] > 20
    )  # mutations that reach every corner


@pytest.mark.slow
def test_mutated_files_of_whole_networks_execute_nothing(thorough: int) -> None:
    found = corpus("readers", str(600 * thorough))
    assert found["wrong"] == [] and found["events"] == []
    assert found["read"] > 20 and found["refused"] > 100


def test_every_way_to_call_a_dangerous_name_leaves_a_record(tmp_path: Path) -> None:
    found = corpus("attacks", str(tmp_path / "canary"))
    assert found["wrong"] == [] and found["events"] == [] and not found["canary"]
    assert found["ways"] > 20 and found["names"] > 100


@pytest.mark.slow
def test_bombs_stay_small() -> None:
    found = corpus("bombs")
    assert found["wrong"] == [] and found["events"] == []
    assert found["count"] > 50 and found["grown"] < 300 << 20


def test_the_watch_sees_an_execution() -> None:
    """The corpus could not fail otherwise: what pickle itself does with an attack is seen."""
    code = (
        "import sys, pickle; sys.path.insert(0, sys.argv[1]); import hostile_corpus as h; sys.addaudithook(h.watch)\n"
        "outcome = h.Outcome(); outcome.try_one('x', b'cos\\nsystem\\n(X\\x04\\x00\\x00\\x00truetR.', pickle.loads)\n"
        "assert any('os.system' in line for line in outcome.wrong), outcome.wrong"
    )
    subprocess.run([sys.executable, "-c", code, str(CORPUS.parent)], check=True, timeout=60)


@pytest.mark.parametrize(
    "repeated",
    [
        b"]",
        b"}",
        b"\x8f",
        b"(",
        b"K\x01",
        b"\x8a\x08abcdefgh",
        b"G@\x00abcdef",
        b"]\x94",
        b"\x8c\x02ab",
        b"\x8c\x04\xf0\x9f\x98\x80",
        b"C\x02ab",
        b"T\x02\x00\x00\x00ab",
        b"N\x85",
        b"(i0\n1\n",
        b"ca\nb\n)R",
        b"ca\nb\n)}\x92",
        b"F1.5\n",
        b"I12345678\n",
        b"S'ab'\n",
        b"Vab\n",
        b"(d",
        b"(\x91",
        b"cbuiltins\nset\n)R",
    ],
)
def test_what_an_opcode_takes_is_within_what_it_is_charged(repeated: bytes) -> None:
    limit = 1 << 20
    data = repeated * 20_000 + b"."
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match="memory"):
            unpickle(data, limits=Limits(memory=limit - 6 * len(data)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.25 * limit


def test_every_opcode_of_pickle_is_known() -> None:
    import pickletools

    assert {ord(op.code) for op in pickletools.opcodes} - {0x2E} == set(OPCODES)


# -- properties --------------------------------------------------------------------------------------------------------
def plain_or_refused(data: bytes) -> None:
    try:
        value = unpickle(data, limits=Limits(memory=1 << 20))
    except CheckpointError as error:
        assert "\n" not in str(error)  # noqa: PT017 (reading it is as good)
    else:
        hostile_corpus.check_plain(value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_plain_value_or_a_reason(data: bytes) -> None:
    plain_or_refused(data)


PUSHES = [pickle.dumps(v, 2)[2:-1] for v in (None, 1, -1, 2.5, "abc", "latin1", (), [], {}, (1, 2), 1 << 40)]
NAMES = [
    b"c" + name.rpartition(".")[0].encode() + b"\n" + name.rpartition(".")[2].encode() + b"\n"
    for name in (
        "numpy.dtype",
        "numpy.core.multiarray._reconstruct",
        "numpy.ndarray",
        "numpy.core.multiarray.scalar",
        "collections.OrderedDict",
        "_codecs.encode",
        "torch._utils._rebuild_tensor_v2",
        "torch.Size",
        "torch.storage._load_from_bytes",
        "torch_utils.persistence._reconstruct_persistent_obj",
        "os.system",
        "builtins.set",
        "builtins.slice",
        "builtins.complex",
        "copyreg._reconstructor",
        "torch._tensor._rebuild_from_type_v2",
        "builtins.bytearray",
        "pathlib.Path",
    )
]
WORKERS = [
    *(bytes([code]) for code in b"(0120ab)lt]}deosuR\x81\x85\x86\x87\x88\x8f\x90\x91\x92\x93\x94"),
    b"q\x00",
    b"h\x00",
    b"q\x01",
    b"h\x01",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PUSHES + NAMES + WORKERS * 2), max_size=30))
def test_any_sequence_of_opcodes_gives_a_plain_value_or_a_reason(parts: list[bytes]) -> None:
    plain_or_refused(b"".join(parts) + b".")


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
KEYS = st.integers(-(2**60), 2**60) | st.text(max_size=8)
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(KEYS, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from(PROTOCOLS))
def test_plain_values_come_back_from_every_protocol(value: Any, protocol: int) -> None:
    found = unpickle(pickle.dumps(value, protocol))
    assert found == value and repr(found) == repr(pickle.loads(pickle.dumps(value, protocol)))


# -- known objects -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_and_scalars_of_numpy_come_back(protocol: int) -> None:
    for kind in "?bBhHiIlLqQefdFD":
        value = np.arange(24).reshape(2, 3, 4).astype(kind)
        for made in (value, np.asfortranarray(value), value[:0], value.astype(value.dtype.newbyteorder(">"))):
            found = unpickle(pickle.dumps({"a": made, "b": made}, protocol))
            assert found["a"] is found["b"] and np.array_equal(found["a"], made) and found["a"].dtype == made.dtype
        assert unpickle(pickle.dumps(value[1, 2, 3], protocol)) == value[1, 2, 3].item()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tensors_come_back_without_torch_reading_them(protocol: int) -> None:
    base = torch.arange(24).reshape(4, 6)
    for kind in (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.complex64):
        value = base.to(kind)
        last = torch.nn.Parameter(value) if value.is_floating_point() else value
        for made in (value, value.t(), value[1:, 2:4], value[0, 0], value[:0], last):
            data = pickle.dumps(made, protocol)
            for kept in (data, bytearray(data)):  # bytearray: memory that tensors may share
                record = unpickle(memoryview(kept))
                assert isinstance(record, TensorRecord)
                found = to_tensor(record)
                assert found.dtype == made.dtype and torch.equal(found, made.detach())


def test_streams_of_torch_before_1_6_are_read() -> None:
    value: dict[str, Any] = {"a": torch.arange(6.0).reshape(2, 3), "n": 3}
    value["b"] = value["a"].t()
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=False)
    found = _legacy.read(file.getvalue())
    assert found["n"] == 3 and torch.equal(to_tensor(found["b"]), value["b"])
    for size in range(0, len(file.getvalue()), 7):
        with pytest.raises(CheckpointError):
            _legacy.read(file.getvalue()[:size])


def test_other_objects_become_records_of_what_the_file_says() -> None:
    found = unpickle(pickle.dumps(torch.nn.Linear(2, 3)))
    assert isinstance(found, Stub) and found.name == "torch.nn.modules.linear.Linear" and "_parameters" in found.state
    name = unpickle(pickle.dumps(print))
    assert isinstance(name, Global) and name.name == "builtins.print" and not callable(name)
    many = defaultdict(list, {"a": [1]})
    assert unpickle(pickle.dumps([OrderedDict(x=1), many])) == [{"x": 1}, {"a": [1]}]


def test_files_are_mapped_and_files_in_memory_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(bytes(10_000)))
    with path.open("rb") as file:
        assert isinstance(unpickle(file), memoryview)
    assert unpickle(io.BytesIO(pickle.dumps("x"))) == "x"
    path.write_bytes(b"")
    with path.open("rb") as file, pytest.raises(CheckpointError, match="ends after 0 bytes"):
        unpickle(file)


def test_persistent_ids_go_through_the_given_function_only() -> None:
    assert unpickle(b"Pabc\n.", persistent_load=lambda key: ("seen", key)) == ("seen", "abc")
    assert unpickle(b"K\x07Q.", persistent_load=lambda key: ("seen", key)) == ("seen", 7)
    with pytest.raises(CheckpointError, match="outside the pickle"):
        unpickle(b"K\x07Q.")


@pytest.mark.parametrize(
    "data, words",
    [
        (b"\x80\x09N.", "protocol 9"),
        (b"\xff", "no pickle instruction"),
        (b"N", "without an end mark"),
        (b"K\x01K\x02K", "announced"),
        (b"h\x05.", "never made"),
        (b"\x82\x01.", "extension registry"),
        (b"\x97.", "out-of-band"),
        (b"K\x01)R.", "int is called"),
        (struct.pack("<cI", b"B", 1000) + b"x", "1000 bytes are announced"),
        (b".", "lacks something"),
    ],
)
def test_reasons_say_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        unpickle(data)
