"""Factors read off pictures, with the errors that the factor network makes on renders it has not seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ... import domain
from ...core import files, pictures
from ...core.checks import unknown_name
from ...core.values import rounded
from ..drawing.renderer import render
from ..scoring.distributions import circular_deviation
from ..world.dataset import to_uint8
from ..world.factors import FACTORS
from ..world.groups import HEAD, columns
from ..world.sampling import sample
from . import calibration
from .calibration import residual
from .factor_net import BUNDLED, FactorRegressor, load_regressor

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Estimate:
    """What the factor network reads off N pictures.

    Attributes:
        factors: float32 [N, F] in natural units, columns as `FACTORS`; the likeliest category of categorical ones.
        error: float32 [N, F], standard error of each factor in natural units (degrees on the shorter way round), of each picture
            by itself where the network was calibrated so, else the one of all held-out renders. Of a categorical factor: the
            probability that it is another one.
        probabilities: float32 [N, categories] of each categorical factor, by name.
        groups: of factors that were read.
    """

    factors: Floats
    error: Floats
    probabilities: dict[str, Floats]
    groups: tuple[str, ...] = HEAD

    def __getitem__(self, name: str) -> Floats:
        """One factor [N] by name. ValueError with the nearest name."""
        at = columns(self.groups)
        if name not in at.index:
            raise unknown_name("factor", name, at.names)
        return self.factors[:, at.index[name]]

    def describe(self, index: int = 0) -> str:
        """The factors of one picture in lines: "yaw +12.3 ± 1.8 degrees", "hat cap (98 %)"."""
        return "\n".join(self._line(i, index) for i in range(self.factors.shape[1]))

    def _line(self, column: int, index: int) -> str:
        factor, value = columns(self.groups).factors[column], float(self.factors[index, column])
        if factor.kind == "categorical":
            share = float(self.probabilities[factor.name][index].max())
            return f"{factor.name} {factor.categories[int(value)]} ({share:.0%})"
        sign = "+" if factor.low < 0 else ""
        places = 1 if factor.high > 2 else 2
        unit = " degrees" if factor.kind == "circular" or factor.unit == "degrees" else ""
        return f"{factor.name} {value:{sign}.{places}f} ± {self.error[index, column]:.{places}f}{unit}"


@dataclass(frozen=True)
class FactorError:
    """How well one factor is read. score: R² or accuracy; error: as in `Estimate`; within_one, within_two: share of the
    truths within one and two standard errors, on other renders than the error was measured on (categories: accuracy)."""

    score: float
    error: float
    within_one: float
    within_two: float


@dataclass(frozen=True)
class Errors:
    """Errors of a factor network, and the spread of its readings over the avatar world.

    Attributes:
        network: sha256 of the file it belongs to, 16 digits.
        renders, checked: renders that errors and their calibration were measured on.
        resolution: side of those renders in pixels.
        factors: by name.
        readings: (mean, standard deviation) of each reading of `FactorRegressor.scores`.
        domain: `Domain.stamp` of world and readings; None in files of version 0.1.
    """

    network: str
    renders: int
    checked: int
    resolution: int
    factors: dict[str, FactorError]
    readings: dict[str, tuple[float, float]]
    domain: dict[str, object] | None = None

    def save(self, path: str | Path) -> Path:
        """Write JSON."""
        return files.write(path, json.dumps(rounded(asdict(self)), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Errors:
        """Read what `save` wrote. ValueError for another file."""
        accepted = "Accepted are files of `stylewidgets train evaluate`"
        with files.reading(path, "file of a factor network's errors", accepted) as found:
            plain = files.parsed(found.read_text(encoding="utf-8"))
            domain.get("avatars").check(plain.get("domain"), "it")
            factors = {name: FactorError(**entry) for name, entry in plain.pop("factors").items()}
            readings = {name: (float(a), float(b)) for name, (a, b) in plain.pop("readings").items()}
            return cls(factors=factors, readings=readings, **plain)


def estimate(
    images: object, network: str | Path | None = None, batch: int = 64, groups: Sequence[str] = HEAD
) -> Estimate:
    """Read the factors of avatars off their pictures.

    Args:
        images: [N, 3, H, W] or [3, H, W] in [-1, 1]; uint8 array [N, H, W, 3] or [H, W, 3]; a PIL image or several.
        network: file of another factor network, beside which `stylewidgets train evaluate` has written its errors.
        batch: pictures at a time.
        groups: of factors to read.

    Raises:
        ValueError: pictures of another kind, errors that belong to another network, or factors that it does not read.
        FileNotFoundError: no network, or none of its errors.
    """
    net, errors = reader(network)
    wanted = columns(tuple(groups)).factors
    unread = [f.name for f in wanted if f.name not in errors.factors]
    if unread:
        raise ValueError(
            f"this factor network was not trained to read {', '.join(unread)}; it reads {', '.join(errors.factors)}"
        )
    with torch.inference_mode():
        parts = [net(part.to(net.out.weight)).cpu() for part in torch.split(as_pictures(images), batch)]
    raw = torch.cat(parts) if parts else torch.zeros(0, net.out.out_features, dtype=torch.float32, device="cpu")
    natural, shares = net.natural(raw), net.probabilities(raw)
    own = calibration.errors(net, raw) if net.calibration else {}
    for name, share in shares.items():
        own[name] = 1 - share.max(axis=1, initial=0.0)
    error = [own.get(f.name, np.full(len(raw), errors.factors[f.name].error, np.float32)) for f in wanted]
    factors = np.stack([natural[f.name] for f in wanted], axis=1).astype(np.float32)
    return Estimate(factors, np.stack(error, axis=1).astype(np.float32), shares, tuple(groups))


def reader(network: str | Path | None = None) -> tuple[FactorRegressor, Errors]:
    """The factor network and its errors, kept after the first call. Errors as `estimate`."""
    path = BUNDLED if network is None else files.as_path(network)
    if not path.is_file():
        return load_regressor(path), Errors.load(path)  # the former says what is missing
    return _kept(path, path.stat().st_mtime_ns, _stamp(errors_path(path)))


def errors_path(network: Path) -> Path:
    """Where the errors of a factor network are kept: beside it, NAME.errors.json."""
    return network.with_suffix(".errors.json")


def measure_errors(network: str | Path, renders: int = 1500, checked: int = 500, seed: int = 3_000_000) -> Errors:
    """Errors of a factor network on renders that training has not seen.

    Args:
        network: file of the network.
        renders: avatars that standard errors and spreads are measured on.
        checked: others, that the share of truths within the errors is counted on.
        seed: of the avatars.
    """
    net = load_regressor(network)
    truth, raw = _read_renders(net, renders + checked, seed)
    natural, scores = net.natural(raw), net.readings(raw)
    factors = {}
    for i, factor in enumerate(FACTORS):
        miss = residual(factor.kind, natural[factor.name], truth[:, i])
        first, other = miss[:renders], miss[renders:]
        if factor.kind == "categorical":
            wrong = float(first.mean())
            factors[factor.name] = FactorError(1 - wrong, wrong, 1 - float(other.mean()), 1 - float(other.mean()))
            continue
        error = float(np.sqrt(np.square(first).mean()))
        true = truth[:renders, i]
        spread = circular_deviation(true) ** 2 if factor.kind == "circular" else float(true.var())
        within = [float((np.abs(other) <= k * error).mean()) for k in (1, 2)]
        factors[factor.name] = FactorError(1 - error**2 / max(spread, 1e-12), error, *within)
    readings = {name: (float(v[:renders].mean()), float(v[:renders].std())) for name, v in scores.items()}
    stamp = domain.get("avatars").stamp(readings=True)
    return Errors(file_digest(network), renders, checked, net.resolution, factors, readings, stamp)


def file_digest(path: str | Path) -> str:
    """The first 16 hexadecimal digits of the sha256 of a file."""
    return hashlib.sha256(files.find(path).read_bytes()).hexdigest()[:16]


def as_pictures(images: object) -> Tensor:
    """Pictures float32 [N, 3, H, W] in [-1, 1] from what `estimate` takes."""
    if not isinstance(images, Tensor):
        several = images if isinstance(images, (list, tuple)) else [images]
        array = np.stack([np.asarray(one) for given in several for one in pictures.read_all(given)])
        return torch.from_numpy(array).permute(0, 3, 1, 2).float() / 127.5 - 1
    batch = images[None] if images.ndim == 3 else images
    if batch.ndim != 4 or batch.shape[1] != 3 or not batch.is_floating_point():
        raise ValueError(
            f"a tensor of pictures is floating [N, 3, H, W] in [-1, 1]; {images.dtype} {list(images.shape)} was given"
        )
    return batch.detach().float().clamp(-1, 1)


def _read_renders(net: FactorRegressor, n: int, seed: int) -> tuple[Floats, Tensor]:
    """Factors [n, F] and the network's outputs, of pictures that went through 8 bits."""
    truth, rows = sample(n, seed), []
    for part in torch.split(torch.from_numpy(truth), 32):
        image = render(part, net.resolution, outputs=("image",)).image
        with torch.inference_mode():
            rows.append(net(to_uint8(image).float() / 127.5 - 1).cpu())
    return truth, torch.cat(rows)


@lru_cache(maxsize=4)
def _kept(path: Path, changed: int, errors_changed: int) -> tuple[FactorRegressor, Errors]:
    beside = errors_path(path)
    remedy = f"make them with: stylewidgets train evaluate {path}"
    if not beside.is_file():
        raise FileNotFoundError(f"there are no errors of the factor network at {beside}; {remedy}")
    errors = Errors.load(beside)
    if errors.network != file_digest(path):
        raise ValueError(f"{beside} belongs to another factor network than {path}; {remedy}")
    with torch.inference_mode(False):  # whoever asks first must not make it useless for gradients
        return load_regressor(path), errors


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0
