"""The cell that notebooks begin with: it installs the package where it is missing, and touches nothing that is there."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from typing import Any

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from stylewidgets.cli.demo import source

NOTEBOOKS = sorted(source().glob("[0-9]*.ipynb"))


def first_code(path: Any) -> str:
    return next(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> tuple[InteractiveShell, list[str]]:
    """A shell, and what it was asked to install."""
    config = Config()
    config.HistoryManager.enabled = False
    shell, asked = InteractiveShell(config=config), []
    shell.register_magic_function(asked.append, "line", "pip")
    return shell, asked


def test_every_notebook_begins_with_the_same_cell() -> None:
    assert len({first_code(path) for path in NOTEBOOKS}) == 1


def test_where_the_package_is_the_cell_does_nothing(pip: tuple[InteractiveShell, list[str]]) -> None:
    shell, asked = pip
    shell.run_cell(first_code(NOTEBOOKS[0])).raise_error()
    assert asked == []


def test_where_it_is_missing_torch_and_jupyter_keep_their_versions(
    pip: tuple[InteractiveShell, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, asked = pip
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    shell.run_cell(first_code(NOTEBOOKS[0])).raise_error()
    (line,) = asked
    words = line.split()
    assert words[:2] == ["install", "-q"] and words[2] == "stylewidgets"
    for name in ("torch", "ipykernel", "ipython", "ipywidgets"):
        assert f"{name}=={metadata.version(name)}" in [word.lower() for word in words]
    assert not {"-U", "--upgrade", "--force-reinstall"} & set(words)
