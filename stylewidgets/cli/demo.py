"""``stylewidgets demo``: JupyterLab on all notebooks, with an index that shows what each is about."""

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

INDEX = "index.ipynb"
FOLDER = "stylewidgets-notebooks"


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65535")
    return int(text)


OPTIONS: Options = {
    "--dir": {"type": Path, "default": Path(FOLDER), "help": "where the notebooks are copied to (default %(default)s)"},
    "--fresh": {"action": "store_true", "help": "take new copies even if you have some from before"},
    "--port": {"type": _port, "help": "port of JupyterLab (default: a free one)"},
    "--no-browser": {"action": "store_true", "help": "print the address instead of opening it"},
}


def run(args: argparse.Namespace) -> int:
    """Put the notebooks into a folder and run JupyterLab on it until it is stopped; returns its exit code.

    Raises:
        ImportError: JupyterLab is not installed.
        OSError: the folder cannot be written, or the port is taken.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ImportError("JupyterLab is not installed; run: pip install 'stylewidgets[lab]'")
    port = usable_port(args.port or 0)
    index, note = place_notebooks(source(), args.dir, fresh=args.fresh)
    print(f"{note}\nStarting JupyterLab on port {port}; Ctrl-C here ends it.", flush=True)
    try:
        return subprocess.run(lab_command(index, port, not args.no_browser), cwd=index.parent, check=False).returncode
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
    """The folder of notebooks as installed, or of the source tree."""
    here = Path(__file__).parents[1]
    for folder in (here / "notebooks", here.parent / "notebooks"):
        if (folder / INDEX).is_file():
            return folder
    raise FileNotFoundError(f"the notebooks are missing from the installation in {here}; reinstall stylewidgets")


def place_notebooks(original: Path, folder: Path, *, fresh: bool = False) -> tuple[Path, str]:
    """The index to open, in ``folder``, and one line that says where it is. Nothing that exists is written over.

    Copies from before are opened again, with what was changed in them, and what is missing is added; with ``fresh`` a new
    folder gets a number. In a clone of the source, the notebooks are those of its ``notebooks`` folder.
    """
    clone = Path("notebooks") / INDEX
    if folder == Path(FOLDER) and not fresh and clone.is_file() and Path("pyproject.toml").is_file():
        return clone.resolve(), f"Opening {clone}."
    number = 2
    target = folder
    while fresh and target.exists():
        target = folder.with_name(f"{folder.name}-{number}")
        number += 1
    target.mkdir(parents=True, exist_ok=True)
    missing = [path for path in sorted(original.glob("*.ipynb")) if not (target / path.name).exists()]
    for path in missing:
        shutil.copyfile(path, target / path.name)
    index = (target / INDEX).resolve()
    if missing:
        return index, f"Copied {len(missing)} notebook{'s' if len(missing) > 1 else ''} to {index.parent}."
    return index, f"Opening your notebooks in {index.parent}; `stylewidgets demo --fresh` takes new copies."
