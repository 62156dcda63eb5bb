"""The C++ compiler of this machine, and how ninja calls it."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC", "-pthread")
_GNU = "  command = $words -MMD -MF $out.d -MT $out -o $out $in\n  depfile = $out.d\n  deps = gcc\n"

WINDOWS_COMPILERS = ("clang-cl", "cl")
"""Both come with Visual Studio. The former knows the vectors of GCC and clang, which the sources are quickest with."""
WINDOWS_FLAGS = ("/nologo", "/LD", "/O2", "/EHsc", "/std:c++17", "/utf-8")
_MSVC = "  command = $words /showIncludes $in /Fo$out.obj /Fe$out\n  deps = msvc\n"
_COMPONENT = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64"
_SECONDS = 60


class Compiler(NamedTuple):
    """How a source becomes a library.

    Attributes:
        words: the command and its flags, without the files.
        rule: the lines of ninja's rule: where the files go into the command, and how it tells what they include.
        suffix: of a library.
        environment: names and values that the compiler needs beside those of this process.
    """

    words: tuple[str, ...]
    rule: str = _GNU
    suffix: str = ".so"
    environment: tuple[tuple[str, str], ...] = ()

    def line(self) -> str:
        """The command as a shell takes it."""
        return subprocess.list2cmdline(self.words) if self.suffix == ".dll" else shlex.join(self.words)

    def identity(self) -> str:
        """What the code depends on: the command, the compiler's version (by its file), and what -march=native means here, as
        a folder may be shared by different machines."""
        file = Path(shutil.which(self.words[0]) or self.words[0]).resolve()
        state = file.stat() if file.is_file() else None
        version = f"{file} {state.st_size} {state.st_mtime_ns}" if state is not None else str(file)
        try:
            with open("/proc/cpuinfo", encoding="utf-8") as lines:
                processor = "".join(sorted({x for x in lines if x.startswith(("model name", "flags", "Features"))}))
        except OSError:
            processor = platform.processor()
        return "\0".join((*self.words, version, platform.machine(), processor))


def find() -> Compiler | None:
    """$CXX, else the first of `COMPILERS`; on Windows that of `of_windows`. None where there is none."""
    if sys.platform == "win32":
        return of_windows()
    command = shlex.split(os.environ.get("CXX", "")) or [name for name in COMPILERS if shutil.which(name)][:1]
    if not command:
        return None
    tuned = "-mcpu=native" if platform.machine().lower() in {"arm64", "aarch64"} else "-march=native"
    return Compiler((*command, *FLAGS, tuned))


# -- Windows: never run there; tests hold it to stand-ins -----------------------------------------------------------------
def of_windows() -> Compiler | None:
    """One on the PATH, as in a developer's prompt, else that of the newest Visual Studio; None where there is none."""
    environment: dict[str, str] = {}
    command = _first(os.environ.get("PATH", ""))
    if command is None:
        environment = _visual_studio()
        command = _first(environment.get("PATH", ""))
    if command is None:
        return None
    environment["VSLANG"] = "1033"  # ninja reads what it says of includes, in English
    return Compiler((command, *WINDOWS_FLAGS, *_wide()), _MSVC, ".dll", tuple(sorted(environment.items())))


def _first(path: str) -> str | None:
    return next(filter(None, (shutil.which(name, path=path) for name in WINDOWS_COMPILERS)), None)


def _wide() -> list[str]:
    """There is no -march=native: torch tells what the processor can do."""
    import torch

    capability = str(torch.backends.cpu.get_cpu_capability())
    return [f"/arch:{capability}"] if capability in ("AVX2", "AVX512") else []


def _visual_studio() -> dict[str, str]:
    """The environment of its developer's prompt, as vcvars64.bat sets it up; {} where there is none."""
    programs = os.environ.get("PROGRAMFILES(X86)", "C:\\Program Files (x86)")
    where = str(Path(programs) / "Microsoft Visual Studio" / "Installer" / "vswhere.exe")
    try:
        place = _said(where, "-latest", "-products", "*", "-requires", _COMPONENT, "-property", "installationPath")[0]
        script = Path(place) / "VC" / "Auxiliary" / "Build" / "vcvars64.bat"
        lines = _said("cmd", "/d", "/s", "/c", f'""{script}" >nul && set"')
    except (OSError, subprocess.SubprocessError, IndexError):
        return {}
    return {name.upper(): value for name, sign, value in (line.partition("=") for line in lines) if sign}


def _said(*command: str) -> list[str]:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    return done.stdout.splitlines()
