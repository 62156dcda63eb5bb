"""TransferEdit: the styles of another latent, on chosen channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.values import frozen, what
from .edits import Door, Edit, Sizes, json_code, register_kind
from .expression import latent_code
from .files import Data, Get, Put, keys
from .latent import Latent

if TYPE_CHECKING:
    from torch import Tensor


@register_kind
@dataclass(frozen=True, eq=False, repr=False)
class TransferEdit(Edit):
    """Takes each style channel towards that of a reference: ``s + weight * strength * (s_reference - s)`` (Collins et al.,
    CVPR 2020, equation 3).

    Args:
        reference: the `Latent` whose styles are taken, with all its edits.
        weights: float32, read-only, [sum of the layers' channels] from 0 to 1 in the order of `session.layers`; None is 1 for
            all.
        strength: 1 takes the reference's styles, 0 none.
        layers: rows first … last − 1 of w+; only the layers that read these take part. None for all.
        name: 1 to 200 characters.
        directional: takes only the reference's direction within the channels and keeps the length that the styles have there:
            ``s - a q s + a (q r / |q r|) |q s|`` with q the weights and a the strength, which may go beyond 1 (Chong et al.,
            Retrieve in Style, ICCV 2021; their notebook takes 1.3).

    Raises:
        ValueError: weights of another shape or outside of 0 to 1, an empty name.
    """

    reference: Latent
    weights: NDArray[np.float32] | None = None
    strength: float = 1.0
    layers: tuple[int, int] | None = None
    name: str = "transfer"
    directional: bool = False

    kind = "transfer"
    reach = (0.0, 1.0)
    stage = "s"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.reference, Latent):
            raise TypeError(f"reference is a Latent, such as session.latent(seed=7); {what(self.reference)} was given")
        if self.weights is not None:
            weights = frozen(f"weights of {self.name!r}", self.weights)
            if weights.ndim != 1 or not weights.size or weights.min() < 0 or weights.max() > 1:
                raise ValueError(
                    f"weights of {self.name!r} have shape [sum of channels] and are from 0 to 1; {list(weights.shape)} "
                    f"from {weights.min(initial=0):g} to {weights.max(initial=0):g} were given"
                )
            object.__setattr__(self, "weights", weights)

    @property
    def label(self) -> str:
        """How many channels it takes."""
        taken = "all channels" if self.weights is None else f"{len(self.channels)} channels"
        return f"{self.name}: {taken} from another picture; 1 is all of it"

    @property
    def nested(self) -> tuple[Latent, ...]:
        """The reference."""
        return (self.reference,)

    @property
    def channels(self) -> NDArray[np.intp]:
        """Places of the channels with a weight, [n]; none where all have one."""
        return super().channels if self.weights is None else np.flatnonzero(self.weights)

    def fits(self, sizes: Sizes) -> str | None:
        """Whether there is a weight for each channel."""
        wanted = sum(layer.channels for layer in sizes.layers)
        if self.weights is None or self.weights.size == wanted:
            return None
        return (
            f"weights of {self.name!r} must have shape [{wanted}] for this generator; [{self.weights.size}] was given. "
            "They were made for another one"
        )

    def apply(self, door: Door, value: Tensor, latent: Latent) -> Tensor:
        """The styles, taken towards the reference's. Ends are exact."""
        share = self.strength if self.weights is None else door.tensor(self.weights) * self.strength
        styles = door.flat_styles(self.reference)
        if self.directional:
            styles = styles * (
                (value * share).norm(dim=1, keepdim=True) / (styles * share).norm(dim=1, keepdim=True).clamp_min(1e-8)
            )
        return value * (1 - share) + styles * share

    def code(self, session: object) -> str:
        """Written out where all channels take part, else as JSON."""
        if self.weights is not None:
            return json_code("Edit", self)
        layers = "" if self.layers is None else f", layers={self.layers!r}"
        words = f"{latent_code(session, self.reference)}, strength={self.strength!r}{layers}, name={self.name!r}"
        words += ", directional=True" if self.directional else ""
        return f"sw.TransferEdit({words})"

    def describe(self, put: Put) -> Data:
        """What a file says of it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "strength": self.strength,
            "layers": None if self.layers is None else list(self.layers),
            "weights": None if self.weights is None else put(self.weights),
            "reference": self.reference.describe(put),
            **({"directional": True} if self.directional else {}),  # older versions refuse a word that they do not know
        }

    @classmethod
    def build(cls, data: object, get: Get) -> TransferEdit:
        """The inverse of `describe`."""
        needed = ("name", "strength", "reference")
        given = keys("edit", data, ("kind", "layers", "weights", "directional", *needed), required=needed)
        weights = None if given.get("weights") is None else get(given["weights"])
        reference = Latent.build(given["reference"], get)
        directional = given.get("directional", False)
        if not isinstance(directional, bool):
            raise ValueError(f"directional is true or false; {what(directional)} was found")  # noqa: TRY004
        return cls(reference, weights, given["strength"], given.get("layers"), given["name"], directional)
