from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stylewidgets.__main__ import main
from stylewidgets.cli import demo


def run(*arguments: str) -> int:
    """The exit code, also where argparse exits by itself."""
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    folder = tmp_path / "installed"
    folder.mkdir()
    for name in ("index.ipynb", "01_quickstart.ipynb"):
        (folder / name).write_text("{}")
    return folder


def test_the_demo_copies_all_notebooks_and_opens_the_same_index_again(original: Path, tmp_path: Path) -> None:
    first, note = demo.place_notebooks(original, tmp_path / "mine")
    assert first.name == "index.ipynb" and "Copied 2 notebooks" in note
    assert {path.name for path in first.parent.iterdir()} == {"index.ipynb", "01_quickstart.ipynb"}
    second, note = demo.place_notebooks(original, tmp_path / "mine")
    assert second == first and "Opening your" in note


def test_an_edited_copy_is_kept_and_a_missing_one_comes_back(original: Path, tmp_path: Path) -> None:
    index, _ = demo.place_notebooks(original, tmp_path / "mine")
    (index.parent / "01_quickstart.ipynb").write_text("edited")
    index.unlink()
    again, note = demo.place_notebooks(original, tmp_path / "mine")
    assert again.read_text() == "{}" and "Copied 1 notebook " in note
    assert (again.parent / "01_quickstart.ipynb").read_text() == "edited"


def test_fresh_copies_get_a_free_folder(original: Path, tmp_path: Path) -> None:
    places = [demo.place_notebooks(original, tmp_path / "mine", fresh=True)[0].parent.name for _ in range(3)]
    assert places == ["mine", "mine-2", "mine-3"]


def test_in_a_clone_the_demo_opens_the_notebooks_of_the_clone(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    (clone / "notebooks").mkdir(parents=True)
    (clone / "pyproject.toml").write_text("")
    (clone / "notebooks" / "index.ipynb").write_text("{}")
    monkeypatch.chdir(clone)
    path, _ = demo.place_notebooks(original, Path(demo.FOLDER))
    assert path == (clone / "notebooks" / "index.ipynb").resolve()
    elsewhere, _ = demo.place_notebooks(original, tmp_path / "mine")
    assert elsewhere.parent.name == "mine"


def test_the_notebooks_are_found_and_the_index_leads_to_each() -> None:
    folder = demo.source()
    names = {path.name for path in folder.glob("[0-9]*.ipynb")}
    text = (folder / demo.INDEX).read_text(encoding="utf-8")
    assert names and all(f"({name})" in text for name in names)


def test_the_command_of_jupyterlab_names_notebook_and_port(tmp_path: Path) -> None:
    command = demo.lab_command(tmp_path / "a.ipynb", 8123, browser=False)
    assert "a.ipynb" in command and "--port=8123" in command and "--no-browser" in command
    assert "--no-browser" not in demo.lab_command(tmp_path / "a.ipynb", 8123, browser=True)
    spaced = demo.lab_command(tmp_path / "my first.ipynb", 8123, browser=False)
    assert "--LabApp.default_url=/lab/tree/my%20first.ipynb" in spaced, (
        "the address that is printed is that of the notebook"
    )


def test_a_taken_port_is_one_line_and_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run("demo", "--port", str(port), "--dir", str(tmp_path)) == 2
    assert f"port {port} cannot be used" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_jupyterlab_the_demo_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert run("demo", "--dir", str(tmp_path)) == 2
    assert "pip install 'stylewidgets[lab]'" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("demo", f"--port={port}") == 2
    assert "is not a port" in capsys.readouterr().err


def test_info_on_a_missing_or_foreign_file_is_one_line_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "notes.txt"
    foreign.write_text("hello")
    for path in (tmp_path / "none.safetensors", foreign):
        assert run("info", str(path)) == 2
        text = capsys.readouterr().err
        assert path.name in text and text.count("\n") == 1, text


def test_info_says_what_a_file_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from stylewidgets.checkpoints.formats import native
    from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config

    path = tmp_path / "small.safetensors"
    config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=8, channels=(8, 8), mapping_layers=2)
    native.save(path, StyleGAN2(config), {"name": "small"})
    assert run("info", str(path)) == 0
    text = capsys.readouterr().out
    assert "stylegan2" in text.lower() and "resolution" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        [],
        ["train"],
        ["train", "nothing"],
        ["info"],
        ["convert", "a"],
        ["zoo", "sell"],
        ["bench", "--what"],
    ],
)
def test_a_wrong_command_shows_the_usage_and_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert "usage: stylewidgets" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["demo", "--help"],
        ["bench", "--help"],
        ["train", "avatars", "--help"],
        ["info", "--help"],
        ["convert", "--help"],
        ["zoo", "--help"],
    ],
)
def test_every_command_has_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 0
    assert "usage: stylewidgets" in capsys.readouterr().out


def test_help_needs_neither_torch_nor_ipywidgets() -> None:
    code = (
        "import sys; from stylewidgets.__main__ import build_parser; build_parser().format_help();"
        "sys.exit(any(name in sys.modules for name in ('torch', 'ipywidgets', 'numpy', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
