"""What reading a file may take, and how its bytes are looked at."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import IO

from ..errors import CheckpointError

AGAIN = "It is damaged or cut short; fetch it again"


@dataclass(frozen=True)
class Limits:
    """How much one file may ask for.

    Attributes:
        memory: bytes that reading may allocate, besides six times the size of the file itself.
        integer: bytes of one whole number.
    """

    memory: int = 256 << 20
    integer: int = 64


@dataclass(slots=True, eq=False)
class Budget:
    """What is left of the memory that reading a file may allocate."""

    left: int

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise CheckpointError(
                "reading it would take more memory than any checkpoint needs. It is damaged or hostile"
            )


def as_view(data: bytes | memoryview | mmap.mmap | IO[bytes]) -> memoryview:
    """Bytes, a mapping or a file as a view of single bytes; a real file is mapped, not read, and never written to."""
    if isinstance(data, (bytes, bytearray, memoryview, mmap.mmap)):
        return memoryview(data).cast("B")
    try:  # writable in memory only: torch has no tensors that cannot be written to
        return memoryview(mmap.mmap(data.fileno(), 0, access=mmap.ACCESS_COPY))
    except (OSError, ValueError):  # not a real file, or an empty one
        return memoryview(data.read())
