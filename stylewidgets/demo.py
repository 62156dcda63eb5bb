"""``stylewidgets demo``: JupyterLab on a copy of the quickstart notebook."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

NOTEBOOK = "01_quickstart.ipynb"


def start(folder: Path, *, port: int | None = None, browser: bool = True) -> int:
    """Copy the quickstart into ``folder`` and run JupyterLab on it until it is stopped; returns its exit code.

    Raises:
        ImportError: JupyterLab is not installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ImportError("JupyterLab is not installed; run: pip install 'stylewidgets[lab]'")
    notebook = copy_notebook(source(), folder)
    port = port or free_port()
    command = [sys.executable, "-m", "jupyterlab", str(notebook.name), f"--port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # containers and Colab-like machines
        command.append("--allow-root")
    print(f"opening {notebook} in JupyterLab; Ctrl-C ends it", flush=True)
    try:
        return subprocess.run(command, cwd=notebook.parent, check=False).returncode
    except KeyboardInterrupt:
        return 0


def source() -> Path:
    """The quickstart as installed, or of the source tree."""
    here = Path(__file__).parent
    for folder in (here / "notebooks", here.parent / "notebooks"):
        if (folder / NOTEBOOK).exists():
            return folder / NOTEBOOK
    raise FileNotFoundError(f"{NOTEBOOK} is missing from the installation; reinstall stylewidgets")


def copy_notebook(original: Path, folder: Path) -> Path:
    """A copy in ``folder``. A file that is there and differs is the user's work: it stays, the copy gets a number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        name = original.name if number == 1 else f"{original.stem}-{number}{original.suffix}"
        target = (folder / name).resolve()
        if not target.exists():
            shutil.copyfile(original, target)
            return target
        if target.samefile(original) or target.read_bytes() == original.read_bytes():
            return target
    raise FileExistsError(f"{folder} holds 999 copies of {original.name}; remove some")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
