"""Copies of a session's generator in which some parameters are others."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..generators.protocol import Generator

if TYPE_CHECKING:
    import numpy as np

    from .session import GeneratorSession

Arrays = Mapping[str, "Tensor | NDArray[np.float32]"]


def tuned(
    session: GeneratorSession, delta: Arrays, noise: Sequence[Tensor | NDArray[np.float32]] | None = None
) -> GeneratorSession:
    """A session over the same generator with some parameters moved and, if given, other constant noise.

    This session stays as it is; what is not changed is shared with it.

    Args:
        delta: parameter name → what is added to it.
        noise: [1, H, W] per layer with noise, in the generator's order.

    Raises:
        ValueError: a parameter or noise pictures that the generator does not have.
    """
    with session.lock:
        known = dict(session.generator.named_parameters())
        moved = {}
        for name, change in delta.items():
            if name not in known or tuple(known[name].shape) != tuple(change.shape):
                raise ValueError(
                    f"this inversion tuned {name} {list(change.shape)}, which the generator does not have: "
                    f"it belongs to another generator than {session.name!r}"
                )
            own = known[name].detach()
            added = own + torch.as_tensor(change, dtype=torch.float32, device=own.device)
            moved[name] = nn.Parameter(added.to(own.dtype), requires_grad=False)
        generator = _with(session.generator, moved)
        if noise is not None:
            _set_noise(generator, noise)
        return session.over(generator)


def trainable(session: GeneratorSession) -> tuple[GeneratorSession, dict[str, nn.Parameter]]:
    """A session over a private float32 copy whose synthesis network can be tuned, and the parameters that can, by name.

    It shares the mapping network and all buffers with this one. The input of StyleGAN3 stays frozen, as in Alaluf et al., "Third
    Time's the Charm?", 2022.
    """
    with session.lock:
        moving = {
            name: nn.Parameter(parameter.detach().float().clone())
            for name, parameter in session.generator.named_parameters()
            if name.startswith("synthesis.") and not name.startswith("synthesis.input.")
        }
        made = session.over(_with(session.generator, moving), "fp32")
    for parameter in moving.values():
        parameter.requires_grad_()
    return made, moving


def _with(generator: Generator, parameters: Mapping[str, nn.Parameter]) -> Generator:
    """The modules anew, every tensor still the same one but these parameters."""
    shared = {id(t): t for t in (*generator.parameters(), *generator.buffers())}
    made = copy.deepcopy(generator, memo=dict[int, object](shared))
    for name, parameter in parameters.items():
        owner, _, leaf = name.rpartition(".")
        setattr(made.get_submodule(owner), leaf, parameter)
    return made


def _set_noise(generator: Generator, noise: Sequence[Tensor | NDArray[np.float32]]) -> None:
    own = {id(picture) for picture in generator.noise_maps()}
    places = [(m, k) for m in generator.modules() for k, buffer in m._buffers.items() if id(buffer) in own]
    if len(places) != len(noise):
        raise ValueError(f"{len(noise)} noise pictures were fitted; this generator has {len(places)} layers with noise")
    for (module, name), picture in zip(places, noise, strict=True):
        old = module.get_buffer(name)
        module._buffers[name] = torch.as_tensor(picture, dtype=old.dtype, device=old.device).reshape(old.shape)
