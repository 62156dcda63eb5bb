"""What a family of generators is: plain torch modules, and the names that all of them share.

`Generator` is what every family has. `HasLayers`, `HasPreview` and `HasView` are what some of them can do besides, `HasScene`
what those can whose view is a `Camera`. A family of your own needs no change in the package: ``GeneratorSession(generator)``
takes it, and ``tests/contract/stub_family.py`` shows one line by line.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeGuard, runtime_checkable

from ..latent.view import View

if TYPE_CHECKING:  # a client of a session elsewhere knows of layers, too, and has no torch
    import torch
    from torch import Tensor, nn
    from typing_extensions import Self

Noise: TypeAlias = "str | Sequence[Tensor | None]"
"""A mode ("const", "random" or "none"), or a tensor for each noise picture; None leaves that layer without."""


class Layer(NamedTuple):
    """One style layer of a generator, in StyleSpace order.

    Attributes:
        name: "b8.conv0"; in `StyleBased` the module is ``generator.synthesis.get_submodule(name)``.
        kind: "conv" or "torgb" ("input" in StyleGAN3).
        block: index of the block that holds it, 0 for the 4-pixel block.
        ws_index: row of w+ that it reads.
        channels: length of its style vector (the input channels; twice the output channels in StyleGAN).
        resolution: pixels of its output's longer side.
    """

    name: str
    kind: str
    block: int
    ws_index: int
    channels: int
    resolution: int


class State(NamedTuple):
    """What passes from block to block: features ``x`` [N, C, H, W] and the picture so far ``img`` (float32) or None."""

    x: Tensor
    img: Tensor | None


class Config(Protocol):
    """Settings of a generator, a frozen dataclass; ``from_dict`` of the same class is the inverse."""

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""


class Generator(Protocol):
    """What every family is, a torch.nn.Module among other things: all that a session uses.

    Attributes:
        family: a short name, that of `Family` where it is registered.
        z_dim, c_dim, w_dim, num_ws: lengths of z, label (0 for none) and w; rows of w+.
        num_blocks: how many `step`s make a picture.
        resolution, img_channels: longer side of the picture in pixels; colours.
        layers: every style layer in StyleSpace order.
        noise_shapes: (height, width) of each noise picture, in the order of the convolutions.
        has_inner_pictures: whether `image` gives a picture, smaller but true, after every block and not only the last.
        has_previews: whether it is a `HasPreview` (it may depend on the config).
        can_run_layers: whether it is a `HasLayers` (likewise).
        default_psi, default_cutoff: the truncation that the family's published pictures have.
        extra: what it draws from besides, such as a background's own latent: names, and the length of each vector.
            "conditioning" (the angles of a camera, where one belongs to the code) is handed to `map` as c.
        needs_source: whether it draws from a `Latent.source`.
    """

    family: str
    z_dim: int
    c_dim: int
    w_dim: int
    num_ws: int
    num_blocks: int
    resolution: int
    img_channels: int
    layers: tuple[Layer, ...]
    noise_shapes: tuple[tuple[int, int], ...]
    has_inner_pictures: bool
    has_previews: bool
    can_run_layers: bool
    default_psi: float
    default_cutoff: int | None
    extra: Mapping[str, int]
    needs_source: bool

    @property
    def config(self) -> Config:
        """The settings that it was made from."""

    @property
    def mapping(self) -> nn.Module:
        """z, and a label, → w. Equal weights here mean equal w, so codes and directions of one fit the other."""

    @property
    def synthesis(self) -> nn.Module:
        """Everything that turns w into pictures."""

    @property
    def w_avg(self) -> Tensor:
        """Mean of w, [w_dim]."""

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""

    def centre(self, c: Tensor | None = None) -> Tensor:
        """What truncation pulls towards: [w_dim], or [N, w_dim] where every class has a mean of its own."""

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, z_dim] and c [N, c_dim] → w+ [N, num_ws, w_dim], not truncated."""

    def truncate(self, ws: Tensor, psi: float, cutoff: int | None = None, c: Tensor | None = None) -> Tensor:
        """Rows below `cutoff` pulled towards the mean of w, or of the label's w where the family has one for each class."""

    def styles(self, ws: Tensor) -> list[Tensor]:
        """w+ or w → one [N, C_l] per layer, affine in w."""

    def affine(self, k: int) -> tuple[Tensor, Tensor]:
        """Weight [C_k, w_dim] and bias [C_k] of layer k: its style is w · weightᵀ + bias."""

    def noise_maps(self) -> list[Tensor]:
        """The stored noise pictures [H, W] of noise "const", as `noise_shapes` has them."""

    def synthesize(
        self, x: Tensor | Sequence[Tensor], noise: Noise = "const", dtype: torch.dtype | None = None
    ) -> Tensor:
        """w, w+ or styles → pictures [N, img_channels, H, W], about [-1, 1]; differentiable."""

    def block_layers(self, i: int) -> slice:
        """Where block i's layers are in `layers`."""

    def block_noise(self, noise: Noise) -> Sequence[Noise]:
        """A noise argument of `synthesize`, checked and split into one per block."""

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Run block i on the state after block i − 1 (None for the first)."""

    def image(self, state: State) -> Tensor:
        """The picture of a state; ValueError where there is none yet."""

    # -- of torch.nn.Module ------------------------------------------------------------------------------------------
    _modules: dict[str, nn.Module | None]
    _parameters: dict[str, nn.Parameter | None]
    _buffers: dict[str, Tensor | None]

    def to(self, device: torch.device) -> Self: ...
    def eval(self) -> Self: ...
    def requires_grad_(self, requires_grad: bool = True) -> Self: ...
    def modules(self) -> Iterator[nn.Module]: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...
    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]: ...
    def buffers(self) -> Iterator[Tensor]: ...
    def state_dict(self) -> Mapping[str, Tensor]: ...
    def get_submodule(self, target: str) -> nn.Module: ...


@runtime_checkable
class HasLayers(Protocol):
    """A generator whose blocks can be run layer by layer, so that a change of one style costs no whole block.

    Convolutions and colours in order are `Generator.synthesize`, to the bit.
    """

    can_run_layers: bool

    def run_layer(
        self, k: int, x: Tensor | None, style: Tensor, noise: Noise = "const", dtype: torch.dtype | None = None
    ) -> Tensor:
        """A convolution on the features before (None for the first) gives features; a torgb the colours to be added."""

    def run_last(
        self, x: Tensor, styles: Sequence[Tensor], noise: Noise = "const", dtype: torch.dtype | None = None
    ) -> Tensor:
        """The last convolution and its torgb at once: the features in between, the largest of all, need not be kept."""

    def add_colours(self, colours: Tensor, img: Tensor | None = None) -> Tensor:
        """The picture after a block: its colours on top of the picture before."""


@runtime_checkable
class HasPreview(Protocol):
    """A generator that tells from an inner block about what the whole picture will be, at a fraction of the cost."""

    has_previews: bool

    def preview_resolution(self, i: int) -> int:
        """Longer side in pixels of the preview after block i."""

    def finish_small(self, i: int, x: Tensor, img: Tensor | None, styles: Sequence[Tensor]) -> Tensor:
        """The preview [N, img_channels, h, w] from what block i made and the styles of all layers after it."""


@runtime_checkable
class HasView(Protocol):
    """A generator that can be told where its pictures are seen from.

    Attributes:
        view_kind: the class of its views; its neutral value is false.

    Where the first blocks are the same for every view, ``view_block`` says which is the first that is not: what comes before
    is kept while a camera moves. Such a one that `HasPreview` besides draws a small picture of it: ``sketch_sizes`` are the
    sides that it may have, and ``sketch(x, styles, side)`` makes it of the features there and the styles of the layers after.
    """

    view_kind: type[View]

    @property
    def view_key(self) -> Hashable:
        """What the view in force does, None for a neutral one; equal keys draw equal pictures."""

    def viewed(self, view: View) -> AbstractContextManager[None]:
        """Draws what this view shows, inside the ``with``; the one before is back afterwards."""


@runtime_checkable
class HasSource(Protocol):
    """A generator that draws a source in a pose: one with ``needs_source``.

    Attributes:
        first_source: the hash of the source that was kept first, which is drawn where none is named; None before.
        stand_in: the hash of a source that nobody gave, which is the first until another one is kept; None where there is none.
    """

    first_source: str | None
    stand_in: str | None

    def keep(self, name: str, thing: object) -> None:
        """Know a source, or a picture that a view names, by its hash; what is neither is let pass."""

    def sourced(self, source: str | None) -> AbstractContextManager[None]:
        """Draws this source, inside the ``with``; None is the first. ValueError where it is not known."""


class Rays(NamedTuple):
    """One ray for each pixel, in reading order: a point of it is origins + directions · t.

    Attributes:
        origins, directions: [N, H · W, 3], float32, in the scene's own axes; directions need not have length 1.
    """

    origins: Tensor
    directions: Tensor


@runtime_checkable
class HasScene(Protocol):
    """A generator that has its things in space, and draws them as a camera sees them.

    Attributes:
        bounds: lowest and highest corner of the box that holds what is in front, in the scene's axes.
        camera_range: what it was trained on, in degrees: "yaw" and "pitch" → (lowest, highest).
        sees_behind: whether a background stands behind the box.
    """

    bounds: tuple[tuple[float, float, float], tuple[float, float, float]]
    camera_range: Mapping[str, tuple[float, float]]
    sees_behind: bool

    def posed(self, angles: Tensor) -> AbstractContextManager[None]:
        """Draws what cameras of these angles show, inside the ``with``: yaw, pitch and roll of a `Camera` in degrees, [1, 3] for
        all pictures of a batch or [N, 3] for one each; differentiable in them. All else is the generator's own."""

    def rays(self, height: int, width: int, count: int = 1) -> Rays:
        """The rays of the view in force."""

    def depth(self, x: Tensor | Sequence[Tensor], size: int | None = None) -> tuple[Tensor, Tensor]:
        """w, w+ or styles → how far along its ray each pixel's surface lies (the t of `Rays`, expected value) and how opaque it
        is (0 to 1), both [N, 1, size, size]; `size` is the side that the field is drawn at where it is not given."""

    def density(self, x: Tensor | Sequence[Tensor], points: Tensor) -> Tensor:
        """w, w+ or styles and points [N, P, 3] in the scene's axes → how dense it is there, [N, P], 0 or more per unit length."""


def runs_layers(generator: object) -> TypeGuard[HasLayers]:
    """Whether this one is a `HasLayers`, with the config that it has."""
    return isinstance(generator, HasLayers) and generator.can_run_layers


def makes_previews(generator: object) -> TypeGuard[HasPreview]:
    """Whether this one is a `HasPreview`, with the config that it has."""
    return isinstance(generator, HasPreview) and generator.has_previews


def view_block(generator: object) -> int:
    """The first block that draws another thing from another view."""
    return int(getattr(generator, "view_block", 0))


def view_kind(generator: object) -> type[View] | None:
    """The class of the views that a generator has, None for one without."""
    return getattr(generator, "view_kind", None)
