"""Shards in processes of this machine."""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.connection import Connection

from ..runs import LONGEST
from .shards import NAME
from .worker import Outcome, Task, make

TRIES = 3


class Processes:
    """Each worker is a fresh process (spawn). One that dies is replaced, and its shard tried again, `TRIES` times in all.

    They end with the process that started them, however that ends. As always with spawn, a script that uses this has its own
    work under ``if __name__ == "__main__":``.

    Args:
        workers: None for as many as there are processors.
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers are 1 or more; {workers} was given")
        self.workers = (
            workers or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1
        )

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[Outcome | None]:
        """See `Executor`."""
        context = get_context("spawn")
        reading, writing = context.Pipe(duplex=False)  # only this process can write, so that its end is seen by all

        def pool() -> ProcessPoolExecutor:
            # One process each: where one dies, it is known which shard that was.
            return ProcessPoolExecutor(1, context, _begin, (reading,))

        waiting, tries = deque(tasks), Counter[str]()
        free = [pool() for _ in range(min(self.workers, len(tasks)))]
        busy: dict[Future[Outcome], tuple[Task, ProcessPoolExecutor]] = {}
        try:
            while waiting or busy:
                while waiting and free:
                    task, worker = waiting.popleft(), free.pop()
                    busy[worker.submit(make, task)] = task, worker
                done, _ = wait(busy, LONGEST, FIRST_COMPLETED)
                if not done:
                    yield None
                for future in done:
                    task, worker = busy.pop(future)
                    name = str(task.shard[NAME])
                    if isinstance(future.exception(), BrokenProcessPool):
                        worker.shutdown(wait=False)
                        free.append(pool())
                        tries[name] += 1
                        if tries[name] < TRIES:
                            waiting.appendleft(task)
                        else:
                            yield lost(task, f"its process died {TRIES} times; memory may be short")
                    else:
                        free.append(worker)
                        yield future.result()
        finally:
            writing.close()  # they end now, also within a shard
            for worker in (*free, *(worker for _, worker in busy.values())):
                worker.shutdown(wait=True, cancel_futures=True)
            reading.close()


def lost(task: Task, why: str) -> Outcome:
    """The outcome of a shard that no worker lived to tell of."""
    from .kept import Kept

    return Outcome(str(task.shard[NAME]), Kept(task.folder).fail(task.shard, RuntimeError(why)).error)


def _begin(alive: Connection) -> None:
    """In a new worker: one thread for whatever counts them by this variable, and an end with the driver."""
    os.environ["OMP_NUM_THREADS"] = "1"

    def end() -> None:
        try:
            alive.recv_bytes()
        except (EOFError, OSError):
            pass
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
