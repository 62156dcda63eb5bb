"""The kind of a file is told by its bytes, whatever its name; what is damaged is told in one line."""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets.checkpoints import detect, open_file
from stylewidgets.checkpoints.detect import detect as kind_of
from stylewidgets.checkpoints.errors import CheckpointError
from stylewidgets.checkpoints.formats import torch_file

from ..formats_writers import golden


def stack_global(module: str, name: str) -> bytes:
    return b"".join(b"\x8c" + bytes([len(text)]) + text.encode() + b"\x94" for text in (module, name)) + b"\x93"


def saved(content: object, **options: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def archive(names: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in names.items():
            file.writestr(name, data)
    return buffer.getvalue()


def scripted() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, w=np.zeros(3))
    return buffer.getvalue()


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    return buffer.getvalue()


LONG = b"\x8e" + struct.pack("<Q", 3 << 20) + bytes(3 << 20) + b"0"
TABLE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "torch zip": ("torch zip", lambda: saved({"a": torch.zeros(3)})),
    "torch legacy": ("torch legacy", lambda: saved({"a": torch.zeros(3)}, _use_new_zipfile_serialization=False)),
    "TF, protocol 3": ("tensorflow pickle", lambda: b"\x80\x03cdnnlib.tflib.network\nNetwork\n)\x81."),
    "TF, protocol 4": (
        "tensorflow pickle",
        lambda: b"\x80\x04(" + stack_global("dnnlib.tflib.network", "Network") + b")\x81t.",
    ),
    "TF, of ProGAN": ("tensorflow pickle", lambda: b"\x80\x02ctfutil\nNetwork\n)\x81."),
    "persistence": (
        "persistence pickle",
        lambda: b"\x80\x03}X\x04\x00\x00\x00G_emactorch_utils.persistence\n_reconstruct_persistent_obj\n(tRs.",
    ),
    "persistence behind other data": (
        "persistence pickle",
        lambda: (
            b"\x80\x04}"
            + LONG
            + b"X\x04\x00\x00\x00G_ema"
            + stack_global("torch_utils.persistence", "_reconstruct_persistent_obj")
            + b")Rs."
        ),
    ),
    "plain pickle": ("pickle", lambda: pickle.dumps({"a": 1})),
    "cut pickle": ("pickle", lambda: pickle.dumps({"a": "b" * 100})[:50]),
    "safetensors": ("safetensors", lambda: struct.pack("<Q", 2) + b"{}"),
    "npz": ("npz", scripted),
    "zip": ("zip", lambda: archive({"network.pkl": b"x"})),
    "torchscript": ("torchscript", lambda: archive({"a/data.pkl": b"x", "a/constants.pkl": b"x", "a/code/b.py": b"x"})),
    "hdf5": ("hdf5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(100)),
    "onnx": ("protobuf", lambda: b"\x08\x07\x12\x07pytorch\x1a\x051.8.0" + bytes(50)),
    "web page": ("web page", lambda: b"\n<!DOCTYPE html><html><title>Sign in</title>"),
    "quota page": ("quota page", lambda: b"\xef\xbb\xbf <html><title>Google Drive - Quota exceeded</title>"),
    "XML error": ("answer", lambda: b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"),
    "JSON error": ("answer", lambda: b'{"error": "Repository not found"}'),
    "npy": ("npy", lambda: b"\x93NUMPY\x01\x00v\x00{}"),
    "lfs": ("git lfs", lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
    "picture": ("picture", picture),
    "gzip": ("archive", lambda: b"\x1f\x8b\x08" + bytes(20)),
    "empty": ("empty", lambda: b""),
    "text": ("unknown", lambda: b"hello"),
    "zeros": ("unknown", lambda: bytes(500)),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_kind_is_told_by_the_bytes(case: str, tmp_path: Path) -> None:
    expected, make = TABLE[case]
    path = tmp_path / "network.jpg"
    path.write_bytes(make())
    kind = kind_of(path)
    assert kind.format == expected and kind.title
    if not kind.readable:
        with pytest.raises(CheckpointError) as caught:
            open_file(path)
        text = str(caught.value)
        assert kind.reason in text and text.startswith(str(path)) and "\n" not in text


def test_every_format_has_a_title_and_a_reason_or_a_reader() -> None:
    from stylewidgets.checkpoints import READERS

    for name in detect.FORMATS:
        assert (name in READERS or name == "safetensors") != (name in detect._REASONS)


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is a folder"):
        open_file(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        open_file(tmp_path / "none.pkl")


def state() -> dict[str, object]:
    parameters = golden("rosinality_stylegan2_64")[1]
    return {
        "g_ema": {key.removeprefix("g_ema."): value for key, value in parameters.items() if key.startswith("g_ema.")},
        "latent_avg": parameters["latent_avg"],
    }


@pytest.fixture(scope="module")
def whole() -> dict[bool, bytes]:
    return {zipped: saved(state(), _use_new_zipfile_serialization=zipped) for zipped in (True, False)}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("part", [0.001, 0.02, 0.5, 0.97, 0.99999])
def test_a_file_that_is_cut_short_is_told(part: float, zipped: bool, whole: dict[bool, bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(whole[zipped][: max(40, int(len(whole[zipped]) * part))])
    with pytest.raises(CheckpointError) as caught:
        open_file(path)
    assert "\n" not in str(caught.value) and "a.pt" in str(caught.value)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_flipped_bytes_give_values_or_one_line(zipped: bool, whole: dict[bool, bytes], tmp_path: Path) -> None:
    source = np.random.RandomState(1)
    data = np.frombuffer(whole[zipped], np.uint8)
    spots = np.flatnonzero(data != 0)
    for i in range(40):
        changed = data.copy()
        at = source.choice(spots[spots < 20_000] if i % 2 else spots[spots > len(data) - 20_000], 3)
        changed[at] = source.randint(0, 256, 3)
        path = tmp_path / f"{i}.pt"
        path.write_bytes(changed.tobytes())
        with contextlib.suppress(CheckpointError):
            torch_file.read(path)


def test_an_archive_that_grows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    path.write_bytes(archive({"a/data.pkl": bytes(1000), "a/data/0": bytes(4 << 20)}, zipfile.ZIP_DEFLATED))
    with pytest.raises(CheckpointError, match="would grow"):
        open_file(path)


def test_a_tensor_larger_than_its_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    content = state()
    content["g_ema"]["input.input"] = torch.zeros(1).expand(1, 1 << 20, 4, 4)
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="does not fit its storage"):
        open_file(path)


def test_two_descriptions_and_none_of_the_data_are_told(tmp_path: Path, whole: dict[bool, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(whole[True])) as file:
        entries = {name: file.read(name) for name in file.namelist()}
    path = tmp_path / "a.pt"
    path.write_bytes(archive({**entries, "other/data.pkl": b"x"}))
    with pytest.raises(CheckpointError, match="2 descriptions"):
        open_file(path)
    path.write_bytes(archive({name: data for name, data in entries.items() if not name.endswith("/data/5")}))
    with pytest.raises(CheckpointError, match="is not in it"):
        open_file(path)
    big = {name: b"big" if name.endswith("byteorder") else data for name, data in entries.items()}
    path.write_bytes(archive(big))
    with pytest.raises(CheckpointError, match="big-endian"):
        open_file(path)


def test_nothing_in_a_file_is_called(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> object:
            return Path.touch, (tmp_path / "touched",)

    path = tmp_path / "a.pt"
    torch.save({**state(), "extra": Attack()}, path)
    generator, _ = open_file(path)
    assert not (tmp_path / "touched").exists() and generator.resolution == 64
