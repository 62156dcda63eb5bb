"""Checkpoints of the public pSp, e4e and ReStyle releases, as encoders. Nothing in a file is executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...checkpoints import detect
from ...checkpoints.errors import CheckpointError, reading
from ...checkpoints.formats import torch_file
from ...checkpoints.pickle.plain import plain
from ...core import files
from ...ops.devices import from_file
from ...session.session import GeneratorSession
from .public_net import SIDE, PublicShape, answer, expected

TYPES = {
    "GradualStyleEncoder": False,
    "ResNetGradualStyleEncoder": False,
    "BackboneEncoder": False,
    "ResNetBackboneEncoder": False,
    "Encoder4Editing": True,
    "ProgressiveBackboneEncoder": True,
    "ResNetProgressiveBackboneEncoder": True,
}
"""Values of "encoder_type" that are read, and whether rows after the first are differences from it."""
CARS = slice(32, 224)
"""Rows of the 256 that encoders of cars see."""
ALIKE = 0.999
MAX_ROWS, MAX_CONVS = 26, 8  # of generators of 16,384 px; of heads for pictures of 256 px


@dataclass(frozen=True, eq=False)
class PublicEncoder:
    """A network of a public release, in evaluation, in float32.

    Attributes:
        shape: what it consists of.
        weights: its parameters under the names of the release.
        centre: [rows, w_dim], to which its answer is added; None where the file does not have it, see `for_session`.
        offset: whether the answer of one pass is a difference from `centre`; ReStyle's always is one.
        cars: whether it sees only the middle rows of the picture.
        mapping: the first matrix of the mapping network that it was trained for, where the file has the generator too.
        about: plain values of the file: "type", "opts", "notes".
    """

    shape: PublicShape
    weights: dict[str, Tensor]
    centre: Tensor | None
    offset: bool
    cars: bool
    mapping: Tensor | None
    about: dict[str, Any]

    def prepared(self, images: Tensor) -> Tensor:
        """What the network sees of pictures [N, 3, H, W] in [-1, 1]: 256 px, the middle rows for cars."""
        small = images.shape[2] < SIDE or images.shape[3] < SIDE
        x = F.interpolate(images, size=(SIDE, SIDE), mode="bilinear") if small else F.adaptive_avg_pool2d(images, SIDE)
        if self.shape.channels == 1:  # sketches, which the release does not move to [-1, 1]
            x = (x.mean(dim=1, keepdim=True) + 1) / 2
        return x[:, :, CARS] if self.cars else x

    @torch.no_grad()
    def __call__(self, images: Tensor, drawn: Tensor | None = None, code: Tensor | None = None) -> Tensor:
        """w+ [N, rows, w_dim].

        Args:
            images: [N, 3, H, W] in [-1, 1]; for an encoder of labels [N, labels, 256, 256].
            drawn, code: for ReStyle, what the code so far draws, and that code.
        """
        x = images if images.shape[1] == self.shape.channels > 3 else self.prepared(images)
        if self.shape.kind == "restyle":
            if drawn is None:
                raise ValueError("a ReStyle encoder takes the picture drawn so far as well")
            x = torch.cat([x, self.prepared(drawn)], dim=1)
        if x.shape[1] != self.shape.channels:
            raise ValueError(f"this encoder takes pictures of {self.shape.channels} channels; {x.shape[1]} were given")
        found = answer(self.shape, self.weights, x)
        if code is not None:
            return code + found
        if not self.offset:
            return found
        if self.centre is None:
            raise ValueError(
                "the file has no latent_avg, to which the answer is added. for_session(session) takes the mean of w "
                "of a generator"
            )
        return found + self.centre

    def unfit(self, session: GeneratorSession) -> str:
        """Why it cannot be used with a generator; "" if it can."""
        shape = self.shape
        if (shape.rows, shape.w_dim) != (session.num_ws, session.w_dim):
            return (
                f"its codes have {shape.rows} rows of {shape.w_dim}; {session.name or 'this generator'} takes "
                f"{session.num_ws} of {session.w_dim}. Load the generator in the same file: stylewidgets.load(FILE)"
            )
        if shape.channels not in (1, 3, 6):
            return f"it takes maps of {shape.channels} labels, not pictures"
        own = session.parameters().get("mapping.fc0.weight")
        if self.mapping is not None and own is not None and not alike(self.mapping, own):
            return (
                "it was trained for a generator with another mapping network. Load the generator in the same file: "
                "stylewidgets.load(FILE)"
            )
        return ""

    def for_session(self, session: GeneratorSession) -> PublicEncoder:
        """The same on the session's device, with its mean of w where the file has none."""
        centre = self.centre if self.centre is not None else session.w_avg.expand(self.shape.rows, -1)
        weights = {name: value.to(session.device) for name, value in self.weights.items()}
        return replace(self, weights=weights, centre=centre.float().to(session.device))


@from_file()
def load_encoder(path: str | os.PathLike[str], deltas: bool | None = None) -> PublicEncoder:
    """The encoder in a checkpoint of pSp, e4e or ReStyle.

    Which network it is, is told by names and shapes, and by "encoder_type" of the file's options: pSp and e4e have the same
    parameters. Parameters of float32 are not copied: they are read from the file as they are used.

    Args:
        path: what the releases' training wrote with torch.save, such as psp_ffhq_encode.pt, e4e_ffhq_encode.pt or
            restyle_psp_ffhq_encode.pt.
        deltas: whether rows after the first are differences from it (e4e), for files that do not say.

    Raises:
        FileNotFoundError: no such file.
        ValueError: (CheckpointError) no encoder in it, one of another structure, or damaged; what is wrong is named.
    """
    file = files.as_path(path)
    kind = detect.check(file)
    with reading(file):
        if kind.format not in ("torch zip", "torch legacy"):
            raise CheckpointError(f"it is a {kind.title}; public encoders are files of torch.save")
        return from_tree(torch_file.read(file), deltas)


def from_tree(tree: object, deltas: bool | None = None) -> PublicEncoder:
    """As `load_encoder`, from the content of the file."""
    state, root = _found(tree)
    told = root.get("opts")
    opts: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    name = opts.get("encoder_type")
    shape = _shape(state, _deltas(name, opts, deltas))
    _check(state, shape)
    weights = {key: _usable(key, state[key]) for key in expected(shape)}
    centre = _centre(root.get("latent_avg"), shape)
    notes = [] if centre is not None else ["the file has no latent_avg; the generator's mean of w is taken"]
    return PublicEncoder(
        shape,
        weights,
        centre,
        bool(opts.get("start_from_latent_avg", True)) or shape.kind == "restyle",
        str(opts.get("dataset_type", "")).startswith("cars"),
        _mapping(root),
        {"type": name if isinstance(name, str) else "", "opts": plain(opts), "notes": notes},
    )


# -- finding it ------------------------------------------------------------------------------------------------------
_EVIDENCE = "styles.0.linear.weight"


def _found(tree: object) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """Parameters of the encoder without their prefix, and the dictionary with the options beside them."""
    root = tree if isinstance(tree, Mapping) else {}
    places = [root.get("state_dict"), root, root.get("encoder")]
    for state in (place for place in places if isinstance(place, Mapping)):
        for prefix in ("encoder.", "", "module.encoder.", "net.encoder."):
            if isinstance(state.get(prefix + _EVIDENCE), Tensor):
                return {
                    key[len(prefix) :]: value
                    for key, value in state.items()
                    if isinstance(key, str)
                    and isinstance(value, Tensor)
                    and key.startswith(prefix)
                    and (prefix or not key.startswith("decoder."))
                    and not key.endswith("num_batches_tracked")
                }, root
    opts = root.get("opts")
    told = opts.get("encoder_type") if isinstance(opts, Mapping) else None
    what = (
        f"Its encoder is a {told}, whose structure is not read"
        if isinstance(told, str)
        else "It holds " + (", ".join(str(key)[:40] for key in list(root)[:6]) or "nothing")
    )
    raise CheckpointError(f"no encoder of pSp, e4e or ReStyle with a head for each row of w+ is in it. {what}")


def _deltas(name: object, opts: Mapping[str, Any], given: bool | None) -> bool:
    if isinstance(name, str) and name in TYPES:
        return TYPES[name]
    if isinstance(name, str) and name:
        raise CheckpointError(f"encoder_type {name[:60]!r} is not read; known are {', '.join(TYPES)}")
    if given is None and "stylegan_size" not in opts:
        raise CheckpointError(
            "it does not say which encoder it has (opts['encoder_type']). Say deltas=True for e4e, whose rows "
            "after the first are differences from it, and deltas=False for others"
        )
    return True if given is None else given  # only e4e calls it stylegan_size


def _shape(state: Mapping[str, Tensor], deltas: bool) -> PublicShape:
    """What the names and shapes say."""
    ir = "input_layer.0.weight" in state
    stem = state.get("input_layer.0.weight" if ir else "conv1.weight")
    if stem is None or stem.ndim != 4:
        raise CheckpointError("its encoder begins neither as IR-SE-50 (input_layer) nor as ResNet-34 (conv1)")
    rows = 0
    while f"styles.{rows}.linear.weight" in state and rows <= MAX_ROWS:
        rows += 1
    convs = tuple(sum(f"styles.{i}.convs.{2 * k}.weight" in state for k in range(MAX_CONVS + 1)) for i in range(rows))
    pyramid = "latlayer1.weight" in state
    if rows > MAX_ROWS or any(count not in ((4, 5, 6) if pyramid else (4,)) for count in convs):
        raise CheckpointError(
            f"its {rows} heads have {', '.join(map(str, sorted(set(convs))))} convolutions; "
            f"{'4, 5 or 6' if pyramid else '4'} fit pictures of {SIDE} px"
        )
    kind = "restyle" if stem.shape[1] == 6 else "e4e" if deltas else "psp"
    return PublicShape(
        kind, rows, state[_EVIDENCE].shape[0], stem.shape[1], "IR-SE-50" if ir else "ResNet-34", convs, pyramid, deltas
    )


def _check(state: Mapping[str, Tensor], shape: PublicShape) -> None:
    """Every parameter is there once, in its shape."""
    wanted = expected(shape)
    missing = [name for name in wanted if name not in state]
    unknown = [name for name in state if name not in wanted]
    for words, names in (("are missing", missing), ("belong to no encoder of this kind", unknown)):
        if names:
            raise CheckpointError(
                f"{len(names)} parameters of its {shape.body} encoder {words}, the first is {names[0]}"
            )
    for name, size in wanted.items():
        if tuple(state[name].shape) != size:
            raise CheckpointError(
                f"{name} of its encoder has shape {list(state[name].shape)}; {list(size)} fits the others"
            )


def _usable(name: str, value: Tensor) -> Tensor:
    """float32 and finite; a view of the file where that is aligned, else a copy."""
    found = value if value.dtype is torch.float32 and value.data_ptr() % 16 == 0 else value.float().clone()
    if not torch.isfinite(found.sum()) and not torch.isfinite(found).all():
        raise CheckpointError(
            f"{name} of its encoder holds numbers that are not finite: the file is damaged, or its training diverged"
        )
    return found.detach()


def _centre(value: object, shape: PublicShape) -> Tensor | None:
    """latent_avg as [rows, w_dim]; files have one row, or one for each."""
    if not isinstance(value, Tensor) or not value.numel():
        return None
    fits = (
        value.ndim > 0 and value.shape[-1] == shape.w_dim and value.numel() in (shape.w_dim, shape.rows * shape.w_dim)
    )
    if not fits or not value.is_floating_point():
        raise CheckpointError(
            f"its latent_avg has shape {list(value.shape)}; {[shape.rows, shape.w_dim]} fits its encoder"
        )
    return _usable("latent_avg", value).reshape(-1, shape.w_dim).expand(shape.rows, -1).clone()


def _mapping(root: Mapping[str, Any]) -> Tensor | None:
    """The first matrix of the mapping network of the generator in the file, under our name for it."""
    state = root.get("state_dict")
    found = state.get("decoder.style.1.weight") if isinstance(state, Mapping) else None
    return found if isinstance(found, Tensor) and found.ndim == 2 else None


def alike(one: Tensor, other: Tensor) -> bool:
    """Whether two matrices are the same up to rounding and a factor, in which layouts differ."""
    if one.shape != other.shape:
        return False
    return (
        float(F.cosine_similarity(one.float().flatten().cpu(), other.detach().float().flatten().cpu(), dim=0)) > ALIKE
    )
