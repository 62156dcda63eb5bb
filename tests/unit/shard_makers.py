"""A maker of shards for tests, in a module that every process can import.

Mischief stands under "where", which is no part of the result.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from pathlib import Path

from stylewidgets import jobs
from stylewidgets.jobs import Made, Shard

NUMBERS = "shard_makers:numbers"


@jobs.sharded
def numbers(shard: Shard, folder: Path) -> Made:
    """n normal numbers of the shard's stream."""
    where = shard.get("where", {})
    if "calls" in where:
        (Path(where["calls"]) / f"{shard['k']}-{os.getpid()}-{secrets.token_hex(3)}").touch()
    time.sleep(where.get("waits", 0))
    once = Path(where.get("once", ""))
    if where.get("dies") == shard["k"] and not (where.get("once") and once.exists()):
        once.touch() if where.get("once") else None
        os.kill(os.getpid(), signal.SIGKILL)
    if where.get("fails") == shard["k"] and not Path(where.get("mended", "/nowhere")).exists():
        raise ValueError(f"shard {shard['k']} is\n  not to be had")
    return Made({"x": jobs.stream(shard["seed"], shard["k"]).randn(shard["n"])}, machine="here")


def plan(count: int = 6, **where: object) -> list[Shard]:
    """`count` shards of 5 numbers each."""
    return jobs.shards(5 * count, count, seed=7, where=where)
