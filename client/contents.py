"""What goes into the client's wheel: the package as it stands beside this folder, without weights and native sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path(__file__).parent.parent / "stylewidgets"
LEFT_OUT = ("weights", "ops/native", "ops/triton", "training", "bench", "server")
"""Folders of which only the Python files of `weights` are needed: what finds a file there says that there is none."""


def contents(package: Path = PACKAGE) -> dict[str, str]:
    """Path → place in the wheel of every file."""
    found = {}
    for path in sorted(package.rglob("*")):
        inner = path.relative_to(package)
        if not path.is_file() or "__pycache__" in inner.parts:
            continue
        left_out = any(inner.is_relative_to(folder) for folder in LEFT_OUT)
        if not left_out or inner.as_posix() == "weights/__init__.py":
            found[str(path)] = f"stylewidgets/{inner.as_posix()}"
    return found


class Contents(BuildHookInterface[Any]):
    """Tells hatchling."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_data["force_include"].update(contents())
        build_data["force_include"][str(PACKAGE.parent / "LICENSE")] = "stylewidgets/LICENSE"
