"""Long work: a job is a generator that yields `Progress` and returns its result; a `Run` drives one, step by step.

Closing a job stops it. It yields at least every `LONGEST` seconds of work, or says beforehand that its next step cannot be
divided. A script drives a run with `run`, a page with `turn` in slices of at most `SLICE` seconds; the result is the same.

Work that is too much for one process is a plan of shards; `bulk` carries it out here, in processes or on a cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach
from .driving import SLICE, run, shown, turn
from .runs import DONE, FAILED, LONGEST, PAUSED, READY, RUNNING, STOPPED, Job, Progress, Run
from .starting import Starter, check_names, kinds, register, start
from .work import Stream, Work, part

if TYPE_CHECKING:
    from .plans.bulk import bulk, watch
    from .plans.kept import Failure, Kept
    from .plans.moments import Moments, stream
    from .plans.processes import Processes
    from .plans.ray import OnRay
    from .plans.shards import Made, Shard, sharded, shards
    from .plans.worker import Here

# At first use: these read and write arrays, and `import stylewidgets.jobs` loads no numpy.
__getattr__, __dir__, _lazy = attach(
    __name__,
    {
        "plans.bulk": "bulk watch",
        "plans.kept": "Failure Kept",
        "plans.moments": "Moments stream",
        "plans.processes": "Processes",
        "plans.ray": "OnRay",
        "plans.shards": "Made Shard sharded shards",
        "plans.worker": "Here",
    },
)
