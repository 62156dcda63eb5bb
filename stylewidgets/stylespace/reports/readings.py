"""Numbers read off pictures: what attributes, dependencies and disentanglement are measured with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import cache
from ..channel import Callback
from ..channel_statistics import Statistics
from ..search.pace import Pace

READABLE = 0.5  # R² or accuracy on renders that a factor must be read with


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads pictures [N, C, H, W] in about [-1, 1] as real numbers [N, F], such as the logits of classifiers.

    Attributes:
        names: of the readings.
        read: the function, a torch one; differentiable if rankings by gradient are wanted.
        groups: what each reading belongs to. Readings of one group say different things of one attribute ("hat: cap", "hat:
            none") and do not count as side effects of each other. The names when empty.
        key: identifies the function in the cache, "" to keep nothing.
    """

    names: tuple[str, ...]
    read: Callable[[Tensor], Tensor]
    groups: tuple[str, ...] = ()
    key: str = ""

    def __post_init__(self) -> None:
        if len(self.groups) not in (0, len(self.names)):
            raise ValueError(
                f"give one group for each of the {len(self.names)} readings; {len(self.groups)} were given"
            )

    @property
    def attributes(self) -> tuple[str, ...]:
        """The group of each reading."""
        return self.groups or self.names

    def __call__(self, pictures: Tensor) -> Tensor:
        """Readings [N, F] of pictures."""
        found = self.read(pictures)
        if found.ndim != 2 or found.shape != (len(pictures), len(self.names)):
            raise ValueError(
                f"the reader must give [{len(pictures)}, {len(self.names)}] numbers; {list(found.shape)} came"
            )
        return found

    def index(self, name: str) -> int:
        """Place of a reading. ValueError with the nearest name."""
        from ...core.checks import unknown_name

        if name not in self.names:
            raise unknown_name("reading", name, self.names)
        return self.names.index(name)


def avatar_reader(regressor: Any = None, *, readable: float = READABLE) -> Reader:
    """The factors of the avatar world, read by the factor network; only those that it reads well on renders.

    A number keeps its name, an angle gives "name sin" and "name cos", a category one log-odds each ("hat: cap"). Where one
    of the categories is "none", "hat" itself is the log-odds of any other.

    Args:
        regressor: a `FactorRegressor`; None for the bundled one.
        readable: R² or accuracy on renders that a factor must be read with.

    Raises:
        FileNotFoundError: the factor network is not installed.
    """
    from ...avatars.reading.factor_net import load_regressor
    from ...directions import fingerprint

    net = regressor if regressor is not None else load_regressor()
    heads = [head for head in net.heads if net.metrics.get(head.name, 1.0) >= readable]
    names, groups = [], []
    for head in heads:
        if head.kind == "continuous":
            mine = [head.name]
        elif head.kind == "circular":
            mine = [f"{head.name} sin", f"{head.name} cos"]
        else:
            mine = [head.name if c == "none" else f"{head.name}: {c}" for c in head.categories]
        names += mine
        groups += [head.name] * len(mine)

    def read(pictures: Tensor) -> Tensor:
        raw = net(pictures[:, :3].expand(-1, 3, -1, -1).clamp(-1, 1).to(net.out.weight))
        return torch.cat([_outputs(head, raw[:, head.start : head.stop]) for head in heads], dim=1)

    return Reader(tuple(names), read, tuple(groups), f"avatar factors {fingerprint(net)} {readable}")


def _outputs(head: Any, part: Tensor) -> Tensor:
    if head.kind == "categorical":
        log = part.log_softmax(1)
        odds = log - torch.log1p(-log.exp().clamp(max=1 - 1e-6))
        return odds * odds.new_tensor([-1.0 if c == "none" else 1.0 for c in head.categories])
    if head.mean:
        part = part * part.new_tensor(head.std) + part.new_tensor(head.mean)
    return part if head.kind == "circular" else head.low + (part + 1) / 2 * (head.high - head.low)


def read_samples(
    session: Any,
    stats: Statistics,
    reader: Reader,
    *,
    batch: int = 32,
    cached: bool = True,
    callback: Callback | None = None,
) -> NDArray[np.float32]:
    """Readings [n, F] of the pictures of all samples of `stats`, in their order.

    callback(done, n) after each batch; a `Stopped` from it goes on to the caller. Kept on disk when the reader has a key.
    """
    kept = cached and bool(reader.key)
    name = cache.key(session, "readings", reader=reader.key, n=stats.n, seed=stats.seed, psi=stats.psi) if kept else ""
    found = cache.read(name) if kept else None
    if found is not None and found["readings"].shape == (stats.n, len(reader.names)):
        return found["readings"]
    readings = read_w(session, reader, stats.w, batch=batch, callback=callback)
    if kept:
        cache.write(name, readings=readings)
    return readings


def read_w(
    session: Any, reader: Reader, w: NDArray[Any], *, batch: int = 32, callback: Callback | None = None
) -> NDArray[np.float32]:
    """Readings [n, F] of the pictures of w [n, w_dim] or w+ [n, num_ws, w_dim], at most `batch` at a time."""
    rows: list[NDArray[np.float32]] = []
    for part in Pace(batch).batches(len(w)):
        with session.lock, torch.inference_mode():
            codes = torch.as_tensor(np.ascontiguousarray(w[part]), device=session.device)
            rows.append(reader(session.synthesize(codes).float()).float().cpu().numpy())
        if callback is not None:
            callback(part.stop, len(w))
    return np.concatenate(rows) if rows else np.zeros((0, len(reader.names)), np.float32)


def check_readings(readings: Any, names: Sequence[str] | None, n: int) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Readings as float64 [n, F] and their names, from an array [n, F] or [n] or a dict of [n]."""
    if isinstance(readings, dict):
        names, readings = tuple(readings), np.stack([np.asarray(v) for v in readings.values()], axis=1)
    array = np.asarray(readings, np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != n:
        raise ValueError(f"readings are [{n}, factors], one row for each sample; {list(array.shape)} was given")
    if not np.isfinite(array).all():
        raise ValueError("readings must be finite numbers")
    named = tuple(names) if names is not None else tuple(f"factor {i}" for i in range(array.shape[1]))
    if len(named) != array.shape[1]:
        raise ValueError(f"{array.shape[1]} readings need as many names; {len(named)} were given")
    return array, named
