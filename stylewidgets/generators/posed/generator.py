"""Pose with Style (AlBahar et al., ACM TOG 2021): a person in another pose, by way of the surface of the body."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ...latent.pose import Pose
from ..mapping import MappingNetwork
from ..noise import layer_noise, split_noise
from ..protocol import Layer, Noise, State
from ..style_based import StyleBased
from .config import PosedConfig
from .encoders import PoseEncoder, SourceEncoder, told_apart
from .modulation import SpatialLayer, SpatialToRGB
from .reposing import Garment, Reposing

NO_SOURCE = (
    "nobody is drawn yet: this generator draws a person in another pose, and was given none. session.put(...) of an "
    "avatars.Figure(...), or of a Person.read(picture, silhouette, iuv, atlas) for weights of people, makes one known; the first "
    "is taken for latents without a source"
)

NOT_EXACT = (
    "this network draws avatars, whose surface it has to know to the pixel: give it avatars.Figure(...). A person from "
    "files goes with published weights"
)

MOST = 32
"""Sources and IUV pictures that are known at a time."""
Pixels = NDArray[np.uint8]


@runtime_checkable
class Source(Protocol):
    """Whom to draw: a `Person` from files, or an avatar."""

    def digest(self) -> str:
        """A SHA-256, which `Latent.source` names it by."""

    def reposing(self, pose: Pose, surface: Pixels | None, size: int, slip: bool) -> Reposing:
        """What a network of `size` pixels is given to draw it in a pose. Picture, silhouette and the source's own light are the
        same in every pose, of what it borrows too.

        Args:
            pose: the neutral one is its own.
            surface: the IUV picture of ``pose.iuv``.
            size: pixels of a side.
            slip: as of `flow_of`.

        Raises:
            ValueError: it cannot take this pose.
        """


class Scale(nn.Module):
    """The layers at one scale: enlarging convolution (not at the first), convolution, colours."""

    def __init__(self, config: PosedConfig, k: int) -> None:
        super().__init__()
        channels, size = config.channels, config.sizes[k]
        own = {"source": channels[k], "hidden": config.modulation_hidden, "size": size, "w_dim": config.w_dim}
        if k:
            before = channels[k - 1]
            self.up = SpatialLayer(before, channels[k], **{**own, "source": before}, up=2)
        self.conv = SpatialLayer(channels[k], channels[k], **own)
        self.torgb = SpatialToRGB(channels[k], 3, norm=not config.parts, **own)


class Synthesis(nn.Module):
    """Both encoders, and the scales s0, s1, …"""

    def __init__(self, config: PosedConfig) -> None:
        super().__init__()
        self.pose, self.source = PoseEncoder(config), SourceEncoder(config)
        for k in range(len(config.channels)):
            self.add_module(f"s{k}", Scale(config, k))

    def scale(self, k: int) -> Scale:
        """The layers at scale k, 0 the coarsest."""
        found = self.get_submodule(f"s{k}")
        assert isinstance(found, Scale)
        return found


class Posed(StyleBased):
    """A source's picture, the surface of its body and that of a pose → the source in that pose. Block k draws scale k.

    What it draws is in force (`reposed`): pictures of a batch share it, or there is one for each.
    """

    family = "posed"
    needs_source = True
    view_kind = Pose

    def __init__(self, config: PosedConfig) -> None:
        super().__init__()
        c = self.config = config
        self.resolution, self.img_channels = c.resolution, 3
        self.z_dim, self.c_dim, self.w_dim, self.num_ws = c.z_dim, 0, c.w_dim, 1
        self.num_blocks = len(c.channels)
        self.mapping = MappingNetwork(c)
        self.synthesis: Synthesis = Synthesis(c)
        self.layers = _layers(c)
        self.noise_shapes = tuple((c.sizes[k],) * 2 for k in range(self.num_blocks) for _ in range(2 if k else 1))
        self.kept: OrderedDict[str, Source | Pixels] = OrderedDict()
        self.first_source: str | None = None
        self.stand_in: str | None = None
        self._source: str | None = None
        self._pose = Pose()
        self._given: Reposing | None = None
        self._made: tuple[Hashable, Reposing, tuple[Tensor, list[Tensor]]] | None = None
        self._described: tuple[Hashable, dict[str, list[Tensor]]] | None = None

    # -- what it draws -------------------------------------------------------------------------------------------------
    def keep(self, name: str, thing: object) -> None:
        """Know a source, or the IUV picture of a pose, by its hash. The first source is drawn where none is named; where that was
        the `stand_in`, another one takes its place.

        What was given longest ago is forgotten first, but for that one. Masks and pictures of other work are let pass.
        """
        if not isinstance(thing, (Source, np.ndarray)):
            return
        self.kept[name] = thing
        self.kept.move_to_end(name)
        if self.first_source in (None, self.stand_in) and not isinstance(thing, np.ndarray):
            self.first_source = name
        if len(self.kept) > MOST:
            del self.kept[next(other for other in self.kept if other != self.first_source)]

    @property
    def view_key(self) -> Hashable:
        """Source and pose in force, None for the first source ever in its own pose."""
        source = self._source or self.first_source
        return None if source == (self.stand_in or self.first_source) and not self._pose else (source, self._pose)

    @contextmanager
    def viewed(self, view: Pose) -> Iterator[None]:
        """Draws the source in this pose, inside the ``with``; the one before is back afterwards.

        Raises:
            ValueError: the IUV picture of the pose is not known.
        """
        before, self._pose = self._pose, view or Pose()  # the neutral view of another kind is neutral, too
        try:
            if self._pose.iuv is not None:
                self._known(self._pose.iuv, "IUV picture")
            yield
        finally:
            self._pose = before

    @contextmanager
    def sourced(self, source: str | None) -> Iterator[None]:
        """Draws this source, inside the ``with``; None is the first that was kept. ValueError where it is not known."""
        before, self._source = self._source, source
        try:
            if source is not None:
                self._known(source, "source")
            yield
        finally:
            self._source = before

    @contextmanager
    def reposed(self, reposing: Reposing) -> Iterator[None]:
        """Draws what these tensors say, inside the ``with``, whatever source and pose are; differentiable in them."""
        before, self._given = self._given, reposing
        try:
            yield
        finally:
            self._given = before

    def _known(self, name: str, what: str) -> Source | Pixels:
        if name not in self.kept:
            raise ValueError(f"no {what} {name[:12]}… is known here: give it with session.put(...) first")
        return self.kept[name]

    def source_features(self, reposing: Reposing) -> list[Tensor]:
        """F [N, C_k, H_k, W_k], which modulate scale k: the source's own, and the garment's where it shall be."""
        return self.features(reposing)[1]

    def features(
        self, reposing: Reposing, described: dict[str, list[Tensor]] | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """What the pose encoder makes of the pose at the coarsest scale, and F of every one; see `source_features`.

        Args:
            described: what `SourceEncoder.described` makes of "own" and "garment", where they are known; what is missing
                is added, for other poses of the same source.

        Raises:
            ValueError: a network of avatars was given a source whose surface is not known to the pixel.
        """
        encoder, slip, parts = self.synthesis.source, self.config.slip, self.config.parts
        body, exact, garment = reposing.body, reposing.exact, reposing.garment
        if parts and (exact is None or (garment is not None and garment.exact is None)):
            raise ValueError(NOT_EXACT)
        pose = self.synthesis.pose(told_apart(reposing.pose, exact.light, parts) if parts and exact else reposing.pose)

        made = {} if described is None else described

        def warped(given: Reposing | Garment, whose: str) -> list[Tensor]:
            if whose not in made:
                made[whose] = encoder.described(given)
            if parts and given.exact is not None:
                return encoder.carried(made[whose], given.flow, given.exact, body, pose)
            return encoder.warped(made[whose], given.flow, body, slip)

        found = warped(reposing, "own")
        if garment is not None:
            for k, theirs in enumerate(warped(garment, "garment")):
                m = F.interpolate(garment.mask, size=theirs.shape[2:], mode="bilinear", align_corners=slip)
                found[k] = torch.lerp(found[k], theirs, m)
        return pose[0], encoder.pyramid(found)

    def _in_force(self) -> tuple[Tensor, list[Tensor]]:
        """`features` of what to draw: made once for as long as source, pose and weights stay, unless weights are learned."""
        weights = [*self.synthesis.source.parameters(), *self.synthesis.pose.parameters()]
        learned = torch.is_grad_enabled() and any(weight.requires_grad for weight in weights)
        if self._given is not None:
            free = learned or (
                torch.is_grad_enabled() and any(x.requires_grad for x in self._given if isinstance(x, Tensor))
            )
            key: Hashable = tuple((id(x), x._version if isinstance(x, Tensor) else 0) for x in self._given)
        else:
            free, key = learned, self._source or self.first_source
            if key is None:
                raise ValueError(NO_SOURCE)
            key = (key, self._pose)
        state = tuple((w.data_ptr(), -1 if w.is_inference() else w._version) for w in weights)
        key = (key, state)
        if free or self._made is None or self._made[0] != key:
            known = None if free or self._given is not None else self._descriptions(state)
            with nullcontext() if free else _constants():
                reposing = self._given or self._reposing()  # kept, so that no other tensor gets the id of one of it
                found = self.features(reposing, known)
            if free:
                return found
            self._made = key, reposing, found
        return self._made[2]

    def _descriptions(self, weights: Hashable) -> dict[str, list[Tensor]]:
        """What is known of the source in force, whatever its pose, with these weights; that of one source is kept."""
        key = self._source or self.first_source, weights
        if self._described is None or self._described[0] != key:
            self._described = key, {}
        return self._described[1]

    def _reposing(self) -> Reposing:
        name = self._source or self.first_source
        assert name is not None
        source = self._known(name, "source")
        if isinstance(source, np.ndarray):
            raise ValueError("the source is a picture alone; a Person has silhouette and surface besides")  # noqa: TRY004
        surface = None if self._pose.iuv is None else self._known(self._pose.iuv, "IUV picture")
        if surface is not None and not isinstance(surface, np.ndarray):
            raise ValueError("iuv of a pose names a source, and no IUV picture")
        made = source.reposing(self._pose, surface, self.resolution, self.config.slip)
        return made.to(self.device)

    # -- the picture ---------------------------------------------------------------------------------------------------
    def block_layers(self, i: int) -> slice:
        """Two layers are block 0's, three each the others'."""
        return slice(max(3 * i - 1, 0), 3 * i + 2)

    def block_noise(self, noise: Noise) -> Sequence[Noise]:
        """Block 0 has one noise picture, the others two each."""
        return split_noise(noise, [2 if i else 1 for i in range(self.num_blocks)])

    def step(
        self,
        i: int,
        state: State | None,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        dtype: torch.dtype | None = None,
    ) -> State:
        """Scale i, in float32 always: normalisation sums over all pixels. See `StyleBased.step`."""
        self._check_step(i, state, styles)
        start, features = self._in_force()
        scale = self.synthesis.scale(i)
        own, source, n = list(styles), features[i], len(styles[0])
        convs = [scale.up, scale.conv] if i else [scale.conv]
        names = [layer.name for layer in self.layers[self.block_layers(i)][:-1]]
        maps = layer_noise(noise, convs, names, n, True)
        if state is None:
            x, img = start.expand(n, -1, -1, -1), None
        else:
            x, img = scale.up(state.x.float(), own.pop(0), features[i - 1], maps.pop(0)), state.img
        x = scale.conv(x, own[0], source, maps[0])
        return State(x, scale.torgb(x, own[1], source, img))

    def image(self, state: State) -> Tensor:
        """The colours of the state after the last block; those before are parts of a sum, and no pictures."""
        if state.img is None or state.img.shape[-1] != self.resolution:
            raise ValueError(f"Pose with Style has a picture only after the last block, {self.num_blocks - 1}")
        return state.img


@contextmanager
def _constants() -> Iterator[None]:
    """Tensors without gradients that others with gradients may be made of."""
    with torch.inference_mode(False), torch.no_grad():
        yield


def _layers(config: PosedConfig) -> tuple[Layer, ...]:
    found = []
    for k, (count, size) in enumerate(zip(config.channels, config.sizes, strict=True)):
        if k:
            found.append(Layer(f"s{k}.up", "conv", k, 0, config.channels[k - 1], size))
        found.append(Layer(f"s{k}.conv", "conv", k, 0, count, size))
        found.append(Layer(f"s{k}.torgb", "torgb", k, 0, count, size))
    return tuple(found)
