"""Parts: which channels make the eyes, the hair or the mouth, and how to take them from another picture."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from weakref import ref

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ... import weights as bundled
from ...core import files
from ...core.checks import unknown_name
from ...jobs import Job, Progress
from ...latent.latent import Latent
from ...latent.transfer import TransferEdit
from ..protocol import register
from . import fitting, published, rules
from .catalogue import Catalogue, generator_of
from .clusters import Clusters
from .features import seen
from .fitting import PICTURES
from .gallery import Gallery
from .index import GalleryIndex

if TYPE_CHECKING:
    from ...session.session import GeneratorSession

POSE = "pose"
"""The part that no cluster is: the coarsest layers without what is the hair's there."""
COARSE = 8
"""Pixels of the layers that carry hair and pose: those of 4 and 8, whatever the generator's size."""
NO_PART = 16
"""By the rule by density, layers of so many pixels carry no part but hair: an eye has two places there. On avatars this takes a
fifth off what an exchange of eyes changes elsewhere (ΔE 1.20 → 0.97 on 16 pairs)."""
KEPT = 64
"""Pictures whose channels are remembered."""
DENSEST, RETRIEVE, EDITING = METHODS = ("densest", "retrieve", "editing")
"""Rules for which channels carry a part: see `Parts.transfer`."""


@register
class Parts:
    """Local edits after Collins et al., "Editing in Style" (CVPR 2020), and Chong et al., "Retrieve in Style" (ICCV 2021).

    Args:
        session: the generator.
        catalogue: its clusters and their names.

    Raises:
        ValueError: the catalogue is of another generator.
    """

    kind: ClassVar[str] = "parts"

    def __init__(self, session: GeneratorSession, catalogue: Catalogue) -> None:
        self._owner = ref(session)  # which may have this machine: together they would wait for the garbage collector
        self.catalogue = catalogue
        reason = self.fits(session)
        if reason:
            raise ValueError(reason)
        self._clusters = Clusters(torch.from_numpy(catalogue.centres).to(session.device))
        self._kept: OrderedDict[Latent, tuple[Tensor, Mapping[str, Tensor]]] = OrderedDict()

    @property
    def session(self) -> GeneratorSession:
        """The generator's. ValueError where it is gone."""
        session = self._owner()
        if session is None:
            raise ValueError("the session of these parts is gone: keep it, or Parts.load(session) with another one")
        return session

    # -- an editor -------------------------------------------------------------------------------------------------------
    @property
    def weights(self) -> str:
        """Hash of the clusters and the names."""
        text = f"{self.catalogue.layer} {self.catalogue.squared} {dict(self.catalogue.parts)}"
        return hashlib.sha256(text.encode() + self.catalogue.centres.tobytes()).hexdigest()[:16]

    @property
    def names(self) -> tuple[str, ...]:
        """What can be transferred: the parts, and "pose"."""
        return (*self.catalogue.names, POSE)

    def fits(self, session: GeneratorSession) -> str | None:
        """Why it cannot work with a generator, or None."""
        own = self.catalogue.generator
        if own and own != session.fingerprint():
            return f"these parts are of another generator ({own}) than {session.name!r} ({session.fingerprint()})"
        if self.catalogue.layer not in [layer.name for layer in session.layers]:
            return f"these parts are found after the layer {self.catalogue.layer!r}, which this generator does not have"
        return None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the catalogue; see `Catalogue.save`."""
        return self.catalogue.save(path)

    # -- what is where ---------------------------------------------------------------------------------------------------
    def clusters(self, latent: Latent) -> NDArray[np.int64]:
        """The cluster of each place, int64 [h, w], in the size of the layer."""
        labels: NDArray[np.int64] = self._looked_at(latent)[0].cpu().numpy()
        return labels

    def labels(self, latent: Latent) -> NDArray[np.int64]:
        """The part of each place, as an index into `catalogue.names`, −1 for none, [h, w]."""
        table = np.full(len(self.catalogue.centres), -1)
        for place, clusters in enumerate(self.catalogue.parts.values()):
            table[list(clusters)] = place
        return np.asarray(table[self.clusters(latent)], np.int64)

    def mask(self, latent: Latent, part: str) -> NDArray[np.bool_]:
        """Where a part is, [h, w]."""
        return np.asarray(self.labels(latent) == self.catalogue.place(part))

    # -- which channels --------------------------------------------------------------------------------------------------
    def channels(self, latent: Latent, method: str = DENSEST) -> Tensor:
        """Which channels carry each part of a picture, 0 or 1 [parts + 1, sum of channels]; the last are those of the pose.

        Contributions are those within this picture.

        Args:
            method: "densest" (`rules.by_density`), or "retrieve" for the softmax of "Retrieve in Style", without ToRGB layers as
                published. Without these, hair, clothes and eyes hardly take a colour.
        """
        return self._looked_at(latent)[1][method]

    def greedy(self, part: str, rho: float = 0.1, epsilon: float = 50.0, coarse_epsilon: float = 5.0) -> Tensor:
        """Which channels carry a part in all pictures, by the rule of "Editing in Style", 0 or 1 [sum of channels].

        Args:
            rho: a channel spends more than this share of its energy in the part.
            epsilon: budget for energy spent elsewhere, per layer and 512 channels.
            coarse_epsilon: the same in layers of at most 8 pixels.

        Raises:
            ValueError: shares were not measured for these parts.
        """
        shares = torch.from_numpy(self.catalogue.share(part))
        chosen = []
        for layer, share in zip(self.session.layers, _by_layer(self.session, shares), strict=True):
            budget = (coarse_epsilon if layer.resolution <= COARSE else epsilon) * len(share) / 512
            found = rules.greedy(share, rho, budget)
            chosen.append(torch.zeros_like(found) if layer.kind == "torgb" else found)
        return torch.cat(chosen).to(self.session.device)

    def carriers(self, part: str, *latents: Latent, method: str = DENSEST) -> Tensor:
        """Which channels carry a part of these pictures together, 0 or 1 [sum of channels].

        Args:
            latents: one, or two between which the part is taken.
            method: see `transfer`.

        Raises:
            ValueError: an unknown part or method, the part is in none of the pictures, or no channel carries it.
        """
        if part not in self.names:
            raise unknown_name("part", part, self.names)
        if method not in METHODS:
            raise unknown_name("method", method, METHODS)
        those = "this picture" if len(latents) == 1 else "these pictures"
        if method == EDITING and part != POSE:
            weights = self.greedy(part)
        else:
            self._need(part, *latents)
            rule = RETRIEVE if method == EDITING else method
            # A part has the channels of either picture; of the pose is what neither picture's hair has.
            found = torch.stack([self.channels(latent, rule)[self.names.index(part)] for latent in latents])
            weights = found.amin(0) if part == POSE else found.amax(0)
        if not bool(weights.any()):
            other = ": method='editing' takes those that carry it in all" if method != EDITING and part != POSE else ""
            raise ValueError(f"no channel carries the part {part!r} of {those} alone{other}")
        return weights

    # -- edits -----------------------------------------------------------------------------------------------------------
    def transfer(
        self,
        latent: Latent,
        reference: Latent,
        part: str,
        amount: float = 1.0,
        *,
        method: str = DENSEST,
        directional: bool = False,
    ) -> Latent:
        """The latent with one part as another picture has it: an edit of the kind "transfer" with the part's name.

        Args:
            latent: what is changed. Its own edits stay.
            reference: where the part is taken from.
            part: one of `names`.
            amount: 1 takes the part as it is there, 0 nothing.
            method: "densest" for channels of these two pictures whose energy is densest in the part, "retrieve" for those that
                a softmax finds ("Retrieve in Style"), "editing" for channels that carry the part in all ("Editing in Style").
            directional: keeps the length of the styles in these channels, see `TransferEdit`; amounts may go beyond 1.

        Raises:
            ValueError: an unknown part or method, or the part is in neither picture.
        """
        bare = latent.replace(edits=tuple(edit for edit in latent.edits if edit.kind != "transfer"))
        weights = self.carriers(part, bare, reference, method=method)
        self._need(part, bare, reference)
        edit = TransferEdit(reference, weights.cpu().numpy(), amount, name=part, directional=directional)
        return latent.with_edit(edit)

    def retrieve(
        self, latent: Latent, part: str, gallery: Gallery | GalleryIndex, n: int = 10, *, method: str = DENSEST
    ) -> list[tuple[Latent, float]]:
        """The n pictures of a gallery that are most alike in a part, with their cosine; the most alike first.

        Compared are the styles of the channels that carry the part (Chong et al., section 3.4).

        Args:
            method: see `transfer`.

        Raises:
            ValueError: an unknown part or method, a gallery of another generator, or no channel carries the part.
        """
        gallery.check(self.session)
        weights = self.carriers(part, latent, method=method).cpu().numpy()
        style = self.session.flat_styles(latent)[0].cpu().numpy()
        return [(gallery.latent(i), closeness) for i, closeness in gallery.nearest(style, weights, n)]

    # -- making one --------------------------------------------------------------------------------------------------------
    @classmethod
    def load(
        cls, source: GeneratorSession | str | os.PathLike[str], session: GeneratorSession | None = None, layer: str = ""
    ) -> Parts:
        """Parts of a file, ours or a published one, for a session; or those of a session's generator: bundled, or prepared
        here before.

        Args:
            session: what a file is for.
            layer: of a published file: whose features were clustered, see `published.read`.

        Raises:
            FileNotFoundError: there are none; `Parts.fit` makes them.
            ValueError: the file is damaged, or of another generator.
        """
        if isinstance(source, (str, os.PathLike)):
            if session is None:
                raise ValueError("say which session the parts are for: Parts.load(path, session)")
            if Path(source).suffix.lower() in published.SUFFIXES:
                return cls(session, published.read(files.as_path(source), session, layer))
            return cls(session, Catalogue.load(source))
        found = _found(source)
        if found is not None:
            return cls(source, Catalogue.load(found))
        raise FileNotFoundError(
            f"there are no parts for {source.name or 'this generator'} yet: session.editors.fit('parts') finds them, and so "
            "does the explorer's Parts panel"
        )

    @classmethod
    def known(cls, session: GeneratorSession) -> bool:
        """Whether `load(session)` finds them."""
        return _found(session) is not None

    @classmethod
    def fit(
        cls,
        session: GeneratorSession,
        *,
        clusters: int | None = None,
        pictures: int = PICTURES,
        layer: str = "",
        seed: int = 0,
        folder: Path | None = None,
        keep: bool = True,
    ) -> Job[Parts]:
        """Cluster what a generator draws, and name the clusters by its domain's segmenter where there is one.

        Work that broke off goes on where it was. The result is kept for `load(session)`.

        Args:
            clusters: how many; None: 48, or 18 where no segmenter names them.
            pictures: how many are looked at.
            layer: whose features; the last of at most a quarter of the picture's side by default.
            seed: of the first picture, and of the clustering.
            folder: where partial work is kept; None: in the cache.
            keep: whether the result is kept.
        """
        clusters = fitting.clusters_for(session) if clusters is None else clusters
        asked = {"generator": session.fingerprint(), "layer": layer, "numbers": [clusters, pictures, seed]}
        state = fitting.State(folder or prepared(session).parent, asked)
        found, latents = yield from fitting.fit(session, clusters, pictures, layer, seed, state)
        made = yield from cls(session, found).measured(latents)
        state.forget()
        if keep:
            path = prepared(session)
            path.parent.mkdir(parents=True, exist_ok=True)
            made.save(path)
        return made

    def measured(self, latents: Sequence[Latent] = ()) -> Job[Parts]:
        """The same parts with what each channel shares with their clusters (equation 1), over some pictures."""
        chosen = latents or [self.session.latent(seed=i, psi=fitting.PSI) for i in range(fitting.SEGMENTED)]
        total: Tensor | float = 0.0
        for n, latent in enumerate(chosen):
            total = total + self._shares(latent, [(k,) for k in range(len(self.catalogue.centres))])[1]
            yield Progress(n + 1, len(chosen), "channels")
        assert isinstance(total, Tensor)
        return Parts(self.session, replace(self.catalogue, shares=(total / len(chosen)).cpu().numpy()))

    # -- inside ------------------------------------------------------------------------------------------------------------
    def _need(self, part: str, *latents: Latent) -> None:
        """ValueError where a part is in none of these pictures."""
        if part != POSE and not any(self.mask(latent, part).any() for latent in latents):
            where = "not in this picture" if len(latents) == 1 else "in neither of these pictures"
            raise ValueError(f"the part {part!r} is {where}")

    def _looked_at(self, latent: Latent) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Clusters [h, w] of a picture, and channels [parts + 1, C] by each rule, remembered."""
        if latent not in self._kept:
            groups = list(self.catalogue.parts.values())
            labels, shares = self._shares(latent, groups)
            areas = rules.one_hot(labels[None], groups).mean((0, 2, 3))
            found = {RETRIEVE: rules.by_softmax(shares), DENSEST: rules.by_density(shares, areas)}
            colours = {
                RETRIEVE: torch.zeros_like(shares),
                DENSEST: rules.by_density(shares, areas, rules.DENSE_COLOURS),
            }
            hair = self.catalogue.names.index("hair") if "hair" in self.catalogue.parts else None
            coarse = {RETRIEVE: self._coarse(COARSE), DENSEST: self._coarse(NO_PART)}
            for rule, chosen in found.items():
                both = (_by_layer(self.session, channels) for channels in (chosen, colours[rule]))
                for layer, own, colour in zip(self.session.layers, *both, strict=True):
                    if layer.kind == "torgb":
                        own.copy_(colour)
                found[rule] = rules.first_layers(chosen, hair, coarse[rule], coarse[RETRIEVE])
            self._kept[latent] = labels, found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(latent)
        return self._kept[latent]

    @torch.no_grad()
    def _shares(self, latent: Latent, groups: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Clusters [h, w], and the contribution of each channel to each group of clusters, [groups, C], of one picture."""
        session = self.session
        states = session.activations(latent, seen(session), exact=True)
        x = states[self.catalogue.layer].x.float()
        labels = self._clusters.labels(x.square() if self.catalogue.squared else x)
        masks = rules.one_hot(labels, groups)
        found: list[Tensor] = []
        before: Tensor | None = None  # the input of a layer: the features after the convolution before it
        for layer in session.layers:
            after = states[layer.name].x if layer.name in states else None
            # StyleGAN's styles are scales and shifts of what a layer made; the shifts take no part.
            own = after is not None and layer.channels == 2 * after.shape[1]
            scaled = after if own else before
            share = None if scaled is None else rules.contribution(scaled, masks)[0]
            made = torch.zeros(masks.shape[1], layer.channels, dtype=torch.float32, device=x.device)
            if share is not None:
                made[:, : share.shape[1]] = share
            found.append(made)
            before = before if after is None else after
        return labels[0], torch.cat(found, -1)

    def _coarse(self, most: int) -> int:
        """How many channels the coarse layers have: all up to the last convolution of at most so many pixels."""
        layers = self.session.layers
        last = max(
            (k for k, layer in enumerate(layers) if layer.kind == "conv" and layer.resolution <= most), default=0
        )
        return sum(layer.channels for layer in layers[: last + 1])


def _by_layer(session: GeneratorSession, values: Tensor) -> Sequence[Tensor]:
    """Views of values [..., sum of channels], one a layer."""
    views: Sequence[Tensor] = torch.split(values, [layer.channels for layer in session.layers], -1)
    return views


def prepared(session: GeneratorSession) -> Path:
    """Where parts that were found for a session's generator are kept."""
    return files.cache_folder() / "parts" / f"{session.fingerprint()}.parts.safetensors"


def _found(session: GeneratorSession) -> Path | None:
    """The catalogue of a session's generator: prepared here, or bundled."""
    wanted = session.fingerprint()
    places = (prepared(session), *sorted(bundled.FOLDER.glob("*.parts.safetensors")))
    return next((path for path in places if path.is_file() and generator_of(path) == wanted), None)
