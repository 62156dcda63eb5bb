"""From what a reader found to a generator module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..core.checks import unknown_name
from ..generators.families import FAMILIES
from ..generators.style_based import check_parameters
from ..ops.devices import from_file
from .errors import CheckpointError
from .loaded import Loaded
from .pickle.tensors import check_size

NOISE_SEED = 0


@from_file()
def build(loaded: Loaded) -> nn.Module:
    """A generator in evaluation mode, float32, on the CPU, that owns copies of its weights.

    A missing mean of w is estimated, missing noise pictures are drawn from a fixed seed; ``loaded.metadata["notes"]``
    says so.

    Raises:
        CheckpointError: parameters are missing, unknown, of another shape or not finite; the first is named.
    """
    check_size(loaded.config)  # noise pictures that the file does not hold are made at the size that it claims
    generator = empty(loaded)
    wanted = generator.state_dict()
    given = {
        name: value for name, value in loaded.state.items() if name in wanted or not name.endswith(".resample_filter")
    }
    notes = loaded.metadata.setdefault("notes", [])
    noise = [name for name in wanted if name not in given and name.endswith("noise_const")]
    if noise:
        given.update(_drawn(wanted, noise))
        notes.append(f"{len(noise)} noise pictures are not in the file; they are drawn from seed {NOISE_SEED}")
    means = [name for name in wanted if name not in given and name.split(".")[-1] == "w_avg"]
    given.update((name, torch.zeros(wanted[name].shape, dtype=torch.float32, device="cpu")) for name in means)
    try:
        check_parameters(given, wanted, loaded.family)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    own = {
        name: given[name].detach().to(value.dtype, copy=True, memory_format=torch.contiguous_format)
        for name, value in wanted.items()
    }
    for name, value in own.items():
        # One sum is finite wherever all numbers are, but for huge ones; looking at each takes five times as long.
        if value.is_floating_point() and not torch.isfinite(value.sum()) and not torch.isfinite(value).all():
            raise CheckpointError(
                f"{name} holds numbers that are not finite: the file is damaged, or its training diverged"
            )
    generator.load_state_dict(own, assign=True)
    generator.eval().requires_grad_(False)
    if means:
        generator.estimate_w_avg()  # type: ignore[operator]
        notes.append("the mean of w is not in the file; it is estimated over 10,000 seeded samples")
    return generator


def settle(loaded: Loaded, settings: Mapping[str, object]) -> None:
    """Put settings that the file does not tell into the config of what was read.

    Raises:
        CheckpointError: a name or a value that the family does not take.
    """
    if not settings:
        return
    open_ones = FAMILIES[loaded.family].not_in_shapes
    for name in settings:
        if name not in open_ones:
            raise CheckpointError(
                str(unknown_name(f"setting of a {loaded.family} that a file may leave open", name, open_ones))
            )
    try:
        loaded.config = replace(loaded.config, **settings)
    except (TypeError, ValueError) as error:
        raise CheckpointError(str(error)) from error
    loaded.metadata["settings"] = dict(settings)


class _NoNumbers(TorchFunctionMode):
    """torch.randn gives memory that is not filled: at 1024 pixels, first weights that are thrown away cost a second.

    Not the "meta" device: its randn imports the whole compiler of torch, five seconds.
    """

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Iterable[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        make: Callable[..., object] = torch.empty if func is torch.randn else func
        return make(*args, **(kwargs or {}))


def empty(loaded: Loaded) -> nn.Module:
    """The module of a config, its weights yet to come."""
    from ..generators.families import build as make

    with from_file(), _NoNumbers():
        return make(loaded.family, loaded.config)


def _drawn(wanted: dict[str, Tensor], names: list[str]) -> dict[str, Tensor]:
    source = torch.Generator().manual_seed(NOISE_SEED)
    return {
        name: torch.randn(wanted[name].shape, generator=source, dtype=torch.float32, device="cpu") for name in names
    }
