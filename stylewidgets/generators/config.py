"""What the configs of the families share: their checks, their plain values, and how sizes are read from parameters' shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class FamilyConfig:
    """Base of the settings of a family with a mapping network; a subclass is a frozen dataclass too.

    Attributes:
        title: of the family, for messages.
        z_dim, c_dim, w_dim: lengths of z, of the label (0 for none) and of w.
        mapping_layers: fully connected layers of the mapping network.
        mapping_width: features between them, None for w_dim.
        mapping_lr: learning rate multiplier of the mapping network.
        label_width: numbers that a label becomes before it joins z, None for as many as w has.
    """

    title: ClassVar[str]

    z_dim: int = 512
    c_dim: int = 0
    w_dim: int = 512
    mapping_layers: int = 8
    mapping_width: int | None = None
    mapping_lr: float = 0.01
    label_width: int | None = None

    def __post_init__(self) -> None:
        for name in ("z_dim", "w_dim", "mapping_layers"):
            check_whole(name, getattr(self, name))
        if isinstance(self.c_dim, bool) or not isinstance(self.c_dim, int) or self.c_dim < 0:
            raise ValueError(f"c_dim is the number of label entries, 0 for none; {self.c_dim!r} was given")
        for name in ("mapping_width", "label_width"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name))
        check_above_zero("mapping_lr", self.mapping_lr)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: _listed(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; unknown names are refused."""
        known = sorted(field.name for field in fields(cls))
        for name in sorted(set(values) - set(known)):
            raise ValueError(f"{cls.title} has no setting {name!r}; known are {', '.join(known)}")
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"the settings {dict(values)!r:.200} do not describe a {cls.title}: {error}") from error


@dataclass(frozen=True)
class BlockConfig(FamilyConfig):
    """Base of those with blocks from a learned constant up, each twice as large as the one before.

    Attributes:
        img_channels: colours of the picture.
        channels: feature maps of each block from the smallest up.
        use_noise: whether layers add noise.
        start: height and width of the learned constant.
    """

    channels: tuple[int, ...] = ()
    img_channels: int = 3
    use_noise: bool = True
    start: tuple[int, int] = (4, 4)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("img_channels", self.img_channels)
        for name in ("start", "channels"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            for count in getattr(self, name):
                check_whole(name, count)
        if len(self.start) != 2:
            raise ValueError(f"start is the height and width of the constant, such as (4, 4); {self.start} was given")

    @property
    def num_blocks(self) -> int:
        """Blocks, from the constant to the largest."""
        return len(self.channels)

    def size(self, block: int) -> tuple[int, int]:
        """Height and width of a block's output."""
        return self.start[0] << block, self.start[1] << block

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.size(self.num_blocks - 1)

    def block_name(self, block: int) -> str:
        """ "b4", "b8", ... (named after the 4-pixel start also where the constant is not square)."""
        return f"b{4 << block}"


class Shapes:
    """Shapes of a state_dict by name, of which settings are read.

    Args:
        params: names to tensors.
        title: of the family that they should be of.
    """

    def __init__(self, params: Mapping[str, Tensor], title: str) -> None:
        self._params, self._title = params, title

    def __contains__(self, name: str) -> bool:
        return name in self._params

    def __call__(self, name: str) -> tuple[int, ...]:
        """The shape of a parameter that has to be there."""
        if name not in self._params:
            raise ValueError(
                f"these are not the parameters of a {self._title} generator: {name} is missing "
                f"(first of {len(self._params)} names: {', '.join(sorted(self._params)[:3]) or 'none'})"
            )
        return tuple(self._params[name].shape)

    def found(self, pattern: str) -> list[re.Match[str]]:
        """The names that match from end to end."""
        return [match for name in self._params if (match := re.fullmatch(pattern, name))]

    def mapping(self, w_dim: int, label: int = 0) -> dict[str, Any]:
        """Settings of a `MappingNetwork`, in which a label has so many features beside z."""
        width, inputs = self("mapping.fc0.weight")
        layers = len(self.found(r"mapping\.fc\d+\.weight"))
        return {
            "z_dim": inputs - label,
            "w_dim": w_dim,
            "mapping_layers": layers,
            "mapping_width": width if layers > 1 and width != w_dim else None,
        }

    def embedding(self, w_dim: int) -> tuple[int, dict[str, Any]]:
        """(numbers beside z, settings) of a label that a layer ``mapping.embed`` takes; (0, {}) without one."""
        if "mapping.embed.weight" not in self:
            return 0, {}
        width, classes = self("mapping.embed.weight")
        return width, {"c_dim": classes, "label_width": width if width != w_dim else None}

    def blocks(self) -> dict[str, Any]:
        """Settings of a `BlockConfig`."""
        sizes = sorted(int(match[1]) for match in self.found(r"synthesis\.b(\d+)\.conv1\.weight"))
        const = self("synthesis.b4.const")
        if not sizes or sizes != [4 << i for i in range(len(sizes))] or len(const) != 3:
            raise ValueError(
                f"blocks b4, b8, b16, ... are expected; found {[f'b{size}' for size in sizes]} and const {const}"
            )
        return {
            "img_channels": self(f"synthesis.b{sizes[-1]}.torgb.weight")[0],
            "channels": tuple(self(f"synthesis.b{size}.conv1.weight")[0] for size in sizes),
            "start": const[1:],
        }


def check_whole(name: str, value: object, least: int = 1) -> None:
    """ValueError unless it is an int of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is a whole number from {least} up; {value!r} was given")


def check_above_zero(name: str, value: object) -> None:
    """ValueError unless it is a finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"{name} is positive{' or None' if name == 'conv_clamp' else ''}; {value!r} was given")


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """ValueError unless it is one of these."""
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}; {value!r} was given")


def _listed(value: object) -> object:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value
