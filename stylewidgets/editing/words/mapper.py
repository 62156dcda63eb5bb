"""Mapper: the machine of `MapperEdit`, one trained for each sentence, and its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from ... import text
from ... import weights as bundled
from ...checkpoints.errors import CheckpointError, reading
from ...core import files
from ...core.checks import unknown_name
from ...inversion.encoders.public import alike
from ...jobs import Job
from ...latent.mapped import LEVELS, MapperEdit
from ...latent.saved import check_version
from ...session.session import GeneratorSession
from ..protocol import register
from .mapper_net import Layers, change_s, change_w
from .mapper_published import read_mapper

KEY = "stylewidgets-mapper"
VERSION = 1
ACCEPTED = "Accepted are files of `stylewidgets train mapper`, and checkpoints of the published mappers"
TRAIN = "stylewidgets train mapper"
PART = ".mapper."
"""Between a generator's name and the mapper's in the name of a file that ships."""


@register
@dataclass(frozen=True, eq=False)
class Mapper:
    """Small networks that answer a code with the change that a sentence asks for (StyleCLIP, section 5).

    Attributes:
        name: of its edits, as a rule the sentence.
        nets: by level ("coarse", "medium", "fine"), one called "all", or in s one for each convolution by its place.
        space: "w+" or "s".
        sizes: [w_dim], or in s the channels of each layer.
        of: fingerprint of the mapping network ("w+") or generator ("s") that it was trained for; "" where a file is silent.
        first: the first matrix of the mapping network that it was trained for, where a published file has it.
        about: sentence, encoder_name, losses, licence.
    """

    name: str
    nets: Mapping[str, Layers]
    space: str
    sizes: tuple[int, ...]
    of: str = ""
    first: Tensor | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    kind: ClassVar[str] = "mapper"

    @property
    def weights(self) -> str:
        """16 hexadecimal digits of its parameters with half the digits, so that a saved one has the same."""
        made = hashlib.sha256(f"{self.space} {self.sizes}".encode())
        for name, tensor in sorted(self._tensors().items()):
            made.update(f"{name} {tuple(tensor.shape)}".encode() + tensor.half().cpu().contiguous().numpy().tobytes())
        return made.hexdigest()[:16]

    @property
    def levels(self) -> tuple[str, ...]:
        """Those that it has a network for; all where one network is for every row."""
        return LEVELS if self.space == "s" or "all" in self.nets else tuple(n for n in LEVELS if n in self.nets)

    def edit(self, strength: float = 1.0, levels: tuple[str, ...] | None = None) -> MapperEdit:
        """The value for `Latent.with_edit`."""
        return MapperEdit(
            self.weights, self.name, strength, None, self.levels if levels is None else levels, self.space
        )

    def delta(self, value: Tensor, levels: tuple[str, ...] = LEVELS) -> Tensor:
        """What it adds to w+ [N, num_ws, w_dim] or styles [N, sum of channels] at full strength; differentiable in both."""
        nets = {
            name: [(w.to(value.device), b.to(value.device)) for w, b in layers] for name, layers in self.nets.items()
        }
        if self.space == "s":
            return change_s(nets, value, self.sizes)
        return change_w(nets, value, levels)

    def fits(self, session: GeneratorSession) -> str | None:
        """Why it cannot work with a generator, or None."""
        own = tuple(layer.channels for layer in session.layers) if self.space == "s" else (session.w_dim,)
        part = "all" if self.space == "s" else "w"
        known = session.parameters().get("mapping.fc0.weight")
        same_first = self.first is None or known is None or alike(self.first, known)
        if self.sizes == own and self.of in ("", session.fingerprint(part)) and same_first:
            return None
        mine = session.name or "this one"
        mine = session.name or "this one"
        return f"the mapper {self.name!r} was trained for another generator than {mine}; `{TRAIN}` makes one"

    # -- files ---------------------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a .safetensors file with half the digits."""
        about = {
            "name": self.name,
            "space": self.space,
            "sizes": list(self.sizes),
            "of": self.of,
            "about": dict(self.about),
        }
        tensors = {name: tensor.half() for name, tensor in self._tensors().items()}
        return files.write_arrays(path, tensors, {"version": VERSION, "weights": self.weights, **about}, KEY)

    @classmethod
    def load(cls, source: GeneratorSession | str | os.PathLike[str]) -> Mapper:
        """The mapper of a file, ours or published, or the first that ships for a session's generator.

        Raises:
            FileNotFoundError: there is none.
            ValueError: the file is damaged or holds something else.
        """
        if isinstance(source, GeneratorSession):
            for path in _files():
                made = cls._read(path)
                if made.fits(source) is None:
                    return made
            raise FileNotFoundError(f"no mapper ships for {source.name or 'this generator'}; `{TRAIN}` makes one")
        path = files.find(source, "mapper", ACCEPTED)
        if path.suffix.lower() in (".pt", ".pth", ".ckpt"):
            read = read_mapper(path)
            about = {"published": path.name, "opts": read.opts}
            published = cls(read.name, read.nets, read.space, read.sizes, "", read.first, about)
            with reading(path):
                check_nets(published)
            return published
        return cls._read(path)

    @classmethod
    def find(cls, name: str | os.PathLike[str], session: GeneratorSession) -> Mapper:
        """One that ships for a generator, by its name, or that of a file."""
        known = {path.stem.partition(PART)[2]: path for path in _files() if cls._read(path).fits(session) is None}
        if isinstance(name, str) and name in known:
            return cls._read(known[name])
        if isinstance(name, str) and not Path(name).suffix:
            raise unknown_name(f"mapper that ships for {session.name or 'this generator'}", name, known)
        return cls.load(name)

    @classmethod
    def shipped(cls, weights: str) -> Path | None:
        """The file that ships with the mapper of this hash."""
        return next((path for path in _files() if cls._read(path).weights == weights), None)

    @classmethod
    def fit(cls, session: GeneratorSession) -> Job[Mapper]:
        """Trains one for "a smiling face" with the default encoder; `Words.fit_mapper` takes other sentences."""
        # By name: training knows the machine that it makes.
        train = import_module("stylewidgets.editing.words.mapper_training").train
        job: Job[Mapper] = train.steps(session, text.load().to(session.device), "a smiling face")
        return job

    @classmethod
    def _read(cls, path: Path) -> Mapper:
        with files.reading(path, "mapper", ACCEPTED) as found:
            said, tensors = files.read_arrays(found, KEY, "pt")
            check_version(said["version"], VERSION)
            nets: dict[str, Layers] = {}
            for name in sorted(n for n in tensors if n.endswith(".weight")):
                level = name.rpartition(".weight")[0].rpartition(".")[0]
                bias = tensors[name.removesuffix("weight") + "bias"]
                nets.setdefault(level, []).append((tensors[name].float(), bias.float()))
            made = cls(
                str(said["name"]), nets, str(said["space"]), tuple(said["sizes"]), str(said["of"]), None, said["about"]
            )
            check_nets(made)
            return made

    def _tensors(self) -> dict[str, Tensor]:
        return {
            f"{net}.{i}.{kind}": tensor.detach()
            for net, layers in self.nets.items()
            for i, pair in enumerate(layers)
            for kind, tensor in zip(("weight", "bias"), pair, strict=True)
        }


def check_nets(mapper: Mapper) -> None:
    """ValueError (CheckpointError) unless every network fits its place and all its numbers are finite."""
    if not mapper.nets:
        raise CheckpointError("it has no network")
    for name, layers in mapper.nets.items():
        if mapper.space == "w+":
            fits, width = name in (*LEVELS, "all"), mapper.sizes[0]
        else:
            fits = name.isdecimal() and int(name) < len(mapper.sizes)
            width = mapper.sizes[int(name)] if fits else 0
        if not fits:
            raise CheckpointError(f"it has a network {name!r}, which is none of a mapper in {mapper.space}")
        for weight, bias in layers:
            if tuple(weight.shape) != (width, width) or tuple(bias.shape) != (width,):
                raise CheckpointError(f"its network {name!r} has layers {list(weight.shape)}; {[width, width]} fits")
            if not (bool(torch.isfinite(weight).all()) and bool(torch.isfinite(bias).all())):
                raise CheckpointError(f"its network {name!r} has numbers that are not finite")


def names(session: GeneratorSession) -> tuple[str, ...]:
    """Names of the mappers that ship for a generator."""
    return tuple(path.stem.partition(PART)[2] for path in _files() if Mapper._read(path).fits(session) is None)


def _files() -> list[Path]:
    return sorted(bundled.FOLDER.glob(f"*{PART}*.safetensors"))
