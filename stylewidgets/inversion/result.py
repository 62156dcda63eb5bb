"""Result: what an inversion found, as one value and one file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import files
from ..latent.camera import Camera
from ..latent.latent import Code, Latent
from ..latent.view import IDENTITY

if TYPE_CHECKING:
    from ..session.session import GeneratorSession

KEY = "stylewidgets-inversion"
VERSION = 2
"""2 has cameras; files without any are of version 1."""
_PLAIN = ("method", "space", "settings", "names", "steps", "seconds", "history", "uses", "generator", "report")


@dataclass(frozen=True)
class Frame:
    """One picture of the way there: step, uint8 [N, h, w, 3], code float16 [N, ...], and cameras as a `Result` has them."""

    step: int
    pictures: NDArray[np.uint8]
    code: NDArray[np.float16]
    cameras: NDArray[np.float32] | None = None

    def latent(self, space: str, i: int = 0) -> Latent:
        """The i-th of the codes, which are in this space, seen from its camera."""
        return _seen(space, self.code[i].astype(np.float32), self.cameras, i)


@dataclass(frozen=True, eq=False)
class Result:
    """What an inversion found for N pictures.

    Attributes:
        method, settings: how it was made.
        space, code: "w" [N, w_dim], "w+" [N, num_ws, w_dim] or "s" [N, channels], float32.
        names: of the pictures.
        steps, seconds, history: what was done; one dictionary of losses for each step.
        uses: what the losses measured with.
        noise: fitted noise pictures, [N, 1, H, W] per layer with noise; None where the generator's own are used.
        delta: what tuning added to the generator's parameters, by name; None where it is untouched.
        cameras: yaw, pitch and roll in degrees, [N, 3], where the camera was looked for; None for straight ahead.
        generator: name of the generator.
        frames: pictures of the way; not saved.
        report: figures of `evaluate`, for whoever asked for them.
    """

    method: str
    space: str
    code: NDArray[np.float32]
    settings: Mapping[str, Any]
    names: tuple[str, ...]
    steps: int
    seconds: float
    history: tuple[Mapping[str, float], ...] = ()
    uses: Mapping[str, str] = field(default_factory=dict)
    noise: tuple[NDArray[np.float32], ...] | None = None
    delta: Mapping[str, NDArray[np.float32]] | None = None
    cameras: NDArray[np.float32] | None = None
    generator: str = ""
    frames: tuple[Frame, ...] = field(default=(), repr=False)
    report: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.code)

    def __repr__(self) -> str:
        more = [name for name in ("noise", "delta") if getattr(self, name) is not None]
        return (
            f"Result({self.method}, {len(self)} in {self.space}{''.join(f' + {m}' for m in more)}, {self.steps} steps)"
        )

    def latent(self, i: int = 0, **changes: Any) -> Latent:
        """The i-th as a `Latent`, with other values such as edits set. Draw it with `session(base, i)`."""
        return _seen(self.space, self.code[i], self.cameras, i).replace(**changes)

    def session(self, base: GeneratorSession, i: int = 0) -> GeneratorSession:
        """A session that draws the i-th as it was fitted: `base` itself unless noise or parameters were.

        It shares every other parameter with `base`; widgets, edits and directions work on it as on any.
        """
        if self.noise is None and self.delta is None:
            return base
        return base.tuned(self.delta or {}, None if self.noise is None else [n[i] for n in self.noise])

    def images(self, base: GeneratorSession) -> NDArray[np.uint8]:
        """All pictures, uint8 [N, H, W, 3]."""
        return np.stack([self.session(base, i).image(base.check(self.latent(i))) for i in range(len(self))])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write code, noise, parameter changes, settings, history and report to one .safetensors file."""
        arrays, about = self.packed()
        return files.write_arrays(path, arrays, about, KEY)

    def packed(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a file of it has under `KEY`: (arrays, plain JSON)."""
        plain = {name: _jsonable(getattr(self, name)) for name in _PLAIN}
        arrays: dict[str, Any] = {"code": self.code} | {f"noise.{k}": n for k, n in enumerate(self.noise or ())}
        arrays |= {} if self.cameras is None else {"cameras": self.cameras}
        arrays |= {f"delta.{name}": np.asarray(d, np.float16) for name, d in (self.delta or {}).items()}
        return arrays, {"version": VERSION if self.cameras is not None else 1} | plain

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Read what `save` wrote. Nothing in the file is executed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not such a file, or damaged.
        """
        with files.reading(path, "result of an inversion", "Accepted are files written by Result.save") as found:
            plain, arrays = files.read_arrays(found, KEY)
            if plain.pop("version") > VERSION:
                raise ValueError("it was written by a newer stylewidgets; update this one")
            plain = {name: plain[name] for name in _PLAIN} | {
                "names": tuple(plain["names"]),
                "history": tuple(plain["history"]),
            }
            noise = [arrays[f"noise.{k}"] for k in range(sum(name.startswith("noise.") for name in arrays))]
            delta = {name[6:]: d.astype(np.float32) for name, d in arrays.items() if name.startswith("delta.")}
            return cls(
                **plain,
                code=arrays["code"],
                noise=tuple(noise) or None,
                delta=delta or None,
                cameras=arrays.get("cameras"),
            )


def joined(results: Sequence[Result]) -> Result:
    """Results of one method and settings for different pictures as one; each loss is the mean over all pictures.

    Raises:
        ValueError: a generator was tuned: its changes are for the pictures of one result.
    """
    if any(result.delta is not None for result in results):
        raise ValueError("results with a tuned generator cannot be joined: each changes the generator for its pictures")
    first, share = results[0], [len(result) / sum(map(len, results)) for result in results]
    history = tuple(
        {name: sum(s * terms[name] for s, terms in zip(share, step, strict=True)) for name in step[0]}
        for step in zip(*(result.history for result in results), strict=False)
    )
    return replace(
        first,
        code=np.concatenate([result.code for result in results]),
        names=tuple(name for result in results for name in result.names),
        steps=max(result.steps for result in results),
        seconds=sum(result.seconds for result in results),
        history=history,
        noise=None if first.noise is None else _stacked([result.noise for result in results]),
        cameras=_cameras(results),
        frames=tuple(_frame(each) for each in zip(*(result.frames for result in results), strict=False)),
    )


def _frame(frames: Sequence[Frame]) -> Frame:
    pictures, codes = [frame.pictures for frame in frames], [frame.code for frame in frames]
    return Frame(frames[0].step, np.concatenate(pictures), np.concatenate(codes), _cameras(frames))


def _cameras(found: Sequence[Frame] | Sequence[Result]) -> NDArray[np.float32] | None:
    """Those of all in one array; None where none were looked for."""
    cameras = [each.cameras for each in found if each.cameras is not None]
    return np.concatenate(cameras) if cameras else None


def _seen(space: str, code: NDArray[np.float32], cameras: NDArray[np.float32] | None, i: int) -> Latent:
    """A code with the i-th camera as its view, where there are cameras."""
    view = IDENTITY if cameras is None else Camera(*map(float, cameras[i]))
    return Latent(code=Code(space, code), view=view)


def _stacked(noise: Sequence[tuple[NDArray[np.float32], ...] | None]) -> tuple[NDArray[np.float32], ...]:
    return tuple(np.concatenate(layer) for layer in zip(*(each for each in noise if each is not None), strict=True))


def _jsonable(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value
