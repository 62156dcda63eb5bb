"""core/files: paths, whole files, arrays with what they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from stylewidgets.core import files

KEY = "kind"


def test_home_addresses_of_files_and_path_objects_are_the_same_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    place = tmp_path / "a b.txt"
    place.write_text("")

    class Own:
        def __fspath__(self) -> str:
            return str(place)

    for given in ("~/a b.txt", Path("~/a b.txt"), place.as_uri(), str(place), Own()):
        assert files.find(given) == place, given


def test_what_is_missing_a_folder_or_no_path_is_told_as_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file 'none.txt' \\(in .*\\). Accepted"):
        files.find("none.txt", "thing", "Accepted are things")
    with pytest.raises(ValueError, match="is a folder; the thing itself"):
        files.find(tmp_path, "thing")
    with pytest.raises(TypeError):
        files.as_path(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="pathlib"):
        files.as_path(b"x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="address on the network"):
        files.write("https://example.org/x", "")
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere"):
        files.write(tmp_path / "nowhere" / "x", "")


def test_an_address_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylewidgets.checkpoints.zoo.download.fetch", lambda url, folder: tmp_path / url[-5:])
    assert files.find("https://example.org/a.png") == tmp_path / "a.png"


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    files.write(tmp_path / "x", "old")
    with pytest.raises(OSError, match="full"), files.writing(tmp_path / "x") as part:
        part.write_text("ne")
        raise OSError("disk full")
    assert [p.name for p in tmp_path.iterdir()] == ["x"] and (tmp_path / "x").read_text() == "old"


def test_a_written_file_may_be_read_by_whom_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        for name in ("a.npz", "a.safetensors", "a.json"):
            path = files.write_arrays(tmp_path / name, {"x": np.zeros(2)}, {}, KEY)
            assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_arrays_come_back_with_what_they_are(tmp_path: Path, suffix: str) -> None:
    arrays: dict[str, np.ndarray] = {
        "flipped": np.arange(6.0, dtype=np.float32).reshape(2, 3)[:, ::-1],
        "half": np.ones(2, np.float16),
    }
    path = files.write_arrays(tmp_path / f"x{suffix}", arrays, {"name": "Ä", "n": [1, None]}, KEY)
    about, found = files.read_arrays(path, KEY)
    assert about == {"name": "Ä", "n": [1, None]} and found.keys() == arrays.keys()
    assert all(np.array_equal(found[k], v) for k, v in arrays.items())
    assert [np.asarray(found[k]).dtype for k in arrays] == [v.dtype for v in arrays.values()]
    with pytest.raises(ValueError, match="other"):
        files.read_arrays(path, "other")


def test_tensors_of_any_layout_and_type_come_back(tmp_path: Path) -> None:
    given = {"t": torch.arange(6.0).reshape(2, 3).t(), "b": torch.ones(2, dtype=torch.bfloat16, requires_grad=True)}
    _, found = files.read_arrays(files.write_arrays(tmp_path / "x.safetensors", given, {}, KEY), KEY, "pt")
    assert all(torch.equal(found[k], v) and found[k].dtype == v.dtype for k, v in given.items())


def test_damage_of_any_kind_is_one_kind_of_error(tmp_path: Path) -> None:
    for suffix in (".npz", ".safetensors"):
        whole = files.write_arrays(tmp_path / f"x{suffix}", {"x": np.arange(400)}, {}, KEY).read_bytes()
        for bad in (b"", whole[:30], whole[:-30], b"\x80\x04" + whole, b"PK\x03\x04" + bytes(60)):
            place = tmp_path / f"bad{suffix}"
            place.write_bytes(bad)
            with (
                pytest.raises(ValueError, match=f"bad{suffix}' is no thing, or it is damaged: .*Accepted"),
                files.reading(place, "thing", "Accepted are things") as found,
            ):
                files.read_arrays(found, KEY)


def test_an_archive_is_not_unpacked_beyond_its_bound(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(1 << 20))
    with pytest.raises(ValueError, match="claims to hold more than 1,000 bytes"):
        files.read_npz(tmp_path / "x.npz", 1000)


def test_json_that_is_too_deep_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not JSON"):
        files.parsed("[" * 100_000)
    assert files.parsed(json.dumps({"a": 1})) == {"a": 1}


def test_core_needs_no_torch() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np, tempfile, pathlib\n"
        "from stylewidgets.core import files, pictures\n"
        "p = pathlib.Path(tempfile.mkdtemp()) / 'x.safetensors'\n"
        "files.write_arrays(p, {'x': np.ones(2)}, {}, 'k'); assert files.read_arrays(p, 'k')[1]['x'].sum() == 2\n"
        "assert pictures.read(np.zeros((4, 4), np.uint8)).size == (4, 4)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_a_file_may_have_a_question_mark_in_its_name() -> None:
    files.check_suffix("what?.json", (".json",), "latent's file")
    files.check_suffix("https://a.org/latent.json?version=2.1", (".json",), "latent's file")
