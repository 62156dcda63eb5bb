"""The atlas of bodies from a user's files: tables of DensePose, and coordinate completion, the second network of Pose with Style.

Nothing in a file is executed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..core import files
from .detect import check
from .errors import CheckpointError, reading
from .formats import trees
from .names.posed import COMPLETION, completion_from_published

if TYPE_CHECKING:
    from ..generators.posed import Atlas
    from ..generators.posed.completion import CoordinateCompletion

Path = str | os.PathLike[str]


def read_atlas(table: Path, *, parts: Path | None = None, completion: Path | None = None, size: int = 512) -> Atlas:
    """What a `Person` from files needs besides their files.

    Args:
        table: ``dp_uv_lookup_256.npy``, or the folder that holds it.
        parts: ``uv_space_parts.npy``, or its folder; only garments need it.
        completion: ``CCM_epoch50.pt``. Without it, what the source's picture hides is drawn from nothing.
        size: places on a side of the atlas; the completion of the release wants 512.

    Raises:
        FileNotFoundError: a file is not there; says what it is and where it comes from.
        ValueError: a file is damaged, hostile or something else.
    """
    from ..generators.posed.atlas import Atlas
    from ..generators.posed.surface import PARTS_NAME, read_table

    return Atlas(
        read_table(table),
        None if parts is None else read_table(parts, PARTS_NAME),
        None if completion is None else read_completion(completion),
        size,
    )


def read_completion(path: Path) -> CoordinateCompletion:
    """The coordinate completion in a published file, such as ``CCM_epoch50.pt``, in evaluation mode on the CPU.

    Raises:
        FileNotFoundError: no such file.
        ValueError: (CheckpointError) it is no such network, damaged or hostile; the text says which.
    """
    from ..generators.posed.completion import CoordinateCompletion
    from ..generators.style_based import check_parameters

    file = files.as_path(path)
    kind = check(file)
    with reading(file):
        state = next(_states(trees.read(file, kind.format)), None)
        if state is None:
            raise CheckpointError("it holds no coordinate completion; the published one is called CCM_epoch50.pt")
        first = state.get("model.0.conv2d.weight")
        if first is None or first.ndim != 4 or not 1 <= len(first) <= 512:
            raise CheckpointError("the first layer of its coordinate completion is not there, or has an odd shape")
        network = CoordinateCompletion(len(first))
        wanted = network.state_dict()
        given = {name: value for name, value in state.items() if not name.endswith(".num_batches_tracked")}
        try:
            check_parameters(given, wanted, "coordinate completion", [n for n in wanted if n.endswith("_tracked")])
        except ValueError as error:
            raise CheckpointError(str(error)) from error
        for name, value in given.items():
            if not torch.isfinite(value).all():
                raise CheckpointError(f"{name} holds numbers that are not finite: the file is damaged")
        network.load_state_dict({name: value.float() for name, value in given.items()}, strict=False)
    return network.eval().requires_grad_(False)


def _states(tree: object, depth: int = 0) -> Iterator[dict[str, Tensor]]:
    """Every dictionary that has the names of such a network."""
    if not isinstance(tree, Mapping) or depth > 4:
        return
    tensors = {key: value for key, value in tree.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if COMPLETION in tensors:
        yield completion_from_published(tensors)
    for value in tree.values():
        yield from _states(value, depth + 1)
