"""A small network that reads the factors of the avatar world from a picture.

It gives names to what a generator makes: labels for boundaries, measures of an edit, and features of a perceptual
distance that was trained on faces of this kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ... import domain
from ...core import files
from ...ops.devices import from_file
from ..world.factors import Factor
from .blocks import Block, convolution, resize
from .part_reader import PartReader

FORMAT = 2  # 2: with a part reader
KIND = "factor-regressor"
_KEY = "stylewidgets"
_READ = (8, 24, 32)  # channels that are read off the maps at 1/4, 1/8 and 1/16 of the resolution
BUNDLED = Path(__file__).resolve().parents[2] / "weights" / f"{KIND}.safetensors"


@dataclass(frozen=True)
class Head:
    """The outputs [start, stop) that describe one factor. mean, std: of the training targets, per output."""

    name: str
    kind: Literal["continuous", "circular", "categorical"]
    low: float
    high: float
    categories: tuple[str, ...]
    start: int
    stop: int
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the readings, see `FactorRegressor.scores`."""
        if self.kind == "categorical":
            return [f"{self.name}: {category}" for category in self.categories]
        return [f"{self.name} sin", f"{self.name} cos"] if self.kind == "circular" else [self.name]

    def of(self, raw: Tensor) -> Tensor:
        """The outputs [N, stop - start] that belong to it, in float32."""
        return raw[:, self.start : self.stop].float()

    def read(self, raw: Tensor) -> Tensor:
        """Raw outputs [N, outputs] of the network as readings [N, names]; differentiable."""
        part = self.of(raw)
        if self.kind == "categorical":
            log = part.log_softmax(1)
            return log - torch.log1p(-log.exp().clamp(max=1 - 1e-6))
        if self.mean:
            part = part * part.new_tensor(self.std) + part.new_tensor(self.mean)
        return part if self.kind == "circular" else self.low + (part + 1) / 2 * (self.high - self.low)


class ReadingNet(nn.Module):
    """A network from pictures [N, 3, H, W] in [-1, 1] to one vector [N, outputs] that `Head`s describe, and what they mean.

    Attributes:
        heads: what the outputs mean.
        resolution: side of the picture that it sees.
        parts: what corrects the outputs and is trained by itself, where there is such a thing.
        metrics: held-out R² or accuracy of each factor.
        metadata: how it was made.
        calibration: see `calibration.calibrate`.
    """

    def __init__(self, heads: Sequence[Head], resolution: int) -> None:
        super().__init__()
        if resolution % 16 or resolution < 16:
            raise ValueError(f"resolution must be a multiple of 16; {resolution} was given")
        self.heads, self.resolution = tuple(heads), int(resolution)
        self.parts: PartReader | None = None
        self.metrics: dict[str, float] = {}
        self.metadata: dict[str, Any] = {}
        self.calibration: dict[str, Any] = {}

    @property
    def outputs(self) -> int:
        """Length of its vector."""
        return self.heads[-1].stop if self.heads else 0

    def sized(self, x: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in the size that the network sees."""
        if x.ndim != 4 or x.shape[1] != 3:
            raise ValueError(f"pictures must be [N, 3, H, W]; {list(x.shape)} was given")
        return x if x.shape[-2:] == (self.resolution, self.resolution) else resize(x, self.resolution)

    def predict(self, images: Tensor, batch: int = 128) -> dict[str, NDArray[np.float32]]:
        """Factors of pictures [N, 3, H, W] in [-1, 1], by name, each [N] in natural units.

        Circular factors are degrees in [0, 360), categories are indices into the head's `categories`.
        """
        return self.natural(self.raw(images, batch))

    def scores(self, images: Tensor, batch: int = 128) -> dict[str, NDArray[np.float32]]:
        """Real-valued readings, each [N]: what boundaries are fitted to and effects are measured on.

        A continuous factor keeps its name. A circular one gives "name sin" and "name cos". A categorical one gives one
        log-odds per category, called "name: category".
        """
        return self.readings(self.raw(images, batch))

    def probabilities(self, raw: Tensor) -> dict[str, NDArray[np.float32]]:
        """Raw outputs [N, outputs] as probabilities [N, categories] of each categorical factor, calibrated where the file is."""
        temperature = self.calibration.get("temperature", {})
        return {
            head.name: (head.of(raw) / temperature.get(head.name, 1.0)).softmax(1).cpu().numpy()
            for head in self.heads
            if head.kind == "categorical"
        }

    def natural(self, raw: Tensor) -> dict[str, NDArray[np.float32]]:
        """Raw outputs [N, outputs] as factors in natural units."""
        result = {}
        for head in self.heads:
            if head.kind == "categorical":
                value = head.of(raw).argmax(1).float()
            elif head.kind == "circular":
                sin, cos = head.read(raw).unbind(1)
                value = torch.rad2deg(torch.atan2(sin, cos)) % 360
            else:
                value = head.read(raw)[:, 0]
            result[head.name] = value.cpu().numpy()
        return result

    def readings(self, raw: Tensor) -> dict[str, NDArray[np.float32]]:
        """Raw outputs [N, outputs] as real-valued readings, see `scores`."""
        return {
            name: value.cpu().numpy()
            for head in self.heads
            for name, value in zip(head.names, head.read(raw).unbind(1), strict=True)
        }

    @torch.inference_mode()
    def raw(self, images: Tensor, batch: int = 128) -> Tensor:
        """Raw outputs [N, outputs] of pictures [N, 3, H, W] in [-1, 1], in batches and without gradients."""
        if self.training:
            raise RuntimeError("the factor network is in training mode; call .eval() before predicting")
        device = next(self.parameters()).device
        parts = [self(part.to(device, torch.float32)) for part in torch.split(images, batch)]
        return torch.cat(parts) if parts else torch.zeros(0, self.outputs, dtype=torch.float32, device="cpu")


class FactorRegressor(ReadingNet):
    """A residual network, picture [N, 3, H, W] in [-1, 1] to one vector [N, outputs] that `Head`s describe.

    Pictures of any size are resized to `resolution` by area. Batch norms use their stored statistics in eval mode, so a
    prediction does not depend on its batch.

    Args:
        heads: what the outputs mean.
        resolution: side of the picture that the network sees, a multiple of 16.
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of the resolution.
        parts: correct the outputs by a `PartReader`; the feature maps are the same without it.
    """

    def __init__(
        self,
        heads: Sequence[Head],
        *,
        resolution: int = 64,
        widths: Sequence[int] = (16, 32, 64, 80),
        parts: bool = False,
    ) -> None:
        super().__init__(heads, resolution)
        self.widths = tuple(int(c) for c in widths)
        # Fine detail (iris, gaze) is a pixel or two wide: folding 2x2 pixels into channels keeps it, a stride would not.
        self.stem = convolution(24, self.widths[0])
        stages = []
        for i, width in enumerate(self.widths):
            before = self.widths[max(i - 1, 0)]
            stages.append(nn.Sequential(Block(before, width, 1 if i == 0 else 2), Block(width, width, 1)))
        self.stages = nn.ModuleList(stages)
        # Where something is matters for pose and shape, so maps are flattened, not averaged. The finer ones are read
        # too: a smile or a blush is a few pixels, and takes far longer to get through a 4x4 map.
        side = self.resolution
        self.squeeze = nn.ModuleList(
            convolution(width, channels, 1) for width, channels in zip(self.widths[1:], _READ, strict=True)
        )
        size = sum(channels * (side // 4 // 2**i) ** 2 for i, channels in enumerate(_READ))
        self.hidden = nn.Linear(size, 192, dtype=torch.float32, device="cpu")
        self.out = nn.Linear(192, self.outputs, dtype=torch.float32, device="cpu")
        self.direct = nn.Linear(size, self.out.out_features, bias=False, dtype=torch.float32, device="cpu")
        self.parts = PartReader(self.widths, self.out.out_features, side) if parts else None

    def features(self, x: Tensor) -> list[Tensor]:
        """Feature maps at 1/2, 1/4, 1/8 and 1/16 of the network's resolution, differentiable."""
        return self._maps(self.fold(x))

    def fold(self, x: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] as the stem sees them, [N, 24, resolution / 2, resolution / 2]."""
        x = self.sized(x)
        # The details carry little energy beside light, skin and background, and would be learned last: they get a
        # second copy of their own, amplified.
        detail = 3.0 * (x - F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5, stride=1))
        return F.pixel_unshuffle(torch.cat([x, detail], dim=1), 2)

    def _maps(self, folded: Tensor) -> list[Tensor]:
        x = self.stem(folded)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs [N, outputs]: targets in units of their standard deviation, and logits of categories."""
        return self.look(x)[0]

    def look(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Raw outputs [N, outputs] and the maps of `features`, for whoever needs both."""
        folded = self.fold(x)
        maps = self._maps(folded)
        raw, _ = self._read(maps)
        return (raw if self.parts is None else raw + self.parts(folded, maps, raw)), maps

    def code(self, x: Tensor) -> Tensor:
        """What the network knows of pictures [N, 3, H, W] in one vector [N, code_size], differentiable: its outputs, and
        the last hidden units before them."""
        folded = self.fold(x)
        maps = self._maps(folded)
        raw, hidden = self._read(maps)
        if self.parts is None:
            return torch.cat([raw, hidden], dim=1)
        parts = self.parts.hidden(folded, maps, raw)
        return torch.cat([raw + self.parts.out(parts), hidden, parts], dim=1)

    @property
    def code_size(self) -> int:
        """Length of a `code`."""
        parts = self.parts.out.in_features if self.parts is not None else 0
        return self.out.out_features + self.out.in_features + parts

    def _read(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        read = torch.cat([squeeze(m).flatten(1) for squeeze, m in zip(self.squeeze, maps[1:], strict=True)], dim=1)
        hidden = F.relu(self.hidden(read))
        return self.out(hidden) + self.direct(read), hidden


N = TypeVar("N", bound=ReadingNet)


def make_heads(factors: Sequence[Factor]) -> list[Head]:
    """Heads for the factors of a world (objects with name, kind, low, high and categories), without statistics."""
    heads, start = [], 0
    for factor in factors:
        categories = tuple(factor.categories) if factor.kind == "categorical" else ()
        stop = start + {"continuous": 1, "circular": 2, "categorical": len(categories)}[factor.kind]
        heads.append(Head(factor.name, factor.kind, float(factor.low), float(factor.high), categories, start, stop))
        start = stop
    return heads


def factor_of(reading: str) -> str:
    """The factor that a reading of `FactorRegressor.scores` belongs to: "hat" for "hat: cap", "hair_hue" for "hair_hue sin"."""
    return reading.split(":")[0].removesuffix(" sin").removesuffix(" cos")


@from_file()
def load_regressor(path: str | Path | None = None, device: str | torch.device = "cpu") -> FactorRegressor:
    """The factor network in eval mode: the bundled one, or one from a file that `train_regressor` wrote.

    Its `metrics` holds the held-out R² (continuous, circular) or accuracy (categorical) of each factor, its `calibration`
    what `avatars.estimate` makes errors and probabilities of ({} in a file that was never calibrated).

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged or holds something else.
    """
    remedy = "Accepted are files of `stylewidgets train regressor --out FILE`"

    def make(heads: list[Head], meta: dict[str, Any]) -> FactorRegressor:
        parts = meta.get("parts", False)
        return FactorRegressor(heads, resolution=meta["resolution"], widths=meta["widths"], parts=parts)

    with files.reading(BUNDLED if path is None else path, "factor network", remedy) as found:
        return read_net(found, KIND, FORMAT, make).to(device)


def read_net(path: Path, kind: str, version: int, make: Callable[[list[Head], dict[str, Any]], N]) -> N:
    """The network of a file that `write_net` wrote, in eval mode. make: heads and what else the file says → the network.

    Raises:
        ValueError: the file holds something else, or a later version of it.
    """
    meta, state = files.read_arrays(path, _KEY, "pt")
    if meta["kind"] != kind or meta["version"] > version:
        raise ValueError(f"it holds {meta['kind']!r} of version {meta['version']}")
    domain.get("avatars").check(meta.get("domain"), "it")
    lists = ("categories", "mean", "std")
    net = make([Head(**{**head, **{key: tuple(head[key]) for key in lists}}) for head in meta["heads"]], meta)
    net.load_state_dict({key: v.float() if v.is_floating_point() else v for key, v in state.items()})
    net.metrics, net.metadata = dict(meta["metrics"]), dict(meta["training"])
    net.calibration = dict(meta.get("calibration") or {})
    return net.eval().requires_grad_(False)


@lru_cache(maxsize=4)
def bundled(device: str = "cpu") -> FactorRegressor:
    """The bundled network on a device, kept for the next call. Errors as `load_regressor`."""
    with torch.inference_mode(False):  # whoever asks first must not make it useless for gradients
        return load_regressor(device=device)


def save_regressor(
    net: FactorRegressor, path: str | Path, *, metrics: dict[str, float], training: dict[str, Any]
) -> Path:
    """Write the network to one safetensors file, matrices in fp16, with its quality, its calibration and how it was made."""
    more = {"widths": net.widths, "parts": net.parts is not None}
    return write_net(net, path, KIND, FORMAT, metrics=metrics, training=training, more=more)


def write_net(
    net: ReadingNet,
    path: str | Path,
    kind: str,
    version: int,
    *,
    metrics: dict[str, float],
    training: dict[str, Any],
    more: dict[str, Any],
) -> Path:
    """Write a network so that `read_net` reads it. more: what its class needs to be made again."""
    files.as_path(path).parent.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().cpu() for k, v in net.state_dict().items()}
    # Vectors stay as they are: the running variances of a batch norm may be more than fp16 can hold.
    state = {k: v.half() if v.is_floating_point() and v.ndim > 1 else v for k, v in state.items()}
    meta = {
        "kind": kind,
        "version": version,
        "domain": domain.get("avatars").stamp(readings=True),
        "resolution": net.resolution,
        **more,
        "heads": [asdict(head) for head in net.heads],
        "metrics": metrics,
        "training": training,
        "calibration": net.calibration,
    }
    return files.write_arrays(path, state, meta, _KEY)
