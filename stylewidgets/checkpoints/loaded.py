"""What every reader of a foreign format returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass
class Loaded:
    """A generator as data.

    Attributes:
        family: a name of the registry of families, such as "stylegan2".
        config: the family's config.
        state: parameters and buffers under the names of our module.
        metadata: plain JSON values: format, licence hint, notes ...
    """

    family: str
    config: Any
    state: dict[str, Tensor]
    metadata: dict[str, Any] = field(default_factory=dict)
