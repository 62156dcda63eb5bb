"""The kernels for a GPU, without one: Triton's interpreter gets the numbers of the references, and its compiler takes them.

Each in a process of its own, as Triton is either an interpreter or a compiler from its import on.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("triton") is None
    and not (os.environ.get("CI") and (platform.system(), platform.machine()) == ("Linux", "x86_64")),
    reason="Triton is not installed",
)


def run(cases: str, folder: Path, **variables: str) -> None:
    """Run a file of tests beside this one; its report is that of a failure here."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).with_name(cases))]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRITON_", "STYLEWIDGETS_TRITON"))
    }
    done = subprocess.run(
        command,
        env={**environment, "TRITON_CACHE_DIR": str(folder), **variables},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.slow
def test_interpreted_kernels_give_the_numbers_of_the_references(tmp_path: Path) -> None:
    run("triton_interpreted.py", tmp_path, TRITON_INTERPRET="1")


@pytest.mark.slow
def test_kernels_compile_for_the_usual_gpus(tmp_path: Path) -> None:
    run("triton_compiled.py", tmp_path)
