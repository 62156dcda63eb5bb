"""Edits as values: what every kind is, and the kinds by name. Knows no torch module."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.checks import check_finite, check_layers, unknown_name
from .files import Get
from .saved import Saved

if TYPE_CHECKING:
    from torch import Tensor

    from ..generators.protocol import Layer
    from .latent import Latent

STAGES = ("z", "w", "s")
"""Where edits act, in this order: on z; on w+ after blend and truncation; on the styles. Their order counts within a stage."""

Kind = TypeVar("Kind", bound="type[Edit]")
_KINDS: dict[str, type[Edit]] = {}


class Sizes(Protocol):
    """Of a generator, or of a session with one.

    Attributes:
        z_dim, w_dim: lengths of z and w.
        num_ws: rows of w+.
        layers: the style layers in StyleSpace order.
    """

    z_dim: int
    w_dim: int
    num_ws: int
    layers: tuple[Layer, ...]


class Door(Sizes, Protocol):
    """What a session lends to an edit. Everything is float32 and on the session's device, and needs no gradient."""

    def tensor(self, array: NDArray[np.generic]) -> Tensor:
        """An array as a tensor."""

    def map(self, latent: Latent) -> Tensor:
        """w+ of another latent, [1, num_ws, w_dim]."""

    def flat_styles(self, latent: Latent) -> Tensor:
        """Styles of another latent, [1, sum of channels]."""

    def editor(self, kind: str, weights: str) -> object:
        """The machine of that kind and hash of weights. ValueError with the remedy where there is none."""


class Edit(Saved):
    """Base of all kinds of edits, which are frozen values: each is a function of the code before it.

    ``Edit(direction, strength, layers)`` makes a `Move`, the kind that 0.1 had. Other kinds are subclasses, frozen dataclasses
    (eq=False, repr=False) with fields `name`, `strength`, `layers` and their own, registered by `register_kind`.

    Attributes:
        kind: of all edits of the class; with `name` it is the edit's identity within a latent.
        reach: of the class: the strengths that a slider starts with.
        stage: "z", "w" or "s": what it changes.
        name: 1 to 200 characters.
        strength: scales the whole edit; 0 changes nothing.
        layers: rows first … last − 1 of w+ that it acts on (for "s": layers that read these rows); None for all.
    """

    title = "edit"
    accepted = "Accepted are .json and .npz files written by Edit.save"
    kind: ClassVar[str] = ""
    reach: ClassVar[tuple[float, float]] = (-5.0, 5.0)

    if TYPE_CHECKING:  # fields of the subclasses, which as properties at run time would be their defaults

        @property
        def stage(self) -> str: ...
        @property
        def name(self) -> str: ...
        @property
        def strength(self) -> float: ...
        @property
        def layers(self) -> tuple[int, int] | None: ...

    def __new__(cls, *args: object, **values: object) -> Edit:
        """An edit along a direction where no kind is named."""
        return super().__new__(_KINDS["move"] if cls is Edit else cls)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or len(self.name) > 200:
            raise ValueError(f"an edit's name is a text of 1 to 200 characters; {self.name!r:.80} was given")
        if self.stage not in STAGES:  # nobody would ever ask for it
            raise unknown_name(f"stage of the edit {self.name!r}", self.stage, STAGES)
        object.__setattr__(self, "strength", check_finite(f"strength of {self.name!r}", self.strength))
        if self.layers is not None:
            if self.stage == "z":
                raise ValueError(f"z has no rows, so layers of the edit {self.name!r} must be None")
            object.__setattr__(self, "layers", check_layers(self.layers))

    def __repr__(self) -> str:
        more = "" if self.layers is None else f", layers={self.layers}"
        return f"{type(self).__name__}({self.name!r}, {self.strength:g}{more})"

    # -- what it is ----------------------------------------------------------------------------------------------------
    @property
    def identity(self) -> tuple[str, str]:
        """Kind and name: no two edits of a latent have the same."""
        return self.kind, self.name

    @property
    def version(self) -> int:
        """Of the first latents' files that can hold it."""
        return 2

    @property
    def label(self) -> str:
        """What it does, in a line."""
        return self.name

    @property
    def controls(self) -> dict[str, float]:
        """Values that can be set one by one besides the strength, by name; most kinds have none."""
        return {}

    def control_reach(self, name: str) -> tuple[float, float]:
        """From where to where a slider of one of its `controls` goes at first, around its value."""
        size = max(1.0, 2 * abs(self.controls[name]))
        return -size, size

    @property
    def nested(self) -> tuple[Latent, ...]:
        """Latents inside it."""
        return ()

    @property
    def channels(self) -> NDArray[np.intp]:
        """Places of the style channels that it touches, [n], where it acts on s and not on all of them."""
        return np.zeros(0, np.intp)

    # -- variations ----------------------------------------------------------------------------------------------------
    def with_strength(self, strength: float) -> Edit:
        """Return this edit with another strength."""
        return replace(self, strength=strength)  # type: ignore[type-var]

    def with_layers(self, layers: tuple[int, int] | None) -> Edit:
        """Return this edit on other rows of w+."""
        return replace(self, layers=layers)  # type: ignore[type-var]

    def with_control(self, name: str, value: float) -> Edit:
        """Return this edit with another value of one of its `controls`. ValueError where there is none of that name."""
        raise unknown_name(f"control of {self.name!r}", name, self.controls)

    def renamed(self, name: str) -> Edit:
        """Return this edit under another name."""
        return replace(self, name=name)  # type: ignore[type-var]

    # -- where it can act ----------------------------------------------------------------------------------------------
    def accepts(self, latent: Latent) -> str | None:
        """Why it cannot act on what a latent starts from, with the remedy, or None.

        A kind of stage "w" that accepts codes in s adds the same to any w: it is applied to zeros, and what the affine style
        layers make of it is added to the code.
        """
        space = "z" if latent.code is None else latent.code.space
        if self.stage == "z" and space != "z":
            return (
                f"edit {self.name!r} acts on z, which a code in {space} does not have; start from a seed or a code in z"
            )
        if self.stage == "w" and space == "s":
            return f"edit {self.name!r} acts on w, which a code in s does not have; start from a seed or a code in z, w or w+"
        return None

    def fits(self, sizes: Sizes) -> str | None:
        """Why it cannot act on what a generator of these sizes has, or None."""
        return None

    def apply(self, door: Door, value: Tensor, latent: Latent) -> Tensor:
        """What it makes of the code before it; a new tensor.

        Args:
            door: what the session lends.
            value: z [1, z_dim], w+ [1, num_ws, w_dim] or styles [1, sum of channels], by `stage`. What is made outside of
                `layers` is not used.
            latent: that it belongs to.
        """
        raise NotImplementedError

    # -- text ----------------------------------------------------------------------------------------------------------
    def code(self, session: object) -> str:
        """Python that makes an equal edit, as the arguments of `Latent.with_edit`; `sw` and `session` stand for themselves."""
        return json_code("Edit", self)

    @classmethod
    def build(cls, data: object, get: Get) -> Edit:
        """The edit of a description, whatever its kind. ValueError where nobody registered it."""
        if not isinstance(data, dict):
            raise ValueError(f"its edit must be a dictionary; {type(data).__name__} was found")  # noqa: TRY004
        kind = data.get("kind", "move")
        if not isinstance(kind, str) or kind not in _KINDS:
            known = unknown_name("kind of edit", kind, _KINDS)
            raise ValueError(f"{known}. Import the module that registers it first")
        return _KINDS[kind].build(data, get)


def register_kind(kind: Kind) -> Kind:
    """Make a kind of edits known to files. To be used as a decorator of the class.

    Raises:
        ValueError: it has no name, or another class has it.
    """
    if not kind.kind or _KINDS.get(kind.kind, kind).__qualname__ != kind.__qualname__:
        raise ValueError(f"a kind of edits needs a name of its own; {kind.kind!r} was given")
    if "build" not in vars(kind):
        raise ValueError(f"{kind.__name__} needs a `build` of its own, the inverse of its `describe`")
    _KINDS[kind.kind] = kind
    return kind


def kinds() -> dict[str, type[Edit]]:
    """Every registered kind by name."""
    return dict(_KINDS)


def json_code(name: str, value: Saved, width: int = 100) -> str:
    """Python that makes an equal value from its JSON: one expression, in lines that can be read."""
    text = value.to_json()
    lines = (f"    {text[start : start + width]!r}" for start in range(0, len(text), width))
    return "\n".join([f"sw.{name}.from_json(", *lines, ")"])
