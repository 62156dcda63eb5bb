"""The client's wheel asks for what the package asks for, and for nothing of torch's."""

from __future__ import annotations

from pathlib import Path

import pytest

tomllib = pytest.importorskip("tomllib")
ROOT = Path(__file__).parents[2]


def project(path: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]
    return found


def test_the_client_needs_what_the_package_needs_but_for_torch_and_what_goes_with_it() -> None:
    whole, client = (set(project(path)["dependencies"]) for path in ("pyproject.toml", "client/pyproject.toml"))
    assert client < whole
    left_out = {name.partition(">")[0] for name in whole - client}
    assert left_out == {"torch", "lpips", "matplotlib", "ninja"}


def test_both_ask_for_the_same_python() -> None:
    assert project("client/pyproject.toml")["requires-python"] == project("pyproject.toml")["requires-python"]
