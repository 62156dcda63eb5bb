"""``stylewidgets demo``: JupyterLab on the quickstart notebook."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from ..core.options import Options
from ..core.ports import usable_port

NOTEBOOK = "01_quickstart.ipynb"


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65535")
    return int(text)


OPTIONS: Options = {
    "--dir": {"type": Path, "default": Path(), "help": "where the notebook is copied to (default: here)"},
    "--fresh": {"action": "store_true", "help": "take a new copy even if you have one from before"},
    "--port": {"type": _port, "help": "port of JupyterLab (default: a free one)"},
    "--no-browser": {"action": "store_true", "help": "print the address instead of opening it"},
}


def run(args: argparse.Namespace) -> int:
    """Put the quickstart into a folder and run JupyterLab on it until it is stopped; returns its exit code.

    Raises:
        ImportError: JupyterLab is not installed.
        OSError: the folder cannot be written, or the port is taken.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ImportError("JupyterLab is not installed; run: pip install 'stylewidgets[lab]'")
    port = usable_port(args.port or 0)
    notebook, note = place_notebook(source(), args.dir, fresh=args.fresh)
    print(f"{note}\nStarting JupyterLab on port {port}; Ctrl-C here ends it.", flush=True)
    try:
        return subprocess.run(
            lab_command(notebook, port, not args.no_browser), cwd=notebook.parent, check=False
        ).returncode
    except KeyboardInterrupt:
        return 0


def lab_command(notebook: Path, port: int, browser: bool) -> list[str]:
    """The command line of JupyterLab."""
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        notebook.name,
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",
    ]  # the address that is printed leads there, too
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in containers, where JupyterLab would refuse to start
        command.append("--allow-root")
    return command


def source() -> Path:
    """The quickstart as installed, or of the source tree."""
    here = Path(__file__).parents[1]
    for folder in (here / "notebooks", here.parent / "notebooks"):
        if (folder / NOTEBOOK).is_file():
            return folder / NOTEBOOK
    raise FileNotFoundError(f"{NOTEBOOK} is missing from the installation in {here}; reinstall stylewidgets")


def place_notebook(original: Path, folder: Path, *, fresh: bool = False) -> tuple[Path, str]:
    """A notebook to open in ``folder``, and one line that says which. Nothing that exists is written over.

    A copy from before is opened again, with what was changed in it, unless ``fresh``: then the new one gets a number.
    In a clone of the source, the notebook is the one in its ``notebooks`` folder.
    """
    clone = folder / "notebooks" / original.name
    if not fresh and clone.is_file() and (folder / "pyproject.toml").is_file():
        return clone.resolve(), f"Opening {clone}."
    folder.mkdir(parents=True, exist_ok=True)
    target = (folder / original.name).resolve()
    if target.exists() and not fresh:
        if target.read_bytes() == original.read_bytes():
            return target, f"Opening {target}."
        return target, f"Opening your {target} with your changes; `stylewidgets demo --fresh` takes a new copy."
    number = 2
    while target.exists():
        target = target.with_name(f"{original.stem}-{number}{original.suffix}")
        number += 1
    shutil.copyfile(original, target)
    return target, f"Copied the quickstart to {target}."
