"""Drag: points of a picture are moved, step by step (Pan et al., SIGGRAPH 2023)."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ...generators.protocol import State
from ...jobs import Job, Progress, Run
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from ...session.synthesis import to_uint8
from .points import Points, checked_mask, checked_points
from .settings import METHOD
from .suited import suited
from .supervise import Sheet, looked_for, motion, track
from .way import Way, dragged

CLOSER = 0.25
"""Pixels that the nearest approach must gain for a drag not to count as stalled."""


class Drag(Run[Way]):
    """A drag under way: iterate over it, pause, stop, resume; `result` is valid after any step. See `drag`.

    Attributes:
        by: what it goes by where settings are left open; see `Suited`.
        step: steps done.
        points: where the handles are now, float32 [n, 2].
    """

    def __init__(
        self,
        session: GeneratorSession,
        latent: Latent,
        handles: Points,
        targets: Points,
        mask: ArrayLike | None = None,
        **settings: object,
    ) -> None:
        super().__init__(self._steps(), again=self._steps)
        self.settings = METHOD.checked(settings)
        self.session, self.start = session, session.check(latent)
        if self.start.code is not None and self.start.code.space == "s":
            raise ValueError(
                "points are dragged in w+, and this latent starts from a code in s, which has no w: invert the picture in "
                "w+ first"
            )
        with session.lock, torch.no_grad():
            self._first = session.map(self.start).float()
            height, width = session.synthesize(self._styles(self._first), **self._noise).shape[-2:]
        self.handles, self.targets = checked_points(handles, targets, height, width)
        self.mask = checked_mask(mask, height, width)
        self._sheet = Sheet(height, width, self.settings["published"])
        self.by = suited(session, self.settings, max(height, width))
        if self.settings["space"] == "w" and self.settings["published"]:  # which has one w for all rows from the start
            self._first = torch.cat(
                [self._first[:, :1].expand(-1, self.by.rows, -1), self._first[:, self.by.rows :]], 1
            )
        with torch.inference_mode(False):
            # How far w has moved: rows apart or one for all, along the axes that steps are measured by.
            rows = self.by.rows if self.settings["space"] == "w+" else 1
            self._moved = torch.zeros_like(self._first[:, :rows]).requires_grad_()
            self._adam = torch.optim.Adam([self._moved], lr=self.by.lr)
        self._targets = self._on_device(self.targets)
        self._points = self._on_device(self.handles)
        self._reference: Tensor | None = None  # features of the first picture
        self._looked_for: Tensor | None = None  # those at the handles
        self._state: tuple[Tensor, State] | None = (
            None  # w+ of the last step and the state after the layer, to draw from
        )
        self._codes = [self._array(self._first[0])]
        self._found = [self._array(self._points)]
        self._terms: list[dict[str, float]] = []
        self._ended = ""
        self.seconds = 0.0

    # -- to use --------------------------------------------------------------------------------------------------------
    @property
    def step(self) -> int:
        """Steps done."""
        return len(self._codes) - 1

    @property
    def points(self) -> NDArray[np.float32]:
        """Where the handles were found last, [n, 2]."""
        return self._found[-1]

    def pixels(self) -> NDArray[np.uint8]:
        """The picture of the newest code that was looked at, uint8 [H, W, 3]. Only what comes after the layer is drawn."""
        with self.session.lock, torch.no_grad():
            if self._state is None:
                drawn = self.session.synthesize(self._styles(self._first), exact=True, **self._noise)
            else:
                w, state = self._state
                drawn = self.session.synthesize(
                    self._styles(w), start=(self.by.layer, state), exact=True, **self._noise
                )
        picture: NDArray[np.uint8] = to_uint8(drawn)[0]
        return picture

    def result(self) -> Way:
        """What is reached so far."""
        return Way(
            start=self.start,
            handles=self.handles,
            targets=self.targets,
            mask=self.mask,
            codes=np.stack(self._codes),
            points=np.stack(self._found),
            terms=tuple(self._terms),
            ended=self._ended,
            settings=dict(self.settings),
            generator=self.session.fingerprint(),
        )

    def latent(self) -> Latent:
        """The picture as it is now."""
        return dragged(self.start, self._codes[-1], len(self.handles), self.step)

    @property
    def spec(self) -> dict[str, Any]:
        """What `session.start` makes the same run of. Its mask becomes known to the session."""
        return {
            "kind": "drag",
            "latent": self.start.to_dict(),
            "handles": self.handles.tolist(),
            "targets": self.targets.tolist(),
            "mask": None if self.mask is None else self.session.put(self.mask),
            "settings": dict(self.settings),
        }

    # -- the algorithm ---------------------------------------------------------------------------------------------------
    def _steps(self) -> Job[Way]:
        total = int(self.settings["steps"])
        while self.step < total and not self._at_end():
            before = self._saved()
            began = time.perf_counter()
            try:
                with self.session.lock, torch.inference_mode(False), torch.enable_grad():
                    moved = self._advance()
            except BaseException:
                self._restore(before)  # also in the middle of Adam
                raise
            self.seconds += time.perf_counter() - began
            if not moved:
                break
            yield Progress(self.step, total, terms=self._terms[-1], partial=self.result)
        if not self._ended and self.step >= total:
            self._ended = "steps"
        return self.result()

    def _advance(self) -> bool:
        """One step; False when the handles have arrived."""
        settings = self.settings
        w = self._w()
        state = self.session.activations(self._styles(w), [self.by.layer], exact=True, **self._noise)[self.by.layer]
        self._state = w.detach(), State(state.x.detach(), None if state.img is None else state.img.detach())
        features = self._sheet.spread(state.x)
        if self._looked_for is None or self._reference is None:
            self._reference = features.detach()
            self._looked_for = looked_for(self._sheet, self._reference, self._points)

        self._points = track(self._sheet, features.detach(), self._looked_for, self._points, self.by.track_radius)
        self._found[-1] = self._array(self._points)
        far = (self._targets - self._points).norm(dim=1)
        if bool((far <= settings["near"]).all()):
            self._ended = "reached"
            return False

        loss = motion(self._sheet, features, self._points, self._targets, self.by.motion_radius)
        if self.mask is not None:
            keep = 1 - self._sheet.free(self._on_device(self.mask), features)
            loss = loss + settings["keep"] * ((features - self._reference) * keep).abs().mean()
        if settings["stay"]:
            whole = self._w() - self._first if settings["space"] == "w+" else self._away()
            loss = loss + settings["stay"] * whole.abs().mean()
        if not math.isfinite(float(loss.detach())):
            raise FloatingPointError("the loss is not finite any more; a smaller step size may help")
        if loss.requires_grad:  # else every handle is within a pixel, and there is nothing to push
            (self._moved.grad,) = torch.autograd.grad(loss, [self._moved])
            self._adam.step()
        self._codes.append(self._array(self._w()[0]))
        self._found.append(self._array(self._points))
        self._terms.append({"loss": float(loss.detach()), "distance": float(far.mean())})
        return True

    def _at_end(self) -> bool:
        """Whether there is nothing more to be done."""
        patience = int(self.settings["patience"])
        if not self._ended and patience and len(self._terms) > patience:
            far = [step["distance"] for step in self._terms]
            if min(far[-patience:]) > min(far[:-patience]) - CLOSER:
                self._ended = "stalled"
        return bool(self._ended)

    # -- inside --------------------------------------------------------------------------------------------------------
    def _w(self) -> Tensor:
        """w+ [1, num_ws, w_dim]: the start, and in its first rows how far it has moved."""
        rows = self.by.rows
        return torch.cat([self._first[:, :rows] + self._away(), self._first[:, rows:]], 1)

    def _away(self) -> Tensor:
        """How far w has moved in plain numbers, [1, rows, w_dim], or [1, 1, w_dim] for one w."""
        return self._moved if self.by.axes is None else self._moved @ self.by.axes

    def _styles(self, w: Tensor) -> list[Tensor]:
        """Styles of w+, with what the start's edits in s make of them."""
        return self.session.edited_styles(self.session.styles(w), self.start)

    @property
    def _noise(self) -> dict[str, Any]:
        return {
            "noise_mode": self.start.noise_mode,
            "noise_seed": self.start.noise_seed,
            "transform": self.start.view,
        }

    def _saved(self) -> tuple[object, ...]:
        lists = [list(kept) for kept in (self._codes, self._found, self._terms)]
        inner = {
            k: (v.clone() if isinstance(v, Tensor) else v) for k, v in self._adam.state.get(self._moved, {}).items()
        }
        return self._moved.detach().clone(), inner, self._points, self._ended, lists

    def _restore(self, saved: tuple[Any, ...]) -> None:
        code, inner, self._points, self._ended, (self._codes, self._found, self._terms) = saved
        with torch.no_grad():
            self._moved.copy_(code)
        self._adam.state[self._moved] = inner
        if not inner:
            del self._adam.state[self._moved]

    def _on_device(self, array: NDArray[Any]) -> Tensor:
        return torch.as_tensor(array.astype(np.float32), dtype=torch.float32, device=self.session.device)

    @staticmethod
    def _array(tensor: Tensor) -> NDArray[np.float32]:
        return np.array(tensor.detach().float().cpu().numpy())


def drag(
    session: GeneratorSession,
    latent: Latent,
    handles: Points,
    targets: Points,
    mask: ArrayLike | None = None,
    **settings: object,
) -> Drag:
    """Move points of a picture, by steps of w+ (Pan et al., "Drag Your GAN", SIGGRAPH 2023). No step is done yet.

    At each step the handles are looked for in the features of one layer, and the features around them are pushed a pixel
    towards their targets. Of an inversion, drag ``result.latent()`` in ``result.session(session)``: fitted noise and weights
    are part of the picture then.

    Args:
        session: the generator.
        latent: what is dragged; not a code in s. Edits in z and w become part of the code, those in s go on acting on it.
        handles: points (row, column) of the picture.
        targets: where each should go.
        mask: bool [H, W], True where things may move; None for everywhere.
        settings: those of `settings.SETTINGS`.

    Returns:
        A run: ``jobs.run(run)`` does all of it, and gives the `Way`.

    Raises:
        ValueError: points or a mask that do not fit, an unknown setting, or a latent in s; the text says what is accepted.
    """
    return Drag(session, latent, handles, targets, mask, **settings)


def begin(
    session: GeneratorSession,
    *,
    latent: Mapping[str, object],
    handles: Sequence[Sequence[float]],
    targets: Sequence[Sequence[float]],
    mask: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> Drag:
    """Starts the kind "drag" for `session.start`. mask: the hash that `session.put` returned."""
    free = None if mask is None else session.known(mask)
    return drag(session, Latent.from_dict(latent), handles, targets, free, **dict(settings or {}))
