"""The open task at the end: invert three pictures and make them smile, under a budget, for points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ..avatars import sample
from ..avatars.drawing.renderer import render
from ..avatars.world.dataset import to_uint8
from ..avatars.world.groups import UNSEEN, columns
from ..inversion import Result, Target, evaluate_each, invert, known_edits
from ..session.session import GeneratorSession

BUDGET = 120
"""Steps of a search, or passes of an encoder, for each picture."""
MOST = 4.0
"""The most that one figure may be better than the baseline's: nobody wins by one picture alone."""
SEED = 77_000
BASELINE = {"method": "projector", "space": "w", "steps": 80, "fit_noise": False}
DRAWN = ("plain", "eye patch", "checked backdrop")


@dataclass(frozen=True)
class Score:
    """Points: 100 is the baseline, and more is better.

    Attributes:
        fit, edit: by picture, how many times smaller than the baseline's distortion and error of the smile are.
        points: 100 times the geometric mean of both over all pictures.
    """

    fit: dict[str, float]
    edit: dict[str, float]

    @property
    def points(self) -> int:
        both = [*self.fit.values(), *self.edit.values()]
        return round(100 * float(np.exp(np.mean(np.log(both)))))

    def __repr__(self) -> str:
        lines = [f"{name:18} fits {self.fit[name]:.2f} ×, edits {self.edit[name]:.2f} × as well" for name in self.fit]
        return "\n".join([*lines, f"{self.points} points; the projector in W with 80 steps has 100"])


class Challenge:
    """Three pictures, the truth of their smiles, and what the baseline makes of them.

    Args:
        session: a generator of the avatar world.
        seed: of the pictures.
    """

    def __init__(self, session: GeneratorSession, seed: int = SEED) -> None:
        self.session, self.target = session, three(session, seed)
        self._known = known_edits(self.target, session, ("smile",))
        self._baseline = self._figures(self._invert(lambda s, t: invert(s, t, **BASELINE)))  # type: ignore[arg-type]

    def score(self, mine: Callable[[GeneratorSession, Target], Result]) -> Score:
        """Points of a function (session, target of three pictures) → result of `inversion.invert`.

        Raises:
            ValueError: more steps than the budget allows, or a result of other pictures.
        """
        figures = self._figures(self._invert(mine))
        fit, edit = (
            {name: _times(base[key], own[key]) for name, base, own in zip(DRAWN, self._baseline, figures, strict=True)}
            for key in ("mse", "change_error")
        )
        return Score(fit, edit)

    def _invert(self, mine: Callable[[GeneratorSession, Target], Result]) -> Result:
        result = mine(self.session, self.target)
        if not isinstance(result, Result):
            raise TypeError(f"the function returns what inversion.invert returns; a {type(result).__name__} came back")
        if result.steps > BUDGET:
            raise ValueError(f"the budget is {BUDGET} steps; this search took {result.steps}")
        return result

    def _figures(self, result: Result) -> list[dict[str, float]]:
        return evaluate_each(self.target, result, self.session, edits=self._known if self._known is not None else False)


def three(session: GeneratorSession, seed: int = SEED) -> Target:
    """One face three times over: as the generator knows such, with a patch over an eye, and before a checked backdrop."""
    at, row = columns(UNSEEN), torch.from_numpy(sample(1, seed, 0, groups=UNSEEN))
    for factor in at.factors:
        if factor.name in _OUTSIDE:
            row[0, at.index[factor.name]] = factor.default
    rows = row.repeat(3, 1)
    rows[:, at.index["smile"]] = -0.2  # room for a smile
    for i, (name, category) in enumerate((("eye_patch", "left"), ("backdrop", "checks")), start=1):
        factor = at.factors[at.index[name]]
        rows[i, at.index[name]] = factor.categories.index(category)
    drawn = to_uint8(render(rows, session.resolution, outputs=("image",), groups=UNSEEN).image)
    return Target.of({"image": drawn, "factors": rows, "groups": UNSEEN}, session)


_OUTSIDE = ("eye_patch", "face_paint", "scar", "earrings", "headphones", "moustache", "backdrop", "drawing")


def _times(base: float, own: float) -> float:
    return float(np.clip(base / max(own, 1e-9), 1 / MOST, MOST))
