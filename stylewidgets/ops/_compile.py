"""Small C++ sources of this package as libraries, made by the machine's own compiler at first use and kept.

They need no header but the language's own and no torch at compile time, so that it takes a second or two. Without a compiler
the callers have a way in plain torch. ``STYLEWIDGETS_COMPILE=0`` keeps to that way.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path

from ..core.environ import switch

COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC", "-pthread")
_SECONDS = 120


@lru_cache(maxsize=8)
def library(name: str) -> ctypes.CDLL | None:
    """The library of ``ops/<name>.cpp``, or None where it cannot be had; then one warning says why."""
    if not switch("STYLEWIDGETS_COMPILE") or sys.platform == "win32":
        return None
    compiler = os.environ.get("CXX") or next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        # Said at this place and not at the caller's, so that Python shows it once for all the sources.
        warnings.warn(
            "no C++ compiler was found: pictures are computed with plain torch, which takes 2 to 20 times as long on "
            "a CPU (install g++ or clang, or set CXX)",
            RuntimeWarning,
            stacklevel=1,
        )
        return None
    source = Path(__file__).with_name(f"{name}.cpp")
    try:
        made = ctypes.CDLL(str(_built(source, compiler)))
        made.stylewidgets_fork(_fork())
        return made
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        warnings.warn(
            f"{source.name} could not be compiled with {compiler}, so plain torch is used, which takes 2 to 4 times "
            f"as long on a CPU: {said.strip().splitlines()[-1] if said.strip() else error}",
            RuntimeWarning,
            stacklevel=3,
        )
        return None


@lru_cache(maxsize=1)
def _fork() -> ctypes.c_void_p:
    """How torch starts its threads, GOMP_parallel of whichever OpenMP it was linked with; null where it cannot be found."""
    try:
        torch = ctypes.CDLL(
            str(Path(sys.modules["torch"].__path__[0]) / "lib" / "libtorch_cpu.so")
        )  # is loaded already
        return ctypes.cast(torch.GOMP_parallel, ctypes.c_void_p)
    except (OSError, AttributeError):
        return ctypes.c_void_p()


def _built(source: Path, compiler: str) -> Path:
    """The path of the library for this source, compiler and processor; compiles it where it is not there yet."""
    words = [compiler, *FLAGS, *_processor_flags()]
    text = b"".join(file.read_bytes() for file in (source, *sorted(source.parent.glob("*.h"))))
    key = hashlib.sha256(text + "\0".join([*words, platform.machine(), _processor()]).encode()).hexdigest()[:16]
    folder = _folder()
    target = folder / f"{source.stem.strip('_')}-{key}.so"
    if target.exists():
        return target
    descriptor, fresh = tempfile.mkstemp(suffix=".so", dir=folder)
    os.close(descriptor)
    try:
        subprocess.run([*words, "-o", fresh, str(source)], check=True, capture_output=True, text=True, timeout=_SECONDS)
        os.replace(fresh, target)  # another process may have been quicker: both made the same
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
    return target


def _processor_flags() -> list[str]:
    return ["-mcpu=native"] if platform.machine().lower() in {"arm64", "aarch64"} else ["-march=native"]


def _processor() -> str:
    """What -march=native depends on: a folder may be shared by different machines."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return "".join(sorted({line for line in file if line.startswith(("model name", "flags", "Features"))}))
    except OSError:
        return platform.processor()


def _folder() -> Path:
    """A folder that only this user can write to."""
    given = os.environ.get("STYLEWIDGETS_CACHE")
    home = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stylewidgets"
    folder = home / "compiled"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
        if state.st_uid == os.getuid() and not state.st_mode & 0o022 and os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # no home, or one that cannot be written to
    return Path(tempfile.mkdtemp(prefix="stylewidgets-"))
