"""Descent: the runs that follow a gradient. Subclasses say what is drawn, what it costs, and at which rate to learn."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from ...latent.view import IDENTITY, View
from ...session.session import GeneratorSession
from .. import spaces
from ..cameras import SWING, cameras_of, check_camera, first_angles
from ..run import Run
from ..spaces import Codes, check_code, check_space
from ..target import Target


class Descent(Run):
    """Base of the optimisations with Adam.

    A step that is interrupted, or fails, leaves everything as it was before it.

    Args:
        session, target, method, settings: as of `Run`; `settings` has a seed, and a start unless `initial` is given.
        total: steps; those of `settings` when None.
        space: of the code; that of `settings` when None.
        initial: codes to start from, in that space; None for the method's own start.

    Attributes:
        losses: what was minimised in the last step, [N]; None before the first.
    """

    def __init__(
        self,
        session: GeneratorSession,
        target: Target,
        *,
        method: str,
        settings: Mapping[str, Any],
        total: int | None = None,
        space: str | None = None,
        initial: Codes | None = None,
    ) -> None:
        super().__init__(session, target, method, settings, settings["steps"] if total is None else total)
        self.space = check_space(space or settings["space"])
        self._given = None if initial is None else check_code(session, initial, self.space, len(target))
        self._finds_camera = settings.get("camera") == "find"
        if self._finds_camera:
            check_camera(session)
        self._pose: Tensor | None = None  # in units of SWING
        self._source = torch.Generator()  # on the CPU, so that seeds mean the same on every device
        self._optimizer: torch.optim.Adam | None = None
        self.losses: Tensor | None = None

    # -- to implement --------------------------------------------------------------------------------------------------
    def _begin(self) -> None:
        """Make variables and losses; called once, in the first step. Here: the code, and the pictures on the device."""
        values, n = self.settings, len(self.target)
        self._source.manual_seed(values["seed"])
        self._code = (
            spaces.initial(self.session, self.space, values["start"], n, values["seed"])
            if self._given is None
            else self._given.clone()
        )
        self._images, self._mask = self.target.on(self.session.device)
        if self._finds_camera:
            self._pose = first_angles(self.session, self._images, self._code, self.space) / SWING

    def _moving(self) -> list[Tensor]:
        """What Adam moves, leaves that require a gradient: the code, unless a method says otherwise."""
        return [self._code]

    def _view(self) -> View | Tensor:
        """What it is drawn from: the cameras that are looked for, or straight ahead."""
        return IDENTITY if self._pose is None else self._pose * SWING

    def cameras(self) -> Tensor | None:
        self._prepare()
        return None if self._pose is None else cameras_of(self._pose.detach() * SWING)

    @abstractmethod
    def _objective(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """Loss [N], its terms [N] by name, and the pictures drawn, at the variables as they are."""

    @abstractmethod
    def _rate(self) -> float:
        """The learning rate in this step, the (step + 1)-th."""

    def _after(self) -> None:
        """Whatever must hold for the variables after a step."""

    def _more_state(self) -> dict[str, Any]:
        """State beyond variables, optimiser and random source."""
        return {}

    def _restore_more(self, state: dict[str, Any]) -> None:
        """The inverse of `_more_state`."""

    # -- Run -----------------------------------------------------------------------------------------------------------
    def _advance(self) -> dict[str, float]:
        self._prepare()
        with self._undone():
            loss, terms, drawn = self._objective()
            total = loss.sum()  # pictures are independent: the gradient of the sum is that of each
            if not math.isfinite(float(total.detach())):
                raise FloatingPointError("the loss is not finite any more; a lower learning rate may help")
            optimizer, variables = self._adam()
            for variable, slope in zip(
                variables, torch.autograd.grad(total, variables, allow_unused=True), strict=True
            ):
                variable.grad = slope
            optimizer.param_groups[0]["lr"] = self._rate()
            optimizer.step()
            self._after()
        self._drawn, self.losses = drawn.detach(), loss.detach()
        return {"loss": float(self.losses.mean())} | {name: float(term.detach().mean()) for name, term in terms.items()}

    def _lacks(self) -> bool:
        return self._optimizer is None

    def _prepare(self) -> None:
        """Begin, unless that is done. With ordinary tensors even where the caller is in inference mode."""
        if self._optimizer is None:
            with torch.inference_mode(False), self.session.lock:
                self._begin()
                self._make_optimizer()

    def _make_optimizer(self) -> None:
        moving = self._moving() if self._pose is None else [*self._moving(), self._pose]
        variables = [v.requires_grad_() for v in moving]
        self._optimizer = torch.optim.Adam(variables, lr=0.0, betas=(0.9, 0.999), eps=1e-8)

    def _adam(self) -> tuple[torch.optim.Adam, list[Tensor]]:
        """The optimiser and what it moves."""
        self._prepare()
        assert self._optimizer is not None
        return self._optimizer, self._optimizer.param_groups[0]["params"]

    def code(self) -> Tensor:
        self._prepare()
        return self._code.detach()

    def _state(self) -> dict[str, Any]:
        optimizer, variables = self._adam()
        return {
            "variables": [v.detach().clone() for v in variables],
            "moments": [moments(optimizer, v) for v in variables],
            "random": self._source.get_state(),
            "more": self._more_state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._prepare()
        self._restore_more(state["more"])  # may choose other variables
        optimizer, variables = self._adam()
        if [v.shape for v in variables] != [v.shape for v in state["variables"]]:
            raise ValueError(
                f"the state has variables {[list(v.shape) for v in state['variables']]}; "
                f"this run has {[list(v.shape) for v in variables]}: it is of another generator or target"
            )
        put_back(optimizer, variables, state["variables"], state["moments"])
        self._source.set_state(state["random"].cpu())


def moments(optimizer: torch.optim.Adam, variable: Tensor) -> dict[str, Tensor] | None:
    """A copy of what Adam remembers of a variable; None before its first step."""
    known = optimizer.state.get(variable)
    return None if known is None else {name: t.detach().clone() for name, t in known.items()}


def put_back(
    optimizer: torch.optim.Adam,
    variables: Iterable[Tensor],
    values: Iterable[Tensor],
    known: Iterable[Mapping[str, Tensor] | None],
) -> None:
    """Give variables their values, and Adam what `moments` said of each."""
    optimizer.state.clear()
    with torch.no_grad():
        for variable, value, old in zip(variables, values, known, strict=True):
            variable.copy_(value)
            if old is not None:
                optimizer.state[variable] = {
                    name: t.clone() if name == "step" else t.to(variable.device).clone() for name, t in old.items()
                }
