"""What a session tells of its generator to those who measure, invert and edit: w, weights, noise, identity."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..generators.identity import fingerprint as module_fingerprint
from ..generators.identity import w_fingerprint
from .checks import label_vector
from .drawing import layer_index
from .synthesis import versions

if TYPE_CHECKING:
    from .session import GeneratorSession

Made = TypeVar("Made")
Label = int | Sequence[float] | Mapping[int, float] | None
"""A class, the numbers of a vector, or several classes by weight."""


def map_z(session: GeneratorSession, z: Tensor, c: Tensor | None = None) -> Tensor:
    """z [N, z_dim] and, for a conditional generator, labels c [N, c_dim] → w [N, w_dim], not truncated."""
    with session.lock:
        return session.generator.map(z, c)[:, 0]


def truncate(
    session: GeneratorSession, w: Tensor, psi: float, cutoff: int | None = None, c: Tensor | None = None
) -> Tensor:
    """Rows below `cutoff` of w+ (or a w) pulled towards the mean, of the label c where every class has one; as `Latent.psi`."""
    with session.lock:
        return session.generator.truncate(w, psi, cutoff, c)


def each_class(session: GeneratorSession, n: int) -> Tensor | None:
    """Labels c [n, c_dim] that go through the classes in turn; None for a generator without."""
    if not session.c_dim:
        return None
    return _one_hot(session, torch.arange(n, dtype=torch.int64, device="cpu") % session.c_dim)


@torch.no_grad()
def sample_w(session: GeneratorSession, n: int, seed: int = 0, psi: float = 1.0, *, label: Label = None) -> Tensor:
    """w [n, w_dim] of n random z, which come from NumPy's RandomState(seed).

    Args:
        psi: of truncation.
        label: of a conditional generator, as `Latent` and `session.latent` take it; None draws classes evenly, from the same
            state after z.
    """
    z, c = sample_z(session, n, seed, label)
    return session.truncate(session.map_z(z, c), psi, None, c)


def sample_z(session: GeneratorSession, n: int, seed: int = 0, label: Label = None) -> tuple[Tensor, Tensor | None]:
    """z [n, z_dim] of NumPy's RandomState(seed) and, for a conditional generator, labels c [n, c_dim]; as of `sample_w`.

    Raises:
        ValueError: a label that the generator does not have.
    """
    chosen = label_vector(session.c_dim, label) if isinstance(label, Mapping) else label
    if isinstance(chosen, int | np.integer) and not 0 <= chosen < session.c_dim:
        what = f"labels 0 to {session.c_dim - 1}" if session.c_dim else "no labels: it is unconditional"
        raise ValueError(f"label {chosen} was given; this generator takes {what}")
    source = np.random.RandomState(seed)
    z = torch.from_numpy(source.randn(n, session.z_dim).astype(np.float32)).to(session.device)
    if not session.c_dim:
        return z, None
    if isinstance(chosen, Sequence):
        c = torch.tensor([chosen], dtype=torch.float32, device=session.device)
        if c.shape != (1, session.c_dim):
            raise ValueError(
                f"a label vector has shape [{session.c_dim}] for this generator; [{len(chosen)}] was given"
            )
        return z, c.expand(n, -1)
    classes = source.randint(session.c_dim, size=n) if chosen is None else np.full(n, chosen)
    return z, _one_hot(session, torch.from_numpy(classes))


def parameters(session: GeneratorSession) -> dict[str, Tensor]:
    """The generator's parameters by name, detached. They are the generator's own memory: not to be changed."""
    return {name: parameter.detach() for name, parameter in session.generator.named_parameters()}


def _one_hot(session: GeneratorSession, classes: Tensor) -> Tensor:
    return torch.eye(session.c_dim, dtype=torch.float32, device=session.device)[classes.to(session.device)]


def affine(session: GeneratorSession, layer: str | int) -> tuple[Tensor, Tensor]:
    """Weight [C, w_dim] and bias [C] of a layer, by name or index: its style is w · weightᵀ + bias."""
    with session.lock:
        return session.generator.affine(layer_index(session, layer))


def noise_maps(session: GeneratorSession) -> list[Tensor]:
    """Copies of the stored noise pictures [1, 1, H, W], one for each of `noise_shapes`; [] for a generator without."""
    with session.lock:
        return [picture.detach().clone().view(1, 1, *picture.shape[-2:]) for picture in session.generator.noise_maps()]


def plain_facts(session: GeneratorSession) -> dict[str, Any]:
    """What is to be known of the generator on another machine, besides what the session says itself."""
    generator = session.generator
    return {
        "family": type(generator).__name__,
        "default_psi": generator.default_psi,
        "default_cutoff": generator.default_cutoff,
        "extra": dict(generator.extra),
        "needs_source": generator.needs_source,
        "first_source": getattr(generator, "first_source", None),
    }


def fingerprint(session: GeneratorSession, part: str = "all") -> str:
    """16 hexadecimal digits that identify the weights, equal for copies with half the digits.

    Args:
        part: "all", or "w" for the mapping network alone: codes and machines of w fit every generator with the same.
    """
    if part == "w":
        return session.remembered("fingerprint", lambda: w_fingerprint(session.generator.mapping), "mapping")
    return session.remembered("fingerprint", lambda: module_fingerprint(session.generator))


def remembered(session: GeneratorSession, key: Hashable, make: Callable[[], Made], part: str = "all") -> Made:
    """What `make` returns, made once for as long as the weights stay the same.

    Args:
        key: equal for equal things.
        part: "all", or "mapping" for what only depends on the mapping network.
    """
    with session.lock:
        now = versions(session.generator.mapping if part == "mapping" else session.generator)
        kept = session._memory.get((part, key))
        if kept is None or kept[0] != now:
            kept = session._memory[part, key] = (now, make())
        return kept[1]  # type: ignore[return-value]


def save(session: GeneratorSession, path: str | os.PathLike[str], dtype: str = "fp16") -> None:
    """Write the generator and its metadata as one safetensors file, which `stylewidgets.load` reads.

    Args:
        path: usually ends in .safetensors.
        dtype: "fp16" or "fp32" of the weights.

    Raises:
        ValueError: the family is not registered (`generators.register`), or the weights do not fit the dtype.
    """
    from ..checkpoints.formats import native

    with session.lock:
        native.save(os.fspath(path), session.generator, session.metadata, dtype)
