"""How long a checkpoint takes to open, and how much memory, against reading its bytes and copying its tensors once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from .. import checkpoints

_PEAK = """
import json, sys, torch
import stylewidgets.checkpoints.build, stylewidgets.generators.families
from stylewidgets import checkpoints
from stylewidgets.bench.memory import peak
print(json.dumps(peak(lambda: checkpoints.open_file(sys.argv[1]), torch.device("cpu"))))
"""


def measure(path: str | Path, repeats: int = 3) -> dict[str, float]:
    """Open a checkpoint and compare.

    Args:
        path: any file that `stylewidgets.checkpoints.open_file` takes.
        repeats: the fastest of so many counts; the file is in the cache of the operating system from the first on.

    Returns:
        "bytes" of the file, "tensor_bytes" of the generator, "plain_seconds" (all bytes read, the generator's tensors
        copied once), "read_seconds" (the same tensors found and copied once), "open_seconds" (a checked generator),
        "read_ratio", "open_ratio" (both against plain), and "peak_ratio": the most memory while opening over the bytes
        of the file, file pages included (0 where the system does not tell).
    """
    tensors = _tensors(path)

    def plain() -> object:
        data = Path(path).read_bytes()
        return data, [tensor.clone() for tensor in tensors]

    def read() -> object:
        return [tensor.clone() for tensor in _tensors(path)]

    seconds = {
        "plain": _fastest(plain, repeats),
        "read": _fastest(read, repeats),
        "open": _fastest(lambda: checkpoints.open_file(path), repeats),
    }
    size = os.path.getsize(path)
    return {
        "bytes": size,
        "tensor_bytes": sum(tensor.nbytes for tensor in tensors),
        **{f"{name}_seconds": value for name, value in seconds.items()},
        "read_ratio": seconds["read"] / seconds["plain"],
        "open_ratio": seconds["open"] / seconds["plain"],
        "peak_ratio": peak(path) / size,
    }


def _tensors(path: str | Path) -> list[Tensor]:
    if Path(path).suffix == ".safetensors":  # our own files are no foreign format
        return list(load_file(path).values())
    return list(checkpoints.read(path).state.values())


def peak(path: str | Path) -> int:
    """Bytes by which a fresh process grows at most while it opens the file, mapped pages included; 0 where unknown."""
    done = subprocess.run([sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout))


def resident() -> int:
    """Bytes of memory that this process holds now, file pages included; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else 0


def _fastest(act: Callable[[], Any], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        kept = act()
        best = min(best, time.perf_counter() - start)
        del kept
    return best
