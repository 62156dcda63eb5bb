"""Shards on a cluster of Ray."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from ..runs import LONGEST
from .processes import lost
from .worker import Outcome, Task, make

TRIES = 3
ADDRESS = "RAY_ADDRESS"


class OnRay:
    """Tasks of Ray. The folder of results is on storage that all machines share; only plain values go through Ray.

    The cluster is the one that $RAY_ADDRESS names, or the one that this process has joined already. None is ever started here:
    a cluster listens on the network, and who may reach it is its owner's decision.

    Args:
        cpus, gpus: of each task.
    """

    def __init__(self, cpus: float = 1, gpus: float = 0) -> None:
        self.cpus, self.gpus = cpus, gpus

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[Outcome | None]:
        """See `Executor`."""
        ray, own = _joined()
        # The number of calls is not limited, or a worker with a GPU would load the model for every shard.
        task_of = ray.remote(
            num_cpus=self.cpus,
            num_gpus=self.gpus,
            max_retries=TRIES,
            max_calls=0,
            runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}},
        )(make)
        waiting = deque(tasks)
        busy: dict[Any, Task] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < self._at_once(ray):
                    task = waiting.popleft()
                    busy[task_of.remote(task)] = task
                done, _ = ray.wait(list(busy), num_returns=1, timeout=LONGEST)
                if not done:
                    yield None
                for ref in done:
                    task = busy.pop(ref)
                    try:
                        outcome = ray.get(ref)
                    except ray.exceptions.RayError as error:
                        outcome = lost(task, f"Ray gave up after {TRIES} more tries: {error}")
                    yield outcome
        finally:
            for ref in busy:
                ray.cancel(ref, force=True)
            if own:
                ray.shutdown()

    def _at_once(self, ray: Any) -> int:
        """Tasks that wait at Ray: enough that no worker is idle."""
        there = ray.cluster_resources()
        places = [there.get("CPU", 1) / self.cpus] if self.cpus else []
        places += [there.get("GPU", 0) / self.gpus] if self.gpus else []
        return 2 * max(1, int(min(places, default=1)))


def _joined() -> tuple[Any, bool]:
    """Ray, and whether this call has joined the cluster."""
    try:
        import ray
    except ImportError:
        raise ImportError("Ray is not installed; run: pip install 'stylewidgets[cluster]'") from None
    if ray.is_initialized():
        return ray, False
    address = os.environ.get(ADDRESS)
    if not address:
        raise ValueError(
            f"${ADDRESS} names the cluster, and it is not set. Start one with `ray start --head --block` behind a firewall "
            f"(it listens on all addresses), and set {ADDRESS}=auto there, or HOST:6379 elsewhere"
        )
    ray.init(address=address, log_to_driver=False, logging_level="warning")
    return ray, True
