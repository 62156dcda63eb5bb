"""What generator families with a mapping network and style layers have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .families import FAMILIES
from .layers import FullyConnected
from .protocol import Layer, Noise, State

if TYPE_CHECKING:
    from typing_extensions import Self


class StyleBased(nn.Module):
    """All of the protocol but the blocks. A family sets the attributes, ``mapping`` and ``synthesis``, and has `block_layers`,
    `block_noise`, `step` and `image`.

    Attributes:
        num_ws, w_dim, z_dim, c_dim: sizes.
        layers: every style layer in StyleSpace order.
        synthesis: a module with ``<layer>.affine``, a `FullyConnected` from w to the style, for each layer.
        mapping: z [N, z_dim] and label → w [N, w_dim], with a buffer ``w_avg`` [w_dim], or [c_dim, w_dim] where every
            class has a mean of its own (StyleGAN-XL).
        default_psi, default_cutoff: the truncation of the family's published pictures.
    """

    family: str
    default_psi: float = 1.0
    default_cutoff: int | None = None
    has_inner_pictures: bool = False
    has_previews: bool = False
    can_run_layers: bool = False
    extra: Mapping[str, int] = MappingProxyType({})
    needs_source: bool = False

    num_ws: int
    w_dim: int
    z_dim: int
    c_dim: int
    num_blocks: int
    layers: tuple[Layer, ...]
    mapping: nn.Module
    synthesis: nn.Module

    @property
    def w_avg(self) -> Tensor:
        """Mean of w, [w_dim]: the buffer ``mapping.w_avg``, or the mean of its rows where every class has one."""
        mean = self.mapping.get_buffer("w_avg")
        return mean if mean.ndim == 1 else mean.mean(dim=0)

    def centre(self, c: Tensor | None = None) -> Tensor:
        """What truncation pulls towards: `w_avg` [w_dim], or [N, w_dim] for labels c [N, c_dim] with means of their own."""
        mean = self.mapping.get_buffer("w_avg")
        if mean.ndim == 1 or c is None:
            return self.w_avg
        check_rows("c", c, self.c_dim)
        return c.to(mean.dtype) @ mean

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.mapping.get_buffer("w_avg").device

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, z_dim] and, for conditional generators, c [N, c_dim] → w+ [N, num_ws, w_dim], not truncated."""
        w: Tensor = self.mapping(z, c)
        return w.unsqueeze(1).repeat(1, self.num_ws, 1)

    def truncate(self, ws: Tensor, psi: float, cutoff: int | None = None, c: Tensor | None = None) -> Tensor:
        """Pull rows [0, cutoff) of w+ (or a w) towards the mean: w_avg + psi·(w − w_avg). 1 leaves them, 0 is the mean.

        Args:
            ws: [N, num_ws, w_dim] or [N, w_dim].
            psi: any finite number; 0.5 to 1 is usual.
            cutoff: from 0 to num_ws; None for all rows.
            c: labels [N, c_dim] or [1, c_dim]. They only count where every class has its own mean (StyleGAN-XL), which
                without them is replaced by the mean over the classes.
        """
        if not math.isfinite(psi):
            raise ValueError(f"psi is a finite number, 0 (the average) to 1 (no truncation) as a rule; {psi} was given")
        if cutoff is not None and not 0 <= cutoff <= self.num_ws:
            raise ValueError(f"cutoff is a row count from 0 to {self.num_ws}, or None for all; {cutoff} was given")
        self._check_ws(ws)
        if psi == 1:
            return ws
        centre = self.centre(c)
        centre = centre[:, None] if centre.ndim == 2 and ws.ndim == 3 else centre
        near = centre + (ws - centre) * psi
        if cutoff is None or cutoff == self.num_ws:
            return near
        if ws.ndim == 2:
            raise ValueError(
                f"a cutoff needs w+ [N, {self.num_ws}, {self.w_dim}]; w of shape {list(ws.shape)} was given"
            )
        return torch.cat([near[:, :cutoff], ws[:, cutoff:]], dim=1)

    def styles(self, ws: Tensor) -> list[Tensor]:
        """w+ [N, num_ws, w_dim] or w [N, w_dim] → one style [N, C_l] per layer, in the order of `layers`."""
        self._check_ws(ws)
        rows = ws.unbind(dim=1) if ws.ndim == 3 else [ws] * self.num_ws
        return [affine(rows[layer.ws_index]) for affine, layer in zip(self._affines, self.layers, strict=True)]

    def affine(self, k: int) -> tuple[Tensor, Tensor]:
        """Weight [C_k, w_dim] and bias [C_k] as layer k uses them: its style is w · weightᵀ + bias."""
        module = self._affines[k]
        return module.weight * module.gain, module.bias * module.lr_multiplier

    @cached_property
    def _affines(self) -> list[FullyConnected]:
        found = [self.synthesis.get_submodule(f"{layer.name}.affine") for layer in self.layers]
        return [affine for affine in found if isinstance(affine, FullyConnected)]

    def noise_maps(self) -> list[Tensor]:
        """The stored noise pictures, [H, W] each, in the order of the layers with noise."""
        return [
            module.get_buffer("noise_const") for module in self.synthesis.modules() if "noise_const" in module._buffers
        ]

    def synthesize(
        self, x: Tensor | Sequence[Tensor], noise: Noise = "const", dtype: torch.dtype | None = None
    ) -> Tensor:
        """Pictures [N, img_channels, H, W], float32, differentiable in every input.

        Args:
            x: w [N, w_dim], w+ [N, num_ws, w_dim], or a list of styles as `styles` returns.
            noise: "const" (the stored pictures), "random" (fresh), "none", or one tensor per layer with noise, each [H, W],
                [1, 1, H, W] or [N, 1, H, W] with ``noise_shapes``; None in the list leaves that layer without.
            dtype: of the features; None is float32 (or what torch.autocast chooses).
        """
        styles = self.styles(x) if isinstance(x, Tensor) else list(x)
        self._check_styles(styles, self.layers)
        state: State | None = None
        for i, own in enumerate(self.block_noise(noise)):
            state = self.step(i, state, styles[self.block_layers(i)], own, dtype)
        assert state is not None
        return self.image(state)

    forward = synthesize

    def block_layers(self, i: int) -> slice:
        """Where block i's layers are in `layers`."""
        raise NotImplementedError

    def block_noise(self, noise: Noise) -> Sequence[Noise]:
        """A noise argument of `synthesize`, checked and split into one per block."""
        raise NotImplementedError

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Run block i on the state after block i − 1 (None for the first). Steps 0 … num_blocks − 1 are `synthesize`.

        Args:
            i: block index.
            state: result of the step before.
            styles: this block's styles, ``styles[generator.block_layers(i)]``.
            noise: a mode, or one tensor (or None) per layer of this block that has noise.
            dtype: of the features; None keeps float32. ``state.img`` always is float32.
        """
        raise NotImplementedError

    def image(self, state: State) -> Tensor:
        """The picture of a state; ValueError where there is none yet."""
        raise NotImplementedError

    @classmethod
    def from_state_dict(cls, params: Mapping[str, Tensor], **hints: Any) -> Self:
        """A generator in evaluation mode, its config read from names and shapes; copies the parameters.

        Args:
            params: names of this class: those of stylegan2-ada-pytorch and of the public StyleGAN3;
                ``checkpoints.names.stylegan1`` makes those of StyleGAN from others. ``*.resample_filter`` only tells the
                filter. A missing ``w_avg`` is replaced by the mean of w over 10 000 latents.
            hints: settings that shapes do not tell, such as ``conv_clamp=256`` or ``lod=1.5``.
        Raises:
            ValueError: parameters are missing, unknown or of a wrong shape; the first is named.
        """
        family = FAMILIES[cls.family]
        generator = cls(family.infer_config(params, hints))
        given = {name: value for name, value in params.items() if not name.endswith(".resample_filter")}
        load_parameters(generator, given, family.title, optional=("mapping.w_avg",))
        if "mapping.w_avg" not in given:
            generator.estimate_w_avg()
        return generator.eval()

    @torch.no_grad()
    def estimate_w_avg(self, samples: int = 10_000, seed: int = 0) -> None:
        """Set ``mapping.w_avg`` to the mean of w over random z (and uniformly drawn classes, or of each class)."""
        source = torch.Generator().manual_seed(seed)
        mean = self.mapping.get_buffer("w_avg")
        if mean.ndim == 2:
            classes = torch.eye(self.c_dim, device=self.device, dtype=torch.float32)
            z = torch.randn(
                max(samples // self.c_dim, 100), self.z_dim, generator=source, dtype=torch.float32, device="cpu"
            ).to(self.device)
            for row, c in zip(mean, classes, strict=True):
                row.copy_(self.mapping(z, c.expand(len(z), -1)).mean(dim=0))
            return
        z = torch.randn(samples, self.z_dim, generator=source, dtype=torch.float32, device="cpu").to(self.device)
        c = None
        if self.c_dim:
            c = torch.eye(self.c_dim, dtype=torch.float32, device="cpu")[
                torch.randint(self.c_dim, (samples,), generator=source, dtype=torch.int64, device="cpu")
            ].to(self.device)
        mean.copy_(self.mapping(z, c).mean(dim=0))

    def _check_step(self, i: int, state: State | None, styles: Sequence[Tensor]) -> None:
        if not 0 <= i < self.num_blocks:
            raise ValueError(f"block is from 0 to {self.num_blocks - 1}; {i} was given")
        if (state is None) != (i == 0):
            raise ValueError(f"block {i} needs " + ("no state" if i == 0 else f"the state after block {i - 1}"))
        self._check_styles(styles, self.layers[self.block_layers(i)])

    def _check_ws(self, ws: object) -> None:
        if not isinstance(ws, Tensor) or not (
            (ws.ndim == 2 and ws.shape[1] == self.w_dim) or (ws.ndim == 3 and ws.shape[1:] == (self.num_ws, self.w_dim))
        ):
            raise ValueError(f"w is [N, {self.w_dim}] and w+ is [N, {self.num_ws}, {self.w_dim}]; {what(ws)} was given")

    def _check_styles(self, styles: Sequence[object], layers: Sequence[Layer]) -> None:
        if len(styles) != len(layers):
            raise ValueError(
                f"one style per layer is expected, {len(layers)} ({layers[0].name} to {layers[-1].name}); "
                f"{len(styles)} were given"
            )
        n = len(styles[0]) if isinstance(styles[0], Tensor) and styles[0].ndim else 0
        for style, layer in zip(styles, layers, strict=True):
            if not isinstance(style, Tensor) or style.shape != (n, layer.channels):
                raise ValueError(
                    f"the style of {layer.name} is [N, {layer.channels}] with the same N in every layer "
                    f"({n} in the first); {what(style)} was given"
                )


def load_parameters(module: nn.Module, given: Mapping[str, Tensor], family: str, optional: Sequence[str] = ()) -> None:
    """Copy a state_dict into a module. ValueError as of `check_parameters`."""
    check_parameters(given, module.state_dict(), family, optional)
    module.load_state_dict(dict(given), strict=False)


def check_parameters(
    given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], family: str, optional: Sequence[str] = ()
) -> None:
    """ValueError names the first parameter that is missing, unknown or of a wrong shape."""
    missing = [name for name in wanted if name not in given and name not in optional]
    for words, names in (("missing", missing), ("not known", [name for name in given if name not in wanted])):
        if names:
            raise ValueError(f"{len(names)} parameters of this {family} are {words}, the first is {names[0]}")
    for name, value in given.items():
        if value.shape != wanted[name].shape:
            raise ValueError(f"{name} has shape {list(value.shape)}, {list(wanted[name].shape)} fits the others")


def check_rows(name: str, x: object, columns: int, rows: int | None = None) -> None:
    """ValueError unless x is a tensor [rows, columns]."""
    if not isinstance(x, Tensor) or x.ndim != 2 or x.shape[1] != columns or rows not in (None, x.shape[0]):
        raise ValueError(f"{name} is [{'N' if rows is None else rows}, {columns}]; {what(x)} was given")


def what(x: object) -> str:
    """A tensor's shape, or the type of anything else, for messages."""
    return f"shape {list(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
