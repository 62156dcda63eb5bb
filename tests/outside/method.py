"""A method of inversion of one's own: climbing a hill in the dark."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from stylewidgets import GeneratorSession
from stylewidgets.inversion import Method, Run, Setting, Target, register, spaces


class HillClimb(Run):
    """Takes a random step in w, keeps it where the picture came nearer, and else makes the next one shorter."""

    space = "w"

    def __init__(self, session: GeneratorSession, target: Target, **settings: Any) -> None:
        super().__init__(session, target, "hill-climb", settings, total=settings["steps"])
        self._random = torch.Generator().manual_seed(settings["seed"])  # of its own: nobody else's numbers change
        self._images = target.images.to(session.device)
        self._code = session.w_avg.expand(len(target), -1)
        self._reach = torch.full((len(target), 1), settings["reach"], dtype=torch.float32, device=session.device)

    def _tried(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """The mean square of each picture's error, [N], and the pictures, [N, 3, H, W]."""
        with torch.no_grad():
            drawn = spaces.draw(self.session, code, "w")
        return (drawn - self._images).square().mean(dim=(1, 2, 3)), drawn

    # One step. It leaves the pictures in `_drawn`, and returns what the curve shows.
    def _advance(self) -> dict[str, float]:
        if self._drawn is None:
            self._best, self._drawn = self._tried(self._code)
        white = torch.randn(self._code.shape, generator=self._random, dtype=torch.float32).to(self._code.device)
        code = self._code + self._reach * white
        error, drawn = self._tried(code)
        nearer = error < self._best
        self._code = torch.where(nearer[:, None], code, self._code)
        self._drawn = torch.where(nearer[:, None, None, None], drawn, self._drawn)
        self._best = torch.where(nearer, error, self._best)
        self._reach = self._reach * torch.where(nearer, 1.5, 0.9)[:, None]
        return {"loss": float(self._best.mean())}

    def code(self) -> Tensor:
        return self._code

    # Enough to go on exactly: pause, save, resume and fork are made from it.
    def _state(self) -> dict[str, Any]:
        return {"code": self._code, "reach": self._reach, "random": self._random.get_state()}

    def _restore(self, state: dict[str, Any]) -> None:
        self._code, self._reach = (state[name].to(self.session.device) for name in ("code", "reach"))
        self._random.set_state(state["random"].cpu())
        self._drawn = None


register(
    Method(
        "hill-climb",
        "Hill climbing",
        "Takes random steps and keeps the good ones; needs no gradient.",
        "Rechenberg, Evolutionsstrategie, 1973",
        HillClimb,
        (
            Setting("steps", 200, "steps", 1, 100_000),
            Setting("reach", 0.3, "length of the first step in each number of w", 1e-4, 10.0, log=True),
            Setting("seed", 0, "of the random steps", 0, 2**32 - 1, advanced=True),
        ),
    )
)
